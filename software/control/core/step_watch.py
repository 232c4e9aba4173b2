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
    """

    def __init__(self, watch: DeadlineWatch, on_overdue: Callable[[Step], None]) -> None:
        self.watch = watch
        self.on_overdue = on_overdue
        self.commands = CommandLog()
        self.innermost: _Wait | None = None

    @property
    def current(self) -> StepUnderWay | None:
        """The step that began last and has not ended; for people to look at, from any thread."""
        innermost = self.innermost
        return None if innermost is None else StepUnderWay(innermost.step, innermost.since_s)

    def step(self, device: str, call: str, deadline_s: float) -> _Guard:
        """Guard the block: ``with steps.step("camera", "trigger", 2.0): …``; the call is noted in `commands`."""
        self.commands.note(device, call)
        return _Guard(self, device, call, deadline_s)

    def waiting(self, device: str, call: str, limit_s: float) -> _Wait:
        """Show, during the block, that something is waited for; the caller bounds the wait itself."""
        return _Wait(self, device, call, limit_s)


class _Wait:
    """What is under way, for people to look at. Made for each device call: what is seldom needed is made when asked."""

    __slots__ = ("_before", "_call", "_device", "_limit_s", "_steps", "since_s")

    def __init__(self, steps: StepWatch, device: str, call: str, limit_s: float) -> None:
        self._steps = steps
        self._device = device
        self._call = call
        self._limit_s = limit_s

    @property
    def step(self) -> Step:
        return Step(self._device, self._call, self._limit_s)

    def __enter__(self) -> None:
        self.since_s = time.monotonic()
        self._before = self._steps.innermost
        self._steps.innermost = self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._steps.innermost = self._before


class _Guard(_Wait):
    """The same, under a deadline."""

    __slots__ = ("_deadline",)

    def __enter__(self) -> None:
        super().__enter__()
        self._deadline = self._steps.watch.arm(self._call, self._limit_s, self._overdue)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._steps.innermost = self._before
        self._deadline.disarm()

    def _overdue(self, _: Deadline) -> None:
        self._steps.on_overdue(self.step)
