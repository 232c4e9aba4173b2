"""What a window shows of a run: one frozen picture of its state, as `RunStatus.snapshot` takes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt

from control.core.facts import Hung
from squid.models.layout import WellRef

Counts = npt.NDArray[np.int64]
"""A number for each well of the plan, shape (wells,)."""


class RunState(StrEnum):
    """Where a run is."""

    IDLE = "idle"
    RUNNING = "running"
    PAUSED = "paused"
    WAITING = "waiting"
    ENDING = "ending"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class EventView:
    """The exposure under way.

    Attributes
    ----------
    index, image, t, c, z : int
        As in `AcquisitionEvent`.
    well : int
        Number of its well in `RunView.wells`.
    field : int
        Number of the field in its well, 0 ….
    fields, size_t, size_c, size_z : int
        How many fields the well has, and how many time points, channels and planes the field.
    channel : str
        Name of the channel.
    begun_in_field : int
        Exposures begun since the stage came to this field.
    """

    index: int
    image: int
    t: int
    c: int
    z: int
    well: int
    field: int
    fields: int
    size_t: int
    size_c: int
    size_z: int
    channel: str
    begun_in_field: int


@dataclass(frozen=True, slots=True)
class StepView:
    """The device call under way: its name (``stage.move_to``), its deadline, since when."""

    name: str
    deadline_s: float
    age_s: float


@dataclass(frozen=True, slots=True)
class MissingFrame:
    """A hole: index, number of its well in `RunView.wells` (-1: not known), reason."""

    index: int
    well: int
    reason: str


def _no_counts() -> Counts:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class RunView:
    """A run at one moment.

    Attributes
    ----------
    state : RunState
        Where it is.
    number : int
        Counts the runs that this program has begun; the wells of two views with one number are the same.
    folder : Path or None
        The run folder; None before the first run.
    name : str
        Of the plan.
    planned, stored, missing : int
        Frames of the whole plan, parts of a resumed run together.
    wells : tuple of WellRef
        The wells of the plan; of free positions, row and column are -1.
    well_planned, well_stored, well_missing : ndarray, shape (wells,), int64
        The same by well. Not to be written to.
    event : EventView or None
        The exposure under way.
    step : StepView or None
        The device call under way.
    waiting : str
        What is waited for; empty when the run does not wait.
    wait_left_s : float or None
        How long the wait will still take; None when nobody knows.
    eta_s : float or None
        Time to the end; None before the run and after it, and while it ends.
    elapsed_s : float
        Since this part of the run began.
    frames_per_s, disk_mb_s : float
        Stored during the last seconds; the disk's rate counts pixels before compression.
    queue_fill : float
        How full the writer's queue is, 0 … 1; at 1 the run waits for the disk.
    hung : Hung or None
        The device call that did not come back.
    missing_frames : tuple of MissingFrame
        The last of them, the newest last.
    next_index : int
        The frame with which a resume would go on.
    status, reason : str
        How it ended, as in ``run.json``; empty before.
    """

    state: RunState = RunState.IDLE
    number: int = 0
    folder: Path | None = None
    name: str = ""
    planned: int = 0
    stored: int = 0
    missing: int = 0
    wells: tuple[WellRef, ...] = ()
    well_planned: Counts = field(default_factory=_no_counts)
    well_stored: Counts = field(default_factory=_no_counts)
    well_missing: Counts = field(default_factory=_no_counts)
    event: EventView | None = None
    step: StepView | None = None
    waiting: str = ""
    wait_left_s: float | None = None
    eta_s: float | None = None
    elapsed_s: float = 0.0
    frames_per_s: float = 0.0
    disk_mb_s: float = 0.0
    queue_fill: float = 0.0
    hung: Hung | None = None
    missing_frames: tuple[MissingFrame, ...] = ()
    next_index: int = 0
    status: str = ""
    reason: str = ""
