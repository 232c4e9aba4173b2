"""One task: what to call, its limits, its one outcome, and what the code inside may ask and say.

::

    QUEUED ──▶ RUNNING ──▶ done · error · timeout · cancelled · lost
       └─────▶ cancelled · superseded · timeout (waited too long)

The first outcome counts; what comes later is dropped. Only `squid.utils.task_pool` changes a task, under its lock.
Knows no thread, no queue, no Qt.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from functools import lru_cache
from types import FunctionType
from typing import Any, Protocol

from squid.errors import WorkerError
from squid.utils.deadlines import Deadline
from squid.utils.epoch import Epoch


class TaskPriority(IntEnum):
    """Who goes first; a waiting task moves up one step per ageing interval of its manager."""

    CRITICAL = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3
    IDLE = 4


class Outcome(Enum):
    """How a task ended."""

    DONE = "done"
    ERROR = "error"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    LOST = "lost"


class TaskCancelledError(WorkerError):
    """The task was cancelled; raised inside it at its next look, and the error of its result."""


class TaskSupersededError(WorkerError):
    """A newer task with the same coalescing key took its place; it was never started."""


class TaskLostError(WorkerError):
    """The task was given up: it still ran at shutdown, or the thread or process that ran it has died."""


@dataclass(slots=True)  # not frozen: that would make each task 1 µs slower
class WorkerResult:
    """What a task gave.

    Attributes
    ----------
    success : bool
        Whether it returned in time.
    value : object or None
        What it returned.
    error : BaseException or None
        What it raised, or TimeoutError, TaskCancelledError, TaskSupersededError, TaskLostError.
    stack_trace : str or None
        The formatted stack of what it raised.
    timed_out : bool
        Whether a time limit ended it.
    """

    success: bool
    value: Any = None
    error: BaseException | None = None
    stack_trace: str | None = None
    timed_out: bool = False


ResultCallback = Callable[[WorkerResult], object]
ProgressCallback = Callable[[float, str], object]


@dataclass(slots=True, eq=False)
class Task:
    """One task; inside it, `current_task` gives this object.

    Attributes
    ----------
    name : str
        Unique among the active tasks of a manager.
    call : callable or None
        What to run; None once it has ended.
    priority : TaskPriority
        Who goes first.
    coalesce_key : str or None
        Of the waiting tasks with this key only the newest runs.
    run_limit_s, queue_limit_s, progress_limit_s : float or None
        Longest run, longest wait in the queue, longest silence between two `report_progress`; None: no limit.
    metadata : mapping
        Free for the caller.
    created_at, started_at, ended_at : float or None
        Monotonic seconds.
    outcome : Outcome or None
        None while it is active.
    result : WorkerResult or None
        Belongs to `outcome`.
    cancel_requested : bool
        Whether somebody cancelled it; then it does not end as done, whatever it returns.
    progress : tuple of (float, str)
        Newest fraction, 0...1, and message.
    """

    name: str
    call: Callable[[], Any] | None
    priority: TaskPriority = TaskPriority.NORMAL
    coalesce_key: str | None = None
    run_limit_s: float | None = None
    queue_limit_s: float | None = None
    progress_limit_s: float | None = None
    on_complete: ResultCallback | None = None
    on_error: ResultCallback | None = None
    on_finished: ResultCallback | None = None
    on_progress: ProgressCallback | None = None
    metadata: Mapping[str, Any] | None = None
    created_at: float = field(default_factory=time.monotonic)
    started_at: float | None = None
    ended_at: float | None = None
    outcome: Outcome | None = None
    result: WorkerResult | None = None
    cancel_requested: bool = False
    progress: tuple[float, str] = (0.0, "")
    progress_sink: Callable[[Task], object] | None = None
    is_progress_posted: bool = False
    limits: tuple[Deadline, ...] = ()
    progress_limit: Deadline | None = None
    epoch: Epoch | None = None
    _stop_requested: bool = False
    _cancel_event: threading.Event | None = None

    # --- for the code inside ------------------------------------------------------------------------------------

    def raise_if_cancelled(self) -> None:
        """Look whether the task should stop.

        Raises
        ------
        TaskCancelledError
            It was cancelled, a time limit ended it, or its manager shuts down.
        """
        if self._stop_requested:
            raise TaskCancelledError(f"task '{self.name}' was cancelled")

    def pause(self, duration_s: float) -> None:
        """Wait `duration_s` seconds, or until the task is cancelled; then raise TaskCancelledError."""
        self._cancel_event = self._cancel_event or threading.Event()
        self.raise_if_cancelled()
        self._cancel_event.wait(duration_s)
        self.raise_if_cancelled()

    def report_progress(self, fraction: float, message: str = "") -> None:
        """Say how far it is (0...1) and start the progress limit again; raises TaskCancelledError if cancelled."""
        self.raise_if_cancelled()
        self.progress = (fraction, message)
        if self.progress_limit is not None and self.progress_limit_s is not None:
            self.progress_limit.extend(self.progress_limit_s)
        if self.progress_sink is not None:
            self.progress_sink(self)

    # --- for the pool -------------------------------------------------------------------------------------------

    def request_stop(self) -> None:
        """Let the code inside see that it should stop."""
        self._stop_requested = True
        if self._cancel_event is not None:
            self._cancel_event.set()

    def execute(self) -> Any:
        """Run the call in the calling thread, inside the task's epoch.

        The frame that makes the call bears the task's name, so that each stack dump names the task, also one that
        faulthandler's C thread writes while no Python code can run.
        """
        call, epoch = self.call, self.epoch
        if call is None or epoch is None:
            raise TaskCancelledError(f"task '{self.name}' has ended")
        _local.task = self
        try:
            return epoch.run(_frame_of(self.name), call)
        finally:
            _local.task = None

    def release(self) -> None:
        """Note the end, and forget the call and what it holds: a kept handle must not keep images alive."""
        self.ended_at = time.monotonic()
        self.call = None
        self.limits = ()


class TaskControl(Protocol):
    """What a handle needs of the pool."""

    def cancel(self, task: Task) -> bool:
        """Cancel one task."""

    def wait(self, task: Task, timeout_s: float | None) -> bool:
        """Wait for one task."""


class TaskHandle(str):
    """The id of a task (its name: it goes through signals and dicts as a str) together with its controls."""

    __slots__ = ("__weakref__", "_control", "task")  # a weak reference: Qt connects to a bound method by one

    task: Task
    _control: TaskControl

    @classmethod
    def of(cls, task: Task, control: TaskControl) -> TaskHandle:
        """Make the handle of a task."""
        handle = cls(task.name)
        handle.task = task
        handle._control = control
        return handle

    @property
    def outcome(self) -> Outcome | None:
        """How it ended; None while it is active."""
        return self.task.outcome

    @property
    def result(self) -> WorkerResult | None:
        """What it gave; None while it is active."""
        return self.task.result

    @property
    def is_running(self) -> bool:
        """Whether it has started and not ended."""
        return self.task.started_at is not None and self.task.outcome is None

    @property
    def is_cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self.task.outcome is Outcome.CANCELLED

    @property
    def is_finished(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self.task.ended_at is not None

    def cancel(self) -> bool:
        """Remove it from the queue, or ask it to stop if it runs; False if it has ended."""
        return self._control.cancel(self.task)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it has ended, at most `timeout_s` seconds (None: for ever); say whether it has.

        Callbacks are delivered on their own: they may come after this returns.
        """
        return self._control.wait(self.task, timeout_s)


_local = threading.local()


def current_task() -> Task | None:
    """Return the task that the calling thread runs; None outside of any."""
    task: Task | None = getattr(_local, "task", None)
    return task


def stop_if_cancelled() -> None:
    """Look whether the task that the calling thread runs should stop (`Task.raise_if_cancelled`); nothing outside."""
    task = current_task()
    if task is not None:
        task.raise_if_cancelled()


def tell_progress(fraction: float, message: str = "") -> None:
    """Say how far the task is that the calling thread runs (`Task.report_progress`); nothing outside of any."""
    task = current_task()
    if task is not None:
        task.report_progress(fraction, message)


@lru_cache(maxsize=256)  # most programs run the same few tasks again and again
def _frame_of(name: str) -> Callable[[Callable[[], Any]], Any]:
    return FunctionType(_named_frame.__code__.replace(co_name=f"task '{name}'"), {})


def _named_frame(call: Callable[[], Any]) -> Any:
    return call()
