"""Tests that want the machine for themselves, when several processes run tests at once (``pytest -n 2``).

::

    a test           ─ gate ─▶ room, shared with the others' tests ─▶ runs
    marked `alone`   ─ gate, kept ─▶ room to itself, once the others' tests have ended ─▶ runs

Who waits for the room keeps the gate, so nobody who comes later goes past. The locks are the system's own and go with
the process that holds them.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Turns:
    """Gate and room, as two files that all processes open.

    Parameters
    ----------
    folder : Path
        Of the processes that take turns, and of no others.
    """

    def __init__(self, folder: Path) -> None:
        self._gate = _opened(folder / "gate.lock")
        self._room = _opened(folder / "room.lock")

    @contextmanager
    def taken(self, *, alone: bool) -> Iterator[None]:
        """Wait for the turn of a test, and keep it in the block."""
        fcntl.flock(self._gate, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        finally:
            fcntl.flock(self._gate, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(self._room, fcntl.LOCK_UN)


def _opened(file: Path) -> int:
    return os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
