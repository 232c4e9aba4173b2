"""What a person does to stage and objectives: go there, a step farther, home, take a plate, stop.

::

    move_to ─▶ instead of the move under way ┐
    move_by ─▶ added to the move under way ──┼─▶ one task at a time: "stage by hand" ─▶ arrived, read back
    home, loading position, objective ───────┘   stop() and emergency_stop() do not wait for it

Everything returns at once. What cannot be done moves nothing; the reason is the task's error, in `on_error`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from control.core.emergency import EmergencyStop
from control.core.hands import Hands
from control.core.handwork import HandTools, Handwork
from control.core.live_frame import LiveFrame
from control.core.run_control import RunAborted
from control.core.safe_state import SafeState
from control.core.stage_drive import require_inside
from control.core.stage_job import HomeJob, Job, LoadJob, MoveJob, ObjectiveJob
from squid.errors import DeviceError, SettingError, SquidError, StageMoveError
from squid.microscope import Microscope
from squid.models.geometry import StageLimits, StagePosition
from squid.utils.delivery import call_safely
from squid.utils.safety_lane import SafetyLane
from squid.utils.task import ResultCallback, TaskHandle, WorkerResult
from squid.utils.worker_manager import WorkerManager

_TASK = "stage by hand"
_LISTENERS = 16  # of one move; a held key adds to one move again and again


class Manual:
    """Moves one microscope by hand; every method may be called from any thread.

    Parameters
    ----------
    microscope : Microscope
        Open before the first move.
    hands : Hands
        Keeps runs away while something moves.
    manager : WorkerManager
        Runs the moves.
    lane : SafetyLane
        Carries `stop` and `emergency_stop`.
    on_emergency : tuple of callable
        Told of an emergency stop, after the commands were made: end live view, end the run. Each must return at once.
    """

    def __init__(
        self,
        microscope: Microscope,
        hands: Hands,
        manager: WorkerManager,
        lane: SafetyLane,
        on_emergency: tuple[Callable[[], object], ...] = (),
    ) -> None:
        self._microscope = microscope
        self._stage = microscope.stage
        self._tools = HandTools(microscope, manager, hands, lane)
        self._emergency = EmergencyStop(self._tools, (self._forget_job, *on_emergency))
        self._lock = threading.Lock()
        self._job: Job | None = None
        self._handle: TaskHandle | None = None
        self._listeners: list[ResultCallback] = []
        self._steps_left_out = 0

    # --- what there is ----------------------------------------------------------------------------------------------

    @property
    def limits(self) -> StageLimits:
        """Where the stage may go."""
        return self._stage.limits

    @property
    def loading_position(self) -> StagePosition:
        """Where the stage goes to take a plate: the machine file's, else the middle of x at the upper end of y."""
        limits, place = self.limits, self._microscope.config.loading_position_um
        x_um, y_um = (place.x, place.y) if place else ((limits.x.min_um + limits.x.max_um) / 2, limits.y.max_um)
        return StagePosition(x_um, y_um, limits.z.min_um)

    @property
    def objectives(self) -> tuple[str, ...]:
        """The objectives that can be turned into the beam."""
        changer = self._microscope.objective_changer
        return changer.objectives if changer is not None else (self._microscope.config.objective,)

    @property
    def activity(self) -> str | None:
        """What is under way: ``move``, ``homing`` …; None: nothing."""
        job = self._busy_with()
        return job.name if job is not None else None

    @property
    def steps_left_out(self) -> int:
        """How many steps were asked for and not made, since the stage was more than half a second behind."""
        return self._steps_left_out

    # --- moves ------------------------------------------------------------------------------------------------------

    def move_to(
        self,
        x_um: float | None = None,
        y_um: float | None = None,
        z_um: float | None = None,
        on_error: ResultCallback | None = None,
    ) -> TaskHandle:
        """Go to a position; None leaves an axis alone. Replaces the move under way.

        z goes down before x and y move, and up after them: nothing is dragged along under a plate.
        """
        axes = _given(x_um=x_um, y_um=y_um, z_um=z_um)
        try:
            require_inside(self._stage, axes)
        except SettingError as refusal:
            return self._refuse(refusal, on_error)
        with self._lock:
            job = self._busy_with()
            if isinstance(job, MoveJob) and job.retarget(axes):
                return self._also_tell(on_error)
            return self._start(MoveJob(self._stage, axes, by=False), on_error)

    def move_by(
        self, dx_um: float = 0.0, dy_um: float = 0.0, dz_um: float = 0.0, on_error: ResultCallback | None = None
    ) -> TaskHandle:
        """Go a step farther; steps during a move add up, but never to more than half a second of travel ahead."""
        distances = {name: um for name, um in _given(x_um=dx_um, y_um=dy_um, z_um=dz_um).items() if um}
        with self._lock:
            job = self._busy_with()
            try:
                before = job.left_out if isinstance(job, MoveJob) else 0
                if isinstance(job, MoveJob) and job.add(distances):
                    self._steps_left_out += job.left_out - before
                    return self._also_tell(on_error)
                if job is not None and not job.is_over:
                    raise DeviceError(self._stage.label, f"is busy ({job.name}); nothing else moved")
            except SquidError as refusal:
                return self._refuse(refusal, on_error)
            return self._start(MoveJob(self._stage, distances, by=True), on_error)

    def centre_on(
        self, frame: LiveFrame, row_px: float, column_px: float, on_error: ResultCallback | None = None
    ) -> TaskHandle:
        """Bring what a frame shows at a pixel into the middle of the picture."""
        height, width = frame.pixels.shape
        x_um = frame.position.x_um + (column_px - (width - 1) / 2) * frame.pixel_size_um
        y_um = frame.position.y_um + (row_px - (height - 1) / 2) * frame.pixel_size_um
        return self.move_to(x_um, y_um, on_error=on_error)

    def home(self, on_error: ResultCallback | None = None) -> TaskHandle:
        """Find the reference of every axis, z first; ask the person before: everything moves."""
        with self._lock:
            return self._start(HomeJob(self._stage), on_error)

    def go_to_loading_position(self, on_error: ResultCallback | None = None) -> TaskHandle:
        """Retract z to the lower end of its travel, and only then go to `loading_position`."""
        place = self.loading_position
        try:
            require_inside(self._stage, place._asdict())
        except SettingError as refusal:
            return self._refuse(refusal, on_error)
        with self._lock:
            return self._start(LoadJob(self._stage, place), on_error)

    def set_objective(self, name: str, on_error: ResultCallback | None = None) -> TaskHandle:
        """Turn an objective into the beam."""
        changer = self._microscope.objective_changer
        if changer is None or name not in changer.objectives:
            allowed = ", ".join(self.objectives)
            label = changer.label if changer is not None else "microscope"
            return self._refuse(SettingError(label, f"cannot bring {name} (allowed: {allowed})"), on_error)
        with self._lock:
            return self._start(ObjectiveJob(changer, name), on_error)

    # --- stopping ---------------------------------------------------------------------------------------------------

    def stop(self) -> Future[Any]:
        """Stop the stage, through the safety lane, and forget where it was sent; returns at once."""
        self._forget_job()
        return self._tools.lane.submit("stage stop", self._stage.stop)

    def emergency_stop(self) -> Future[SafeState]:
        """Light off and stage stopped through the safety lane, whatever else hangs; then everybody is told.

        Returns
        -------
        Future of SafeState
            What light and stage confirmed within 2 s.
        """
        return self._emergency()

    def close(self) -> None:
        """Stop, and end the thread that bounds the answers of an emergency stop."""
        self._forget_job()
        self._emergency.close()

    # --- the one task -----------------------------------------------------------------------------------------------

    def _busy_with(self) -> Job | None:
        return self._job if self._handle is not None and not self._handle.is_finished else None

    def _forget_job(self) -> None:
        job = self._job
        if job is not None:
            job.stop()

    def _start(self, job: Job, on_error: ResultCallback | None) -> TaskHandle:
        """Do `job` after the one under way, which is stopped; the lock is held."""
        self._forget_job()
        listeners: list[ResultCallback] = [on_error] if on_error is not None else []
        self._job, self._listeners = job, listeners
        self._handle = self._tools.manager.submit(
            _TASK, partial(self._do, job), coalesce_key=_TASK, on_error=partial(_tell, listeners)
        )
        return self._handle

    def _also_tell(self, on_error: ResultCallback | None) -> TaskHandle:
        """Tell one more, should the job under way fail; the lock is held."""
        assert self._handle is not None  # somebody is busy
        if on_error is not None and on_error not in self._listeners and len(self._listeners) < _LISTENERS:
            self._listeners.append(on_error)
        return self._handle

    def _refuse(self, refusal: SquidError, on_error: ResultCallback | None) -> TaskHandle:
        """Hand a refusal over like any other failure."""

        def refuse() -> None:
            raise refusal

        name = "refused move"
        return self._tools.manager.submit(name, refuse, coalesce_key=name, on_error=on_error)

    def _do(self, job: Job) -> None:
        work = Handwork(self._tools, job, _no_beat, lambda _: job.close())
        try:
            if job.was_stopped:
                return
            work.begin()
            with work.entered() as calls:
                job.run(calls)
        except (RunAborted, StageMoveError):
            if not job.was_stopped:
                raise
        finally:
            job.close()
            work.end()


def _no_beat() -> None:
    """Feed no light lease: a stage that moves is no reason to leave a light on."""


def _tell(listeners: list[ResultCallback], result: WorkerResult) -> None:
    for listener in tuple(listeners):
        call_safely(listener, result)


def _given(**values: float | None) -> dict[str, float]:
    return {name: value for name, value in values.items() if value is not None}
