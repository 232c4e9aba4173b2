"""A thread that calls back at given instants, and futures that only their driver settles.

Owns time for one simulated device; knows nothing of devices. Instants are `time.monotonic` seconds.

Who waits for a `TimedFuture` wakes by his own clock, to the instant, as if a vendor's blocking call returned in his
thread. Being told by the timer's thread would cost two changes of thread, 0.2 ms, which no hardware charges.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import TypeVar

_log = logging.getLogger(__name__)
T = TypeVar("T")

_LAST_S = 0.0004
"""A sleep ends 0.2 ms late on a machine that has nothing else to do: the last bit before an instant is spent awake."""

_LEFT_TO_WAITER_S = 0.005
"""So much later the timer settles a future that nobody waits for: its thread stays out of the way of one who does."""

_LONGEST_WAIT_S = 1e6
"""A wait without a limit."""


class TimedFuture(Future[T]):
    """A future that will come true at a known instant, unless it fails before; its receiver cannot cancel it.

    Set `due_s` and `happen` before anybody waits for it.

    Attributes
    ----------
    due_s : float
        The instant; infinite while it is not known.
    happen : callable
        Settles this future; may be called twice.
    """

    def __init__(self) -> None:
        super().__init__()
        self.set_running_or_notify_cancel()
        self.due_s = math.inf
        self.happen: Callable[[], None] = _nothing

    def result(self, timeout: float | None = None) -> T:
        """Return the result, waiting for it; see `concurrent.futures.Future.result`."""
        left_s = self.due_s - time.monotonic()
        if left_s > (_LONGEST_WAIT_S if timeout is None else timeout):
            return super().result(timeout)
        with suppress(TimeoutError):
            super().exception(max(0.0, left_s - _LAST_S))
        while not self.done() and time.monotonic() < self.due_s:
            pass  # keeps the interpreter: giving way would take longer than what is left
        if not self.done():
            self.happen()
        return super().result(timeout)

    def set_result(self, result: T) -> None:
        """Settle it, and let go of `happen`, which may hold what holds this future: a frame's pixels with it."""
        super().set_result(result)
        self.happen = _nothing

    def set_exception(self, exception: BaseException | None) -> None:
        """Fail it; see `set_result`."""
        super().set_exception(exception)
        self.happen = _nothing


def _nothing() -> None:
    """Settle nothing."""


def settled_future(result: T) -> Future[T]:
    """Return a future that is done."""
    future: Future[T] = Future()
    future.set_result(result)
    return future


def settle(future: Future[T], result: T) -> None:
    """Settle `future` unless it is settled already."""
    with suppress(InvalidStateError):
        future.set_result(result)


def fail(future: Future[T], error: BaseException) -> None:
    """Fail `future` unless it is settled already."""
    with suppress(InvalidStateError):
        future.set_exception(error)


class TimerThread:
    """Calls functions at given instants, in order, from one thread of its own.

    Parameters
    ----------
    name : str
        Name of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._thread: threading.Thread | None = None
        self._stopping = False

    def start(self) -> None:
        """Start the thread."""
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Drop what is not yet due and end the thread; returns when it has ended, unless called from it."""
        with self._changed:
            self._stopping = True
            self._due.clear()
            self._changed.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def call_at(self, when_s: float, call: Callable[[], None]) -> None:
        """Call `call` at the instant `when_s`, at once when it is past; it must not block."""
        with self._changed:
            heapq.heappush(self._due, (when_s, next(self._order), call))
            if self._due[0][2] is call:
                self._changed.notify()

    def settle_at(self, when_s: float, future: TimedFuture[T], settling: Callable[[], None]) -> None:
        """Let `future` be settled by `settling` at the instant `when_s`: in the thread that waits for it, or here."""
        future.happen = settling
        future.due_s = when_s
        self.call_at(when_s + _LEFT_TO_WAITER_S, settling)

    def _run(self) -> None:
        while (call := self._next()) is not None:
            try:
                call()
            except Exception:  # the thread's edge: the device's other calls go on
                _log.exception("%s: a timed call failed", self._name)

    def _next(self) -> Callable[[], None] | None:
        """Wait for the next call that is due; None when stopping."""
        with self._changed:
            while not self._stopping:
                if not self._due:
                    self._changed.wait()
                    continue
                left_s = self._due[0][0] - time.monotonic()
                if left_s <= 0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(left_s)
            return None
