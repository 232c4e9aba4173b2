"""A thread of its own for what must happen whatever hangs: light off, stop the stage, power down.

Nothing but `SafetyLane.submit` reaches it, so no queue, pause, limit or hung task of a manager delays it. If its
thread itself is stuck in a call, another takes over after `PATIENCE_S`: a lamp that does not answer must not keep the
next one on. Knows no device: it is given calls.
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from squid.errors import ShutDownError
from squid.utils.bounded import start_bounded
from squid.utils.deadlines import DeadlineWatch
from squid.utils.edge_logger import edge_logger

_log = edge_logger(__name__)
PATIENCE_S = 0.05  # the light must be off 100 ms after everything hangs (fault case 31)

_Item = tuple[str, Callable[[], Any], "Future[Any]"]


class SafetyLane:
    """Runs calls at once and in order, in a thread that waits for nothing else."""

    def __init__(self) -> None:
        self._items: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._watch = DeadlineWatch(PATIENCE_S / 5)
        self._is_closed = False
        self._start()

    def submit(self, name: str, call: Callable[[], Any]) -> Future[Any]:
        """Run `call` after those submitted before; its value or exception is in the future.

        Raises
        ------
        ShutDownError
            The lane was closed; the call was not made.
        """
        if self._is_closed:
            raise ShutDownError(f"safety call '{name}': the lane is closed")
        future: Future[Any] = Future()
        self._items.put((name, call, future))
        return future

    def close(self) -> None:
        """End the thread after what was submitted; closing twice does no harm."""
        if not self._is_closed:
            self._is_closed = True
            self._items.put(None)

    def _start(self) -> None:
        start_bounded("safety lane", self._run)

    def _run(self) -> None:
        while (item := self._items.get()) is not None:
            name, call, future = item
            patience = self._watch.arm(f"safety call '{name}'", PATIENCE_S, lambda due: self._take_over(due.name))
            _settle(future, name, call)
            if not patience.disarm():
                return  # another thread has taken over
        self._watch.close()

    def _take_over(self, name: str) -> None:
        _log.error("%s does not return; another thread goes on", name)
        self._start()


def _settle(future: Future[Any], name: str, call: Callable[[], Any]) -> None:
    try:
        future.set_result(call())
    except BaseException as error:
        _log.exception("safety call '%s' failed", name)
        future.set_exception(error)
