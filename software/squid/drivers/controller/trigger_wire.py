"""The wire from a virtual controller's trigger output to a simulated camera, and its lights as they really were.

A device without role between a virtual controller and a simulated camera (``configs/simulation_controller.yaml``). It
knows the camera by its shape: by its trigger input.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol, runtime_checkable

from pydantic import BaseModel, Field

from squid.abc.device import Device
from squid.drivers.controller.protocol_table import TRIGGER_CHANNELS
from squid.drivers.controller.virtual import OutputChange, VirtualControllerLink
from squid.errors import DeviceError
from squid.models.base import FileModel


@runtime_checkable
class TakesPulses(Protocol):
    """A camera, as far as it is needed here."""

    def hardware_pulse(self, instant_s: float | None = None) -> None:
        """Take an edge of the trigger line."""


class TriggerWireOptions(FileModel):
    """Options of the wire.

    Attributes
    ----------
    channel : int
        Trigger output, 0 to 3.
    """

    channel: int = Field(default=0, ge=0, lt=TRIGGER_CHANNELS)


class TriggerWire(Device):
    """Hands each falling edge of a trigger output to a camera."""

    Options = TriggerWireOptions
    Uses: ClassVar[Mapping[str, type[Device]]] = {"link": VirtualControllerLink, "camera": Device}

    def __init__(
        self, label: str, options: TriggerWireOptions, link: VirtualControllerLink, camera: TakesPulses
    ) -> None:
        super().__init__(label)
        self._output = f"trigger{options.channel}"
        self._link = link
        self._camera = camera

    @classmethod
    def create(cls, label: str, options: BaseModel, uses: Mapping[str, Device]) -> TriggerWire:
        """Build it; see `Device.create`."""
        link, camera = uses["link"], uses["camera"]
        assert isinstance(options, TriggerWireOptions)
        assert isinstance(link, VirtualControllerLink)
        assert isinstance(camera, TakesPulses)
        return cls(label, options, link, camera)

    def _do_open(self) -> None:
        if self._link.controller is None:
            raise DeviceError(self.label, f"{self._link.label} is not open")
        self._link.controller.watch(self._take)

    def _take(self, change: OutputChange) -> None:
        if change.name == self._output and change.level == 0 and self.is_open:
            self._camera.hardware_pulse(change.instant_s)

    def _do_close(self) -> None:
        """Nothing to close: the controller ends with its link."""
