"""Simulated light sources with switching latency; keeps the recent history, so that stray light can be summed."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from typing import ClassVar

from pydantic import BaseModel, Field

from squid.abc.device import Device
from squid.abc.illumination import Illumination, LightSource
from squid.drivers.simulated.timing import TimedFuture, TimerThread, settle
from squid.drivers.simulated.world import HangSwitch, SimulatedWorld
from squid.errors import DeviceClosedError, DeviceError
from squid.models.base import FileModel

_HISTORY = 256  # switchings per source that are remembered


class SourceOptions(FileModel):
    """One light source.

    Attributes
    ----------
    wavelength_nm : float or None
        None for white light.
    power : float
        Brightness at full intensity, relative to a usual source.
    """

    wavelength_nm: float | None = Field(default=None, gt=0)
    power: float = Field(default=1.0, gt=0)


def _usual_sources() -> dict[str, SourceOptions]:
    lasers = {f"{nm:g}": SourceOptions(wavelength_nm=nm) for nm in (405.0, 488.0, 561.0, 638.0)}
    return {**lasers, "BF": SourceOptions()}


class IlluminationOptions(FileModel):
    """Options of the simulated illumination.

    Attributes
    ----------
    sources : mapping of str to SourceOptions
        By name.
    on_latency_ms, off_latency_ms : float
        Time from the command until the light is there, or gone.
    """

    sources: Mapping[str, SourceOptions] = Field(default_factory=_usual_sources, min_length=1)
    on_latency_ms: float = Field(default=0.5, ge=0)
    off_latency_ms: float = Field(default=0.5, ge=0)


class SimulatedIllumination(Illumination):
    """Light sources that switch after a latency."""

    Options = IlluminationOptions
    Uses: ClassVar[Mapping[str, type[Device]]] = {"world": SimulatedWorld}

    def __init__(self, label: str, options: IlluminationOptions, world: SimulatedWorld) -> None:
        super().__init__(label)
        self._world = world
        self._sources = {name: LightSource(name, given.wavelength_nm) for name, given in options.sources.items()}
        self._power = {name: given.power for name, given in options.sources.items()}
        self._on_s = options.on_latency_ms / 1000 / world.time_scale
        self._off_s = options.off_latency_ms / 1000 / world.time_scale
        self._lock = threading.Lock()
        self._lit: dict[str, float] = {}
        # per source: (instant, level from then on), instants ascending; the first entry is the dark before all
        self._history = {name: deque([(0.0, 0.0)], maxlen=_HISTORY) for name in self._sources}
        self._timer = TimerThread(f"{label} switching")
        self._hang = HangSwitch()

    @classmethod
    def create(cls, label: str, options: BaseModel, uses: Mapping[str, Device]) -> SimulatedIllumination:
        """Build it and put it into the world's light path."""
        world = uses["world"]
        assert isinstance(options, IlluminationOptions)
        assert isinstance(world, SimulatedWorld)
        light = cls(label, options, world)
        world.attach_light(light)
        return light

    @property
    def sources(self) -> tuple[LightSource, ...]:
        """The light sources."""
        return tuple(self._sources.values())

    @property
    def on_latency_ms(self) -> float:
        """Time from `turn_on` to full light, by the wall clock."""
        return self._on_s * 1000

    @property
    def lit(self) -> tuple[str, ...]:
        """Names of the sources that are on, as last commanded."""
        with self._lock:
            return tuple(self._lit)

    def mean_levels(self, start_s: float, end_s: float) -> tuple[tuple[LightSource, float], ...]:
        """Return each source's mean level (power × fraction) between two instants, dark ones left out."""
        with self._lock:
            levels = [(self._sources[name], _mean(history, start_s, end_s)) for name, history in self._history.items()]
        return tuple((source, level) for source, level in levels if level > 0)

    def _do_turn_on(self, source: str, intensity: float) -> Future[None]:
        asked_s = time.monotonic()
        fault = self._world.faults.for_call("illumination")
        if fault is not None and fault.kind == "hang":
            self._hang.wait()
            raise DeviceClosedError(self.label, f"was closed while turning on {source}")
        if fault is not None and fault.kind == "exception":
            raise DeviceError(self.label, f"injected fault: {source} did not switch on")
        dark = fault is not None and fault.kind == "stays_dark"
        level = 0.0 if dark else intensity * self._power[source]
        return self._switch(source, intensity, level, asked_s + self._on_s)

    def _do_turn_off(self, source: str) -> Future[None]:
        return self._switch(source, None, 0.0, time.monotonic() + self._off_s)

    def _do_all_off(self) -> None:
        for source in self._sources:
            self._switch(source, None, 0.0, time.monotonic() + self._off_s)

    def _switch(self, source: str, intensity: float | None, level: float, instant: float) -> Future[None]:
        """Bring a source to its level at an instant; `intensity` is what was asked for, None: off."""
        done: TimedFuture[None] = TimedFuture()
        with self._lock:
            if intensity is None:
                self._lit.pop(source, None)
            else:
                self._lit[source] = intensity
            history = self._history[source]
            while history[-1][0] > instant:  # a later command overtakes a slower, earlier one
                history.pop()
            if history[-1][1] != level:
                history.append((instant, level))
        if instant > time.monotonic() and self.is_open:
            self._timer.settle_at(instant, done, lambda: settle(done, None))
        else:
            settle(done, None)
        return done

    def _do_open(self) -> None:
        self._hang.arm()
        self._timer.start()

    def _do_close(self) -> None:
        self._do_all_off()
        self._hang.release()
        self._timer.stop()


def _mean(history: deque[tuple[float, float]], start_s: float, end_s: float) -> float:
    """Return the mean level between two instants, or the level at one."""
    total, until = 0.0, end_s
    for instant, level in reversed(history):
        if instant <= start_s:
            # nothing switched meanwhile: the level itself, free of rounding, as frames must be the same in every run
            return level if until == end_s else (total + level * (until - start_s)) / (end_s - start_s)
        if instant < until:
            total += level * (until - instant)
            until = instant
    return total / (end_s - start_s)
