"""Doing something that may never return: in a thread of its own, which can be left behind."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)


def start_bounded(name: str, command: Callable[[], object]) -> Callable[[float], bool]:
    """Start `command` in its own daemon thread.

    Returns
    -------
    callable
        Waits at most the seconds it is given, and says whether the command has succeeded; an exception is logged.
    """
    ended, succeeded = threading.Event(), threading.Event()

    def run() -> None:
        try:
            command()
            succeeded.set()
        except Exception:  # the thread's edge
            _log.exception("%s failed", name)
        finally:
            ended.set()

    def wait(timeout_s: float) -> bool:
        return ended.wait(timeout_s) and succeeded.is_set()

    threading.Thread(target=run, name=name, daemon=True).start()
    return wait
