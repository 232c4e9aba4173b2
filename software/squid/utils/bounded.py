"""Doing something that may never return: in a thread of its own, which can be left behind.

Nothing is queued and nothing is shared, so no hung task delays it. For a call that others wait for only so long: a
step of leaving, a file on a disk that may be gone, a light that may not answer. Knows no device: it is given calls.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from squid.utils.edge_logger import edge_logger

_log = edge_logger(__name__)


def start_bounded(name: str, call: Callable[[], object]) -> Callable[[float], bool]:
    """Start `call` in a daemon thread of that name.

    Returns
    -------
    callable
        Waits at most the seconds it is given, and says whether the call has succeeded; what it raised is logged.
    """
    ended, succeeded = threading.Event(), threading.Event()

    def run() -> None:
        try:
            call()
            succeeded.set()
        except BaseException:
            _log.exception("%s failed", name)
        finally:
            ended.set()

    def wait(timeout_s: float) -> bool:
        return ended.wait(timeout_s) and succeeded.is_set()

    threading.Thread(target=run, name=name, daemon=True).start()
    return wait
