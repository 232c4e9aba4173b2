"""What a simulated camera sees of the controller's stage and lights: the true past, from acknowledged facts.

A device without role between a virtual controller and a simulated world (``configs/simulation_controller.yaml``).
It attaches itself to the world by its shape: it knows no simulated device.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol, runtime_checkable

from pydantic import BaseModel

from squid.abc.device import Device
from squid.abc.illumination import LightSource
from squid.drivers.controller.illumination import ControllerIllumination
from squid.drivers.controller.stage import ControllerStage
from squid.models.geometry import StagePosition


@runtime_checkable
class SeesLightPath(Protocol):
    """A simulated world, as far as it is needed here."""

    def attach_stage(self, stage: ControllerLightPath) -> None:
        """Put a stage under the objective."""

    def attach_light(self, light: ControllerLightPath) -> None:
        """Put lights into the light path."""


class ControllerLightPath(Device):
    """Tells a simulated world where the stage was and which light was on."""

    Uses: ClassVar[Mapping[str, type[Device]]] = {
        "world": Device,
        "stage": ControllerStage,
        "light": ControllerIllumination,
    }

    def __init__(self, label: str, stage: ControllerStage, light: ControllerIllumination) -> None:
        super().__init__(label)
        self._stage = stage
        self._light = light

    @classmethod
    def create(cls, label: str, options: BaseModel, uses: Mapping[str, Device]) -> ControllerLightPath:
        """Build it and attach it to the world."""
        world, stage, light = uses["world"], uses["stage"], uses["light"]
        assert isinstance(world, SeesLightPath)
        assert isinstance(stage, ControllerStage)
        assert isinstance(light, ControllerIllumination)
        path = cls(label, stage, light)
        world.attach_stage(path)
        world.attach_light(path)
        return path

    def position_at(self, instant_s: float) -> StagePosition:
        """Return the position at an instant (`time.monotonic`) of the recent past."""
        return self._stage.position_at(instant_s)

    def mean_levels(self, start_s: float, end_s: float) -> tuple[tuple[LightSource, float], ...]:
        """Return each source's mean intensity between two instants, dark ones left out."""
        switches = self._light.switches
        levels = []
        for source in self._light.sources:
            own = [(0.0, 0.0), *((instant, level) for instant, name, level in switches if name == source.name)]
            mean = mean_level(own, start_s, end_s)
            if mean > 0:
                levels.append((source, mean))
        return tuple(levels)

    def _do_open(self) -> None:
        """Nothing to open."""

    def _do_close(self) -> None:
        """Nothing to close."""


def mean_level(switches: list[tuple[float, float]], start_s: float, end_s: float) -> float:
    """Return the mean between two instants of a level that changes at (instant, level), ascending."""
    if end_s <= start_s:
        return next(level for instant, level in reversed(switches) if instant <= start_s)
    ends = [instant for instant, _ in switches[1:]] + [float("inf")]
    total = 0.0
    for (begin_s, level), until_s in zip(switches, ends, strict=True):
        total += level * max(0.0, min(until_s, end_s) - max(begin_s, start_s))
    return total / (end_s - start_s)
