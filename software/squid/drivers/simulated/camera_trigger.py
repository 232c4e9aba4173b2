"""Simulated trigger line, wired to the simulated camera."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from squid.abc.camera_trigger import CameraTrigger
from squid.abc.device import Device, NoOptions
from squid.drivers.simulated.camera import SimulatedCamera
from squid.drivers.simulated.world import HangSwitch, SimulatedWorld
from squid.errors import DeviceClosedError, DeviceError


class SimulatedCameraTrigger(CameraTrigger):
    """A wire to the camera's trigger input."""

    Options = NoOptions
    Uses: ClassVar[Mapping[str, type[Device]]] = {"world": SimulatedWorld, "camera": SimulatedCamera}

    def __init__(self, label: str, world: SimulatedWorld, camera: SimulatedCamera) -> None:
        super().__init__(label)
        self._world = world
        self._camera = camera
        self._hang = HangSwitch()

    @classmethod
    def create(cls, label: str, options: object, uses: Mapping[str, Device]) -> SimulatedCameraTrigger:
        """Build it; see `Device.create`."""
        world, camera = uses["world"], uses["camera"]
        assert isinstance(world, SimulatedWorld)
        assert isinstance(camera, SimulatedCamera)
        return cls(label, world, camera)

    def _do_pulse(self) -> None:
        fault = self._world.faults.for_call("camera_trigger")
        kind = fault.kind if fault else None
        if kind == "hang":
            self._hang.wait()
            raise DeviceClosedError(self.label, "was closed during a pulse")
        if kind == "exception":
            raise DeviceError(self.label, "injected fault: no pulse was given")
        if kind != "lost_pulse":
            self._camera.hardware_pulse()

    def _do_open(self) -> None:
        self._hang.arm()

    def _do_close(self) -> None:
        self._hang.release()
