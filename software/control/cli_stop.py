"""Ctrl-C and SIGTERM: the first asks the run to end, the second leaves at once in a safe state.

::

    first ──▶ `requested` names the signal; whoever follows the run aborts it (cleanly, resumable)
    second ─▶ light off, stage stopped, process gone

The handlers run in the main thread between two byte codes, so they take no lock and print nothing through Python's
streams. No Qt loop is needed: the main thread waits in Python, where signals come through.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

EXIT_INTERRUPTED = 130
SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class StopRequests:
    """Counts the requests to stop.

    Attributes
    ----------
    requested : str or None
        Name of the first signal that asked to stop.
    make_safe : callable or None
        Called before the process leaves at once; must return within a second or two.
    """

    def __init__(self) -> None:
        self.requested: str | None = None
        self.make_safe: Callable[[], object] | None = None

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """Take one request; the second does not return."""
        if self.requested is None:
            self.requested = signal.Signals(number).name
            return
        state = self.make_safe() if self.make_safe else "nothing was moving"
        os.write(2, f"\nstopped at once: {state}\n".encode())
        os._exit(EXIT_INTERRUPTED)


@contextmanager
def stop_requests() -> Iterator[StopRequests]:
    """Take the signals during the block; the handlers from before come back after it."""
    requests = StopRequests()
    before = {number: signal.signal(number, requests.handle) for number in SIGNALS}
    try:
        yield requests
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
