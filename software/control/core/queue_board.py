"""What the parts of the run queue share: its picture for windows, the run under way, and whether all was ended.

Safe in any thread. Reads the queue's file, changes nothing in it.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import Any

from control.core.queue_view import QueueView, surplus
from control.core.run import USER, Run
from control.core.run_queue import RunQueue
from control.core.run_record import RunSummary
from squid.errors import StorageError

_log = logging.getLogger(__name__)


class QueueBoard:
    """The state of one run queue.

    Parameters
    ----------
    queue : RunQueue
        Whose runs are shown.
    """

    def __init__(self, queue: RunQueue) -> None:
        self._queue = queue
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._view = QueueView()
        self._run: Run | None = None
        self._is_noted = threading.Event()
        self._is_noted.set()
        self._ends = 0
        self._end_reason = ""

    # --- the picture ------------------------------------------------------------------------------------------------

    @property
    def view(self) -> QueueView:
        """The queue as it is; nothing is read from disk."""
        return self._view

    def change(self, **changes: Any) -> None:
        """Change fields of the picture."""
        with self._lock:
            self._view = replace(self._view, **changes)

    def refresh(self) -> None:
        """Read the list of runs; what the history need not keep is left out."""
        with self._reading:  # of two threads that read, the later one has the newer list
            runs = self._queue.runs()
            old = {run.id for run in surplus(runs)}
            self.change(runs=tuple(run for run in runs if run.id not in old))

    def try_refresh(self) -> None:
        """Do so; a list that cannot be read costs no run."""
        try:
            self.refresh()
        except StorageError as e:
            _log.error("the list of runs is old: %s", e)

    def hold(self, reason: str) -> None:
        """Start no further run, and say why."""
        self.change(is_open=False, holding=reason)

    def hold_if_open(self, reason: str) -> None:
        """Do so unless the queue is closed already, for a reason of its own."""
        if self._view.is_open:
            self.hold(reason)

    # --- the run under way ------------------------------------------------------------------------------------------

    @property
    def run(self) -> Run | None:
        """The run under way."""
        return self._run

    def begun(self, run: Run, ends: int) -> None:
        """Note a run before it does anything, and end it there and then when all was ended since `ends`."""
        self._is_noted.clear()
        with self._lock:
            self._run = run
            if ends != self._ends:
                run.abort(self._end_reason)

    def gone(self) -> None:
        """Note that no run is under way."""
        self._run = None

    def noted(self) -> None:
        """Say that the queue's file knows how the run ended."""
        self._is_noted.set()

    def wait(self, timeout_s: float | None) -> RunSummary | None:
        """Wait for the end of the run under way, and until it is noted; None when there is none, or not in time."""
        run = self._run
        summary = run.wait(timeout_s) if run is not None else None
        self._is_noted.wait(timeout_s)
        return summary

    # --- open, and ended --------------------------------------------------------------------------------------------

    @property
    def ends(self) -> int:
        """How often all was ended; whoever asks for a start hands in what it was when a person asked."""
        return self._ends

    def open(self, ends: int) -> bool:
        """Open the queue, unless somebody has ended everything since `ends`; whether it is open."""
        with self._lock:
            if ends == self._ends:
                self._view = replace(self._view, is_open=True, holding="")
            return ends == self._ends

    def end(self, reason: str) -> Run | None:
        """Note that nothing asked for so far shall start; return the run under way."""
        with self._lock:
            self._ends += 1
            self._end_reason = reason
            if self._run is None and self._view.is_open:
                said = "ended by you before it began" if reason == USER else reason
                self._view = replace(self._view, is_open=False, holding=said)
            return self._run
