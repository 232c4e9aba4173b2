"""Counts and times of a pool's tasks. Guarded by the pool's lock; knows no thread."""

from __future__ import annotations

from collections import Counter, deque

from squid.utils.task import Outcome, Task

_SAMPLES = 1024
_DONE = Outcome.DONE  # an enum's own look-up is slow, and every task needs it


class PoolStatistics:
    """What has happened since the last `reset`.

    Attributes
    ----------
    submitted : int
        Tasks accepted.
    peak_queue_size : int
        Most tasks that waited at once.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start again from nothing."""
        self.submitted = 0
        self.peak_queue_size = 0
        self._done = 0
        self._outcomes: Counter[Outcome] = Counter()
        self._times_s: deque[float] = deque(maxlen=_SAMPLES)

    def queued(self, size: int) -> None:
        """Note the length of the queue."""
        if size > self.peak_queue_size:
            self.peak_queue_size = size

    def ended(self, task: Task) -> None:
        """Note how a task ended."""
        if task.outcome is _DONE:
            self._done += 1
            if task.started_at is not None and task.ended_at is not None:
                self._times_s.append(task.ended_at - task.started_at)
        elif task.outcome is not None:
            self._outcomes[task.outcome] += 1

    def report(self) -> dict[str, float]:
        """Return the counts and times; a rate or time of nothing is 0."""
        done = self._done
        ended = done + self._outcomes.total()
        times = sorted(self._times_s)
        return {
            "submitted": self.submitted,
            "completed": done,
            "failed": self._outcomes[Outcome.ERROR],
            "cancelled": self._outcomes[Outcome.CANCELLED],
            "coalesced": self._outcomes[Outcome.SUPERSEDED],
            "timed_out": self._outcomes[Outcome.TIMEOUT],
            "lost": self._outcomes[Outcome.LOST],
            "completion_rate": done / ended if ended else 0.0,
            "average_time_s": sum(times) / len(times) if times else 0.0,
            "p99_time_s": times[min(len(times) - 1, int(0.99 * len(times)))] if times else 0.0,
            "peak_queue_size": self.peak_queue_size,
        }
