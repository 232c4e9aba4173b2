"""Starts and resumes runs: checks first, then builds the parts and hands the worker to the `WorkerManager`.

Nothing moves and no folder is made before preflight has passed. The whole run has a time budget from the plan's own
estimate; single device calls have deadlines of their own, which find a hang in seconds (`squid.utils.deadlines`).
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from filelock import FileLock, Timeout

from control.core.device_calls import DeviceCalls
from control.core.facts import FactStream, Listener
from control.core.frame_writer import FrameWriter, Tap
from control.core.imaging import Imaging
from control.core.index_set import IndexSet
from control.core.journal import Journal, JournalState, part_record, read_journal
from control.core.multi_point_worker import MultiPointWorker
from control.core.preflight import Preflight, preflight
from control.core.resume_check import refuse_changes
from control.core.run import Run
from control.core.run_control import RunControl
from control.core.run_ending import RunParts
from control.core.run_record import (
    LOG_FILE,
    PLAN_FILE,
    RunSummary,
    create_run_folder,
    read_summary,
    replace_text,
    versions,
    write_machine,
)
from control.core.schedule import Schedule
from control.core.sinks import make_sink
from control.core.step_watch import StepWatch
from squid.errors import ResumeRefusedError
from squid.machine_file import MachineConfig
from squid.microscope import Microscope
from squid.models.channel import ChannelLayout
from squid.models.event import AcquisitionEvent
from squid.models.geometry import StagePosition
from squid.models.plan import AcquisitionPlan, plan_digest, plan_text, read_plan
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


@dataclass(frozen=True, slots=True)
class _Progress:
    """What is there already: nothing for a new run, the journal's content for a resumed one."""

    state: JournalState | None
    parts: int
    started_utc: str
    machine: MachineConfig


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
        self._listeners = listeners
        self.machine = machine or microscope.config
        self._taps = taps

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
            _lock(folder, folder_lock)
            replace_text(folder / PLAN_FILE, plan_text(plan))
            write_machine(folder, machine)
            progress = _Progress(None, 1, now.isoformat(timespec="seconds"), machine)
            return self._launch(folder, plan, checked, progress, resources, folder_lock, begun)

    def resume(self, folder: Path, begun: Begun = lambda _: None) -> Run:
        """Go on with an interrupted run at its first missing frame.

        Raises
        ------
        ResumeRefusedError
            The folder holds no run, a complete one, one that is running, or one of another plan or machine.
        """
        with ExitStack() as resources, ExitStack() as folder_lock:
            resources.enter_context(self._microscope.reserve(f"the run in {folder}"))
            self._microscope.check_camera_config()
            machine = self.machine
            _lock(folder, folder_lock)
            state = read_journal(folder)
            summary = _summary_of(folder, state, machine)
            if summary.status == "completed":
                raise ResumeRefusedError(f"{folder} is complete: all {summary.frames_planned} frames are stored")
            plan = _plan_of(folder, state)
            refuse_changes(folder, state.header, plan, machine)
            origin = StagePosition(*state.header["origin_um"])
            # a plan that names no objective runs with the one in use: that of its beginning
            same = plan.model_copy(update={"objective": state.header["optics"]["objective"]})
            checked = preflight(
                same, self._microscope, folder, file=folder / PLAN_FILE, origin=origin, done=len(state.stored)
            )
            progress = _Progress(state, summary.parts + 1, summary.started_utc, machine)
            return self._launch(folder, plan, checked, progress, resources, folder_lock, begun)

    def _launch(
        self,
        folder: Path,
        plan: AcquisitionPlan,
        checked: Preflight,
        progress: _Progress,
        resources: ExitStack,
        folder_lock: ExitStack,
        begun: Begun,
    ) -> Run:
        """Build the parts and hand them to the manager; the run gives the resources back at its end."""
        run = Run(folder)
        resources.callback(_log_to(folder / LOG_FILE))
        watch = DeadlineWatch()
        resources.callback(watch.close)
        budget_s = BUDGET_FACTOR * checked.estimated_s + BUDGET_MARGIN_S

        def restart_budget() -> None:
            budget.extend(budget_s)

        run.begin(self._build(run, watch, plan, checked, progress, restart_budget), resources, folder_lock)
        _log.info("%d frames of %s, estimated %.0f s", checked.frames, plan.name, checked.estimated_s)
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

    def _build(
        self,
        run: Run,
        watch: DeadlineWatch,
        plan: AcquisitionPlan,
        checked: Preflight,
        progress: _Progress,
        on_waiting: Callable[[], None],
    ) -> RunParts:
        layout, state = checked.layout, progress.state
        facts, control = FactStream(self._listeners), RunControl()
        writer = self._writer(run.folder, plan, checked, progress, facts)
        steps = StepWatch(watch, run.overdue)
        channels = _with_gains(layout.channels, self._microscope)
        imaging = Imaging(self._microscope, channels, DeviceCalls(steps, control, self._microscope.beat))
        events, elapsed_s = _remaining(checked, state)
        return RunParts(
            layout=layout,
            microscope=self._microscope,
            worker=MultiPointWorker(
                imaging,
                events,
                writer,
                control,
                facts,
                objective=layout.objective,
                recovery=plan.recovery,
                elapsed_s=elapsed_s,
                on_waiting=on_waiting,
            ),
            writer=writer,
            control=control,
            facts=facts,
            steps=steps,
            summary=_first_summary(plan, layout.frames_planned, progress, outputs=writer.outputs),
            on_waiting=on_waiting,
            earlier_s=state.earlier_s if state else 0.0,
            ideal_s=checked.ideal_s,
            estimated_s=checked.estimated_s * (1 - len(writer.stored) / max(1, layout.frames_planned)),
            stored_by_image=state.stored_by_image if state else {},
            last_due_s=_last_due_s(checked.schedule),
            image_of=lambda index: checked.schedule.event(index).image,
        )

    def _writer(
        self, folder: Path, plan: AcquisitionPlan, checked: Preflight, progress: _Progress, facts: FactStream
    ) -> FrameWriter:
        """Open sink and journal; when the journal cannot be opened, the sink is closed again."""
        state, frames = progress.state, checked.layout.frames_planned
        sink = make_sink(plan.storage.format, plan.storage.compression, durable=plan.storage.durable)

        def open_sink(*, resume: bool) -> None:
            sink.open(folder, checked.layout, resume=resume)

        with ExitStack() as opened:
            open_sink(resume=state is not None)
            opened.callback(sink.close)
            journal = self._journal(folder, plan, checked, progress)
            opened.pop_all()
        return FrameWriter(
            sink,
            lambda: open_sink(resume=True),
            journal,
            facts,
            stored=state.stored if state else IndexSet(frames),
            missing=dict(state.missing) if state else {},
            taps=self._taps,
        )

    def _journal(self, folder: Path, plan: AcquisitionPlan, checked: Preflight, progress: _Progress) -> Journal:
        state, durable = progress.state, plan.storage.durable
        if state is not None:
            journal = Journal.reopen(folder, state, durable=durable)
        else:
            header = {
                "name": plan.name,
                "started_utc": progress.started_utc,
                "plan": plan.model_dump(mode="json"),
                "machine": progress.machine.model_dump(mode="json"),
                "origin_um": list(checked.origin),
                "optics": asdict(checked.schedule.optics),
            }
            journal = Journal.create(folder, header, frames=checked.layout.frames_planned, durable=durable)
        journal.commit([part_record(time.time(), os.getpid())])
        return journal


def _summary_of(folder: Path, state: JournalState, machine: MachineConfig) -> RunSummary:
    """Return what ``run.json`` says; where it was lost, what the journal knows."""
    try:
        return read_summary(folder)
    except ResumeRefusedError as lost:
        _log.warning("%s; going on from the journal", lost)
    plan = AcquisitionPlan.model_validate(state.header["plan"])
    progress = _Progress(state, 1, state.header["started_utc"], machine)
    return _first_summary(plan, state.header["frames"], progress, outputs=())


def _plan_of(folder: Path, state: JournalState) -> AcquisitionPlan:
    """Return the plan in the run folder; where its file was lost, the journal's."""
    path = folder / PLAN_FILE
    if path.exists() and path.stat().st_size:
        return read_plan(path)
    _log.warning("%s was lost; going on from the journal", path)
    return AcquisitionPlan.model_validate(state.header["plan"])


def _first_summary(plan: AcquisitionPlan, frames: int, progress: _Progress, *, outputs: tuple[str, ...]) -> RunSummary:
    return RunSummary(
        name=plan.name,
        status="running",
        frames_planned=frames,
        outputs=outputs,
        started_utc=progress.started_utc,
        parts=progress.parts,
        plan_digest=plan_digest(plan),
        versions=versions(),
    )


def _remaining(checked: Preflight, state: JournalState | None) -> tuple[Iterator[AcquisitionEvent], float]:
    """Return the events still to be taken, and what the clock of time points shows now.

    A frame that was given up is taken again unless its time point is over. A resumed time-lapse keeps its old
    schedule; when it is late, the first remaining time point is due now and the others keep their intervals. The time
    between is read off the system's clock: nothing else outlives the program.
    """
    if state is None:
        return checked.schedule.events(), 0.0
    remaining = (
        event
        for event in checked.schedule.events(state.stored.first_absent())
        if event.index not in state.stored and not (event.index in state.missing and event.t < state.last_t)
    )
    first = next(remaining, None)
    if first is None:
        return iter(()), 0.0
    now_s = state.clock_s + (max(0.0, time.time() - state.clock_utc_s) if state.clock_utc_s else 0.0)
    return chain((first,), remaining), min(now_s, first.min_start_s or 0.0)


def _not_done(run: Run, result: WorkerResult) -> None:
    """End a run whose task did not come to its own end; told in the window's thread, which must not wait for that."""
    reason = f"the run's task was given up: {result.error}"
    if result.timed_out:
        start_bounded("end of a run without a thread", lambda: run.not_executed(reason))
    else:
        run.not_executed(reason)


def _with_gains(channels: tuple[ChannelLayout, ...], microscope: Microscope) -> tuple[ChannelLayout, ...]:
    """Give the usual gain to channels that name none, once anybody has set another: none keeps its neighbour's."""
    usual = microscope.usual_gain
    if microscope.camera.gain == usual and all(channel.preset.gain is None for channel in channels):
        return channels
    return tuple(
        replace(channel, preset=channel.preset.model_copy(update={"gain": usual}))
        if channel.preset.gain is None
        else channel
        for channel in channels
    )


def _last_due_s(schedule: Schedule) -> float | None:
    """Return the earliest start of the last event; None when the clock of time points starts again before it."""
    order = schedule.loops.axes.order
    if not schedule.frames or not order.startswith("t") or any("t" in axes.order for axes in schedule.all_axes[1:]):
        return None
    return schedule.event(schedule.frames - 1).min_start_s


def _lock(folder: Path, held: ExitStack) -> None:
    """Lock the run folder until `held` is closed, or until this process is dead."""
    lock = FileLock(folder / ".lock", thread_local=False)  # taken in one thread, given back in another
    try:
        lock.acquire(timeout=0)
    except Timeout as e:
        raise ResumeRefusedError(f"{folder} is being written by another program just now") from e
    held.callback(lock.release)


def _log_to(path: Path) -> Callable[[], None]:
    """Write what the program logs, from INFO on, to the run folder, too; return the function that ends it."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(threadName)s %(name)s: %(message)s"))
    loggers = [logging.getLogger(name) for name in ("control", "squid")]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(min(logger.level or logging.INFO, logging.INFO))

    def end() -> None:
        for logger in loggers:
            logger.removeHandler(handler)
        with suppress(OSError):  # a full disk
            handler.close()

    return end
