"""A simulated optical bench for physics tests: world, stage, light and camera, built from options."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from squid.abc.device import Device
from squid.drivers.simulated.camera import SimulatedCamera
from squid.drivers.simulated.illumination import SimulatedIllumination
from squid.drivers.simulated.stage import SimulatedStage
from squid.drivers.simulated.world import SimulatedWorld
from squid.models.frame import CameraFrame
from squid.models.geometry import Pixels

TIMEOUT_S = 20.0
FLAT = {"tilt_x_um_per_mm": 0.0, "tilt_y_um_per_mm": 0.0, "bow_um": 0.0}
"""Focus options of a plate that lies level."""
EMPTY = {"cells_per_mm2": 0}
"""Specimen options of wells without cells."""


@dataclass
class Bench:
    """Open devices."""

    world: SimulatedWorld
    stage: SimulatedStage
    light: SimulatedIllumination
    camera: SimulatedCamera

    def go(self, **target_um: float) -> None:
        """Move and wait."""
        self.stage.move_to(**target_um).result(TIMEOUT_S)

    def frame(self, plan_index: int = 0) -> CameraFrame:
        """One exposure with the light as it is."""
        return self.camera.trigger(plan_index).frame.result(TIMEOUT_S)

    def snap(self, source: str | None = "405", intensity: float = 0.5, plan_index: int = 0) -> Pixels:
        """One exposure with one source lit, or none."""
        if source is not None:
            self.light.turn_on(source, intensity).result(TIMEOUT_S)
        pixels = self.frame(plan_index).pixels
        if source is not None:
            self.light.turn_off(source).result(TIMEOUT_S)
        return pixels


@contextmanager
def bench(
    world: Mapping[str, Any] | None = None,
    camera: Mapping[str, Any] | None = None,
    light: Mapping[str, Any] | None = None,
    stage: Mapping[str, Any] | None = None,
) -> Iterator[Bench]:
    """Build and open a bench; the options are those of a machine file."""
    usual_world = {"time_scale": 20.0, "focus": FLAT}
    usual_stage = {"takes_no_time": True}
    usual_camera = {"sensor_shape_px": (256, 256)}
    the_world = SimulatedWorld.create(
        "world", SimulatedWorld.Options.model_validate({**usual_world, **(world or {})}), {}
    )
    uses: dict[str, Device] = {"world": the_world}
    built = Bench(
        the_world,
        SimulatedStage.create("stage", SimulatedStage.Options.model_validate({**usual_stage, **(stage or {})}), uses),
        SimulatedIllumination.create("light", SimulatedIllumination.Options.model_validate(light or {}), uses),
        SimulatedCamera.create(
            "camera", SimulatedCamera.Options.model_validate({**usual_camera, **(camera or {})}), uses
        ),
    )
    devices: tuple[Device, ...] = (built.world, built.stage, built.light, built.camera)
    for device in devices:
        device.open()
    built.camera.set_exposure_ms(20.0)
    try:
        yield built
    finally:
        for device in reversed(devices):
            device.close()
