"""Step deadlines: every device call of a run has one, so that a hang is found in seconds.

The acquisition worker names the call before it makes it. When it has not come back in time, the watch's own thread
says so; the hung thread itself can no longer do anything.
"""

from __future__ import annotations

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
        self._watch = watch
        self._on_overdue = on_overdue
        self.commands = CommandLog()

    def step(self, device: str, call: str, deadline_s: float) -> _Guard:
        """Guard the block: ``with steps.step("camera", "trigger", 2.0): …``; the call is noted in `commands`."""
        self.commands.note(device, call)
        return _Guard(self._watch, Step(device, call, deadline_s), self._on_overdue)


class _Guard:
    __slots__ = ("_deadline", "_on_overdue", "_step", "_watch")

    def __init__(self, watch: DeadlineWatch, step: Step, on_overdue: Callable[[Step], None]) -> None:
        self._watch = watch
        self._step = step
        self._on_overdue = on_overdue
        self._deadline: Deadline | None = None

    def __enter__(self) -> None:
        step = self._step
        self._deadline = self._watch.arm(str(step), step.deadline_s, lambda _: self._on_overdue(step))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._deadline is not None:
            self._deadline.disarm()
