"""Workers by name: one manager per kind of work, started, watched and stopped together."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from squid.utils.task import TaskHandle, WorkerResult
from squid.utils.worker_manager import WorkerManager


def worker_threads(default: int = 4) -> int:
    """Return the number of worker threads that the environment asks for: SQUID_WORKER_THREADS, else `default`.

    Raises
    ------
    ValueError
        The variable is not a whole number of at least 1.
    """
    text = os.environ.get("SQUID_WORKER_THREADS", "").strip()
    if not text:
        return default
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"SQUID_WORKER_THREADS: '{text}' (allowed: a whole number, 1 or more)")
    return int(text)


class WorkerGroup:
    """Named managers.

    Parameters
    ----------
    sizes : mapping of str to int
        Name -> number of threads.
    make : callable
        ``make(name, size)`` gives a manager; None: one with default options.
    """

    def __init__(self, sizes: Mapping[str, int], make: Callable[[str, int], WorkerManager] | None = None) -> None:
        self._sizes = dict(sizes)
        self._make = make or (lambda name, size: WorkerManager(size, name=name))
        self._workers: dict[str, WorkerManager] = {}

    def start_all(self) -> None:
        """Make every manager that does not run."""
        for name, size in self._sizes.items():
            if name not in self._workers:
                self._workers[name] = self._make(name, size)

    def get_worker(self, name: str) -> WorkerManager:
        """Return the running manager of that name; KeyError names those there are."""
        if name not in self._workers:
            raise KeyError(f"no worker '{name}' runs (running: {', '.join(self._workers) or 'none'})")
        return self._workers[name]

    def get_all_stats(self) -> dict[str, dict[str, float]]:
        """Return the statistics of each."""
        return {name: worker.get_statistics() for name, worker in self._workers.items()}

    def stop_all(self, wait: bool = True, timeout: float = 5.0) -> None:
        """Shut all down within `timeout` seconds together; `start_all` makes new ones."""
        end = time.monotonic() + timeout
        workers, self._workers = self._workers, {}
        for worker in workers.values():
            worker.shutdown(wait, max(0.0, end - time.monotonic()))


class PeriodicTask:
    """Runs a task again and again, never two at once, without drift; a run that took too long skips its turns.

    Parameters
    ----------
    manager : WorkerManager
        Runs it; the next turn is set where its callbacks come.
    name : str
        Of the task.
    call : callable
        What to run.
    interval_s : float
        From start to start, in seconds.
    options
        Passed to `WorkerManager.submit`.
    """

    def __init__(
        self, manager: WorkerManager, name: str, call: Callable[[], Any], interval_s: float, **options: Any
    ) -> None:
        self._manager = manager
        self._name = name
        self._call = call
        self._interval_s = interval_s
        self._options = options
        self._due = 0.0
        self._handle: TaskHandle | None = None

    def start(self) -> PeriodicTask:
        """Run it for the first time."""
        self._due = time.monotonic()
        self._submit()
        return self

    def cancel(self) -> bool:
        """End it; False if it has ended."""
        handle, self._handle = self._handle, None
        return handle is not None and handle.cancel()

    def _submit(self) -> None:
        delay_ms = max(0, round((self._due - time.monotonic()) * 1000))
        self._handle = self._manager.submit(
            self._name, self._call, delay_ms=delay_ms, on_finished=self._again, **self._options
        )

    def _again(self, result: WorkerResult) -> None:
        if self._handle is not None and not self._manager.is_shut_down:
            late = (time.monotonic() - self._due) // self._interval_s
            self._due += self._interval_s * (max(0, late) + 1)
            self._submit()


def submit_together(
    manager: WorkerManager,
    tasks: Mapping[str, Callable[[], Any]],
    on_all: Callable[[dict[str, WorkerResult]], object],
    **options: Any,
) -> list[TaskHandle]:
    """Run several tasks at once and call `on_all` once, with the result of each by name, when the last has ended."""
    results: dict[str, WorkerResult] = {}

    def noting(name: str) -> Callable[[WorkerResult], None]:
        def note(result: WorkerResult) -> None:
            results[name] = result
            if len(results) == len(tasks):
                on_all(results)

        return note

    return [manager.submit(name, call, on_finished=noting(name), **options) for name, call in tasks.items()]
