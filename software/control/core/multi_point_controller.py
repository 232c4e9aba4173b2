"""Starts and resumes runs: checks first, then builds the parts and hands the worker to the `WorkerManager`.

Nothing moves and no folder is made before preflight has passed. The whole run has a time budget from the plan's own
estimate; single device calls have deadlines of their own, which find a hang in seconds (`squid.utils.deadlines`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from control.core.facts import Listener
from control.core.frame_writer import Tap
from control.core.journal import read_journal
from control.core.lost_frames import lost_frames
from control.core.preflight import Preflight, preflight
from control.core.resume_check import refuse_changes
from control.core.run import Run
from control.core.run_folder import lock, log_to, plan_of, summary_of
from control.core.run_parts import Progress, RunBuilder
from control.core.run_record import LOG_FILE, PLAN_FILE, create_run_folder, replace_text, write_machine
from control.core.step_watch import StepWatch
from control.core.words import counted
from squid.errors import ResumeRefusedError
from squid.machine_file import MachineConfig
from squid.microscope import Microscope
from squid.models.geometry import StagePosition
from squid.models.plan import AcquisitionPlan, plan_text
from squid.utils.bounded import start_bounded
from squid.utils.deadlines import DeadlineWatch
from squid.utils.task import TaskHandle
from squid.utils.worker_manager import WorkerManager, WorkerResult

_log = logging.getLogger(__name__)

BUDGET_FACTOR = 3.0
BUDGET_MARGIN_S = 3600.0
"""The whole run may take this many times its estimate, and this much more; single steps are watched far closer."""

THREAD_S = 30.0
"""How long a run waits for a thread; when tasks without a limit hang in all of them, it must not wait for ever."""

Begun = Callable[[Run], object]
"""Told a run that is about to be carried out: an abort from here on keeps anything from moving."""


class MultiPointController:
    """Runs plans on one microscope, one at a time.

    Parameters
    ----------
    microscope : Microscope
        Open; stays the caller's to close.
    manager : WorkerManager
        Runs the acquisition worker.
    listeners : tuple of callable
        Told every fact of every run, at once, in the thread that says it.
    machine : MachineConfig, optional
        Written to the run folder, and used by a resume; by default the microscope's own. Differs from that when
        faults were injected for this start only.
    taps : tuple of callable
        See the pixels of each stored frame, in the writer's thread; see `FrameWriter`.

    Attributes
    ----------
    machine : MachineConfig
        What the next run writes and a resume compares with; set it together with the microscope's own.
    """

    def __init__(
        self,
        microscope: Microscope,
        manager: WorkerManager,
        listeners: tuple[Listener, ...] = (),
        machine: MachineConfig | None = None,
        taps: tuple[Tap, ...] = (),
    ) -> None:
        self._microscope = microscope
        self._manager = manager
        self.machine = machine or microscope.config
        self._builder = RunBuilder(microscope, listeners, taps)

    @property
    def owner(self) -> str | None:
        """Who has the microscope; None: nobody, a run may start."""
        return self._microscope.owner

    def start(
        self, plan: AcquisitionPlan, output: Path, plan_file: Path | None = None, begun: Begun = lambda _: None
    ) -> Run:
        """Check the plan and start it in a new folder under `output`.

        Raises
        ------
        ConfigurationError
            Plan and machine do not fit; nothing moved, no folder was made.
        DeviceError
            Somebody else has the microscope, or left the camera with settings of his own; the same.
        StorageError
            The folder cannot be written; nothing moved.
        """
        with ExitStack() as resources, ExitStack() as folder_lock:
            resources.enter_context(self._microscope.reserve(f"the run of {plan.name}"))
            self._microscope.check_camera_config()
            machine = self.machine  # presets may be edited while this goes on
            checked = preflight(plan, self._microscope, output, file=plan_file)
            now = datetime.now(UTC)
            folder = create_run_folder(output, plan.name, now.astimezone())
            lock(folder, folder_lock)
            replace_text(folder / PLAN_FILE, plan_text(plan))
            write_machine(folder, machine)
            progress = Progress(None, 1, now.isoformat(timespec="seconds"), machine)
            return self._launch(folder, plan, checked, progress, resources, folder_lock, begun)

    def resume(self, folder: Path, begun: Begun = lambda _: None) -> Run:
        """Go on with an interrupted run at its first missing frame; frames that were lost on disk are taken again.

        Raises
        ------
        ResumeRefusedError
            The folder holds no run, a complete one, one that is running, one of another plan or machine, or one
            whose images are all gone.
        """
        with ExitStack() as resources, ExitStack() as folder_lock:
            resources.enter_context(self._microscope.reserve(f"the run in {folder}"))
            self._microscope.check_camera_config()
            machine = self.machine
            lock(folder, folder_lock)
            state = read_journal(folder)
            summary = summary_of(folder, state, machine)
            lost = lost_frames(folder, state)
            if summary.status == "completed" and not lost:
                raise ResumeRefusedError(f"{folder} is complete: {counted(summary.frames_planned, 'frame')} stored")
            plan = plan_of(folder, state)
            refuse_changes(folder, state.header, plan, machine)
            for record in lost:
                state.see(record)
            origin = StagePosition(*state.header["origin_um"])
            # a plan that names no objective runs with the one in use: that of its beginning
            same = plan.model_copy(update={"objective": state.header["optics"]["objective"]})
            checked = preflight(
                same, self._microscope, folder, file=folder / PLAN_FILE, origin=origin, done=len(state.stored)
            )
            progress = Progress(state, summary.parts + 1, summary.started_utc, machine, lost)
            return self._launch(folder, plan, checked, progress, resources, folder_lock, begun)

    def _launch(
        self,
        folder: Path,
        plan: AcquisitionPlan,
        checked: Preflight,
        progress: Progress,
        resources: ExitStack,
        folder_lock: ExitStack,
        begun: Begun,
    ) -> Run:
        """Build the parts and hand them to the manager; the run gives the resources back at its end."""
        if checked.layout.plate is not None:
            self._microscope.place_plate(checked.layout.plate)
        run = Run(folder)
        resources.callback(log_to(folder / LOG_FILE))
        watch = DeadlineWatch()
        resources.callback(watch.close)
        budget_s = BUDGET_FACTOR * checked.estimated_s + BUDGET_MARGIN_S

        def restart_budget() -> None:
            budget.extend(budget_s)

        parts = self._builder.build(run.folder, StepWatch(watch, run.overdue), plan, checked, progress, restart_budget)
        run.begin(parts, resources, folder_lock)
        if progress.lost:
            gone = counted(sum(len(record["indexes"]) for record in progress.lost), "stored frame")
            _log.warning("not on disk any more, to be taken again unless their time point is over: %s", gone)
        _log.info("%s of %s, estimated %.0f s", counted(checked.frames, "frame"), plan.name, checked.estimated_s)
        # not the task's own limit: what that tells comes in the window's thread, which may be blocked
        budget = watch.arm(f"run {folder.name}", budget_s, lambda _: run.over_budget(budget_s))
        try:
            begun(run)
            task = self._manager.submit(
                f"run {folder.name}",
                run.execute,
                queue_timeout_ms=int(THREAD_S * 1000),
                on_error=lambda result: _not_done(run, result),
            )
        except Exception as refusal:  # it was said to have started: it must end
            run.not_executed(str(refusal))
            raise
        run.when_ended(lambda: self._leave_behind(run, task))
        return run

    def _leave_behind(self, run: Run, task: TaskHandle) -> None:
        """Give up the thread of a hung run, so that the same run can be resumed while that thread still hangs."""
        if run.is_hung and not task.is_finished:
            self._manager.give_up(task.task, f"the run in {run.folder} hung")


def _not_done(run: Run, result: WorkerResult) -> None:
    """End a run whose task did not come to its own end; told in the window's thread, which must not wait for that."""
    reason = f"the run's task was given up: {result.error}"
    if result.timed_out:
        start_bounded("end of a run without a thread", lambda: run.not_executed(reason))
    else:
        run.not_executed(reason)
