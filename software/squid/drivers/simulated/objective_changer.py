"""Simulated objective turret."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import ClassVar

from pydantic import BaseModel, Field

from squid.abc.device import Device
from squid.abc.objective_changer import ObjectiveChanger
from squid.drivers.simulated.turning import Turning
from squid.drivers.simulated.world import SimulatedWorld
from squid.models.base import FileModel


class ObjectiveChangerOptions(FileModel):
    """Options of the simulated turret.

    Attributes
    ----------
    objectives : tuple of str
        Names as in ``configs/objectives.csv`` (or the world's ``objectives``), in order of the positions; the first is
        in the beam at start.
    step_ms, settle_ms : float
        Time per position, and after the last one.
    """

    objectives: tuple[str, ...] = Field(default=("20x", "4x", "10x", "40x"), min_length=1)
    step_ms: float = Field(default=400.0, ge=0)
    settle_ms: float = Field(default=200.0, ge=0)


class SimulatedObjectiveChanger(ObjectiveChanger):
    """A turret; pixel size, depth of field and brightness of the pictures follow it."""

    Options = ObjectiveChangerOptions
    Uses: ClassVar[Mapping[str, type[Device]]] = {"world": SimulatedWorld}

    def __init__(self, label: str, options: ObjectiveChangerOptions, world: SimulatedWorld) -> None:
        super().__init__(label)
        self._objectives = options.objectives
        self._turret = Turning(
            label, "objective_changer", options.objectives, options.step_ms / 1000, options.settle_ms / 1000, world
        )

    @classmethod
    def create(cls, label: str, options: BaseModel, uses: Mapping[str, Device]) -> SimulatedObjectiveChanger:
        """Build it and put it into the world's light path; every objective must be known to the world."""
        world = uses["world"]
        assert isinstance(options, ObjectiveChangerOptions)
        assert isinstance(world, SimulatedWorld)
        for name in options.objectives:
            world.objective_named(label, name)
        turret = cls(label, options, world)
        world.attach_turret(turret)
        return turret

    @property
    def objectives(self) -> tuple[str, ...]:
        """Names of the objectives, in order of the positions."""
        return self._objectives

    @property
    def current(self) -> str | None:
        """The objective in the beam; None while turning. The world looks here, too."""
        return self._turret.current

    def travel_time_s(self, start: str | None, target: str) -> float:
        """Return how long the change takes by the wall clock; 0 for no change; from None the longest."""
        return self._turret.travel_time_s(start, target)

    def _do_move_to(self, objective: str) -> Future[str]:
        return self._turret.move_to(objective)

    def _do_open(self) -> None:
        self._turret.open()

    def _do_close(self) -> None:
        self._turret.close()
