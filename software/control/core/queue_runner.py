"""Works through the run queue: one plan after another, with everything that must happen between them.

::

    open ─▶ live view stopped, microscope free ─▶ take ─▶ start or resume ─▶ run ─▶ ended ─┬─ well ─▶ the next one
      ▲                                                      │ refused                      └─ badly ─┐
      └── start() ◀────────────────── holding, and says why ◀┴────────────────────────────────────────┘

A queue that has become empty closes: what is added later waits for a person. Methods of the window return at once;
what touches disk or devices is done in tasks, in which errors come back by `on_error`. Order, states and history are
`RunQueue`'s and survive the program. Knows no Qt.
"""

from __future__ import annotations

import itertools
import logging
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from control.core.multi_point_controller import MultiPointController
from control.core.queue_view import QueueView, surplus
from control.core.run import USER, Run
from control.core.run_queue import QueuedRun, RunQueue
from control.core.run_record import PLAN_FILE, RunSummary, read_summary, replace_text
from control.core.run_status import RunStatus
from control.core.words import in_words
from squid.errors import ResumeRefusedError, SquidError, StorageError
from squid.models.plan import AcquisitionPlan, plan_text, read_plan
from squid.utils.bounded import start_bounded
from squid.utils.persistent_queue import ENDED, JobState
from squid.utils.task import TaskHandle, current_task
from squid.utils.worker_manager import WorkerManager, WorkerResult

_log = logging.getLogger(__name__)

FREE_S = 10.0
"""How long a start waits for live view and moves by hand to end."""

START_S = 600.0
"""How long checks, folder and files of a new run may take: an array store for a large plate takes its time."""

THREAD_S = 30.0
"""How long they wait for a thread before it is told that there is none: tasks may hang in all of them."""

LOOK_S = 1.0
"""How long a share may take to say whether a run folder is there."""

OnError = Callable[[str], object]


class QueueRunner:
    """Starts the runs of a queue.

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
        self._controller = controller
        self._manager = manager
        self._folder = folder
        self._status = status
        self._stop_live = stop_live
        self._starting = threading.Lock()
        self._reading = threading.Lock()
        self._lock = threading.Lock()
        self._run: Run | None = None
        self._is_noted = threading.Event()
        self._is_noted.set()
        self._ends = 0
        self._end_reason = ""
        self._view = QueueView()
        self._numbers = itertools.count(1)

    # --- what it is doing -------------------------------------------------------------------------------------------

    @property
    def current(self) -> Run | None:
        """The run under way."""
        return self._run

    def view(self) -> QueueView:
        """Return the queue as it is; nothing is read from disk."""
        return self._view

    def wait(self, timeout_s: float | None = None) -> RunSummary | None:
        """Wait until the run under way has ended and the queue's file says so.

        Returns
        -------
        RunSummary or None
            None when there is no run, or when its end has not come in time.
        """
        run = self._run
        summary = run.wait(timeout_s) if run is not None else None
        self._is_noted.wait(timeout_s)
        return summary

    def interrupted(self) -> list[QueuedRun]:
        """Return the runs that are offered for resume, the newest first; from a task, at start.

        They were under way when the program died, or a fault or the end of the program has ended them.
        """
        if self._view.current_id is None:
            self._queue.recover()
        self._forget(surplus(self._queue.runs()))
        return [run for run in self._view.offered if _is_there(run.run_folder)]

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
        ends = self._ends
        return self._task("add a plan", lambda: self._enqueue(plan, output, ends if start else None, front), on_error)

    def start(self, on_error: OnError | None = None) -> TaskHandle:
        """Open the queue: the first waiting run starts, the others follow."""
        ends = self._ends
        return self._task("start", lambda: self._open(ends), on_error)

    def hold(self, reason: str = "") -> None:
        """Start no further run; the one under way goes on."""
        self._replace(is_open=False, holding=reason)

    def go_on_after_faults(self, wanted: bool) -> None:
        """Say whether the next run starts when a fault has ended one; a run that stored nothing holds in any case."""
        self._replace(goes_on_after_faults=wanted)

    def pause(self) -> None:
        """Let the run wait after the frame under way."""
        if (run := self._run) is not None:
            run.pause()

    def go_on(self) -> None:
        """End the pause."""
        if (run := self._run) is not None:
            run.go_on()

    def abort(self, reason: str = USER) -> None:
        """End the run after the exposure under way, or one that is being started; what was taken is kept.

        Holds the queue, and forgets what was asked to start before.
        """
        if (run := self._end(reason)) is not None:
            run.abort(reason)

    def stop_now(self, reason: str = USER) -> None:
        """Do as `abort`, in the middle of the exposure or move under way; see `Run.stop_now`."""
        if (run := self._end(reason)) is not None:
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
        ends = self._ends
        return self._task("resume", lambda: self._resume(run_id, ends), on_error)

    def resume_folder(self, folder: Path, on_error: OnError | None = None) -> TaskHandle:
        """Go on with the run in `folder`, before all others."""
        ends = self._ends
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
        self._refresh()

    def _move(self, run_id: int, before: int | None) -> None:
        self._queue.move(run_id, before)
        self._refresh()

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
        self._refresh()

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
        self._refresh()

    def _open(self, ends: int) -> None:
        """Open the queue, unless somebody has ended everything since it was asked for, when `_ends` was `ends`."""
        with self._lock:
            if ends != self._ends:
                return
            self._view = replace(self._view, is_open=True, holding="")
        self._refresh()
        self._start_next(ends)

    def _end(self, reason: str) -> Run | None:
        """Note that nothing asked for so far shall start; return the run under way."""
        with self._lock:
            self._ends += 1
            self._end_reason = reason
            if self._run is None and self._view.is_open:
                said = "ended by you before it began" if reason == USER else reason
                self._view = replace(self._view, is_open=False, holding=said)
            return self._run

    def _start_next(self, ends: int) -> None:
        if not self._starting.acquire(timeout=1.0):
            return  # whoever is starting a run now comes here again at its end
        try:
            if self._view.is_open and self._run is None:
                self._take_next(ends)
        except Exception as e:
            if self._view.is_open:
                self._replace(is_open=False, holding=f"the next run was not started: {in_words(e)}")
            raise
        finally:
            self._starting.release()

    def _take_next(self, ends: int) -> None:
        if not self._queue.runs(JobState.WAITING):
            self._change(is_open=False, holding="")
            return
        if (owner := self._wait_until_free()) is not None:
            self._change(is_open=False, holding=f"the microscope is in use by {owner}")
            return
        if not self._view.is_open or (taken := self._queue.take()) is None:
            return
        self._replace(current_id=taken.id)
        self._try_refresh()
        try:
            run = self._begin(taken, ends)
        except Exception as refusal:  # the plan's edge: it is refused, and the queue says why
            reason = in_words(refusal)
            self._run = None
            self._is_noted.set()
            self._replace(is_open=False, holding=f"{taken.name} was refused: {reason}", current_id=None)
            self._queue.refuse(taken.id, reason)
            self._refresh()
            if not isinstance(refusal, SquidError):
                raise
            return
        run.when_ended(lambda: self._ended(taken.id, run))

    def _wait_until_free(self) -> str | None:
        """Stop live view; return who still has the microscope when it has not become free."""
        self._stop_live()
        give_up_s = time.monotonic() + FREE_S
        while (owner := self._controller.owner) is not None and time.monotonic() < give_up_s and self._view.is_open:
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
        self._is_noted.clear()
        with self._lock:
            self._run = run
            if ends != self._ends:
                run.abort(self._end_reason)
        if task is not None and task.outcome is not None:
            run.abort("its start took too long, and was given up")
        if self._status is not None:
            self._status.follow(run)
        try:
            self._queue.started(run_id, run.folder)
        except StorageError as e:  # the run is worth more than its line in the queue
            _log.error("the queue does not know that %s was started: %s", run.folder, e)
        self._try_refresh()

    def _ended(self, run_id: int, run: Run) -> None:
        """Note how a run ended, in the thread that ended it; start the next one unless something is wrong."""
        summary = run.wait(0)
        assert summary is not None  # it has ended
        try:
            self._note_end(run_id, summary)
        finally:
            self._is_noted.set()

    def _note_end(self, run_id: int, summary: RunSummary) -> None:
        reason = self._reason_to_hold(summary)
        self._run = None
        try:
            self._queue.finish(run_id, summary, offer=_is_cut_short(summary))
        except StorageError as e:
            reason = reason or f"the end of {summary.name} could not be noted: {e}"
        self._try_refresh()  # before it says that nothing is under way: then the list is true
        self._replace(current_id=None, **({"is_open": False, "holding": reason} if reason else {}))
        ends = self._ends
        if self._view.is_open and not self._manager.is_shut_down:
            self._task("next", lambda: self._start_next(ends), self._hold_if_open)

    def _reason_to_hold(self, summary: RunSummary) -> str:
        if summary.status != "aborted":
            return ""
        by_person = summary.reason.startswith(USER)
        if self._view.goes_on_after_faults and not by_person and summary.frames_stored:
            return ""
        return f"{summary.name} was ended by {'you' if by_person else 'a fault: ' + summary.reason}"

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

    def _refresh(self) -> None:
        with self._reading:  # of two threads that read, the later one has the newer list
            runs = self._queue.runs()
            old = {run.id for run in surplus(runs)}
            self._replace(runs=tuple(run for run in runs if run.id not in old))

    def _hold_if_open(self, reason: str) -> None:
        if self._view.is_open:
            self.hold(reason)

    def _try_refresh(self) -> None:
        """Do so; a list that cannot be read costs no run."""
        try:
            self._refresh()
        except StorageError as e:
            _log.error("the list of runs is old: %s", e)

    def _change(self, **changes: Any) -> None:
        self._replace(**changes)
        self._refresh()

    def _replace(self, **changes: Any) -> None:
        with self._lock:
            self._view = replace(self._view, **changes)


def _is_cut_short(summary: RunSummary) -> bool:
    """Whether a run was ended by a fault, the end of the program or F12, and not by a person who pressed Abort."""
    is_aborted = summary.reason == USER or summary.reason.startswith(f"{USER};")
    return summary.status == "aborted" and not is_aborted and summary.frames_stored < summary.frames_planned


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
