"""How fast a run goes, and when it will be done.

::

    time left = the longer of   frames left x time per frame at work
                                time until the last time point is due + its frames x time per frame at work

Time per frame at work is measured without pauses and without waits for time points; before there is much to measure,
the plan's estimate counts. When the clock of time points starts again within the plan, its waits are spread over all
frames instead. Knows no fact, no thread and no device.
"""

from __future__ import annotations

from collections import deque

PRIOR_FRAMES = 20.0
"""The plan's estimate weighs as much as so many measured frames."""

WINDOW_S = 10.0
"""The rates shown are those of so many last seconds."""

_SAMPLE_S = 0.5


class RunClock:
    """The clock of one part of a run.

    Parameters
    ----------
    start_s : float
        When the run began, like all times here on `time.monotonic`.
    left : int
        Frames still to be taken.
    estimated_s : float
        Time that they will take by the plan's estimate, waits included.
    frames_per_round : int
        Frames of one time point.
    last_due_s : float or None
        When the last event is due on the clock of time points; None when it starts again within the plan, or when
        there are no time points.
    has_rounds : bool
        Whether the plan has several time points.
    """

    def __init__(
        self,
        start_s: float,
        left: int,
        estimated_s: float,
        *,
        frames_per_round: int,
        last_due_s: float | None,
        has_rounds: bool,
    ) -> None:
        self._start_s = start_s
        self._frames_per_round = frames_per_round
        self._last_due_s = last_due_s
        self._spreads_waits = has_rounds and last_due_s is None
        self._prior_s = _prior_s(left, estimated_s, frames_per_round, last_due_s)
        self._origin_s = start_s
        self._idle_s = 0.0
        self._idle_since: float | None = None
        self._idle_until: float | None = None
        self._done = 0
        self._samples: deque[tuple[float, int]] = deque([(start_s, 0)], maxlen=int(4 * WINDOW_S / _SAMPLE_S))

    def stored(self, now_s: float, taken_s: float, clock_s: float) -> None:
        """Count a frame that was taken at `taken_s`, when the clock of time points showed `clock_s`."""
        self._done += 1
        self._origin_s = taken_s - clock_s
        if now_s - self._samples[-1][0] >= _SAMPLE_S:
            self._samples.append((now_s, self._done))

    def idle(self, now_s: float, until_s: float | None = None) -> None:
        """Note that from now on nothing is done, at the latest until `until_s`."""
        self.busy(now_s)
        self._idle_since, self._idle_until = now_s, until_s

    def busy(self, now_s: float) -> None:
        """Note that it goes on."""
        self._idle_s = self._idle_until_now_s(now_s)
        self._idle_since = self._idle_until = None

    def elapsed_s(self, now_s: float) -> float:
        """Return the time since the beginning."""
        return now_s - self._start_s

    def frames_per_s(self, now_s: float) -> float:
        """Return how many frames were stored per second of late."""
        recent = [each for each in self._samples if now_s - each[0] <= WINDOW_S and each[1] < self._done]
        then_s, then = recent[0] if recent else self._samples[max(0, len(self._samples) - 2)]
        return (self._done - then) / max(1.0, now_s - then_s)

    def left_s(self, now_s: float, left: int) -> float:
        """Return how long the `left` frames will take."""
        at_work_s = self._frame_s(now_s)
        if self._last_due_s is None:
            return left * at_work_s
        due_in_s = self._origin_s + self._last_due_s - now_s
        return max(left * at_work_s, due_in_s + min(left, self._frames_per_round) * at_work_s)

    def _frame_s(self, now_s: float) -> float:
        idle_s = 0.0 if self._spreads_waits else self._idle_until_now_s(now_s)
        worked_s = max(0.0, self.elapsed_s(now_s) - idle_s)
        if not self._done:
            return self._prior_s
        return (worked_s + PRIOR_FRAMES * self._prior_s) / (self._done + PRIOR_FRAMES)

    def _idle_until_now_s(self, now_s: float) -> float:
        if self._idle_since is None:
            return self._idle_s
        end_s = now_s if self._idle_until is None else min(now_s, self._idle_until)
        return self._idle_s + max(0.0, end_s - self._idle_since)


def _prior_s(left: int, estimated_s: float, frames_per_round: int, last_due_s: float | None) -> float:
    """Return the time per frame at work that the plan's estimate means."""
    per_frame_s = estimated_s / max(1, left)
    last_round = min(left, frames_per_round)
    if last_due_s is None or not last_round:
        return per_frame_s
    return min(per_frame_s, max(0.0, estimated_s - last_due_s) / last_round) or per_frame_s
