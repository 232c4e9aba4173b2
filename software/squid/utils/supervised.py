"""One long piece of work with a thread of its own: started again in place when it fails, missed when it falls silent.

::

    start ─▶ RUNNING ─ returns ───────────────────────────────────────────▶ OVER
                │ ▲
                │ └─ a fresh task ◀─ yes ─┐
                ├─ raises, or its thread dies ─▶ failed(error): again? ─ no ─▶ OVER
                └─ no `report_progress` for `silence_s` ─▶ given up ─▶ hung(reason) ─▶ OVER, never again: its thread
                                                           may come back and must find nobody beside it

It shares no queue with other tasks, so none delays it, and it needs no event loop. Knows no Qt.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from squid.utils.safe_callback import safe_callback
from squid.utils.task import Outcome, Task
from squid.utils.task_pool import PoolObserver, TaskPool

_LOOKS_PER_SILENCE = 20


class SupervisedTask(PoolObserver):
    """Runs `call` until it returns.

    Parameters
    ----------
    name : str
        Of the task and, with a number, of its thread.
    call : callable
        The work; begun anew after a failure, it finds what the failed one left. Says that it lives by
        ``current_task().report_progress``.
    failed : callable
        Told what `call` raised, in a thread of the layer; returns whether it shall begin again.
    hung : callable
        Told, in a thread of the layer, why it was given up.
    silence_s : float
        Longest time without progress, in seconds.
    """

    def __init__(
        self,
        name: str,
        call: Callable[[], object],
        failed: Callable[[BaseException], bool],
        hung: Callable[[str], object],
        silence_s: float,
    ) -> None:
        self._name = name
        self._call = call
        self._failed = failed
        self._hung = hung
        self._silence_s = silence_s
        self._pool = TaskPool(name, 1, self, resolution_s=min(1.0, silence_s / _LOOKS_PER_SILENCE))
        self._ended: Task | None = None
        self._over = threading.Event()
        self._left = threading.Event()

    def start(self) -> None:
        """Begin; once."""
        self._left.clear()
        self._pool.submit(Task(self._name, self._work, progress_limit_s=self._silence_s))

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it is over and its thread has left the work, at most `timeout_s` seconds; say whether it has."""
        give_up_s = None if timeout_s is None else time.monotonic() + timeout_s
        if not self._over.wait(timeout_s):
            return False
        return self._left.wait(None if give_up_s is None else max(0.0, give_up_s - time.monotonic()))

    def _work(self) -> None:
        try:
            self._call()
        finally:
            self._left.set()

    # --- what the pool tells ----------------------------------------------------------------------------------------

    def task_ended(self, task: Task) -> None:
        """Note it; for the pool."""
        self._ended = task

    def wake(self) -> None:
        """Begin again, or end; for the pool."""
        task, self._ended = self._ended, None
        if task is None or task.result is None:
            return
        if task.outcome is Outcome.TIMEOUT:
            safe_callback(self._hung, str(task.result.error))
        else:
            self._left.set()  # a thread that died has not said so itself
            error = task.result.error
            if error is not None and safe_callback(self._failed, error).value:
                self.start()
                return
        self._over.set()
        self._pool.shut_down(0.0)
