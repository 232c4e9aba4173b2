"""Works through the run queue: one plan after another, with everything that must happen between them.

::

    person ─▶ QueueRunner: adds, moves, opens ─task─▶ QueueStarter: begins runs, notes their ends, begins the next
                                └───────▶ QueueBoard ◀────────┘  what windows see; what was asked to stop

A queue that has become empty closes: what is added later waits for a person. Methods of the window return at once;
what touches disk or devices is done in tasks, in which errors come back by `on_error`. Order, states and history are
`RunQueue`'s and survive the program. Knows no Qt.
"""

from __future__ import annotations

import itertools
import logging
import re
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path

from control.core.multi_point_controller import MultiPointController
from control.core.queue_board import QueueBoard
from control.core.queue_starter import QueueStarter
from control.core.queue_view import QueueView, surplus
from control.core.run import USER, Run
from control.core.run_queue import QueuedRun, RunQueue
from control.core.run_record import PLAN_FILE, RunSummary, read_summary, replace_text
from control.core.run_status import RunStatus
from control.core.words import in_words
from squid.errors import ResumeRefusedError
from squid.models.plan import AcquisitionPlan, plan_text
from squid.utils.bounded import start_bounded
from squid.utils.persistent_queue import ENDED, JobState
from squid.utils.task import TaskHandle
from squid.utils.worker_manager import WorkerManager, WorkerResult

_log = logging.getLogger(__name__)

START_S = 600.0
"""How long checks, folder and files of a new run may take: an array store for a large plate takes its time."""

THREAD_S = 30.0
"""How long they wait for a thread before it is told that there is none: tasks may hang in all of them."""

LOOK_S = 1.0
"""How long a share may take to say whether a run folder is there."""

OnError = Callable[[str], object]


class QueueRunner:
    """What a person can ask of the run queue.

    Parameters
    ----------
    queue : RunQueue
        Open; stays the caller's to close.
    controller : MultiPointController
        Starts and resumes.
    manager : WorkerManager
        Runs the tasks.
    folder : Path
        Where the plans of the queue are kept; made when needed.
    status : RunStatus, optional
        Is told which run to look at.
    stop_live : callable
        Ends live view; returns at once.
    """

    def __init__(
        self,
        queue: RunQueue,
        controller: MultiPointController,
        manager: WorkerManager,
        *,
        folder: Path,
        status: RunStatus | None = None,
        stop_live: Callable[[], object] = lambda: None,
    ) -> None:
        self._queue = queue
        self._manager = manager
        self._folder = folder
        self._board = QueueBoard(queue)
        self._starter = QueueStarter(queue, controller, self._board, self._start_following, status, stop_live)
        self._numbers = itertools.count(1)

    # --- what it is doing -------------------------------------------------------------------------------------------

    @property
    def current(self) -> Run | None:
        """The run under way."""
        return self._board.run

    def view(self) -> QueueView:
        """Return the queue as it is; nothing is read from disk."""
        return self._board.view

    def wait(self, timeout_s: float | None = None) -> RunSummary | None:
        """Wait until the run under way has ended and the queue's file says so.

        Returns
        -------
        RunSummary or None
            None when there is no run, or when its end has not come in time.
        """
        return self._board.wait(timeout_s)

    def interrupted(self) -> list[QueuedRun]:
        """Return the runs that are offered for resume, the newest first; from a task, at start.

        They were under way when the program died, or a fault or the end of the program has ended them.
        """
        if self._board.view.current_id is None:
            self._queue.recover()
        self._forget(surplus(self._queue.runs()))
        return [run for run in self._board.view.offered if _is_there(run.run_folder)]

    # --- for people: these return at once ---------------------------------------------------------------------------

    def enqueue(
        self,
        plan: AcquisitionPlan,
        output: Path,
        *,
        start: bool = False,
        front: bool = False,
        on_error: OnError | None = None,
    ) -> TaskHandle:
        """Add a plan; see `add`. With `start` the queue opens then, with `front` the plan goes before all others."""
        ends = self._board.ends
        return self._task("add a plan", lambda: self._enqueue(plan, output, ends if start else None, front), on_error)

    def start(self, on_error: OnError | None = None) -> TaskHandle:
        """Open the queue: the first waiting run starts, the others follow."""
        ends = self._board.ends
        return self._task("start", lambda: self._open(ends), on_error)

    def hold(self, reason: str = "") -> None:
        """Start no further run; the one under way goes on."""
        self._board.hold(reason)

    def go_on_after_faults(self, wanted: bool) -> None:
        """Say whether the next run starts when a fault has ended one; a run that stored nothing holds in any case."""
        self._board.change(goes_on_after_faults=wanted)

    def pause(self) -> None:
        """Let the run wait after the frame under way."""
        if (run := self._board.run) is not None:
            run.pause()

    def go_on(self) -> None:
        """End the pause."""
        if (run := self._board.run) is not None:
            run.go_on()

    def abort(self, reason: str = USER) -> None:
        """End the run after the exposure under way, or one that is being started; what was taken is kept.

        Holds the queue, and forgets what was asked to start before.
        """
        if (run := self._board.end(reason)) is not None:
            run.abort(reason)

    def stop_now(self, reason: str = USER) -> None:
        """Do as `abort`, in the middle of the exposure or move under way; see `Run.stop_now`."""
        if (run := self._board.end(reason)) is not None:
            run.stop_now(reason)

    def cancel(self, run_id: int, on_error: OnError | None = None) -> TaskHandle:
        """Take a waiting or interrupted run out; one that ended early is offered for resume no more."""
        return self._task("take out", lambda: self._cancel(run_id), on_error)

    def move(self, run_id: int, before: int | None, on_error: OnError | None = None) -> TaskHandle:
        """Move a waiting run before another one, or to the end (None)."""
        return self._task("move", lambda: self._move(run_id, before), on_error)

    def clear_finished(self, on_error: OnError | None = None) -> TaskHandle:
        """Take all that has ended out of the list, but what is offered for resume; run folders stay as they are."""
        return self._task("clear", self._clear, on_error)

    def resume(self, run_id: int, on_error: OnError | None = None) -> TaskHandle:
        """Go on with an interrupted or ended run at its first missing frame, before all others."""
        ends = self._board.ends
        return self._task("resume", lambda: self._resume(run_id, ends), on_error)

    def resume_folder(self, folder: Path, on_error: OnError | None = None) -> TaskHandle:
        """Go on with the run in `folder`, before all others."""
        ends = self._board.ends
        return self._task("resume a folder", lambda: self._resume_folder(folder, ends), on_error)

    # --- what takes time: in tasks ----------------------------------------------------------------------------------

    def add(self, plan: AcquisitionPlan, output: Path) -> int:
        """Keep a copy of the plan, put it at the end of the queue, return its id; from a task.

        Raises
        ------
        StorageError
            The copy cannot be written; the queue is as before.
        """
        stem = re.sub(r"[^A-Za-z0-9._-]+", "_", plan.name).strip("_.") or "plan"
        file = self._folder / f"{stem}_{uuid.uuid4().hex[:12]}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_text(file, plan_text(plan))
        run_id = self._queue.add(file, output, name=plan.name)
        self._forget(surplus(self._queue.runs()))
        return run_id

    def _enqueue(self, plan: AcquisitionPlan, output: Path, start: int | None, front: bool) -> None:
        run_id = self.add(plan, output)
        if front:
            self._to_front(run_id)
        if start is not None:
            self._open(start)

    def _cancel(self, run_id: int) -> None:
        self._queue.cancel(run_id)
        self._board.refresh()

    def _move(self, run_id: int, before: int | None) -> None:
        self._queue.move(run_id, before)
        self._board.refresh()

    def _clear(self) -> None:
        self._forget(run for run in self._queue.runs(*ENDED) if not run.is_offered)

    def _forget(self, runs: Iterable[QueuedRun]) -> None:
        """Take ended runs out of the list, and the queue's copies of their plans from the disk."""
        gone = list(runs)
        self._queue.forget(gone)
        kept = {run.plan_file for run in self._queue.runs()}
        for file in {run.plan_file for run in gone} - kept:
            if file.parent == self._folder.absolute():
                file.unlink(missing_ok=True)
        self._board.refresh()

    def _resume(self, run_id: int, ends: int) -> None:
        run = next(run for run in self._queue.runs() if run.id == run_id)
        if run.state is JobState.INTERRUPTED or (run.run_folder is not None and run.state in ENDED):
            self._queue.resume(run_id)
        elif run.run_folder is not None and run.state is JobState.WAITING:
            self._to_front(run_id)
        else:
            raise ValueError(f"run {run_id} is {run.state.value} and has nothing to resume")
        self._open(ends)

    def _resume_folder(self, folder: Path, ends: int) -> None:
        folder = folder.absolute()
        known = next((run.id for run in self._queue.runs() if run.run_folder == folder), None)
        if known is not None:
            self._resume(known, ends)
            return
        self._to_front(self._queue.add(folder / PLAN_FILE, folder.parent, folder, name=_name_in(folder)))
        self._open(ends)

    def _to_front(self, run_id: int) -> None:
        first = next((run.id for run in self._queue.runs(JobState.WAITING) if run.id != run_id), None)
        if first is not None:
            self._queue.move(run_id, first)
        self._board.refresh()

    def _open(self, ends: int) -> None:
        """Open the queue, unless somebody has ended everything since it was asked for."""
        if self._board.open(ends):
            self._board.refresh()
            self._starter.start_next(ends)

    def _start_following(self) -> None:
        """Start the run after one that has ended, unless the queue was closed."""
        ends = self._board.ends
        if self._board.view.is_open and not self._manager.is_shut_down:
            self._task("next", lambda: self._starter.start_next(ends), self._board.hold_if_open)

    # --- helpers ----------------------------------------------------------------------------------------------------

    def _task(self, what: str, action: Callable[[], None], on_error: OnError | None) -> TaskHandle:
        def failed(result: WorkerResult) -> None:
            text = f"run queue, {what}: {in_words(result.error)}"
            _log.error("%s", text)
            if on_error is not None:
                on_error(text)

        name = f"run queue: {what} ({next(self._numbers)})"
        return self._manager.submit(
            name,
            action,
            timeout_ms=int(1000 * START_S),
            queue_timeout_ms=int(1000 * THREAD_S),
            on_error=failed,
        )


def _is_there(folder: Path | None) -> bool:
    """Whether a run folder is there; on a share that does not answer it may be."""
    gone: list[Path] = []

    def look() -> None:
        if folder is not None and not folder.is_dir():
            gone.append(folder)

    start_bounded(f"look for {folder}", look)(LOOK_S)
    return not gone


def _name_in(folder: Path) -> str:
    """Return the name of the plan of a run folder."""
    try:
        return read_summary(folder).name
    except ResumeRefusedError:  # the resume says what is wrong with it
        return folder.name
