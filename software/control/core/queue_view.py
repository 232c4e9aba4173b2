"""What a window shows of the run queue: one frozen picture, as `QueueRunner.view` gives it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from control.core.run_queue import QueuedRun
from squid.utils.persistent_queue import ENDED, JobState

ENDED_KEPT = 100
"""So many ended runs are listed, and kept in the queue's file."""


@dataclass(frozen=True, slots=True)
class QueueView:
    """The queue at one moment.

    Attributes
    ----------
    runs : tuple of QueuedRun
        In the order of the queue.
    is_open : bool
        It starts the next run by itself.
    holding : str
        Why it does not; empty when nothing waits, or nobody has started it.
    current_id : int or None
        The run under way or being started.
    goes_on_after_faults : bool
        A run that a fault ended does not hold the others.
    """

    runs: tuple[QueuedRun, ...] = ()
    is_open: bool = False
    holding: str = ""
    current_id: int | None = None
    goes_on_after_faults: bool = False

    def count(self, state: JobState) -> int:
        """Return how many runs are in a state."""
        return sum(run.state is state for run in self.runs)

    @property
    def listed(self) -> tuple[QueuedRun, ...]:
        """The runs as a person wants them: under way, offered for resume, waiting in order, ended newest first."""
        waiting = [run for run in self.runs if run.state is JobState.WAITING]
        others = [run for run in self.runs if run.state is not JobState.WAITING]
        others.sort(key=lambda run: run.ended_utc or "", reverse=True)
        return tuple(sorted((*waiting, *others), key=_place))

    @property
    def offered(self) -> tuple[QueuedRun, ...]:
        """Runs that ended before their time and wait for a person's word, the newest first."""
        return tuple(run for run in self.listed if run.is_offered)


def _place(run: QueuedRun) -> int:
    if run.state is JobState.RUNNING:
        return 0
    return 1 if run.is_offered else 2 if run.state is JobState.WAITING else 3


def surplus(runs: Iterable[QueuedRun]) -> tuple[QueuedRun, ...]:
    """Return what the history need not keep: second lines of a run folder, and all but the last `ENDED_KEPT` ends."""
    newest_first = sorted(runs, key=lambda run: (run.state not in ENDED, run.ended_utc or "", run.id), reverse=True)
    folders: set[Path] = set()
    kept, left_out = 0, []
    for run in newest_first:
        is_second = run.run_folder in folders
        if run.run_folder is not None:
            folders.add(run.run_folder)
        if run.state in ENDED and (is_second or kept >= ENDED_KEPT):
            left_out.append(run)
        elif run.state in ENDED:
            kept += 1
    return tuple(left_out)
