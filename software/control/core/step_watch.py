"""Step deadlines: every device call of a run has one, so that a hang is found in seconds.

The acquisition worker names the call before it makes it. When it has not come back in time, the watch's own thread
says so; the hung thread itself can no longer do anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

from squid.utils.deadlines import Deadline, DeadlineWatch
from squid.utils.incident import CommandLog


@dataclass(frozen=True, slots=True)
class Step:
    """One device call: the device's label, the call, the time that physics and a margin allow."""

    device: str
    call: str
    deadline_s: float

    def __str__(self) -> str:
        return f"{self.device}.{self.call}"


@dataclass(frozen=True, slots=True)
class StepUnderWay:
    """A step that has begun, and since when (`time.monotonic`)."""

    step: Step
    since_s: float

    @property
    def age_s(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self.since_s


class StepWatch:
    """Guards device calls.

    Parameters
    ----------
    watch : DeadlineWatch
        Measures the time, in its own thread.
    on_overdue : callable
        Told, in that thread, which step did not come back.

    Attributes
    ----------
    current : StepUnderWay or None
        The step that began last and has not ended; for people to look at, from any thread.
    """

    def __init__(self, watch: DeadlineWatch, on_overdue: Callable[[Step], None]) -> None:
        self._watch = watch
        self._on_overdue = on_overdue
        self.commands = CommandLog()
        self.current: StepUnderWay | None = None

    def step(self, device: str, call: str, deadline_s: float) -> _Guard:
        """Guard the block: ``with steps.step("camera", "trigger", 2.0): …``; the call is noted in `commands`."""
        self.commands.note(device, call)
        return _Guard(self, Step(device, call, deadline_s))

    def waiting(self, device: str, call: str, limit_s: float) -> _Wait:
        """Show, during the block, that something is waited for; the caller bounds the wait itself."""
        return _Wait(self, Step(device, call, limit_s))

    def arm(self, step: Step) -> Deadline:
        """Start the time limit of a step; for the guard."""
        return self._watch.arm(str(step), step.deadline_s, lambda _: self._on_overdue(step))


class _Wait:
    """What is under way, for people to look at."""

    __slots__ = ("_before", "_step", "_steps")

    def __init__(self, steps: StepWatch, step: Step) -> None:
        self._steps = steps
        self._step = step
        self._before: StepUnderWay | None = None

    def __enter__(self) -> None:
        self._before = self._steps.current
        self._steps.current = StepUnderWay(self._step, time.monotonic())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._steps.current = self._before


class _Guard(_Wait):
    """The same, under a deadline."""

    __slots__ = ("_deadline",)

    def __init__(self, steps: StepWatch, step: Step) -> None:
        super().__init__(steps, step)
        self._deadline: Deadline | None = None

    def __enter__(self) -> None:
        super().__enter__()
        self._deadline = self._steps.arm(self._step)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        if self._deadline is not None:
            self._deadline.disarm()
