"""One run under way: its parts, its pause and abort, and its one truthful end.

::

    begin() ──▶ running ──▶ ending ──▶ ended
                   │           ▲  light off, stage stopped ─▶ queue stored ─▶ sink closed ─▶ run.json ─▶ RunFinished
                   ├ worker returns or raises ─┤
                   ├ a step is overdue: stacks dumped, the worker's device access revoked ─┤
                   └ the time budget is used up ─┘

The end is reached exactly once, by whoever comes first; after a hang that is not the worker's thread, which may never
come back.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from control.core.facts import FactStream, Hung, RunFinished, RunStarted
from control.core.frame_writer import FrameWriter
from control.core.imaging import RunAborted
from control.core.multi_point_worker import MultiPointWorker
from control.core.run_control import RunControl
from control.core.run_record import STACKS_FILE, RunSummary, Status, write_summary
from control.core.safe_state import make_safe
from control.core.step_watch import Step, StepWatch
from squid.errors import AccessRevokedError, HungError, SquidError, StorageError
from squid.microscope import Microscope
from squid.models.layout import DatasetLayout
from squid.utils.epoch import Epoch
from squid.utils.incident import write_incident
from squid.utils.thread_dump import dump_all_stacks

_log = logging.getLogger(__name__)

DRAIN_S = 30.0
"""How long the end of an aborted run waits for a writer that does not finish."""

USER = "user"
"""First word of the reason when a person ended the run."""


@dataclass(frozen=True, slots=True)
class RunParts:
    """What a run is made of; built by the controller.

    Attributes
    ----------
    earlier_s : float
        Time that earlier parts of a resumed run took.
    ideal_s : float
        Time that physics needs for the whole plan.
    """

    layout: DatasetLayout
    microscope: Microscope
    worker: MultiPointWorker
    writer: FrameWriter
    control: RunControl
    facts: FactStream
    steps: StepWatch
    summary: RunSummary
    earlier_s: float
    ideal_s: float


class Run:
    """A run of one plan, from its start to its end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._epoch = Epoch(f"run {folder.name}")
        self._parts: RunParts | None = None
        self._resources = ExitStack()
        self._started_s = time.monotonic()
        self._ending = threading.Lock()
        self._ended = threading.Event()
        self._summary: RunSummary | None = None

    # --- for people -----------------------------------------------------------------------------------------

    def pause(self) -> None:
        """Let the run wait, in the dark, after the frame under way."""
        self._of_running.control.pause()

    def go_on(self) -> None:
        """End the pause."""
        self._of_running.control.go_on()

    def abort(self, reason: str = USER) -> None:
        """End the run after the exposure under way; what was taken is kept, and the run can be resumed."""
        self._of_running.control.abort(reason)

    def wait(self, timeout_s: float | None = None) -> RunSummary | None:
        """Wait for the end; None when it has not come after `timeout_s`."""
        return self._summary if self._ended.wait(timeout_s) else None

    # --- for the controller -----------------------------------------------------------------------------------

    @property
    def _of_running(self) -> RunParts:
        assert self._parts is not None, "begin() comes first"
        return self._parts

    def begin(self, parts: RunParts, resources: ExitStack) -> None:
        """Take the parts and say that the run has started; `resources` are given back at its end."""
        self._parts = parts
        self._resources = resources
        write_summary(self.folder, parts.summary)
        parts.writer.start()
        parts.facts.say(RunStarted(self.folder, parts.layout, parts.ideal_s, len(parts.writer.stored)))

    def execute(self) -> None:
        """Run the worker to its end; the task that the `WorkerManager` runs."""
        self._started_s = time.monotonic()
        with self._epoch.entered():
            try:
                self._of_running.worker.run()
            except RunAborted:
                self._end("aborted", self._of_running.control.abort_reason or USER)
            except AccessRevokedError as late:
                _log.warning("the hung worker came back and was turned away: %s", late)
            except SquidError as failure:
                _log.error("the run cannot go on: %s", failure, exc_info=True)
                self._end("aborted", str(failure))
            except BaseException as bug:
                _log.exception("the worker failed")
                self._end("aborted", f"internal error: {bug!r}")
                raise
            else:
                self._end("completed", "all planned frames were taken")

    def not_executed(self, reason: str) -> None:
        """End the run because nobody will execute it."""
        self._end("aborted", reason)

    def overdue(self, step: Step) -> None:
        """End the run because a device call did not return; called by the deadline watch, in its thread."""
        self._hung(step.device, step.call, HungError(step.device, step.call, step.deadline_s))

    def over_budget(self, budget_s: float) -> None:
        """End the run because it took longer than the whole of it may take."""
        self._hung("run", "execute", HungError("run", "execute", budget_s))

    def _hung(self, device: str, call: str, error: HungError) -> None:
        if self._ended.is_set() or self._epoch.is_revoked:
            return
        self._epoch.revoke(str(error))
        self._of_running.control.abort(str(error))
        dump = self.folder / STACKS_FILE
        dump_all_stacks(dump, f"{datetime.now(UTC).isoformat()} {error}")
        _log.error("%s; stacks are in %s", error, dump)
        self._keep_incident(str(error))
        self._of_running.facts.say(Hung(device, call, error.deadline_s, dump))
        threading.Thread(
            target=self._end, args=("aborted", f"hung: {error}"), name="end of a hung run", daemon=True
        ).start()

    def _keep_incident(self, reason: str) -> None:
        parts = self._of_running
        queues = {"frames waiting for the disk": parts.writer.queue_size}
        try:
            write_incident(self.folder, reason, commands=parts.steps.commands, queue_sizes=queues)
        except OSError:
            _log.exception("the incident could not be kept")

    # --- the end ------------------------------------------------------------------------------------------------

    def _end(self, status: Status, reason: str) -> None:
        if not self._ending.acquire(blocking=False):
            return
        parts = self._of_running
        try:
            safe = make_safe(parts.microscope)
            if not safe.dark:
                reason = f"{reason}; {safe}"
            status, reason = self._store_the_rest(status, reason)
            self._summary = self._closing_summary(status, reason)
            self._record(self._summary)
        finally:
            self._resources.close()
            self._ended.set()

    def _store_the_rest(self, status: Status, reason: str) -> tuple[Status, str]:
        """Let the writer finish; return how the run ended, now that all is known."""
        parts = self._of_running
        if status == "aborted":
            parts.writer.abandon()
            if not parts.writer.finish(DRAIN_S):
                return "aborted", f"{reason}; and the writer did not finish within {DRAIN_S:g} s"
        else:
            while not parts.writer.finish(0.2):
                if parts.control.abort_reason is not None:
                    parts.writer.abandon()
        if parts.writer.failure is not None:
            return "aborted", f"storage: {parts.writer.failure}"
        stored, missing = len(parts.writer.stored), len(parts.writer.missing)
        if status == "completed" and stored + missing != parts.layout.frames_planned:
            return "aborted", f"internal error: {parts.layout.frames_planned - stored - missing} frames unaccounted for"
        if status == "completed" and missing:
            first = min(parts.writer.missing)
            return "completed_with_missing", f"{missing} frames missing; first {first}: {parts.writer.missing[first]}"
        return status, reason

    def _closing_summary(self, status: Status, reason: str) -> RunSummary:
        parts = self._of_running
        wall_s = parts.earlier_s + time.monotonic() - self._started_s
        stored = len(parts.writer.stored)
        ideal_s = parts.ideal_s * stored / max(1, parts.layout.frames_planned)
        return parts.summary.model_copy(
            update={
                "status": status,
                "reason": reason,
                "frames_stored": stored,
                "frames_missing": len(parts.writer.missing),
                "wall_s": round(wall_s, 3),
                "ideal_s": round(ideal_s, 3),
                "duty": round(ideal_s / wall_s, 4) if wall_s else 0.0,
                "outputs": tuple(o for o in parts.summary.outputs if (self.folder / o).exists()),
                "finished_utc": datetime.now(UTC).isoformat(timespec="seconds"),
            }
        )

    def _record(self, summary: RunSummary) -> None:
        try:
            write_summary(self.folder, summary)
        except StorageError:
            _log.exception("the run's record could not be written")
        _log.info("run ended: %s, %s (pid %d)", summary.status, summary.reason, os.getpid())
        self._of_running.facts.say(
            RunFinished(summary.status, summary.reason, summary.frames_stored, summary.frames_missing)
        )
