"""The worker layer: tasks beside the window, time limits, stack dumps, callbacks, shared state (`docs/workers.md`)."""

from squid.utils.safe_callback import CallbackResult, safe_callback
from squid.utils.task import (
    Outcome,
    Task,
    TaskCancelledError,
    TaskHandle,
    TaskLostError,
    TaskPriority,
    TaskSupersededError,
    current_task,
)
from squid.utils.thread_safe_state import ThreadSafeFlag, ThreadSafeValue
from squid.utils.worker_manager import WorkerManager, WorkerResult, WorkerSignals

__all__ = [
    "CallbackResult",
    "Outcome",
    "Task",
    "TaskCancelledError",
    "TaskHandle",
    "TaskLostError",
    "TaskPriority",
    "TaskSupersededError",
    "ThreadSafeFlag",
    "ThreadSafeValue",
    "WorkerManager",
    "WorkerResult",
    "WorkerSignals",
    "current_task",
    "safe_callback",
]
