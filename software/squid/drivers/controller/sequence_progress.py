"""Follows a hardware sequence through the status frames: which step has its trigger, and when it is over.

::

    waiting ──RUNNING or EXPOSING seen──▶ under way ──EXPOSING k: report of step k──▶ … ──DONE, ABORTED──▶ over

A frame that shows DONE or ABORTED before the run was seen or acknowledged is one of the run before.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress

from squid.abc.sequencer import StepReport
from squid.drivers.controller.packets import StatusFrame
from squid.drivers.controller.protocol_table import Code, Page, Reason, SequenceState
from squid.errors import DeviceError
from squid.models.geometry import StagePosition


class SequenceProgress:
    """One run.

    Parameters
    ----------
    label : str
        The sequencer, for errors.
    steps : int
        Number of steps.
    position_of : callable
        Position in a frame, given the step's number.

    Attributes
    ----------
    triggered : tuple of Future of StepReport
        Settled in the thread that calls `feed`, with no lock of the link held.
    is_acknowledged : bool
        Whether the controller has taken the command: every frame from now on is of this run.
    end_with : Code or None
        The command that somebody wants it to end with.
    """

    def __init__(self, label: str, steps: int, position_of: Callable[[StatusFrame, int], StagePosition]) -> None:
        self._label = label
        self._position_of = position_of
        self.triggered: tuple[Future[StepReport], ...] = tuple(Future() for _ in range(steps))
        for future in self.triggered:
            future.set_running_or_notify_cancel()
        self.is_acknowledged = False
        self.is_over = False
        self.steps_done = 0
        self.reason = Reason.NONE
        self.is_aborted = False
        self.end_with: Code | None = None
        self._is_seen = False

    def feed(self, frame: StatusFrame) -> None:
        """Take a frame."""
        if frame.page is not Page.SEQUENCE or self.is_over:
            return
        done, state, reason = frame.page_data >> 16, frame.page_data >> 8 & 0xFF, frame.page_data & 0xFF
        if state in (SequenceState.RUNNING, SequenceState.EXPOSING):
            self._is_seen = True
        elif not (self._is_seen or self.is_acknowledged):
            return
        self.steps_done = min(done, len(self.triggered))
        if state == SequenceState.EXPOSING and done < len(self.triggered):
            report = StepReport(self._position_of(frame, done), time.monotonic())
            with suppress(InvalidStateError):
                self.triggered[done].set_result(report)
        self._fail(self.triggered[: self.steps_done], "the report of this step was lost")
        if state in (SequenceState.DONE, SequenceState.ABORTED):
            self.reason = Reason(reason) if reason in frozenset(Reason) else Reason.NONE
            self.is_aborted = state == SequenceState.ABORTED
            self.is_over = True

    def close(self, why: str) -> None:
        """Fail the reports that will not come any more."""
        self._fail(self.triggered, why)

    def _fail(self, futures: tuple[Future[StepReport], ...], why: str) -> None:
        for future in futures:
            with suppress(InvalidStateError):
                future.set_exception(DeviceError(self._label, why))
