"""Threads that run tasks, give each exactly one outcome, and replace a thread that hangs.

::

    submit ─▶ TaskQueue ─▶ worker thread ─▶ claim(outcome): the first wins ─▶ observer.task_ended
                                └─ limit passed ─▶ claim(timeout), epoch revoked, thread quarantined and replaced,
                                                   observer.task_overdue ─▶ observer.task_ended; its late result is
                                                   dropped

The threads are our own and daemons: the exit of the process never waits for one (the executors of the standard
library and of Qt do). Knows no Qt: what is told to whom, and in which thread, is the observer's business.
"""

from __future__ import annotations

import queue
import threading
import time
import traceback

from squid.errors import DuplicateTaskError, ShutDownError
from squid.utils.deadlines import Deadline, DeadlineWatch
from squid.utils.edge_logger import edge_logger
from squid.utils.epoch import Epoch
from squid.utils.pool_statistics import PoolStatistics
from squid.utils.task import (
    Outcome,
    Task,
    TaskCancelledError,
    TaskLostError,
    TaskSupersededError,
    WorkerResult,
)
from squid.utils.task_queue import TaskQueue
from squid.utils.thread_priority import stand_back
from squid.utils.timetable import Timetable

_log = edge_logger(__name__)
_DONE, _ERROR = Outcome.DONE, Outcome.ERROR  # an enum's own look-up is slow, and every task needs them


class PoolObserver:
    """Told what happens to tasks, in the thread where it happens; must return at once. This one does nothing."""

    def wake(self) -> None:
        """Hand over what was told; called without a lock, since to wake another thread may let it run at once."""

    def task_started(self, task: Task) -> None:
        """Its run begins, in the calling thread."""

    def task_overdue(self, task: Task, reason: str) -> None:
        """A limit has ended it; `task_ended` follows."""

    def task_ended(self, task: Task) -> None:
        """Its outcome is known; told exactly once per task, under the pool's lock: only note it, `wake` follows."""


class _Worker(threading.Thread):
    def __init__(self, pool: TaskPool, number: int) -> None:
        super().__init__(name=f"{pool.name}-{number}", daemon=True)
        self.is_retired = False
        self.tokens: queue.SimpleQueue[bool] = queue.SimpleQueue()  # True: look into the queue; False: leave
        self._pool = pool

    def run(self) -> None:
        try:
            if self._pool.in_background:
                stand_back()
            self._pool.work(self)
        except BaseException:  # the thread's edge
            _log.exception("thread %s ends", self.name)
        finally:
            self._pool.left(self)


class TaskPool:
    """Runs tasks in at most `size` threads that do not hang.

    Parameters
    ----------
    name : str
        Begins the names of the threads.
    size : int
        Number of threads; made when needed. Quarantined ones do not count.
    observer : PoolObserver, optional
        Told what happens.
    ageing_s, interval_s : float
        See `TaskQueue`.
    resolution_s : float
        How exact limits are; see `DeadlineWatch`.
    in_background : bool
        Its threads stand back where the processor is contested; see `squid.utils.thread_priority`.
    """

    def __init__(
        self,
        name: str,
        size: int,
        observer: PoolObserver | None = None,
        ageing_s: float = 5.0,
        interval_s: float = 1 / 60,
        resolution_s: float = 0.05,
        in_background: bool = False,
    ) -> None:
        self.name = name
        self.size = size
        self.in_background = in_background
        self.statistics = PoolStatistics()
        self._observer = observer or PoolObserver()
        self._watch = DeadlineWatch(resolution_s)
        self._timetable = Timetable()
        self._lock = threading.Lock()
        self._ended = threading.Condition(self._lock)
        self._queue = TaskQueue(ageing_s, interval_s)
        self._by_name: dict[str, Task] = {}
        self._active: dict[Task, _Worker | None] = {}
        self._workers: set[_Worker] = set()
        self._quarantined: set[_Worker] = set()
        self._idle: list[_Worker] = []  # wait for a token and were not sent one; the last is the warmest
        self._task_waiters = 0
        self._idle_waiters = 0
        self._hired = 0
        self._is_paused = False
        self._is_closing = False

    # --- tasks in ---------------------------------------------------------------------------------------------------

    def submit(self, task: Task, delay_s: float = 0.0) -> None:
        """Accept a task.

        Raises
        ------
        DuplicateTaskError
            A task of that name is active, and the two do not share a coalescing key.
        ShutDownError
            The pool takes no more tasks.
        """
        superseded, woken = None, None
        with self._lock:
            self._check_acceptable(task)
            self._by_name[task.name] = task
            self._active[task] = None
            if task.queue_limit_s is not None:  # before it can start, and have the limits of its run
                limit_s = delay_s + task.queue_limit_s
                task.limits = (self._watch.arm(task.name, limit_s, lambda _: self._waited(task)),)
            self.statistics.submitted += 1
            if delay_s <= 0:
                superseded, woken = self._enqueue(task)
        if woken is not None:
            woken.tokens.put(True)
        if delay_s > 0:
            self._timetable.call_at(time.monotonic() + delay_s, lambda: self._enqueue_later(task))
        if superseded is not None:
            self._conclude(superseded)

    def _check_acceptable(self, task: Task) -> None:
        if self._is_closing:
            raise ShutDownError(f"task '{task.name}': {self.name} was shut down and takes no more tasks")
        other = self._by_name.get(task.name)
        if other is not None and (task.coalesce_key is None or task.coalesce_key != other.coalesce_key):
            raise DuplicateTaskError(f"task '{task.name}' is still active in {self.name}; wait for it or cancel it")

    def _enqueue(self, task: Task) -> tuple[Task | None, _Worker | None]:
        """Let `task` wait; return the task that it supersedes, and the thread to send a token to, without the lock."""
        superseded = self._queue.put(task, time.monotonic())
        if superseded is not None:
            result = WorkerResult(False, error=TaskSupersededError(f"task '{task.name}' was asked for again"))
            self._claim(superseded, Outcome.SUPERSEDED, result)
        self.statistics.queued(len(self._queue))
        return superseded, self._find_thread()

    def _enqueue_later(self, task: Task) -> None:
        with self._lock:
            if task.outcome is not None:
                return
            superseded, woken = self._enqueue(task)
        if woken is not None:
            woken.tokens.put(True)
        if superseded is not None:
            self._conclude(superseded)

    def _find_thread(self) -> _Worker | None:
        """Claim an idle thread, which must be sent a token, or else make one if there may be more."""
        if self._idle:
            return self._idle.pop()
        if len(self._workers) < self.size:
            self._hired += 1
            worker = _Worker(self, self._hired)
            self._workers.add(worker)
            worker.start()
        return None

    def _offer(self, count: int) -> None:
        for _ in range(count):
            if (worker := self._find_thread()) is not None:
                worker.tokens.put(True)

    # --- the threads ------------------------------------------------------------------------------------------------

    def work(self, worker: _Worker) -> None:
        """Run tasks until told to leave or retired; the body of a worker's thread."""
        task = self._take(worker)
        while not worker.is_retired:
            if task is not None:
                task = self._run(worker, task)
            elif worker.tokens.get():
                task = self._take(worker)
            else:
                break

    def left(self, worker: _Worker) -> None:
        """Forget a thread that ends; what it still ran is lost: something has ended it from outside."""
        with self._lock:
            self._workers.discard(worker)
            self._quarantined.discard(worker)
            if worker in self._idle:
                self._idle.remove(worker)
            self._offer(len(self._queue))  # a token may have gone with it
            left = next((task for task, runner in self._active.items() if runner is worker), None)
            if left is None:
                return
            error = TaskLostError(f"the thread that ran task '{left.name}' has ended")
            is_first = self._claim(left, Outcome.LOST, WorkerResult(False, error=error))
        if is_first:
            self._conclude(left)

    def _take(self, worker: _Worker) -> Task | None:
        with self._lock:
            return self._next(worker)

    def _next(self, worker: _Worker) -> Task | None:
        """Give a thread its next task; None when there is none, or the thread shall leave. The lock is held."""
        if worker.is_retired:
            return None
        if len(self._workers) > self.size:
            worker.is_retired = True
            self._workers.discard(worker)
            return None
        now = time.monotonic()
        task = None if self._is_paused else self._queue.pop(now)
        if task is None:
            self._idle.append(worker)
            return None
        self._active[task] = worker
        task.started_at = now
        task.epoch = Epoch(task.name)
        return task

    def _run(self, worker: _Worker, task: Task) -> Task | None:
        """Run a task; return the next, taken under the same lock: threads that queue for a lock are slow."""
        self._arm(task)
        self._observer.task_started(task)
        outcome, result = _outcome_of(task)
        with self._lock:
            is_first = self._claim(task, outcome, result)
            if is_first:
                self._conclude_locked(task)
            following = self._next(worker)
        if is_first:
            self._observer.wake()
        else:
            _log.warning("task '%s' came back after it had ended (%s); dropped", task.name, task.outcome)
        return following

    def _arm(self, task: Task) -> None:
        for deadline in task.limits:
            deadline.disarm()
        limits: tuple[Deadline, ...] = ()
        if task.run_limit_s is not None:
            limits = (self._watch.arm(task.name, task.run_limit_s, lambda due: self._overdue(task, "ran", due)),)
        if task.progress_limit_s is not None:
            task.progress_limit = self._watch.arm(
                task.name, task.progress_limit_s, lambda due: self._overdue(task, "reported no progress", due)
            )
            limits += (task.progress_limit,)
        task.limits = limits

    # --- outcomes ---------------------------------------------------------------------------------------------------

    def _claim(self, task: Task, outcome: Outcome, result: WorkerResult) -> bool:
        """Give `task` its one outcome; False if it has one."""
        if task.outcome is not None:
            return False
        if task.cancel_requested and outcome in (_DONE, _ERROR):
            error = TaskCancelledError(f"task '{task.name}' was cancelled while it ran")
            outcome, result = Outcome.CANCELLED, WorkerResult(False, error=error, stack_trace=result.stack_trace)
        task.outcome, task.result = outcome, result
        if task.started_at is not None and task.coalesce_key is not None:
            self._open_lane(task.coalesce_key)
        return True

    def _conclude(self, task: Task) -> None:
        """Tell everyone the outcome, once it is claimed."""
        with self._lock:
            self._conclude_locked(task)
        self._observer.wake()

    def _conclude_locked(self, task: Task) -> None:
        for deadline in task.limits:
            deadline.disarm()
        del self._active[task]
        if self._by_name.get(task.name) is task:
            del self._by_name[task.name]
        task.release()
        self.statistics.ended(task)
        self._observer.task_ended(task)
        if self._task_waiters or (self._idle_waiters and len(self._active) <= 1):  # 1: a task may wait for the others
            self._ended.notify_all()

    def _open_lane(self, key: str) -> None:
        self._timetable.call_at(self._queue.open_time(key), lambda: self._release_lane(key))

    def _release_lane(self, key: str) -> None:
        with self._lock:
            self._queue.release(key, time.monotonic())
            self._offer(1)

    # --- limits -----------------------------------------------------------------------------------------------------

    def _waited(self, task: Task) -> None:
        with self._lock:
            if not self._queue.remove(task):
                return
            error = TimeoutError(f"task '{task.name}' waited for more than {task.queue_limit_s:g} s")
            self._claim(task, Outcome.TIMEOUT, WorkerResult(False, error=error, timed_out=True))
        self._tell_overdue(task, str(error))

    def _overdue(self, task: Task, what: str, limit: Deadline) -> None:
        self.give_up(task, f"task '{task.name}' {what} for more than {limit.timeout_s:g} s")

    def give_up(self, task: Task, reason: str) -> bool:
        """End a running task that hangs, as if a limit of its own had passed; False if it does not run."""
        result = WorkerResult(False, error=TimeoutError(reason), timed_out=True)
        if not self._give_up(task, Outcome.TIMEOUT, result, reason):
            return False
        self._tell_overdue(task, reason)
        return True

    def _tell_overdue(self, task: Task, reason: str) -> None:
        try:
            self._observer.task_overdue(task, reason)
        finally:  # a dump that fails (disk full) must not cost the outcome
            self._conclude(task)

    def _give_up(self, task: Task, outcome: Outcome, result: WorkerResult, reason: str) -> bool:
        """Claim the outcome of a running task, void its access to devices, replace its thread."""
        with self._lock:
            worker = self._active.get(task)
            if worker is None or not self._claim(task, outcome, result):
                return False
            if task.epoch is not None:
                task.epoch.revoke(reason)
            worker.is_retired = True
            self._workers.discard(worker)
            self._quarantined.add(worker)
            self._offer(len(self._queue))
        task.request_stop()
        return True

    # --- control ----------------------------------------------------------------------------------------------------

    def cancel(self, task: Task) -> bool:
        """Take a waiting task out, or ask a running one to stop; False if it has ended."""
        with self._lock:
            if task.outcome is not None:
                return False
            if task.started_at is not None:
                task.cancel_requested = True
                task.request_stop()
                return True
            self._queue.remove(task)  # a delayed task is not in it yet
            error = TaskCancelledError(f"task '{task.name}' was cancelled before it started")
            self._claim(task, Outcome.CANCELLED, WorkerResult(False, error=error))
        self._conclude(task)
        return True

    def wait(self, task: Task, timeout_s: float | None) -> bool:
        """Wait until `task` has ended; False if it has not within `timeout_s` seconds."""
        with self._lock:
            self._task_waiters += 1
            try:
                return self._ended.wait_for(lambda: task.ended_at is not None, timeout_s)
            finally:
                self._task_waiters -= 1

    def wait_idle(self, timeout_s: float | None) -> bool:
        """Wait until no task is active; a task that calls this does not wait for itself."""
        own = threading.current_thread()
        with self._lock:
            self._idle_waiters += 1
            try:
                return self._ended.wait_for(lambda: all(each is own for each in self._active.values()), timeout_s)
            finally:
                self._idle_waiters -= 1

    def active(self) -> list[Task]:
        """Return the tasks that have no outcome yet, in the order they came."""
        with self._lock:
            return list(self._active)

    def _others(self) -> list[Task]:
        own = threading.current_thread()
        with self._lock:
            return [task for task, worker in self._active.items() if worker is not own]

    def find(self, name: str) -> Task | None:
        """Return the active task of that name."""
        return self._by_name.get(name)

    def threads(self) -> tuple[int, int]:
        """Return how many threads run a task, and how many are quarantined."""
        with self._lock:
            return sum(worker is not None for worker in self._active.values()), len(self._quarantined)

    def queue_size(self) -> int:
        """Return how many tasks wait."""
        return len(self._queue)

    def set_paused(self, is_paused: bool) -> None:
        """Start no task, or go on; running ones are not touched."""
        with self._lock:
            self._is_paused = is_paused
            if not is_paused:
                self._offer(len(self._queue))

    def set_size(self, size: int) -> None:
        """Change the number of threads; surplus ones leave after their task."""
        with self._lock:
            surplus = len(self._workers) - size
            self.size = size
            self._offer(max(surplus, len(self._queue)))

    def shut_down(self, timeout_s: float) -> None:
        """Cancel what waits, let the running tasks see it, give up those that still run after `timeout_s` seconds."""
        end = time.monotonic() + timeout_s
        with self._lock:
            self._is_closing = True
        self._timetable.close()
        for task in self._others():
            if task.started_at is None:
                self.cancel(task)
            task.request_stop()
        self.wait_idle(timeout_s)
        for task in self._others():
            reason = f"task '{task.name}' still ran when {self.name} was shut down"
            if self._give_up(task, Outcome.LOST, WorkerResult(False, error=TaskLostError(reason)), reason):
                self._conclude(task)
        self.wait_idle(max(0.1, end - time.monotonic()))
        with self._lock:
            leaving = list(self._workers)
        for worker in leaving:
            worker.tokens.put(False)
        for worker in leaving:
            if worker is not threading.current_thread():
                worker.join(max(0.05, end - time.monotonic()))
        self._watch.close()


def _outcome_of(task: Task) -> tuple[Outcome, WorkerResult]:
    try:
        return _DONE, WorkerResult(True, task.execute())
    except TaskCancelledError as stop:
        return Outcome.CANCELLED, WorkerResult(False, error=stop)
    except TaskLostError as error:
        _log.warning("task '%s': %s", task.name, error)
        return Outcome.LOST, WorkerResult(False, error=error)
    except BaseException as error:  # SystemExit and KeyboardInterrupt too: a task must not end its thread
        _log.warning("task '%s' failed", task.name, exc_info=True)
        stack = traceback.format_exc()
        return Outcome.ERROR, WorkerResult(False, error=error, stack_trace=stack)
