"""Devices that exist only as numbers: enough to ask for times and ranges, never moved."""

from __future__ import annotations

import math
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from pydantic import BaseModel
from tests.control.core.plans import machine

from control.core.timing import Physics
from squid.abc.camera import PixelFormat
from squid.abc.device import Device
from squid.abc.filter_wheel import FilterWheel
from squid.abc.illumination import Illumination, LightSource
from squid.abc.stage import Stage
from squid.machine_file import MachineConfig
from squid.microscope import CameraState
from squid.models.channel import ChannelLayout
from squid.models.geometry import AxisRange, Roi, StageLimits, StagePosition


class PaperStage(Stage):
    """A stage of constant speed: 1 mm/s and 10 ms to settle."""

    @classmethod
    def create(cls, label: str, options: BaseModel, uses: Mapping[str, Device]) -> PaperStage:
        return cls(label)

    hardware_limits = StageLimits(
        x=AxisRange(min_um=-1e6, max_um=1e6), y=AxisRange(min_um=-1e6, max_um=1e6), z=AxisRange(min_um=-1e4, max_um=1e4)
    )
    tolerance_um = StagePosition(1, 1, 1)
    is_homed = True
    is_moving = False

    def travel_time_s(self, start: StagePosition, target: StagePosition) -> float:
        distance_um = math.dist(start, target)
        return 0.01 + distance_um / 1000 if distance_um > 1e-9 else 0.0

    def homing_time_s(self) -> float:
        return 1.0

    def _do_position(self) -> StagePosition:
        return StagePosition(10.0, 20.0, 30.0)

    def _do_move_to(self, x_um: float | None, y_um: float | None, z_um: float | None) -> Future[StagePosition]:
        raise NotImplementedError

    def _do_home(self) -> Future[StagePosition]:
        raise NotImplementedError

    def _do_stop(self) -> None: ...
    def _do_open(self) -> None: ...
    def _do_close(self) -> None: ...


class PaperLight(Illumination):
    """A light that needs 3 ms."""

    @classmethod
    def create(cls, label: str, options: BaseModel, uses: Mapping[str, Device]) -> PaperLight:
        return cls(label)

    sources = tuple(LightSource(f"source {name}", None) for name in "ABC")
    on_latency_ms = 3.0
    lit = ()

    def _do_turn_on(self, source: str, intensity: float) -> Future[None]:
        raise NotImplementedError

    def _do_turn_off(self, source: str) -> Future[None]:
        raise NotImplementedError

    def _do_all_off(self) -> None: ...
    def _do_open(self) -> None: ...
    def _do_close(self) -> None: ...


class PaperWheel(FilterWheel):
    """A wheel that needs 50 ms from one filter to the next."""

    @classmethod
    def create(cls, label: str, options: BaseModel, uses: Mapping[str, Device]) -> PaperWheel:
        return cls(label)

    filters = ("blue", "green", "red")
    current = "blue"

    def travel_time_s(self, start: str | None, target: str) -> float:
        first = 0 if start is None else self.filters.index(start)
        return 0.05 * abs(first - self.filters.index(target))

    def _do_move_to(self, filter_name: str) -> Future[str]:
        raise NotImplementedError

    def _do_open(self) -> None: ...
    def _do_close(self) -> None: ...


class PaperCamera:
    """Times and ranges of a camera."""

    readout_ms = 15.0
    exposure_range_ms = (0.1, 1000.0)
    gain_range = (1.0, 8.0)
    pixel_format = PixelFormat.MONO12
    binning = 1

    def exposure_duration_s(self, exposure_ms: float) -> float:
        return exposure_ms / 1000


def physics(channels: tuple[ChannelLayout, ...]) -> Physics:
    """Return the physics of these devices."""
    camera: Any = PaperCamera()
    return Physics(PaperStage("stage"), camera, PaperLight("light"), PaperWheel("wheel"), channels)


class PaperMicroscope:
    """A microscope of these devices, with the machine of `plans.machine`."""

    def __init__(self, config: MachineConfig | None = None) -> None:
        self.config = config or machine()
        self.stage = PaperStage("stage")
        self.stage.open()
        self.camera = PaperCamera()
        self.illumination = PaperLight("light")
        self.filter_wheel: PaperWheel | None = PaperWheel("wheel")
        self.objective_changer = None
        self.camera_trigger = None
        self.objective = "20x"
        self.stored_shape_px = (200, 300)
        self.camera_for_runs = CameraState(1, PixelFormat.MONO12, Roi(0, 0, 300, 200), PaperCamera.readout_ms)

    def pixel_size_um(self, objective: str, binning: int | None = None) -> float:
        return 0.5
