"""One microscope and everything that works on it, as long as a window is open.

::

    Session(config, file, manager, folder) ──▶ built ──open()──▶ open ──close()──▶ closed

Owns who knows whom; adds no work of its own. Knows no widget.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from control.core.bounded import start_bounded
from control.core.hands import Hands
from control.core.multi_point_controller import MultiPointController
from control.core.rig import rig
from control.core.run import USER
from control.core.run_queue import RunQueue
from control.core.safe_state import SafeState, make_safe
from squid.drivers.simulated.faults import with_faults
from squid.machine_file import MachineConfig
from squid.microscope import Microscope
from squid.utils.leaving import Step
from squid.utils.safety_lane import SafetyLane
from squid.utils.worker_manager import WorkerManager

_log = logging.getLogger(__name__)

_STEP_S = 0.6
"""So long may each step of closing take."""


def _part(module: str, name: str) -> Any:
    try:
        return getattr(importlib.import_module(f"control.core.{module}"), name)
    except ModuleNotFoundError as missing:
        _log.warning("not there yet: %s", missing)
        return None


class Session:
    """What the pages of the window work with.

    Parameters
    ----------
    config : MachineConfig
        The microscope, as its file says.
    file : Path or None
        That file, for messages.
    manager : WorkerManager
        Runs all tasks; stays the caller's.
    folder : Path
        The user's folder: presets, queue, settings.
    faults : sequence of str, optional
        Injected into simulated devices, for this session only.
    """

    def __init__(
        self,
        config: MachineConfig,
        file: Path | None,
        manager: WorkerManager,
        folder: Path,
        faults: Sequence[str] = (),
    ) -> None:
        self.file = file
        self.manager = manager
        self.settings_folder = folder
        self._resources = ExitStack()
        presets = _part("presets", "Presets")
        self.presets: Any = presets(config, None) if presets else None
        self.machine = self.presets.machine() if presets else config
        self.microscope = Microscope.build(with_faults(self.machine, faults), file)
        self.lane = SafetyLane()
        self.hands = Hands(self.microscope)
        self._build_hand_tools()
        self._build_run_tools()

    def _build_hand_tools(self) -> None:
        live, manual, monitor = _part("live", "Live"), _part("manual", "Manual"), _part("monitor", "Monitor")
        self.live: Any = live and live(self.microscope, self.manager, self.hands, self.presets)
        self.manual: Any = manual and manual(self.microscope, self.hands, self.manager, self.lane)
        self.monitor: Any = monitor and monitor(self.microscope, self.manager)

    def _build_run_tools(self) -> None:
        status, previews = _part("run_status", "RunStatus"), _part("previews", "Previews")
        check, queue = _part("plan_check", "PlanCheck"), _part("queue_runner", "QueueRunner")
        self.status: Any = status and status()
        self.previews: Any = previews and previews()
        listeners = (self.status.hear,) if status else ()
        self.controller = MultiPointController(self.microscope, self.manager, listeners, self.machine)
        self.plan_check: Any = check and check(self.microscope, self.manager)
        self.run_queue = RunQueue(self.settings_folder / "queue.sqlite")
        self.queue: Any = queue and queue(self.run_queue, self.controller, self.manager, self.live)

    def open(self, on_device: Callable[[str], object] | None = None) -> None:
        """Take the rig and open every device; from a task.

        Parameters
        ----------
        on_device : callable, optional
            Told the label of each device before it is opened.
        """
        self._resources.enter_context(rig(self.machine))
        self.microscope.open(on_device)
        if self.monitor:
            self.monitor.start()

    def emergency_stop(self) -> Future[SafeState]:
        """Switch the light off and stop the stage at once, end live view and run; returns at once, from any thread."""
        if self.manual:
            return self.manual.emergency_stop()  # type: ignore[no-any-return]
        return self.lane.submit("emergency stop", lambda: make_safe(self.microscope, 0.5))

    def closing_steps(self) -> list[Step]:
        """Return how to leave within bounds, in order of importance; see `squid.utils.leaving.leave`."""
        return [
            ("safe state", self._abort_and_make_safe),
            ("end of the run", self._wait_for_the_run),
            ("devices", self._close_devices),
            ("queue", self._close_files),
        ]

    def close(self) -> None:
        """End what runs, make the rig safe, close the devices; returns after about two seconds whatever hangs."""
        for name, step in self.closing_steps():
            start_bounded(name, step)(_STEP_S)

    def _abort_and_make_safe(self) -> None:
        if self.queue and self.queue.current is not None:
            self.queue.abort(f"{USER} (the window was closed)")
        make_safe(self.microscope, _STEP_S / 2)

    def _wait_for_the_run(self) -> None:
        run = self.queue and self.queue.current
        if run is not None:
            run.wait()

    def _close_devices(self) -> None:
        if self.monitor:
            self.monitor.stop()
        self.microscope.close()
        self.lane.close()

    def _close_files(self) -> None:
        self.run_queue.close()
        self._resources.close()
