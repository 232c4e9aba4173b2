"""One run under way: its parts, its pause and abort, and its one truthful end.

::

    begin() ──▶ running ──▶ ending ──▶ ended
                   │           ▲  light off, stage stopped ─▶ queue stored ─▶ sink closed ─▶ run.json ─▶ RunFinished
                   ├ worker returns or raises ─┤
                   ├ a step is overdue: device access revoked, light off, stacks kept ─┤
                   ├ the time budget is used up: the same ─┤
                   └ the task was given up or never started ─┘

The end is reached exactly once, by whoever comes first; after a hang that is not the worker's thread, which may never
come back. Nothing that happens during the end keeps `wait` from returning.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from control.core import run_ending
from control.core.facts import Hung, RunFinished
from control.core.run_control import RunAborted
from control.core.run_parts import RunParts
from control.core.run_record import RunSummary, Status, write_summary
from control.core.safe_state import make_safe
from control.core.step_watch import Step, StepUnderWay
from squid.errors import AccessRevokedError, HungError, SquidError
from squid.utils.bounded import start_bounded
from squid.utils.epoch import Epoch
from squid.utils.safe_callback import safe_callback
from squid.utils.thread_priority import prompt

_log = logging.getLogger(__name__)

USER = "user"
"""First word of the reason when a person ended the run."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """What a run is doing at this moment.

    Attributes
    ----------
    step : StepUnderWay or None
        The device call that began last and has not come back.
    queue_fill : float
        How full the writer's queue is: 0 is empty, 1 is when the engine has to wait.
    storage_trouble : str
        Why nothing can be stored at this moment; empty: nothing is wrong.
    is_pausing : bool
        A person wants it to wait.
    abort_reason : str or None
        Why it shall end; None while it shall go on.
    """

    step: StepUnderWay | None
    queue_fill: float
    storage_trouble: str
    is_pausing: bool
    abort_reason: str | None


class Run:
    """A run of one plan, from its start to its end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._epoch = Epoch(f"run {folder.name}")
        self._is_left_behind = False
        self._parts: RunParts | None = None
        self._resources = ExitStack()
        self._folder_lock = ExitStack()
        self._started_s = time.monotonic()
        self._ending = threading.Lock()
        self._ended = threading.Event()
        self._summary: RunSummary | None = None
        self._on_ended: list[Callable[[], object]] = []
        self._on_ended_lock = threading.Lock()

    # --- for people -------------------------------------------------------------------------------------------------

    def pause(self) -> None:
        """Let the run wait, in the dark, after the frame under way."""
        self._of_running.control.pause()

    def go_on(self) -> None:
        """End the pause."""
        self._of_running.control.go_on()

    def abort(self, reason: str = USER) -> None:
        """End the run after the exposure under way; what was taken is kept, and the run can be resumed."""
        self._of_running.control.abort(reason)

    def stop_now(self, reason: str = USER) -> None:
        """End the run in the middle of whatever it does: from now on it moves and lights nothing; returns at once.

        The frame under way is given up, and taken again by a resume. The caller darkens and stops the rig.
        """
        parts = self._of_running
        parts.control.abort(reason)
        self._epoch.revoke(reason)
        start_bounded("stop of a run: camera", parts.microscope.camera.cancel)

    def wait(self, timeout_s: float | None = None) -> RunSummary | None:
        """Wait for the end; None when it has not come after `timeout_s`."""
        return self._summary if self._ended.wait(timeout_s) else None

    def vitals(self) -> Vitals:
        """Return what it is doing now; cheap, from any thread."""
        parts = self._of_running
        control = parts.control
        writer = parts.writer
        return Vitals(parts.steps.current, writer.fill, writer.trouble, control.is_paused, control.abort_reason)

    @property
    def is_hung(self) -> bool:
        """Whether its thread was left behind in a call that did not return."""
        return self._is_left_behind

    def when_ended(self, callback: Callable[[], object]) -> None:
        """Have `callback` called once the run has ended and given everything back; at once if it has.

        It comes in the thread that ends the run and must return soon; its exception is logged.
        """
        with self._on_ended_lock:
            if not self._ended.is_set():
                self._on_ended.append(callback)
                return
        safe_callback(callback)

    # --- for the controller -----------------------------------------------------------------------------------------

    @property
    def _of_running(self) -> RunParts:
        assert self._parts is not None, "begin() comes first"
        return self._parts

    def begin(self, parts: RunParts, resources: ExitStack, folder_lock: ExitStack) -> None:
        """Take the parts and say that the run has started; only then are `resources` and lock the run's to give back.

        Raises
        ------
        StorageError
            The run folder takes nothing; sink and journal are closed.
        """
        self._parts = parts
        try:
            write_summary(self.folder, parts.summary)
        except SquidError:
            parts.writer.discard()
            raise
        parts.writer.start(on_hang=lambda reason: run_ending.keep_stacks(parts, self.folder, reason))
        parts.facts.say(parts.opening(self.folder))
        self._resources, self._folder_lock = resources.pop_all(), folder_lock.pop_all()

    def execute(self) -> None:
        """Run the worker to its end; the task that the `WorkerManager` runs."""
        self._started_s = time.monotonic()
        with self._epoch.entered(), prompt():
            try:
                if self._of_running.control.abort_reason is not None:  # before anything has moved
                    raise RunAborted
                self._of_running.worker.run()
            except RunAborted:
                self._end("aborted", self._of_running.control.abort_reason or USER)
            except AccessRevokedError as late:
                self._turned_away(late)
            except SquidError as failure:
                _log.error("the run cannot go on: %s", failure, exc_info=True)
                self._end("aborted", str(failure))
            except BaseException as bug:
                _log.exception("the worker failed")
                self._end("aborted", f"internal error: {bug!r}")
                raise
            else:
                self._end("completed", "all planned frames were taken")

    def _turned_away(self, late: AccessRevokedError) -> None:
        if self._is_left_behind:  # whoever left it behind ends the run
            _log.warning("the hung worker came back and was turned away: %s", late)
        else:
            self._end("aborted", self._of_running.control.abort_reason or str(late))

    def not_executed(self, reason: str) -> None:
        """End the run because nobody executes it, or nobody does any more."""
        self._is_left_behind = True
        self._epoch.revoke(reason)
        self._of_running.control.abort(reason)
        self._end("aborted", reason)

    def overdue(self, step: Step) -> None:
        """End the run because a device call did not return; called by the deadline watch, in its thread."""
        self._hung(step.device, step.call, HungError(step.device, step.call, step.deadline_s))

    def over_budget(self, budget_s: float) -> None:
        """End the run because it took longer than the whole of it may take."""
        self._hung("run", "execute", HungError("run", "execute", budget_s))

    def _hung(self, device: str, call: str, error: HungError) -> None:
        if self._ended.is_set() or self._is_left_behind:
            return
        self._is_left_behind = True
        self._epoch.revoke(str(error))
        self._of_running.control.abort(str(error))
        start_bounded("safety lane: light off", self._of_running.microscope.illumination.all_off)
        start_bounded("end of a hung run", lambda: self._end_hung(device, call, error))

    def _end_hung(self, device: str, call: str, error: HungError) -> None:
        dump = run_ending.keep_stacks(self._of_running, self.folder, str(error))
        _log.error("%s; stacks are in %s", error, dump or "no file: no folder took them")
        self._of_running.facts.say(Hung(device, call, error.deadline_s, dump))
        self._end("aborted", f"hung: {error}")

    # --- the end ----------------------------------------------------------------------------------------------------

    def _end(self, status: Status, reason: str) -> None:
        if not self._ending.acquire(blocking=False):
            return
        parts = self._of_running
        summary = parts.summary.model_copy(update={"status": "aborted", "reason": reason})
        try:
            safe = make_safe(parts.microscope)
            if not safe.dark:
                reason = f"{reason}; {safe}"
            status, reason = run_ending.store_the_rest(parts, status, reason)
            took_s = time.monotonic() - self._started_s
            summary = run_ending.closing_summary(parts, self.folder, status, reason, took_s)
        except Exception as bug:  # the run must end
            _log.exception("the end of the run failed")
            summary = summary.model_copy(update={"reason": f"{reason}; and its end failed: {bug!r}"})
        self._conclude(parts, summary)

    def _conclude(self, parts: RunParts, summary: RunSummary) -> None:
        self._summary = summary
        try:
            run_ending.record(self.folder, summary)
            _log.info("run ended: %s, %s", summary.status, summary.reason)
            parts.facts.say(RunFinished(summary.status, summary.reason, summary.frames_stored, summary.frames_missing))
            self._give_back(parts)
        except Exception:  # the run must end
            _log.exception("the end of the run failed")
        finally:
            with self._on_ended_lock:
                self._ended.set()
            for callback in self._on_ended:
                safe_callback(callback)

    def _give_back(self, parts: RunParts) -> None:
        """Give the resources back; the folder stays locked while a writer that hangs may still write to it."""
        self._resources.close()
        if parts.writer.finish(0):
            self._folder_lock.close()
            return

        def when_the_writer_has_ended() -> None:
            parts.writer.finish()
            self._folder_lock.close()

        start_bounded("keeps the folder locked", when_the_writer_has_ended)
