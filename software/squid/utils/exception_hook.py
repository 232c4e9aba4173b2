"""Exceptions that nobody caught, in slots, paint events and threads: logged and shown, never the end of the program.

PyQt5 aborts the process on an exception in a slot unless `sys.excepthook` was set; the hook may be called in any
thread.
"""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable
from types import TracebackType

from squid.utils.delivery import Delivery
from squid.utils.edge_logger import edge_logger

_log = edge_logger(__name__)


class ExceptionHook:
    """Catches what nobody caught, from `install` to `remove`.

    Parameters
    ----------
    show : callable
        Told the formatted stack, in the application's thread.
    """

    def __init__(self, show: Callable[[str], object]) -> None:
        self._show = show
        self._delivery = Delivery()
        self._old = (sys.excepthook, threading.excepthook)

    def install(self) -> ExceptionHook:
        """Take the place of Python's hooks."""
        self._old = (sys.excepthook, threading.excepthook)
        sys.excepthook = self._caught
        threading.excepthook = self._caught_in_thread
        return self

    def remove(self) -> None:
        """Put the old hooks back."""
        sys.excepthook, threading.excepthook = self._old
        self._delivery.close()

    def _caught(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        _log.error("unhandled exception in thread %s", threading.current_thread().name, exc_info=(kind, error, trace))
        if not issubclass(kind, KeyboardInterrupt):
            self._delivery.post(self._show, "".join(traceback.format_exception(kind, error, trace)))

    def _caught_in_thread(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and args.exc_type is not SystemExit:
            self._caught(args.exc_type, args.exc_value, args.exc_traceback)
