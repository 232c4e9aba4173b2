"""A thread with an asyncio loop, for code that is written with async and must not run in the GUI thread.

(`await` in slots of the GUI thread is qasync's: `docs/workers.md`.)
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from squid.errors import ShutDownError

T = TypeVar("T")


class AsyncLoop:
    """Runs coroutines in its own thread; starts with the first."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._is_closed = False

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine; its value or exception is in the future, whose ``cancel`` cancels it.

        Raises
        ------
        ShutDownError
            The loop was closed; the coroutine was closed unrun.
        """
        with self._lock:
            if self._is_closed:
                coroutine.close()
                raise ShutDownError("the asyncio loop is closed")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._run, args=(self._loop,), name="asyncio", daemon=True)
                self._thread.start()
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def close(self, timeout_s: float = 2.0) -> None:
        """Cancel what runs and end the thread within `timeout_s` seconds; closing twice does no harm."""
        with self._lock:
            self._is_closed = True
            loop, thread = self._loop, self._thread
        if loop is not None and thread is not None and thread.is_alive():
            loop.call_soon_threadsafe(loop.stop)
            thread.join(timeout_s)

    @staticmethod
    def _run(loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        loop.run_forever()
        running = asyncio.all_tasks(loop)
        for task in running:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*running, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
