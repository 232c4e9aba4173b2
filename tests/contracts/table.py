"""The drivers that the contract suites run on: add a line for a new one, and the suite of its kind tests it.

A rig gives the device under test, open, and what the suite needs to know of it; it is closed afterwards by the suite.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.contracts.controller import SOURCES, STAGE, make_sequencer, make_stage
from tests.contracts.controller import make as make_controller

from squid.abc.camera import Camera
from squid.abc.camera_trigger import CameraTrigger
from squid.abc.device import Device
from squid.abc.filter_wheel import FilterWheel
from squid.abc.illumination import Illumination
from squid.abc.objective_changer import ObjectiveChanger
from squid.abc.sequencer import Sequencer, SequenceStep
from squid.abc.stage import Stage
from squid.models.geometry import StagePosition
from squid.registry import driver_class

HAS_COMPILER = shutil.which("g++") is not None
"""Without one there is no virtual controller to test the controller's drivers on."""

TIMEOUT_S = 20.0
"""No future may take longer in a suite."""


@dataclass(frozen=True)
class Driver:
    """One line of the table: a name for the test report, and how to make the device with what it uses."""

    name: str
    make: Callable[[], tuple[Device, ...]]
    """Devices in order of opening; the last is the one under test."""

    def __str__(self) -> str:
        return self.name


def simulated(kind: str, *, faults: tuple[str, ...] = (), time_scale: float = 20.0, **options: Any) -> Driver:
    """A simulated driver in a small world."""

    def make() -> tuple[Device, ...]:
        world = _built("world", {"time_scale": time_scale, "faults": faults})
        if kind == "camera_trigger":
            camera = _built("camera", {"sensor_shape_px": (96, 128)}, world=world)
            return world, camera, _built(kind, options, world=world, camera=camera)
        return world, _built(kind, options, world=world)

    return Driver(f"simulated.{kind}", make)


def controller(kind: str, *, stock: str | None = None, **options: Any) -> Driver:
    """A driver of the Squid controller, on a virtual controller."""
    return Driver(f"controller.{kind}{' (stock)' if stock else ''}", make_controller(kind, stock, options))


def _built(kind: str, options: dict[str, Any], **uses: Device) -> Device:
    driver = driver_class(f"simulated.{kind}")
    return driver.create(kind, driver.Options.model_validate(options), uses)


CAMERAS = [
    simulated("camera", sensor_shape_px=(96, 128)),
    simulated("camera", sensor_shape_px=(100, 60), mounting={"rotate_deg": 90}),
]
STAGES = [
    simulated("stage"),
    simulated("stage", takes_no_time=True),
    *([Driver("controller.stage", make_stage)] if HAS_COMPILER else []),
]
ILLUMINATIONS = [
    simulated("illumination"),
    simulated("illumination", on_latency_ms=0, off_latency_ms=0, sources={"red": {"wavelength_nm": 640}}),
    *(controller("illumination", stock=stock, sources=SOURCES) for stock in (None, "1.4", "0.0") if HAS_COMPILER),
]
FILTER_WHEELS = [
    simulated("filter_wheel"),
    simulated("filter_wheel", filters={"only": [[400, 700]]}),
    *([controller("filter_wheel", filters=("red", "green", "blue"))] if HAS_COMPILER else []),
]
OBJECTIVE_CHANGERS = [simulated("objective_changer")]
CAMERA_TRIGGERS = [simulated("camera_trigger")]
SEQUENCERS = [
    Driver("controller.sequencer", make_sequencer()),
    Driver("controller.sequencer (piezo)", make_sequencer(piezo=True)),
    Driver("controller.sequencer_with_wheel", make_sequencer(wheel=True)),
][: 3 * HAS_COMPILER]

ALL = [
    *SEQUENCERS,
    *(*CAMERAS, *STAGES[:2], *ILLUMINATIONS, *FILTER_WHEELS, *OBJECTIVE_CHANGERS, *CAMERA_TRIGGERS),
    *([controller("camera_trigger")] if HAS_COMPILER else []),  # no camera is wired to it
    *([controller("stage", **STAGE)] if HAS_COMPILER else []),  # on a controller of its own, not homed
]
HANGING = [
    (simulated("illumination", faults=("illumination.hang@switch=1",)), lambda light: light.turn_on("405", 1.0)),
    (simulated("stage", faults=("stage.hang@move=1",)), lambda stage: stage.move_to(x_um=1.0)),
    (simulated("camera", faults=("camera.hang@frame=0",)), lambda camera: camera.trigger(0)),
    (simulated("filter_wheel", faults=("filter_wheel.hang@move=1",)), lambda wheel: wheel.move_to("open")),
    (simulated("objective_changer", faults=("objective_changer.hang@move=1",)), lambda turret: turret.move_to("4x")),
    (simulated("camera_trigger", faults=("camera_trigger.hang@pulse=1",)), lambda line: line.pulse()),
]
"""Drivers that can be made to hang in a call, and that call."""

KINDS: dict[type[Device], list[Callable[[Any], object]]] = {
    Camera: [
        lambda camera: camera.set_exposure_ms(camera.exposure_ms),
        lambda camera: camera.set_gain(camera.gain),
        lambda camera: camera.set_binning(1),
        lambda camera: camera.set_pixel_format(camera.pixel_formats[0]),
        lambda camera: camera.set_trigger_mode(camera.trigger_modes[0]),
        lambda camera: camera.set_roi(camera.roi),
        lambda camera: camera.trigger(0),
        lambda camera: camera.cancel(),
    ],
    Stage: [
        lambda stage: stage.position(),
        lambda stage: stage.move_to(x_um=stage.limits.x.max_um),
        lambda stage: stage.home(),
    ],
    Illumination: [lambda light: light.turn_on(light.sources[0].name, 0.5)],
    FilterWheel: [lambda wheel: wheel.move_to(wheel.filters[0])],
    ObjectiveChanger: [lambda turret: turret.move_to(turret.objectives[0])],
    CameraTrigger: [lambda line: line.pulse()],
    Sequencer: [lambda sequencer: sequencer.start([step_here(sequencer)], 1.0)],
}
"""For every kind, all calls that command the device."""


def step_here(sequencer: Sequencer, z_um: float = 0.0, exposure_ms: float = 5.0) -> SequenceStep:
    """A step where the stage stands, or so much higher."""
    stage = next(part for part in sequencer.parts if isinstance(part, Stage))
    light = next(part for part in sequencer.parts if isinstance(part, Illumination))
    here = stage.position() if stage.is_open else StagePosition(0, 0, 0)
    return SequenceStep(here._replace(z_um=here.z_um + z_um), light.sources[0].name, 0.5, exposure_ms)


def commands_of(device: Device) -> list[Callable[[Any], object]]:
    """All calls that command this device."""
    return next(calls for kind, calls in KINDS.items() if isinstance(device, kind))


@contextmanager
def opened(driver: Driver) -> Iterator[Any]:
    """The device under test, open with all that it uses; closed in reverse order."""
    devices = driver.make()
    try:
        for device in devices:
            device.open()
        yield devices[-1]
    finally:
        for device in reversed(devices):
            device.close()
