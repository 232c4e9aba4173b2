"""The controller's lights: laser ports D1 to D5 and the LED matrix.

With firmware 1.0 and later each port is switched by itself. Older firmware has one "current source": each switch
selects it anew, so that no other one stays on by mistake (section 6.1). The matrix works that way on every firmware.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, ClassVar, Final

from pydantic import BaseModel, Field

from squid.abc.device import Device, StateValue
from squid.abc.illumination import Illumination, LightSource
from squid.drivers.controller.capabilities import AMBIGUOUS_VERSION
from squid.drivers.controller.light_sources import FULL_SCALE, PORT_CODES, PORTS, MatrixSource, PortSource, Source
from squid.drivers.controller.link import ControllerLink
from squid.drivers.controller.packets import StatusFrame
from squid.drivers.controller.protocol_table import Code, Flag, StepField
from squid.drivers.controller.requests import Command, CommandRefusedError, Job, send_all
from squid.errors import DeviceError, DeviceTimeoutError
from squid.models.base import FileModel

LANE: Final = "light"
_CONFIRM_S: Final = 1.5
_PAST_SWITCHES: Final = 64


class IlluminationOptions(FileModel):
    """Options of the lights.

    Attributes
    ----------
    sources : mapping of str to PortSource or MatrixSource
        By the name that channels use.
    intensity_factor : float
        Part of the DAC's 2.5 V that full intensity means: 0.6 for LEDs (1.5 V), 0.8 for a laser engine (2 V).
    on_latency_ms : float
        Time from the controller's switching to full light.
    """

    sources: Mapping[str, Source] = Field(min_length=1)
    intensity_factor: float = Field(default=0.6, ge=0.01, le=1)
    on_latency_ms: float = Field(default=0.0, ge=0)


class ControllerIllumination(Illumination):
    """Lights on the controller."""

    Options = IlluminationOptions
    Uses: ClassVar[Mapping[str, type[Device]]] = {"link": ControllerLink}

    def __init__(self, label: str, options: IlluminationOptions, link: ControllerLink) -> None:
        super().__init__(label)
        self._options = options
        self._link = link
        self._sources = tuple(LightSource(name, given.wavelength_nm) for name, given in options.sources.items())
        self._lock = threading.Lock()
        self._lit: dict[str, float] = {}
        self._lighting_up: set[Future[Any]] = set()
        self._strobe_ends_s = 0.0
        self._switches: deque[tuple[float, str, float]] = deque(maxlen=_PAST_SWITCHES)
        self._lit_at = -1
        self._factor_at = -1
        self._ports_shown = 0
        self._end_watch: Callable[[], None] = lambda: None

    @classmethod
    def create(cls, label: str, options: BaseModel, uses: Mapping[str, Device]) -> ControllerIllumination:
        """Build it; see `Device.create`."""
        link = uses["link"]
        assert isinstance(options, IlluminationOptions)
        assert isinstance(link, ControllerLink)
        return cls(label, options, link)

    @property
    def sources(self) -> tuple[LightSource, ...]:
        """The light sources."""
        return self._sources

    @property
    def on_latency_ms(self) -> float:
        """Time from the controller's switching to full light."""
        return self._options.on_latency_ms

    @property
    def lit(self) -> tuple[str, ...]:
        """Names of the sources that are on; none after the controller darkened by itself."""
        with self._lock:
            return tuple(self._lit) if self._lit_at == self._link.darkenings else ()

    @property
    def interruptions(self) -> int:
        """How often light may have gone out at any moment; see `Illumination.interruptions`."""
        return super().interruptions + self._link.darkenings

    @property
    def gives_light(self) -> bool:
        """Whether light may be on just now, a strobe's included."""
        return super().gives_light or time.monotonic() < self._strobe_ends_s

    @property
    def interlock_is_open(self) -> bool:
        """Whether the interlock keeps the lasers off just now; False on stock firmware, which does not tell."""
        return self._link.is_connected and self._link.frame.has(Flag.INTERLOCK_OPEN)

    @property
    def interlock_openings(self) -> int:
        """How often the interlock was seen to open."""
        return self._link.interlock_openings

    def state(self) -> dict[str, StateValue]:
        """Return which light is on, and whether the controller has switched lights off by itself."""
        if not self.is_open:
            return super().state()
        return super().state() | {
            "light_lease_expired": self._link.lease.expired,
            "interlock_openings": self._link.interlock_openings,
        }

    def _do_turn_on(self, source: str, intensity: float) -> Future[None]:
        future = self._link.submit(self._on_job(source, intensity), LANE)
        self._lighting_up.add(future)
        future.add_done_callback(self._lighting_up.discard)
        if not (future.done() and future.exception()):
            self._note_lit(source, intensity)
        return future

    def _note_lit(self, source: str, intensity: float) -> None:
        with self._lock:
            if self._lit_at != self._link.darkenings:
                self._lit.clear()
                self._lit_at = self._link.darkenings
            self._lit[source] = intensity

    def _note_dark(self, source: str) -> None:
        with self._lock:
            self._lit.pop(source, None)

    def _on_job(self, source: str, intensity: float) -> Job[None]:
        try:
            yield from self.prepare()
            yield from self._link.arm_lease()
            yield from send_all(self._on_commands(source, intensity))
            self._record(source, intensity)
        except CommandRefusedError as e:
            self._note_dark(source)
            raise DeviceError(self.label, f"{source} was not switched on: {e.message}") from e
        except DeviceError:
            self._note_dark(source)
            raise

    def prepare(self) -> Job[None]:
        """Make intensities mean what they should (to be used inside a job)."""
        if self._factor_at != self._link.restarts:
            restarts = self._link.restarts
            percent = round(self._options.intensity_factor * 100)
            yield Command(Code.SET_ILLUMINATION_INTENSITY_FACTOR, {"percent": percent})
            self._factor_at = restarts

    def _on_commands(self, name: str, intensity: float) -> tuple[Command, ...]:
        source = self._options.sources[name]
        if isinstance(source, MatrixSource):
            fields = source.colour_fields(intensity)
            return Command(Code.SET_ILLUMINATION_LED_MATRIX, fields), Command(Code.TURN_ON_ILLUMINATION)
        level = source.level(intensity)
        if self._link.capabilities.has_ports:
            return (Command(Code.SET_PORT_ILLUMINATION, {"port": PORTS[source.port], "intensity": level, "on": 1}),)
        select = Command(Code.SET_ILLUMINATION, {"source": PORT_CODES[source.port], "intensity": level})
        return select, Command(Code.TURN_ON_ILLUMINATION)

    def select(self, name: str, intensity: float) -> Command:
        """Return the command that makes a source the one that a strobe lights; it stays off."""
        source = self._options.sources[name]
        if isinstance(source, MatrixSource):
            return Command(Code.SET_ILLUMINATION_LED_MATRIX, source.colour_fields(intensity))
        fields = {"source": PORT_CODES[source.port], "intensity": source.level(intensity)}
        return Command(Code.SET_ILLUMINATION, fields)

    def step_registers(self, name: str, intensity: float) -> dict[StepField, int]:
        """Return the registers of a sequence's step that strobes a source."""
        source = self._options.sources[name]
        if isinstance(source, MatrixSource):
            colour = source.colour_fields(intensity)
            rgb = colour["red"] << 16 | colour["green"] << 8 | colour["blue"]
            return {StepField.SOURCE: colour["source"], StepField.COLOUR: rgb}
        return {StepField.SOURCE: PORT_CODES[source.port], StepField.INTENSITY: source.level(intensity)}

    @property
    def link(self) -> ControllerLink:
        """The link to the controller."""
        return self._link

    @property
    def wiring(self) -> dict[str, tuple[str, str]]:
        """For each source, the controller's output that switches it and the one that sets its level."""
        return {
            name: ("matrix", "matrix_level")
            if isinstance(given, MatrixSource)
            else (given.port, f"dac{PORTS[given.port]}")
            for name, given in self._options.sources.items()
        }

    def intensity_of(self, name: str, raw: int) -> float:
        """Return the intensity that an output's level means: of the DAC (16 bit), or of the matrix (0 to 100)."""
        source = self._options.sources[name]
        if isinstance(source, MatrixSource):
            return min(1.0, raw / 100 / (max(source.colour) or 1.0))
        return source.intensity(raw / FULL_SCALE / self._options.intensity_factor)

    def strobes_until(self, end_s: float) -> None:
        """Note that a strobe may give light until `time.monotonic` is `end_s`."""
        self._strobe_ends_s = end_s

    def ends_with_dark(self, job: Future[Any]) -> None:
        """Let a job that will strobe lights be cancelled by `all_off`, even before it lights the first."""
        self._lighting_up.add(job)
        job.add_done_callback(self._lighting_up.discard)

    def sequence_over(self) -> None:
        """Note that a sequence has ended: it leaves every light off."""
        with self._lock:
            self._lit.clear()

    def _off_commands(self, name: str) -> tuple[Command, ...]:
        source = self._options.sources[name]
        off = Command(Code.TURN_OFF_ILLUMINATION)
        if isinstance(source, MatrixSource):
            return Command(Code.SET_ILLUMINATION_LED_MATRIX, source.colour_fields(0.0)), off
        if self._link.capabilities.has_ports:
            return (Command(Code.TURN_OFF_PORT, {"port": PORTS[source.port]}),)
        return Command(Code.SET_ILLUMINATION, {"source": PORT_CODES[source.port], "intensity": 0}), off

    def _do_turn_off(self, source: str) -> Future[None]:
        with self._lock:
            intensity = self._lit.pop(source, None)  # before a frame can show it
        try:
            return self._link.submit(self._off_job(source), LANE, urgent=True)
        except DeviceError:
            with self._lock:
                if intensity is not None:
                    self._lit[source] = intensity
            raise

    def _watch_ports(self, frame: StatusFrame) -> None:
        """Notice a port that goes off by itself; in the link's thread.

        The early firmware 1.1 ends each port's light after a time, whatever the host does, and shows in byte 19 which
        are on; the later 1.1 shows none (section 11).
        """
        shown = frame.reset_count if frame.version == AMBIGUOUS_VERSION else 0
        fell, self._ports_shown = self._ports_shown & ~shown, shown
        if not fell:
            return
        sources = self._options.sources
        ports = [given.port for name in self.lit if isinstance(given := sources[name], PortSource)]
        if any(fell >> PORTS[port] & 1 for port in ports):
            self._link.went_dark("a port has switched itself off: firmware 1.1 of early 2026 allows each only a time")

    def _off_job(self, source: str) -> Job[None]:
        yield from send_all(self._off_commands(source))
        self._record(source, 0.0)

    def _record(self, source: str, level: float) -> None:
        self._switches.append((time.monotonic(), source, level))

    @property
    def switches(self) -> tuple[tuple[float, str, float], ...]:
        """The last switches as acknowledged: instant (`time.monotonic`), source, intensity."""
        return tuple(self._switches)

    def _do_all_off(self) -> None:
        self._darken()

    def _darken(self) -> None:
        """Switch off every light of the controller; returns when it has confirmed it.

        Raises
        ------
        DeviceError
            It did not; its lease darkens it, where the firmware has one.
        """
        for future in tuple(self._lighting_up):  # nothing may go on after this
            self._link.cancel(future, DeviceError(self.label, "all lights were switched off meanwhile"))
        dark = self._link.submit(self._link.darken(), urgent=True)
        try:
            dark.result(_CONFIRM_S)
        except TimeoutError as e:
            raise DeviceTimeoutError(self.label, f"did not confirm within {_CONFIRM_S:g} s that it is dark") from e
        with self._lock:
            self._lit.clear()
        for name in self._options.sources:
            self._record(name, 0.0)

    def _do_open(self) -> None:
        with self._lock:
            self._lit.clear()
        self._ports_shown = 0
        self._end_watch = self._link.on_frame(self._watch_ports)

    def _do_close(self) -> None:
        self._end_watch()
        if self._link.is_connected:
            self._darken()
