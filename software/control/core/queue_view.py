"""What a window shows of the run queue: one frozen picture, as `QueueRunner.view` gives it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from control.core.run_queue import QueuedRun
from squid.utils.persistent_queue import JobState

ENDED_SHOWN = 100
"""So many ended runs are listed."""

ENDED = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True, slots=True)
class QueueView:
    """The queue at one moment.

    Attributes
    ----------
    runs : tuple of QueuedRun
        In order; of the ended ones the last `ENDED_SHOWN`.
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


def shown(runs: Sequence[QueuedRun]) -> tuple[QueuedRun, ...]:
    """Return all runs that have not ended, and the last of those that have, in their order."""
    ended = [run.id for run in runs if run.state in ENDED]
    old = set(ended[:-ENDED_SHOWN])
    return tuple(run for run in runs if run.id not in old)
