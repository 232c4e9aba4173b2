"""A thread that calls back at given instants, and futures that only their driver settles.

Owns time for one simulated device; knows nothing of devices. Instants are `time.monotonic` seconds.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import TypeVar

_log = logging.getLogger(__name__)
T = TypeVar("T")

_LAST_S = 0.0002
"""A sleep ends 0.1 ms late or so: the last bit before an instant is spent awake, giving way to other threads."""


def running_future() -> Future[T]:
    """Return a future that its receiver cannot cancel: the hardware is under way already."""
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()
    return future


def settled_future(result: T) -> Future[T]:
    """Return a future that is done."""
    future: Future[T] = running_future()
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
                if left_s <= _LAST_S:
                    due_s, _, call = heapq.heappop(self._due)
                    break
                self._changed.wait(left_s - _LAST_S)
            else:
                return None
        while time.monotonic() < due_s:
            time.sleep(0)
        return call
