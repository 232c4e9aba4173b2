"""The one mechanism behind every time limit: a thread that looks at armed deadlines.

::

    arm ──▶ ARMED ──disarm──▶ DISARMED      exactly one of the two, whoever comes first
                 └──overdue──▶ FIRED ──▶ on_overdue(deadline), in the watch's thread

Arming and disarming are done once per device call, so they take no lock: each is one dict operation, which the
interpreter does atomically, and the thread sleeps while nothing is armed. The clock is monotonic: setting the
system's clock changes nothing. Needs no event loop, knows no task, no device, no Qt.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from squid.errors import ShutDownError
from squid.utils.edge_logger import edge_logger

_log = edge_logger(__name__)


class Deadline:
    """One armed time limit; made by `DeadlineWatch.arm`.

    Attributes
    ----------
    name : str
        What is being waited for.
    timeout_s : float
        The time given, in seconds; since `extend`, the time given then.
    """

    __slots__ = ("_armed", "_due", "_on_overdue", "name", "timeout_s")

    def __init__(
        self,
        name: str,
        timeout_s: float,
        on_overdue: Callable[[Deadline], object],
        armed: dict[Deadline, None],
    ) -> None:
        self.name = name
        self.timeout_s = timeout_s
        self._on_overdue = on_overdue
        self._armed = armed
        self._due = time.monotonic() + timeout_s

    def disarm(self) -> bool:
        """Take the limit away; True if it had not fired, and then it never will."""
        return self._armed.pop(self, self) is None

    def extend(self, timeout_s: float) -> bool:
        """Start the limit again: overdue `timeout_s` seconds from now; False if it has fired or was disarmed."""
        self.timeout_s = timeout_s
        self._due = time.monotonic() + timeout_s
        return self in self._armed

    def fire_if_overdue(self, now: float) -> None:
        """Call `on_overdue` if the limit has passed at `now` (monotonic seconds); for the watch's thread."""
        if now < self._due or not self.disarm():
            return
        try:
            self._on_overdue(self)
        except BaseException:
            _log.exception("handling of overdue '%s' failed", self.name)


class DeadlineWatch:
    """Watches any number of deadlines from one daemon thread, which starts with the first.

    Parameters
    ----------
    resolution_s : float
        How often it looks; a deadline fires at most this much late (plus what the machine's load adds).
    """

    def __init__(self, resolution_s: float = 0.05) -> None:
        self._resolution_s = resolution_s
        self._armed: dict[Deadline, None] = {}
        self._wake = threading.Event()
        self._closed = threading.Event()
        self._asleep = False
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def arm(self, name: str, timeout_s: float, on_overdue: Callable[[Deadline], object]) -> Deadline:
        """Start a time limit.

        Parameters
        ----------
        name : str
            What is being waited for.
        timeout_s : float
            Seconds from now.
        on_overdue : callable
            Told the deadline, in the watch's thread, if it was not disarmed in time. It delays the other deadlines
            while it runs; its exception is logged.

        Raises
        ------
        ShutDownError
            The watch was closed; nothing was armed.
        """
        if self._closed.is_set():
            raise ShutDownError(f"deadline '{name}': the watch is closed")
        deadline = Deadline(name, timeout_s, on_overdue, self._armed)
        self._armed[deadline] = None
        if self._asleep:
            self._wake.set()
        elif self._thread is None:
            self._start()
        return deadline

    def close(self) -> None:
        """Disarm everything and end the thread; closing twice does no harm."""
        self._closed.set()
        self._armed.clear()
        self._wake.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(1.0)  # bounded: an on_overdue may hang

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="deadline watch", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._closed.wait(self._resolution_s):
            now = time.monotonic()
            for deadline in list(self._armed):
                deadline.fire_if_overdue(now)
            if not self._armed:
                self._sleep()

    def _sleep(self) -> None:
        """Wait for the first deadline; announced before the second look, so that none is overlooked.

        Afterwards at least one nap follows, however short-lived that deadline is: armed and disarmed a thousand times a
        second, they wake this thread 20 times a second and no more.
        """
        self._asleep = True
        if not self._armed:
            self._wake.wait()
        self._asleep = False
        self._wake.clear()
