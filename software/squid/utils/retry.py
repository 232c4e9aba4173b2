"""Try again, and know when to stop trying: retries with back-off, and a circuit that opens after repeated errors.

::

    CLOSED ──N errors in a row──▶ OPEN ──cool-down over──▶ HALF-OPEN (one probe) ──success──▶ CLOSED
       ▲                            ▲                          └──error──▶ OPEN
       └────────── recover() ───────┘

Both wrap a call, so that they compose with `WorkerManager.submit` and with each other. Know no thread but the calling
one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from squid.errors import WorkerError
from squid.utils.task import TaskCancelledError, current_task

T = TypeVar("T")


class CircuitOpenError(WorkerError):
    """Too many errors in a row; the call was not made."""


def retrying(
    call: Callable[[], T],
    *,
    attempts: int = 3,
    initial_s: float = 0.1,
    max_s: float = 10.0,
    on: type[Exception] | tuple[type[Exception], ...] = Exception,
) -> Callable[[], T]:
    """Return a call that tries `call` again; for calls that may be repeated without harm.

    Parameters
    ----------
    attempts : int
        Calls at most; the error of the last is raised.
    initial_s, max_s : float
        First and longest wait between two, in seconds; it doubles, with up to `initial_s` of jitter. Cancelling the
        task ends the wait.
    on : exception type or tuple of them
        What is worth another try. Cancellation never is.
    """

    def run() -> T:
        retry = Retrying(
            stop=stop_after_attempt(attempts),
            wait=wait_exponential_jitter(multiplier=initial_s, max=max_s, jitter=initial_s),
            retry=retry_if_exception(lambda error: isinstance(error, on) and not isinstance(error, TaskCancelledError)),
            sleep=_pause,
            reraise=True,
        )
        return retry(call)

    return run


class Circuit:
    """Stops calling what keeps failing.

    Parameters
    ----------
    name : str
        For the message.
    max_errors : int
        Errors in a row that open it.
    cool_down_s : float
        How long it stays open before one call may probe, in seconds.
    clock : callable
        Monotonic seconds.
    """

    def __init__(
        self,
        name: str,
        max_errors: int = 5,
        cool_down_s: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._max_errors = max_errors
        self._cool_down_s = cool_down_s
        self._clock = clock
        self._lock = threading.Lock()
        self._errors = 0
        self._opened_at: float | None = None
        self._is_probing = False

    @property
    def is_open(self) -> bool:
        """Whether calls are refused."""
        return self._opened_at is not None

    def recover(self) -> None:
        """Close it by hand."""
        with self._lock:
            self._errors, self._opened_at, self._is_probing = 0, None, False

    def guard(self, call: Callable[[], T]) -> Callable[[], T]:
        """Return a call that goes through the circuit.

        Raises
        ------
        CircuitOpenError
            By the returned call: it is open, `call` was not made.
        """

        def run() -> T:
            self._enter()
            try:
                value = call()
            except TaskCancelledError:
                self._is_probing = False
                raise
            except BaseException:
                self._failed()
                raise
            self.recover()
            return value

        return run

    def _enter(self) -> None:
        with self._lock:
            if self._opened_at is None:
                return
            left_s = self._opened_at + self._cool_down_s - self._clock()
            if left_s > 0 or self._is_probing:
                raise CircuitOpenError(
                    f"{self.name}: {self._errors} errors in a row; next try in {max(0.0, left_s):.1f} s"
                )
            self._is_probing = True

    def _failed(self) -> None:
        with self._lock:
            self._errors += 1
            self._is_probing = False
            if self._errors >= self._max_errors:
                self._opened_at = self._clock()


def _pause(duration_s: float) -> None:
    task = current_task()
    if task is not None:
        task.pause(duration_s)
    else:
        threading.Event().wait(duration_s)
