"""Who has the microscope while no run does: a person's hands, in as many places of the window as they like.

Live view and stage moves work at once, a run keeps both away: each piece of handwork enters `Hands.at_work`; the first
takes the microscope, the last gives it back.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from squid.microscope import Microscope

OWNER = "a person's hands"
"""Owner of the microscope during handwork, as `Microscope.reserve` and its refusals name it."""


class Hands:
    """Shares the microscope among the parts of the window that work by hand.

    Parameters
    ----------
    microscope : Microscope
        Open or closed.
    """

    def __init__(self, microscope: Microscope) -> None:
        self._microscope = microscope
        self._lock = threading.Lock()
        self._at_work = 0
        self._reservation = ExitStack()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Keep runs away during the block.

        Raises
        ------
        DeviceError
            A run has the microscope; the message says which.
        """
        with self._lock:
            if self._at_work == 0:
                self._reservation.enter_context(self._microscope.reserve(OWNER))
            self._at_work += 1
        try:
            yield
        finally:
            with self._lock:
                self._at_work -= 1
                if self._at_work == 0:
                    self._reservation.close()
