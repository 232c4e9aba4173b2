"""Device calls by hand, outside any run: each under a step deadline, and what happens when one does not return.

::

    begin() ──▶ reserved ──entered() in a task──▶ working ──▶ ended: the microscope is free again
                                                     │  ▲
                a call is overdue ───────────────────┘  └─ access to devices void, light off and stage stopped (safety
                                                           lane), reason told, all stacks dumped, the thread replaced
                                                           (`WorkerManager.give_up`)

Knows neither live view nor moves, only that somebody works and may hang.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from control.core.device_calls import Abort, DeviceCalls
from control.core.hands import Hands
from control.core.step_watch import Step, StepWatch
from squid.errors import HungError
from squid.microscope import Microscope
from squid.utils.deadlines import DeadlineWatch
from squid.utils.epoch import Epoch
from squid.utils.safety_lane import SafetyLane
from squid.utils.task import Task, current_task
from squid.utils.worker_manager import WorkerManager

_log = logging.getLogger(__name__)

CONFIRM_S = 0.2
"""How long the report of a hang waits to hear that the light is off."""


@dataclass(frozen=True, slots=True)
class HandTools:
    """What every piece of handwork needs.

    Attributes
    ----------
    microscope : Microscope
        Open when work begins.
    manager : WorkerManager
        Runs the tasks that work.
    hands : Hands
        Keeps runs away meanwhile.
    lane : SafetyLane
        Darkens and stops, whatever hangs.
    """

    microscope: Microscope
    manager: WorkerManager
    hands: Hands
    lane: SafetyLane

    def make_safe(self) -> tuple[Future[Any], Future[Any]]:
        """Command light off, then stage stop, through the safety lane; returns at once."""
        dark = self.lane.submit("light off", self.microscope.illumination.all_off)
        return dark, self.lane.submit("stage stop", self.microscope.stage.stop)


class Handwork:
    """One piece of handwork.

    Parameters
    ----------
    tools : HandTools
        What it needs.
    control : Abort
        Cuts waits short.
    beat : callable
        Called several times a second while it ticks; decides whether the light lease lives on this work.
    on_hang : callable
        Told, in the watch's thread, which call hung, whether the light is off, and where the stacks are.
    """

    def __init__(
        self, tools: HandTools, control: Abort, beat: Callable[[], None], on_hang: Callable[[str], object]
    ) -> None:
        self._tools = tools
        self._on_hang = on_hang
        self._reserved = ExitStack()
        self._watch = DeadlineWatch()
        self._ending = threading.Lock()
        self._ended = threading.Event()
        self._task: Task | None = None
        self._epoch = Epoch("work by hand")
        self.calls = DeviceCalls(StepWatch(self._watch, self._overdue), control, beat)

    def begin(self) -> None:
        """Keep runs away, from now to `end`.

        Raises
        ------
        DeviceError
            A run has the microscope.
        """
        self._reserved.enter_context(self._tools.hands.at_work())

    @contextmanager
    def entered(self) -> Iterator[DeviceCalls]:
        """Work, in the calling task, through the device calls that this lends; ends the handwork.

        Raises
        ------
        RuntimeError
            The caller is no task of the `WorkerManager`: a thread that cannot be replaced must not call devices.
        """
        try:
            self._task = current_task()
            if self._task is None:
                raise RuntimeError("devices are called by hand only in a task of the WorkerManager")
            with self._epoch.entered():
                yield self.calls
        finally:
            self.end()

    def end(self) -> None:
        """Let runs have the microscope; whoever comes first does it."""
        if self._ending.acquire(blocking=False):
            self._reserved.close()
            self._watch.close()
            self._ended.set()

    def wait_ended(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; say whether it has come."""
        return self._ended.wait(timeout_s)

    @property
    def has_ended(self) -> bool:
        """Whether the microscope was given back."""
        return self._ended.is_set()

    def _overdue(self, step: Step) -> None:
        error = HungError(step.device, step.call, step.deadline_s)
        self._epoch.revoke(str(error))  # first: a call that comes back now must not light what is switched off next
        try:
            self._give_up(error)
        finally:  # whatever fails in it, runs must not be kept away for ever
            self.end()

    def _give_up(self, error: HungError) -> None:
        dark, _ = self._tools.make_safe()
        light = "light off" if _succeeded(dark) else "LIGHT NOT CONFIRMED OFF"
        manager = self._tools.manager
        reason = f"{error}; {light}; the stacks of all threads are in {manager.dump_path}"
        _log.error("by hand: %s", reason)
        self._on_hang(reason)
        if self._task is not None:
            manager.give_up(self._task, reason)


def _succeeded(call: Future[Any]) -> bool:
    try:
        return call.exception(CONFIRM_S) is None
    except TimeoutError:
        return False
