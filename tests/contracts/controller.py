"""Rigs of the controller's drivers: a virtual controller of their own, ours or stock."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from functools import cache
from typing import Any

from tests.controller_program import controller_program

from squid.abc.device import Device
from squid.drivers.controller.axis import AxisOptions, xy_axis, z_axis
from squid.drivers.controller.filter_wheel import ControllerFilterWheel, FilterWheelOptions
from squid.drivers.controller.link import ControllerLink
from squid.drivers.controller.link_options import LinkOptions
from squid.drivers.controller.stage import ControllerStage, StageOptions
from squid.drivers.controller.virtual import VirtualController, VirtualControllerLink, VirtualLinkOptions
from squid.models.geometry import AxisRange
from squid.registry import driver_class

_READY_S = 20.0

SOURCES = {
    "405": {"port": "D1", "wavelength_nm": 405},
    "561": {"port": "D3", "wavelength_nm": 561},
    "BF": {"pattern": "full"},
}


def _quick(axis: AxisOptions, speed_mm_s: float, acceleration_mm_s2: float, high_um: float) -> AxisOptions:
    changes = {
        "speed_mm_s": speed_mm_s,
        "acceleration_mm_s2": acceleration_mm_s2,
        "settle_ms": 5.0,
        "travel": AxisRange(min_um=0, max_um=high_um),
    }
    return AxisOptions(**(axis.model_dump() | changes))


STAGE = {
    "x": _quick(xy_axis(0, 1), 200, 3000, 115_000),
    "y": _quick(xy_axis(0, 1), 200, 3000, 76_000),
    "z": _quick(z_axis(), 30, 300, 6000),
}


class HomedStage(ControllerStage):
    """Homes when it is opened, unless it is homed, so that the suite can move it."""

    def _do_open(self) -> None:
        super()._do_open()
        if not self.is_homed:
            self._do_home().result(_READY_S)
        self._do_move_to(30_000, 30_000, 3000).result(_READY_S)


@cache
def standing() -> VirtualController:
    """A controller that lives as long as these tests: homing at true speed takes a second, and is needed once."""
    controller = VirtualController(controller_program())
    atexit.register(controller.close)
    return controller


def make_stage() -> tuple[Device, ...]:
    """Make a stage with motors of true speed on the standing controller, and its link."""
    link = ControllerLink("link", LinkOptions(port=standing().port))
    return link, HomedStage("stage", StageOptions.model_validate({**STAGE, "keep_home": True}), link)


class HomedWheel(ControllerFilterWheel):
    """Turns its first filter into the beam when it is opened."""

    def _do_open(self) -> None:
        super()._do_open()
        self._do_move_to(self.filters[0]).result(_READY_S)


def make_sequencer(*, piezo: bool = False, wheel: bool = False) -> Callable[[], tuple[Device, ...]]:
    """Return a function that makes a sequencer with all that it drives."""

    def devices() -> tuple[Device, ...]:
        link = VirtualControllerLink("link", VirtualLinkOptions(program=controller_program(), speed=20))
        options = {**STAGE, **({"piezo": {"range_um": 300, "settle_ms": 5}} if piezo else {})}
        parts: dict[str, Device] = {
            "link": link,
            "stage": HomedStage("stage", StageOptions.model_validate(options), link),
            "light": built("illumination", link, sources=SOURCES),
            "trigger": built("camera_trigger", link),
        }
        if wheel:
            parts["wheel"] = HomedWheel("wheel", FilterWheelOptions(filters=("red", "green", "blue")), link)
        driver = driver_class(f"controller.sequencer{'_with_wheel' if wheel else ''}")
        return *parts.values(), driver.create("sequencer", driver.Options(), parts)

    return devices


def built(kind: str, link: ControllerLink, **options: Any) -> Device:
    """Return a device on a link."""
    driver = driver_class(f"controller.{kind}")
    return driver.create(kind, driver.Options.model_validate(options), {"link": link})


def make(kind: str, stock: str | None, options: dict[str, Any]) -> Callable[[], tuple[Device, ...]]:
    """Return a function that makes the link and the device."""

    def devices() -> tuple[Device, ...]:
        link = VirtualControllerLink("link", VirtualLinkOptions(program=controller_program(), stock=stock))
        driver = driver_class(f"controller.{kind}")
        return link, driver.create(kind, driver.Options.model_validate(options), {"link": link})

    return devices
