"""One of the controller's four camera trigger outputs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future
from enum import StrEnum
from typing import ClassVar, Final

from pydantic import BaseModel, Field

from squid.abc.camera_trigger import CameraTrigger
from squid.abc.device import Device
from squid.drivers.controller.illumination import ControllerIllumination
from squid.drivers.controller.link import ControllerLink
from squid.drivers.controller.protocol_table import TRIGGER_CHANNELS, Code, TriggerMode
from squid.drivers.controller.requests import Command, Job
from squid.errors import DeviceTimeoutError
from squid.models.base import FileModel

_CONFIRM_S: Final = 1.0

STROBE_BIT: Final = 0x80
"""In the control byte of a trigger: light the selected source, too."""


class PulseShape(StrEnum):
    """What a pulse looks like: always active low."""

    EDGE = "edge"
    """A short pulse; the camera times its exposure."""
    LEVEL = "level"
    """Low for `low_ms`; the camera exposes as long."""


class CameraTriggerOptions(FileModel):
    """Options of a trigger output.

    Attributes
    ----------
    channel : int
        0 to 3.
    shape : PulseShape
        All channels of a controller share it.
    low_ms : float
        Length of a level pulse.
    """

    channel: int = Field(default=0, ge=0, lt=TRIGGER_CHANNELS)
    shape: PulseShape = PulseShape.EDGE
    low_ms: float = Field(default=1.0, gt=0, le=60_000)


class ControllerCameraTrigger(CameraTrigger):
    """A trigger output."""

    Options = CameraTriggerOptions
    Uses: ClassVar[Mapping[str, type[Device]]] = {"link": ControllerLink}

    def __init__(self, label: str, options: CameraTriggerOptions, link: ControllerLink) -> None:
        super().__init__(label)
        self._options = options
        self._link = link
        self._mode_at: tuple[int, int] | None = None

    @classmethod
    def create(cls, label: str, options: BaseModel, uses: Mapping[str, Device]) -> ControllerCameraTrigger:
        """Build it; see `Device.create`."""
        link = uses["link"]
        assert isinstance(options, CameraTriggerOptions)
        assert isinstance(link, ControllerLink)
        return cls(label, options, link)

    def _do_pulse(self) -> None:
        """Pulse, and return when the controller has confirmed it: a pulse that may be lost is never sent twice."""
        self._confirm(self._link.submit(self._pulse_job(), urgent=True))

    def _confirm(self, pulse: Future[None]) -> None:
        try:
            pulse.result(_CONFIRM_S)
        except TimeoutError as e:
            raise DeviceTimeoutError(self.label, f"the pulse was not confirmed within {_CONFIRM_S:g} s") from e

    @property
    def channel(self) -> int:
        """Number of the output."""
        return self._options.channel

    def _pulse_job(self) -> Job[None]:
        yield from self.prepare()
        low_us = round(self._options.low_ms * 1000) if self._mode is TriggerMode.LEVEL else 0
        yield Command(Code.SEND_HARDWARE_TRIGGER, {"control": self._options.channel, "on_time_us": low_us})

    def prepare(self) -> Job[None]:
        """Make pulses look as they should (to be used inside a job)."""
        now = (self._link.restarts, self._link.resets)
        if self._mode_at != now:  # RESET and INITIALIZE put it back to edge
            yield Command(Code.SET_TRIGGER_MODE, {"mode": self._mode})
            delay = {"channel": self.channel, "delay_us": round(self.strobe_delay_ms * 1000)}
            yield Command(Code.SET_STROBE_DELAY, delay)  # another program may have left its own
            self._mode_at = now

    @property
    def _mode(self) -> TriggerMode:
        return TriggerMode.LEVEL if self._options.shape is PulseShape.LEVEL else TriggerMode.EDGE

    def _do_open(self) -> None:
        self._mode_at = None

    def _do_close(self) -> None:
        self._mode_at = None


class StrobedTriggerOptions(CameraTriggerOptions):
    """Options of a trigger output with a strobe.

    Attributes
    ----------
    strobe_delay_ms : float
        From the pulse to the light: for a rolling shutter the time until its last row exposes.
    """

    strobe_delay_ms: float = Field(default=0.0, ge=0, le=10_000)


class ControllerStrobedTrigger(ControllerCameraTrigger):
    """A trigger output that lights a source for just the exposure; needs firmware 1.3 or later for that."""

    Options = StrobedTriggerOptions
    Uses: ClassVar[Mapping[str, type[Device]]] = {"link": ControllerLink, "light": ControllerIllumination}

    def __init__(
        self, label: str, options: StrobedTriggerOptions, link: ControllerLink, light: ControllerIllumination
    ) -> None:
        super().__init__(label, options, link)
        self._delay_ms = options.strobe_delay_ms
        self._light = light

    @classmethod
    def create(cls, label: str, options: BaseModel, uses: Mapping[str, Device]) -> ControllerStrobedTrigger:
        """Build it; see `Device.create`."""
        link, light = uses["link"], uses["light"]
        assert isinstance(options, StrobedTriggerOptions)
        assert isinstance(link, ControllerLink)
        assert isinstance(light, ControllerIllumination)
        return cls(label, options, link, light)

    @property
    def strobes(self) -> ControllerIllumination | None:
        """The illumination; None with firmware that may change a strobe's source while it is on."""
        return self._light if self._link.capabilities.latches_strobe else None

    @property
    def strobe_delay_ms(self) -> float:
        """From a pulse to the light of its strobe."""
        return self._delay_ms

    def _do_strobe(self, source: str, intensity: float, on_ms: float) -> None:
        self._light.strobes_until(time.monotonic() + _CONFIRM_S + (self._delay_ms + on_ms) / 1000)
        job = self._link.submit(self._strobe_job(source, intensity, on_ms), urgent=True)
        self._light.ends_with_dark(job)
        self._confirm(job)
        self._light.strobes_until(time.monotonic() + (self._delay_ms + on_ms) / 1000)

    def _strobe_job(self, source: str, intensity: float, on_ms: float) -> Job[None]:
        yield from self.prepare()
        yield from self._light.prepare()
        yield from self._link.arm_lease()
        yield self._light.select(source, intensity)
        control = STROBE_BIT | self.channel
        yield Command(Code.SEND_HARDWARE_TRIGGER, {"control": control, "on_time_us": round(on_ms * 1000)})
