"""How the runs of a queue begin and end, one after another.

::

    start_next ─▶ live view stopped, microscope free ─▶ take ─▶ start or resume ─▶ begun ─▶ ended ─▶ noted ─┬▶ the next
                      │ in use                                     │ refused                                └▶ or holds
                      └───────────▶ holding, and says why ◀────────┘

Beginnings are made in tasks; an end is noted in the thread that ended the run.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from control.core.multi_point_controller import MultiPointController
from control.core.queue_board import QueueBoard
from control.core.run import USER, Run
from control.core.run_queue import QueuedRun, RunQueue
from control.core.run_record import RunSummary
from control.core.run_status import RunStatus
from control.core.words import in_words
from squid.errors import SquidError, StorageError
from squid.models.plan import read_plan
from squid.utils.persistent_queue import JobState
from squid.utils.task import current_task

_log = logging.getLogger(__name__)

FREE_S = 10.0
"""How long a start waits for live view and moves by hand to end."""


class QueueStarter:
    """Starts the waiting runs of a queue.

    Parameters
    ----------
    queue, controller, status, stop_live
        As in `QueueRunner`.
    board : QueueBoard
        Knows whether the queue is open, and is told what happens.
    start_following : callable
        Has `start_next` called in a task while the queue is open; returns at once.
    """

    def __init__(
        self,
        queue: RunQueue,
        controller: MultiPointController,
        board: QueueBoard,
        start_following: Callable[[], None],
        status: RunStatus | None,
        stop_live: Callable[[], object],
    ) -> None:
        self._queue = queue
        self._controller = controller
        self._board = board
        self._start_following = start_following
        self._status = status
        self._stop_live = stop_live
        self._starting = threading.Lock()

    def start_next(self, ends: int) -> None:
        """Start the first waiting run if the queue is open; from a task. `ends`: as in `QueueBoard.open`."""
        if not self._starting.acquire(timeout=1.0):
            return  # whoever is starting a run now comes here again at its end
        try:
            if self._board.view.is_open and self._board.run is None:
                self._take_next(ends)
        except Exception as e:
            if self._board.view.is_open:
                self._board.change(is_open=False, holding=f"the next run was not started: {in_words(e)}")
            raise
        finally:
            self._starting.release()

    def _take_next(self, ends: int) -> None:
        if not self._queue.runs(JobState.WAITING):
            self._close(holding="")
            return
        if (owner := self._wait_until_free()) is not None:
            self._close(holding=f"the microscope is in use by {owner}")
            return
        if not self._board.view.is_open or (taken := self._queue.take()) is None:
            return
        self._board.change(current_id=taken.id)
        self._board.try_refresh()
        try:
            run = self._begin(taken, ends)
        except Exception as refusal:  # the plan's edge: it is refused, and the queue says why
            reason = in_words(refusal)
            self._board.gone()
            self._board.noted()
            self._board.change(is_open=False, holding=f"{taken.name} was refused: {reason}", current_id=None)
            self._queue.refuse(taken.id, reason)
            self._board.refresh()
            if not isinstance(refusal, SquidError):
                raise
            return
        run.when_ended(lambda: self._ended(taken.id, run))

    def _close(self, *, holding: str) -> None:
        self._board.change(is_open=False, holding=holding)
        self._board.refresh()

    def _wait_until_free(self) -> str | None:
        """Stop live view; return who still has the microscope when it has not become free."""
        self._stop_live()
        give_up_s = time.monotonic() + FREE_S
        while (owner := self._controller.owner) is not None and self._board.view.is_open:
            if time.monotonic() > give_up_s:
                break
            if (task := current_task()) is not None:
                task.pause(0.02)
        return owner

    def _begin(self, taken: QueuedRun, ends: int) -> Run:
        def begun(run: Run) -> None:
            self._begun(taken.id, run, ends)

        if taken.run_folder is not None:
            return self._controller.resume(taken.run_folder, begun)
        return self._controller.start(read_plan(taken.plan_file), taken.output, taken.plan_file, begun)

    def _begun(self, run_id: int, run: Run, ends: int) -> None:
        """Note a run before it does anything, and end it there and then when nobody wants it any more."""
        task = current_task()
        self._board.begun(run, ends)
        if task is not None and task.outcome is not None:
            run.abort("its start took too long, and was given up")
        if self._status is not None:
            self._status.follow(run)
        try:
            self._queue.started(run_id, run.folder)
        except StorageError as e:  # the run is worth more than its line in the queue
            _log.error("the queue does not know that %s was started: %s", run.folder, e)
        self._board.try_refresh()

    def _ended(self, run_id: int, run: Run) -> None:
        """Note how a run ended, in the thread that ended it; start the next one unless something is wrong."""
        summary = run.wait(0)
        assert summary is not None  # it has ended
        try:
            self._note_end(run_id, summary)
        finally:
            self._board.noted()

    def _note_end(self, run_id: int, summary: RunSummary) -> None:
        if reason := self._reason_to_hold(summary):
            self._board.change(is_open=False, holding=reason)  # first: what a person opens from here on stays open
        try:
            self._queue.finish(run_id, summary, offer=_is_cut_short(summary))
        except StorageError as e:
            if not reason:
                self._board.change(is_open=False, holding=f"the end of {summary.name} could not be noted: {e}")
        self._board.try_refresh()  # before it says that nothing is under way: then the list is true
        self._board.change(current_id=None)
        self._board.gone()
        self._start_following()

    def _reason_to_hold(self, summary: RunSummary) -> str:
        if summary.status != "aborted":
            return ""
        by_person = summary.reason.startswith(USER)
        if self._board.view.goes_on_after_faults and not by_person and summary.frames_stored:
            return ""
        return f"{summary.name} was ended by {'you' if by_person else 'a fault: ' + summary.reason}"


def _is_cut_short(summary: RunSummary) -> bool:
    """Whether a run was ended by a fault, the end of the program or F12, and not by a person who pressed Abort."""
    is_aborted = summary.reason == USER or summary.reason.startswith(f"{USER};")
    return summary.status == "aborted" and not is_aborted and summary.frames_stored < summary.frames_planned
