"""Calls at a time to come, exact to the machine's load: delayed and periodic tasks, coalescing intervals.

One daemon thread, which starts with the first call. Calls must be short: they put work into a queue. (Time limits, of
which nearly all are taken back, are in `squid.utils.deadlines`.)
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable

from squid.utils.edge_logger import edge_logger

_log = edge_logger(__name__)


class Timetable:
    """Calls functions at monotonic times."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._entries: list[tuple[float, int, Callable[[], object]]] = []
        self._count = itertools.count()
        self._thread: threading.Thread | None = None
        self._closed = False

    def call_at(self, due: float, call: Callable[[], object]) -> None:
        """Call `call` in the timetable's thread at `due` (monotonic seconds); nothing happens once it is closed."""
        with self._changed:
            if self._closed:
                return
            heapq.heappush(self._entries, (due, next(self._count), call))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="timetable", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """Drop what has not been called; closing twice does no harm."""
        with self._changed:
            self._closed = True
            self._entries.clear()
            self._changed.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(1.0)

    def _run(self) -> None:
        while (call := self._next()) is not None:
            try:
                call()
            except BaseException:
                _log.exception("a call of the timetable failed")

    def _next(self) -> Callable[[], object] | None:
        with self._changed:
            while not self._closed:
                if not self._entries:
                    self._changed.wait()
                elif (left := self._entries[0][0] - time.monotonic()) > 0:
                    self._changed.wait(left)
                else:
                    return heapq.heappop(self._entries)[2]
        return None
