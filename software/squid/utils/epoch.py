"""The right of a thread to command devices, and how it is taken away.

A task that overran its time limit may wake up later and go on commanding devices that somebody else uses by then.
So every thread that drives devices enters an `Epoch`; every public device method calls `check_access`; revoking the
epoch makes each later call of that thread raise before anything is sent. Threads without an epoch are never refused.

Owns nothing but a thread-local mark; knows no task, no device, no Qt.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from squid.errors import AccessRevokedError

T = TypeVar("T")
R = TypeVar("R")

_local = threading.local()


class Epoch:
    """One task's right to command devices; revoked at most once, never given back.

    Parameters
    ----------
    name : str
        The task, for the error message.

    Attributes
    ----------
    reason : str or None
        Why it was revoked; None: it was not.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.reason: str | None = None

    def revoke(self, reason: str) -> None:
        """Refuse every later device call of the threads in this epoch; `reason` says why."""
        if self.reason is None:
            self.reason = reason

    def run(self, function: Callable[[T], R], argument: T) -> R:
        """Return ``function(argument)``, called in this epoch; cheaper than `entered`."""
        outer: tuple[Epoch, ...] = getattr(_local, "epochs", ())
        _local.epochs = (*outer, self)
        try:
            return function(argument)
        finally:
            _local.epochs = outer

    @contextmanager
    def entered(self) -> Iterator[Epoch]:
        """Put the calling thread into this epoch for the length of the block, beside those it is in already."""
        outer: tuple[Epoch, ...] = getattr(_local, "epochs", ())
        _local.epochs = (*outer, self)
        try:
            yield self
        finally:
            _local.epochs = outer


def check_access(device: str) -> None:
    """Let the calling thread command `device`, or raise.

    Raises
    ------
    AccessRevokedError
        One of the thread's epochs was revoked; nothing was sent to the device.
    """
    for epoch in getattr(_local, "epochs", ()):
        if epoch.reason is not None:
            raise AccessRevokedError(device, f"task '{epoch.name}' may no longer command devices: {epoch.reason}")
