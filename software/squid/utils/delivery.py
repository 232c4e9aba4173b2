"""Where results are handed over: in the thread of the Qt application, or in one thread of our own where there is none.

::

    post(call) from any thread ─▶ deque ─┬─ a QCoreApplication exists ─▶ its thread, by its event loop
                                         └─ none ─▶ the delivery thread, one call after another

One wake-up serves all calls that wait, and no more than `_SLICE_S` is spent per wake-up, so that ten thousand results
neither cost ten thousand events nor freeze the window. Without a *running* event loop the calls wait until it runs,
or until `flush` is called in the application's thread. A call whose receiver (the QObject of a bound method) was
deleted is dropped.

Owns no task; knows nothing of pools.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from PyQt5 import sip
from PyQt5.QtCore import QCoreApplication, QObject, Qt, QThread, pyqtSignal

from squid.utils.edge_logger import edge_logger

_log = edge_logger(__name__)
_SLICE_S = 0.008  # half a screen refresh

Call = Callable[..., object]


class _Relay(QObject):
    """Lives in the application's thread, and so do the slots of its signal."""

    woken = pyqtSignal()  # costs 2 µs less than an event of our own

    def __init__(self, deliver: Callable[[float], None]) -> None:
        super().__init__()
        self._deliver = deliver
        app = QCoreApplication.instance()
        if app is not None and self.thread() is not app.thread():
            self.moveToThread(app.thread())
        self.woken.connect(self._on_woken, Qt.ConnectionType.QueuedConnection)  # type: ignore[call-arg]

    def _on_woken(self) -> None:
        self._deliver(_SLICE_S)


class Delivery:
    """Hands calls from any thread to the one where results belong.

    Make it in the application's thread, or before any other thread than that: a relay cannot be fetched later.
    """

    def __init__(self) -> None:
        self._calls: deque[tuple[Call, tuple[Any, ...]]] = deque()
        self._relay = _Relay(self._deliver)
        self._known_app: QCoreApplication | None = None
        self._relay_fits = False
        self._is_woken = False
        self._is_closed = False
        self._tokens: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def post(self, call: Call, *args: Any) -> None:
        """Have ``call(*args)`` called where results belong; calls keep their order. Dropped once closed."""
        self.note(call, *args)
        self.wake()

    def note(self, call: Call, *args: Any) -> None:
        """Do as `post`, except that `wake` must follow; may be called with a lock held."""
        if self._is_closed:
            _log.debug("closed: %r is not called", call)
            return
        self._calls.append((call, args))

    def wake(self) -> None:
        """Have what was noted called."""
        if self._is_woken or not self._calls:
            return
        self._is_woken = True
        if self._has_loop():
            self._relay.woken.emit()
            return
        if self._thread is None:
            self._start_thread()
        self._tokens.put(True)

    def flush(self, timeout_s: float) -> bool:
        """Hand over everything posted so far; False if the thread where results belong did not do it in time.

        Called in that thread it does it there and then.
        """
        if self._is_here():
            self._deliver(timeout_s)
            return not self._calls
        done = threading.Event()
        self.post(done.set)
        return done.wait(timeout_s)

    def close(self) -> None:
        """Hand over nothing more; closing twice does no harm."""
        self._is_closed = True
        if self._calls:
            _log.warning("closed with %d results not handed over", len(self._calls))
        self._calls.clear()
        self._tokens.put(False)

    def _has_loop(self) -> bool:
        app = QCoreApplication.instance()
        if app is not self._known_app:
            self._relay_fits = app is not None and self._relay.thread() is app.thread()
            self._known_app = app
        return self._relay_fits

    def _is_here(self) -> bool:
        if self._has_loop():
            return QThread.currentThread() is self._relay.thread()
        return threading.current_thread() is self._thread

    def _start_thread(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="result delivery", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while self._tokens.get():
            self._deliver(_SLICE_S)

    def _deliver(self, limit_s: float) -> None:
        """Call what waits for at most `limit_s` seconds, then ask to be woken again."""
        self._is_woken = False
        end = time.monotonic() + limit_s
        while self._calls:
            if self._is_closed:
                return
            call, args = self._calls.popleft()
            if self._calls:
                self.wake()  # a call may run an event loop of its own (a dialog): the others must not wait for it
            call_safely(call, *args)
            if time.monotonic() > end:
                return


def call_safely(call: Call, *args: Any) -> None:
    """Call it, unless its receiver was deleted; an exception is logged with its stack."""
    receiver = getattr(getattr(call, "func", call), "__self__", None)  # also of a `functools.partial`
    if isinstance(receiver, QObject) and sip.isdeleted(receiver):
        _log.debug("receiver of %s was deleted; dropped", getattr(call, "__name__", call))
        return
    try:
        call(*args)
    except (Exception, SystemExit):  # a callback must end neither the delivery's thread nor the program
        _log.exception("delivery to %r failed", call)
