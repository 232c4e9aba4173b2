"""Runs tasks beside the window: time limits, one outcome each, results in the GUI thread, stacks of what hangs.

Where callbacks and signals come:

- A QCoreApplication exists (GUI or headless): in its thread, by its event loop; while that is blocked they wait, and
  the time limits do not. `shutdown` in that thread hands over what waits.
- There is no Qt application: in the manager's delivery thread, one after another.

Time limits are measured by a thread of their own (`squid.utils.deadlines`), not by QTimer: one mechanism, which needs
no event loop, counts running time on a monotonic clock and works in any thread. This module adds Qt and the dump to
`squid.utils.task_pool`; it knows no device.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PyQt5.QtCore import QMetaMethod, QObject, pyqtSignal

from squid.utils.delivery import Delivery, call_safely
from squid.utils.edge_logger import edge_logger
from squid.utils.task import (
    Outcome,
    ProgressCallback,
    ResultCallback,
    Task,
    TaskHandle,
    TaskPriority,
    WorkerResult,
)
from squid.utils.task_pool import PoolObserver, TaskPool
from squid.utils.thread_dump import DumpFile, default_log_folder

__all__ = ["WorkerManager", "WorkerResult", "WorkerSignals"]

_log = edge_logger(__name__)
_DONE = Outcome.DONE  # an enum's own look-up is slow, and every task needs it
_AGEING_S = 5.0
_COALESCING_S = 1 / 60  # a screen refresh: nobody sees more


class WorkerSignals(QObject):
    """What happens to the tasks of a manager; emitted where its callbacks come (see the module).

    Attributes
    ----------
    started : pyqtSignal(str)
        Name of the task.
    completed, error : pyqtSignal(str, object)
        Name and WorkerResult; one of the two per task, except that a superseded task gives none.
    timeout : pyqtSignal(str)
        Name; before `error`.
    """

    started = pyqtSignal(str)
    completed = pyqtSignal(str, object)
    error = pyqtSignal(str, object)
    timeout = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__()
        self.heard: set[bytes] = set()

    def connectNotify(self, signal: QMetaMethod) -> None:  # noqa: N802 - Qt's name
        """Note who listens: what nobody hears must not wake the GUI thread."""
        self.heard.add(bytes(signal.name()))


class WorkerManager(PoolObserver):
    """Runs tasks in threads of its own.

    Parameters
    ----------
    max_workers : int
        Tasks that run at once. A hung one does not count: its thread is replaced.
    name : str
        Begins the threads' names.
    dump_file : DumpFile or Path, optional
        Where stacks go when a limit has passed; opened now and kept open. None: ``stacks.log`` in the user's log
        folder.
    ageing_s : float
        Waiting time that is worth one step of priority, in seconds.
    coalescing_s : float
        Least time between two starts with one coalescing key, in seconds.
    on_overdue : callable, optional
        Told the reason when a limit has passed, after the dump, in the watch's thread: write a bundle
        (`squid.utils.incident`), switch the light off.

    Attributes
    ----------
    signals : WorkerSignals
        What happens to the tasks.
    is_shut_down : bool
        Whether it takes no more tasks.
    """

    def __init__(
        self,
        max_workers: int = 4,
        *,
        name: str = "worker",
        dump_file: DumpFile | Path | None = None,
        ageing_s: float = _AGEING_S,
        coalescing_s: float = _COALESCING_S,
        on_overdue: Callable[[str], object] | None = None,
    ) -> None:
        self.signals = WorkerSignals()
        self._delivery = Delivery()
        self._on_overdue = on_overdue
        self._owns_dump_file = not isinstance(dump_file, DumpFile)
        self._dump_file = dump_file if isinstance(dump_file, DumpFile) else _open_dump_file(dump_file)
        self._pool = TaskPool(name, max_workers, self, ageing_s, coalescing_s)
        self.is_shut_down = False

    # --- tasks ------------------------------------------------------------------------------------------------------

    def submit(
        self,
        task_name: str,
        task: Callable[[], Any],
        timeout_ms: int = -1,
        on_complete: ResultCallback | None = None,
        on_error: ResultCallback | None = None,
        *,
        priority: TaskPriority = TaskPriority.NORMAL,
        coalesce_key: str | None = None,
        queue_timeout_ms: int = -1,
        progress_timeout_ms: int = -1,
        delay_ms: int = 0,
        on_finished: ResultCallback | None = None,
        on_progress: ProgressCallback | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> TaskHandle:
        """Run `task` in a worker thread.

        Parameters
        ----------
        task_name : str
            Unique among the active tasks (those that share a coalescing key may share a name).
        task : callable
            Takes nothing. `squid.utils.current_task` gives it its `Task`: progress, cancellation.
        timeout_ms : int
            Longest run, in milliseconds, not counting the wait in the queue; 0 or less: no limit.
        on_complete : callable, optional
            Told the WorkerResult of success.
        on_error : callable, optional
            Told the WorkerResult of an exception, a passed limit, a cancellation, or a task given up at shutdown.
        priority : TaskPriority
            Who goes first.
        coalesce_key : str, optional
            Of the waiting tasks with this key only the newest runs; two with one key never run at once.
        queue_timeout_ms, progress_timeout_ms : int
            Longest wait in the queue, longest silence between two reports of progress; 0 or less: no limit.
        delay_ms : int
            Enter the queue so much later.
        on_finished : callable, optional
            Told the WorkerResult of any outcome, also of a superseded task, after the other two.
        on_progress : callable, optional
            Told fraction (0...1) and message; the newest wins where they come faster than they are handed over.
        metadata : mapping, optional
            Kept with the task.

        Returns
        -------
        TaskHandle
            The task's name, with controls: ``cancel()``, ``wait()``, ``is_finished`` …

        Raises
        ------
        DuplicateTaskError
            A task of this name is active; nothing was started.
        ShutDownError
            The manager was shut down; nothing was started.
        """
        job = Task(task_name, task, priority, coalesce_key)  # by keyword they would cost 0.5 µs more
        job.on_complete, job.on_error, job.on_finished = on_complete, on_error, on_finished
        job.run_limit_s = _limit_s(timeout_ms)
        job.queue_limit_s = _limit_s(queue_timeout_ms)
        job.progress_limit_s = _limit_s(progress_timeout_ms)
        job.metadata = metadata
        if on_progress is not None:
            job.on_progress, job.progress_sink = on_progress, self._progress
        self._pool.submit(job, delay_ms / 1000)
        return TaskHandle.of(job, self._pool)

    def cancel_task(self, task_id: str) -> bool:
        """Cancel the active task of that name; False if there is none."""
        task = task_id.task if isinstance(task_id, TaskHandle) else self._pool.find(task_id)
        return task is not None and self._pool.cancel(task)

    def give_up(self, task: Task, reason: str) -> bool:
        """End a task whose thread was found to hang: as if its time limit had passed, with `reason` for its error.

        All stacks are dumped, its access to devices is void, a fresh thread takes its place. For whoever watches single
        calls more closely than the task's limits do.

        Returns
        -------
        bool
            False if the task does not run.
        """
        return self._pool.give_up(task, reason)

    @property
    def dump_path(self) -> Path:
        """The file that stacks are dumped to."""
        return self._dump_file.path

    def cancel_all(self) -> int:
        """Cancel every active task, running or not; return how many."""
        return sum(self._pool.cancel(task) for task in self._pool.active())

    def clear(self) -> int:
        """Cancel every task that has not started; return how many."""
        return sum(self._pool.cancel(task) for task in self._pool.active() if task.started_at is None)

    def wait_for_done(self, timeout_ms: int = -1) -> bool:
        """Wait until no task is active, at most `timeout_ms` milliseconds (negative: for ever)."""
        return self._pool.wait_idle(None if timeout_ms < 0 else timeout_ms / 1000)

    # --- the threads ------------------------------------------------------------------------------------------------

    def pause(self) -> None:
        """Start no task until `resume`; running ones go on."""
        self._pool.set_paused(True)

    def resume(self) -> None:
        """Start tasks again."""
        self._pool.set_paused(False)

    def set_max_workers(self, max_workers: int) -> None:
        """Change the number of tasks that run at once; surplus threads leave after their task."""
        self._pool.set_size(max_workers)

    def active_thread_count(self) -> int:
        """Return how many threads run a task, quarantined ones not counted."""
        return self._pool.threads()[0]

    def get_statistics(self) -> dict[str, float]:
        """Return the counts and times since the last reset, and the threads and queue of this moment."""
        running, quarantined = self._pool.threads()
        now = {
            "active_threads": running,
            "quarantined_threads": quarantined,
            "queue_size": self._pool.queue_size(),
        }
        return self._pool.statistics.report() | now

    def reset_statistics(self) -> None:
        """Start counting from nothing."""
        self._pool.statistics.reset()

    def task_table(self) -> list[dict[str, Any]]:
        """Return a line per active task: name, priority, state, age_s, progress, metadata."""
        return [_describe(task) for task in self._pool.active()]

    def shutdown(self, wait: bool = True, timeout: float = 5.0) -> None:
        """Take no more tasks, cancel the waiting ones, end the running ones; calling it twice does no harm.

        Parameters
        ----------
        wait : bool
            Give the running tasks time. What still runs afterwards is given up: its outcome is `lost`, its device
            access void, its thread left to the end of the process.
        timeout : float
            Longest duration of this call, in seconds (and about 0.3 s to hand over and leave).

        Every outcome is handed over before this returns, if it is called in the application's thread or if that runs
        its event loop; after it nothing is handed over.
        """
        if self.is_shut_down:
            return
        self.is_shut_down = True
        end = time.monotonic() + (timeout if wait else 0.0)
        self._pool.shut_down(max(0.0, end - time.monotonic()))
        self._delivery.flush(max(0.1, end - time.monotonic()))
        self._delivery.close()
        if self._owns_dump_file:
            self._dump_file.close()

    # --- what the pool tells (any thread) ---------------------------------------------------------------------------

    def task_started(self, task: Task) -> None:
        """Pass it on; for the pool."""
        if b"started" in self.signals.heard:
            self._delivery.post(self.signals.started.emit, task.name)

    def task_overdue(self, task: Task, reason: str) -> None:
        """Dump all stacks and pass it on; for the pool."""
        try:
            self._dump_file.dump(reason)
            _log.error("%s; stacks are in %s", reason, self._dump_file.path)
        except (OSError, ValueError):  # a full disk: the rest of what a hang needs must be done
            _log.exception("%s; its stacks could not be kept in %s", reason, self._dump_file.path)
        if self._on_overdue is not None:
            call_safely(self._on_overdue, reason)
        self._delivery.post(self.signals.timeout.emit, task.name)

    def task_ended(self, task: Task) -> None:
        """Pass it on; for the pool."""
        if task.outcome is _DONE and task.on_finished is None and b"completed" not in self.signals.heard:
            if task.on_complete is not None:
                self._delivery.note(task.on_complete, task.result)
        else:
            self._delivery.note(self._hand_over, task)

    def wake(self) -> None:
        """Have what was noted handed over; for the pool."""
        self._delivery.wake()

    def _progress(self, task: Task) -> None:
        if not task.is_progress_posted:
            task.is_progress_posted = True
            self._delivery.post(_hand_over_progress, task)

    def _hand_over(self, task: Task) -> None:
        result = task.result
        assert result is not None
        if task.outcome is Outcome.DONE:
            if b"completed" in self.signals.heard:
                self.signals.completed.emit(task.name, result)
            callbacks = (task.on_complete, task.on_finished)
        elif task.outcome is Outcome.SUPERSEDED:
            callbacks = (None, task.on_finished)
        else:
            self.signals.error.emit(task.name, result)
            callbacks = (task.on_error, task.on_finished)
        for callback in callbacks:
            if callback is not None:
                call_safely(callback, result)


def _hand_over_progress(task: Task) -> None:
    task.is_progress_posted = False
    if task.on_progress is not None and task.outcome is None:
        call_safely(task.on_progress, *task.progress)


def _limit_s(timeout_ms: int) -> float | None:
    return timeout_ms / 1000 if timeout_ms > 0 else None


def _open_dump_file(path: Path | None) -> DumpFile:
    if path is not None:
        return DumpFile(path)
    try:
        return DumpFile(default_log_folder() / "stacks.log")
    except OSError:
        _log.warning("no dump file in %s; using the temporary folder", default_log_folder(), exc_info=True)
        return DumpFile(Path(tempfile.gettempdir()) / "squid-hcs-stacks.log")


def _describe(task: Task) -> dict[str, Any]:
    return {
        "name": task.name,
        "priority": task.priority.name,
        "state": "running" if task.started_at is not None else "waiting",
        "age_s": round(time.monotonic() - task.created_at, 3),
        "progress": task.progress,
        "metadata": dict(task.metadata or {}),
    }
