"""One of the controller's four camera trigger outputs."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar, Final

from pydantic import BaseModel, Field

from squid.abc.camera_trigger import CameraTrigger
from squid.abc.device import Device
from squid.drivers.controller.link import ControllerLink
from squid.drivers.controller.protocol_table import TRIGGER_CHANNELS, Code, TriggerMode
from squid.drivers.controller.requests import Command, Job
from squid.errors import DeviceTimeoutError
from squid.models.base import FileModel

_CONFIRM_S: Final = 1.0


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
        try:
            self._link.submit(self._pulse_job(), urgent=True).result(_CONFIRM_S)
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
            self._mode_at = now

    @property
    def _mode(self) -> TriggerMode:
        return TriggerMode.LEVEL if self._options.shape is PulseShape.LEVEL else TriggerMode.EDGE

    def _do_open(self) -> None:
        self._mode_at = None

    def _do_close(self) -> None:
        self._mode_at = None
