"""What a person's hands do to stage and turret, one job at a time: moves that take newer targets, homing, loading.

::

    MoveJob:  ┌─▶ next target ─▶ legs (retract before xy, rise after) ─▶ arrived, read back ─┐
              └──────────────── a newer target came meanwhile ◀────────────────────────────┘

A job runs in a task and is told `stop` from any thread. Knows neither windows nor who may work when.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from typing import ClassVar

from control.core import device_calls
from control.core.device_calls import DeviceCalls
from control.core.run_control import RunAborted
from control.core.stage_drive import Axes, StageDrive, require_inside
from squid.abc.objective_changer import ObjectiveChanger
from squid.abc.stage import Stage
from squid.models.geometry import StagePosition

JOG_LEAD_S = 0.5
"""Relative moves add up while the stage is on its way, but never to more travel than this: whoever lets go of a key
sees the stage stop half a second later."""


class Job(ABC):
    """One thing to do.

    Attributes
    ----------
    name : str
        What it is, as a refusal of something else says it.
    """

    name: ClassVar[str]

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stopped = False
        self._is_over = False

    @abstractmethod
    def run(self, calls: DeviceCalls) -> None:
        """Do it, in a task."""

    def stop(self) -> None:
        """End it; returns at once, whoever holds the lock."""
        self._stopped = True

    def close(self) -> None:
        """Note that it is over."""
        with self._lock:
            self._is_over = True

    @property
    def is_over(self) -> bool:
        """Whether it has ended, or was told to."""
        return self._is_over or self._stopped

    @property
    def was_stopped(self) -> bool:
        """Whether it was told to end."""
        return self._stopped

    @property
    def abort_reason(self) -> str | None:
        """Why a wait shall be cut short."""
        return "stopped" if self._stopped else None


class MoveJob(Job):
    """Moves to the newest of the targets that it is given while it runs.

    Parameters
    ----------
    stage : Stage
        Open when the job runs.
    axes : mapping
        First target; in µm by axis.
    by : bool
        Whether `axes` are distances from wherever the stage is when the job begins.
    """

    name = "move"

    def __init__(self, stage: Stage, axes: Axes, *, by: bool) -> None:
        super().__init__()
        self._stage = stage
        self._by: dict[str, float] = dict(axes) if by else {}  # distances before the start is known
        self._wanted: dict[str, float] = {} if by else dict(axes)  # targets, once they are known
        self._last: StagePosition | None = None  # where the stage was when it was last asked
        self._goal: StagePosition | None = None  # where it will be when all targets are reached
        self._hurry = False
        self.left_out = 0
        """Steps that were not added, since the stage was too far behind."""

    @property
    def abort_reason(self) -> str | None:
        """Why the leg under way shall be cut short."""
        return "another target" if self._hurry else super().abort_reason

    def retarget(self, axes: Axes) -> bool:
        """Go there instead; False when the job is over already."""
        with self._lock:
            if self.is_over:
                return False
            self._by.clear()
            self._wanted = dict(axes)
            self._hurry = True
            return True

    def add(self, distances: Axes) -> bool:
        """Go farther by `distances`, unless that is more than `JOG_LEAD_S` ahead; False when the job is over already.

        Raises
        ------
        SettingError
            That would leave the limits; the target is as it was.
        """
        with self._lock:
            if self.is_over:
                return False
            if self._goal is None or self._last is None:
                self._add_to_distances(distances)
                return True
            axes = {name: getattr(self._goal, name) + distance for name, distance in distances.items()}
            require_inside(self._stage, axes)
            if self._stage.travel_time_s(self._last, self._last._replace(**axes)) <= JOG_LEAD_S:
                self._wanted |= axes
                self._goal = self._goal._replace(**axes)
            else:
                self.left_out += 1
            return True

    def _add_to_distances(self, distances: Axes) -> None:
        """Add up steps that were asked for before the move began."""
        by = {**self._by, **{name: self._by.get(name, 0.0) + distance for name, distance in distances.items()}}
        start = StagePosition(0.0, 0.0, 0.0)
        if self._stage.travel_time_s(start, start._replace(**by)) <= JOG_LEAD_S:
            self._by = by
        else:
            self.left_out += 1

    def run(self, calls: DeviceCalls) -> None:
        """Move until no newer target is left."""
        drive = StageDrive(self._stage, calls)
        while (axes := self._next(drive)) is not None:
            try:
                drive.go(axes)
            except RunAborted:
                if self._stopped:
                    return

    def _next(self, drive: StageDrive) -> Axes | None:
        """Take the newest target; None, and no more are taken, when there is none."""
        here = drive.position()
        with self._lock:
            axes = self._wanted | {name: getattr(here, name) + distance for name, distance in self._by.items()}
            if self._stopped or not axes:
                self._is_over = True
                return None
            require_inside(self._stage, axes)
            self._by, self._wanted, self._hurry = {}, {}, False
            self._last, self._goal = here, here._replace(**axes)
            return axes


class HomeJob(Job):
    """Homes every axis."""

    name = "homing"

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self._stage = stage

    def run(self, calls: DeviceCalls) -> None:
        """Do it."""
        StageDrive(self._stage, calls).home()


class LoadJob(Job):
    """Retracts z, then goes to where plates are put on.

    Parameters
    ----------
    stage : Stage
        Open when the job runs.
    place : StagePosition
        Its z is the lower end of the travel.
    """

    name = "going to the loading position"

    def __init__(self, stage: Stage, place: StagePosition) -> None:
        super().__init__()
        self._stage = stage
        self._place = place

    def run(self, calls: DeviceCalls) -> None:
        """Do it."""
        drive = StageDrive(self._stage, calls)
        drive.go({"z_um": self._place.z_um})
        drive.go({"x_um": self._place.x_um, "y_um": self._place.y_um})


class ObjectiveJob(Job):
    """Turns an objective into the beam."""

    name = "changing the objective"

    def __init__(self, changer: ObjectiveChanger, objective: str) -> None:
        super().__init__()
        self._changer = changer
        self._objective = objective

    def run(self, calls: DeviceCalls) -> None:
        """Do it."""
        changer = self._changer
        limit_s = 2 * changer.travel_time_s(changer.current, self._objective) + device_calls.MOVE_MARGIN_S
        turning = calls.call(changer.label, device_calls.CALL_S + limit_s, changer.move_to, self._objective)
        calls.wait(turning, time.monotonic() + limit_s, changer.label, "move_to", hears_abort=False)
