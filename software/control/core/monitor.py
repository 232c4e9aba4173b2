"""The state of the rig as the window shows it: position ten times a second, the devices' own state every second.

::

    the monitor's task ─▶ asks one device after the other, each question under a deadline ─▶ `newest`
           └── one does not answer: named in `trouble`, the thread dumped and replaced; a fresh task goes on without
               that device, and asks it again once the hung call has come back

The window only reads `newest`. Commands nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from control.core.hands import OWNER
from control.core.step_watch import Step, StepWatch
from squid.abc.device import Device, StateValue
from squid.errors import DeviceError
from squid.microscope import Microscope
from squid.models.geometry import StagePosition
from squid.utils.deadlines import DeadlineWatch
from squid.utils.task import Task, TaskCancelledError, current_task
from squid.utils.worker_manager import WorkerManager

POSITION_S = 0.1
"""How often the position is read."""

POSITION_IN_RUN_S = 0.5
"""How often during a run, which needs the stage's wire for itself and tells positions on its own."""

STATE_S = 1.0
"""How often devices are asked for their own state."""

ANSWER_S = 2.0
"""A device that has not answered by then counts as hung."""

_TASK = "monitor"
_NO_STATES: Mapping[str, Mapping[str, StateValue]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class RigState:
    """What is known of the rig at one moment.

    Attributes
    ----------
    position : StagePosition or None
        None: not known yet, or the stage does not answer.
    is_homed : bool
        Whether positions mean anything.
    objective : str
        In the beam; while the turret turns, the one before.
    owner : str or None
        Who has the microscope; None: nobody.
    lights : tuple of str
        Light sources that are on.
    devices : mapping of str to mapping
        By label: what each device says of itself; units are in the keys.
    drivers : mapping of str to str
        By label: the driver.
    monotonic_s : float
        When this was put together.
    trouble : str or None
        Which device does not answer, or what went wrong with it.
    """

    position: StagePosition | None
    is_homed: bool
    objective: str
    owner: str | None
    lights: tuple[str, ...]
    devices: Mapping[str, Mapping[str, StateValue]]
    drivers: Mapping[str, str]
    monotonic_s: float
    trouble: str | None

    @property
    def is_free_for_hands(self) -> bool:
        """Whether no run has the microscope."""
        return self.owner is None or self.owner == OWNER


@dataclass(slots=True)
class _Known:
    """What was answered last."""

    position: StagePosition | None = None
    is_homed: bool = False
    objective: str = ""
    lights: tuple[str, ...] = ()
    devices: Mapping[str, Mapping[str, StateValue]] = field(default_factory=lambda: _NO_STATES)


class Monitor:
    """Watches one microscope.

    Parameters
    ----------
    microscope : Microscope
        Open while the monitor runs.
    manager : WorkerManager
        Runs the task ``monitor``.
    """

    def __init__(self, microscope: Microscope, manager: WorkerManager) -> None:
        self._microscope = microscope
        self._manager = manager
        self._drivers = {label: device.driver for label, device in microscope.config.devices.items()}
        self._lock = threading.Lock()
        self._known = _Known()
        self._troubles: dict[tuple[str, str], str] = {}  # by device and question
        self._hung: dict[str, _Watch] = {}  # by label: whose thread hangs in it
        self._watch: _Watch | None = None
        self._newest: RigState | None = None

    @property
    def newest(self) -> RigState | None:
        """The state of the rig; None before the first look."""
        return self._newest

    def start(self) -> None:
        """Watch; nothing happens when it does already."""
        with self._lock:
            if self._watch is None:
                self._watch = _Watch(self)
                self._submit(self._watch)

    def stop(self) -> None:
        """Watch no more; returns at once."""
        with self._lock:
            watch, self._watch = self._watch, None
        if watch is not None:
            watch.is_wanted = False

    def _submit(self, watch: _Watch) -> None:
        self._manager.submit(_TASK, watch.run, coalesce_key=_TASK, on_finished=lambda _: watch.close())

    # --- in the task ------------------------------------------------------------------------------------------------

    def look(self, watch: _Watch, with_states: bool) -> None:
        """Ask every device that answers, and put the answers together; for the task."""
        microscope = self._microscope
        stage, light, changer = microscope.stage, microscope.illumination, microscope.objective_changer
        known = self._known
        if not self._ask(watch, stage, "position", self._read_stage):
            known.position = None
        self._ask(watch, light, "lit", self._read_light)
        if changer is not None:
            self._ask(watch, changer, "current", self._read_objective)
        else:
            self._read_objective()
        if with_states:
            known.devices = {label: self._state_of(watch, device) for label, device in microscope.devices.items()}
        self.publish()

    def publish(self) -> None:
        """Put together what is known."""
        known = self._known
        troubles = list(self._troubles.values())
        self._newest = RigState(
            position=known.position,
            is_homed=known.is_homed,
            objective=known.objective or self._microscope.config.objective,
            owner=self._microscope.owner,
            lights=known.lights,
            devices=MappingProxyType(dict(known.devices)),
            drivers=self._drivers,
            monotonic_s=time.monotonic(),
            trouble="; ".join(troubles) or None,
        )

    def _read_stage(self) -> None:
        stage = self._microscope.stage
        self._known.position, self._known.is_homed = stage.position(), stage.is_homed

    def _read_light(self) -> None:
        self._known.lights = self._microscope.illumination.lit

    def _read_objective(self) -> None:
        changer = self._microscope.objective_changer
        current = changer.current if changer is not None else self._microscope.objective
        self._known.objective = current or self._known.objective

    def _state_of(self, watch: _Watch, device: Device) -> Mapping[str, StateValue]:
        answer: dict[str, StateValue] = {}
        if self._ask(watch, device, "state", lambda: answer.update(device.state())):
            return answer
        return self._known.devices.get(device.label, {})

    def _ask(self, watch: _Watch, device: Device, call: str, read: Callable[[], None]) -> bool:
        """Ask one device; False when it does not answer, or has not answered an earlier question yet."""
        label = device.label
        if label in self._hung:
            return False
        trouble: str | None = None
        try:
            with watch.steps.step(label, call, ANSWER_S):
                read()
        except Exception as e:  # a driver's edge: what one device says must not hide the others
            trouble = f"{label}.{call}: {e.message if isinstance(e, DeviceError) else repr(e)}"
        if self._hung.get(label) is watch:  # this thread was given up meanwhile: another asks from now on
            self._troubles.pop((label, call), None)
            raise TaskCancelledError(f"{label} answers again")
        if trouble is None:
            self._troubles.pop((label, call), None)
        else:
            self._troubles[label, call] = trouble
        return trouble is None

    def came_back(self, watch: _Watch) -> None:
        """Ask again what this watch hung in, however late it was found to hang; for its thread, at its end."""
        for label, hung in tuple(self._hung.items()):
            if hung is watch:
                del self._hung[label]
                for key in [key for key in tuple(self._troubles) if key[0] == label]:
                    self._troubles.pop(key, None)

    # --- in the deadline watch's thread -----------------------------------------------------------------------------

    def not_answering(self, watch: _Watch, step: Step) -> None:
        """Go on without a device that hangs; for the watch."""
        reason = f"{step} has not answered for {step.deadline_s:g} s"
        self._troubles[step.device, step.call] = reason
        self._hung[step.device] = watch
        if step.device == self._microscope.stage.label:
            self._known.position = None
        self.publish()
        if watch.task is not None:
            self._manager.give_up(watch.task, f"{reason}; the monitor goes on without it")
        with self._lock:
            if self._watch is watch and not self._manager.is_shut_down:
                self._watch = _Watch(self)
                self._submit(self._watch)


class _Watch:
    """One run of the monitor's task, until it is stopped or hangs."""

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor
        self._deadlines = DeadlineWatch()
        self.steps = StepWatch(self._deadlines, lambda step: monitor.not_answering(self, step))
        self.task: Task | None = None
        self.is_wanted = True

    def run(self) -> None:
        """Look again and again."""
        self.task = task = current_task()
        assert task is not None  # only the manager calls this
        states_due_s = 0.0
        try:
            while self.is_wanted:
                started_s = time.monotonic()
                with_states = started_s >= states_due_s
                if with_states:
                    states_due_s = started_s + STATE_S
                self._monitor.look(self, with_states)
                task.pause(max(0.01, started_s + self._period_s() - time.monotonic()))
        finally:
            self._monitor.came_back(self)

    def _period_s(self) -> float:
        newest = self._monitor.newest
        return POSITION_S if newest is None or newest.is_free_for_hands else POSITION_IN_RUN_S

    def close(self) -> None:
        """End the deadlines' thread."""
        self._deadlines.close()
