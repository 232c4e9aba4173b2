"""The last seconds of the program: told by a signal, safe within a bound, gone whatever hangs.

::

    SIGTERM, SIGINT ─▶ SignalWatch (needs no Python code to run under exec_) ─▶ the application decides
    leave: steps, each in a thread that may hang ─▶ children killed ─▶ streams flushed ─▶ os._exit

`os._exit`, because every other way out waits for threads or destroys Qt under the feet of those that still use it: with
daemon threads 9 of 25 exits crashed, this way none. Knows no device: the steps are given.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from typing import NoReturn

from PyQt5.QtCore import QSocketNotifier

from squid.utils.bounded import start_bounded
from squid.utils.edge_logger import edge_logger
from squid.utils.processes import kill_children

_log = edge_logger(__name__)

Step = tuple[str, Callable[[], object]]


def leave(exit_code: int, steps: Sequence[Step], limit_s: float = 2.0) -> NoReturn:
    """Carry out the steps and end the process; never returns, never waits longer than `limit_s` for the steps.

    Parameters
    ----------
    exit_code : int
        Of the process.
    steps : sequence of (str, callable)
        In order of importance: safe state first, then journal, then comfort. One that hangs or raises is logged and the
        next one is made; the time left is shared so that each gets its turn.
    limit_s : float
        For all steps together, in seconds.
    """
    end = time.monotonic() + limit_s
    for done, (name, step) in enumerate(steps):
        share_s = (end - time.monotonic()) / (len(steps) - done)
        if not start_bounded(f"leaving: {name}", step)(max(0.05, share_s)):
            _log.error("leaving: '%s' was not done within %.2f s", name, share_s)
    kill_children()
    for stream in (*logging.getLogger().handlers, sys.stdout, sys.stderr):
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
    os._exit(exit_code)


class SignalWatch:
    """Calls back in the GUI thread when the process gets a signal, also while no Python code runs under ``exec_``.

    Make it in the main thread, after the QCoreApplication.

    Parameters
    ----------
    on_signal : callable
        Told the number of the signal.
    signals : sequence of signal.Signals
        Which ones.
    """

    def __init__(
        self,
        on_signal: Callable[[int], object],
        signals: Sequence[signal.Signals] = (signal.SIGTERM, signal.SIGINT),
    ) -> None:
        self._on_signal = on_signal
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._theirs.setblocking(False)
        self._old_fd = signal.set_wakeup_fd(self._theirs.fileno())
        self._old = {number: signal.signal(number, _nothing) for number in signals}
        self._notifier = QSocketNotifier(self._ours.fileno(), QSocketNotifier.Type.Read)  # type: ignore[arg-type]
        self._notifier.activated.connect(self._read)

    def close(self) -> None:
        """Give the signals back; closing twice does no harm."""
        for number, handler in self._old.items():
            signal.signal(number, handler)
        if self._old:
            signal.set_wakeup_fd(self._old_fd)
            self._notifier.setEnabled(False)
            self._ours.close()
            self._theirs.close()
        self._old = {}

    def _read(self) -> None:
        for number in self._ours.recv(64):
            if number in self._old:
                self._on_signal(number)


def _nothing(number: int, frame: object) -> None:
    """Take the signal; the byte in the socket is the message."""
