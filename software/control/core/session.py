"""One microscope and everything that works on it, as long as a window is open.

::

    Session(config, file, manager, folder) ──▶ built ──open()──▶ open ──close()──▶ closed

Owns who knows whom; adds no work of its own. Knows no widget.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path

from control.core.fault_injection import with_faults
from control.core.hands import Hands
from control.core.live import Live
from control.core.manual import Manual
from control.core.monitor import Monitor
from control.core.multi_point_controller import MultiPointController
from control.core.planning import PlanCheck
from control.core.presets import Presets
from control.core.previews import Previews
from control.core.queue_runner import QueueRunner
from control.core.rig import rig
from control.core.run import USER
from control.core.run_queue import RunQueue
from control.core.run_status import RunStatus
from control.core.safe_state import SafeState, make_safe
from control.core.user_files import machine_file_of_user
from squid.machine_file import MachineConfig
from squid.microscope import Microscope
from squid.models.plate import PlateGeometry
from squid.utils.bounded import start_bounded
from squid.utils.leaving import Step
from squid.utils.safety_lane import SafetyLane
from squid.utils.worker_manager import WorkerManager

_STEP_S = 0.6
"""So long may each step of closing take."""


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
        self._faults = tuple(faults)
        self._resources = ExitStack()
        self.presets = Presets(config, machine_file_of_user(config.name))
        self.machine = self.presets.machine()
        self.microscope = Microscope.build(with_faults(self.machine, faults), file)
        self.lane = SafetyLane()
        self.hands = Hands(self.microscope)
        self.live = Live(self.microscope, manager, self.hands, self.presets, self.lane)
        self.monitor = Monitor(self.microscope, manager)
        self.status = RunStatus()
        self.previews = Previews()
        self.controller = MultiPointController(
            self.microscope,
            manager,
            listeners=(self.status.hear, self.previews.hear),
            machine=self.machine,
            taps=(self.previews.see,),
        )
        self.run_queue = RunQueue(folder / "queue.sqlite")
        self.queue = QueueRunner(
            self.run_queue,
            self.controller,
            manager,
            folder=folder / "queue",
            status=self.status,
            stop_live=self.live.stop,
        )
        self.manual = Manual(
            self.microscope, self.hands, manager, self.lane, on_emergency=(self.live.stop, self._end_runs)
        )
        self.plan_check = PlanCheck(self.microscope, manager)

    def open(self, on_device: Callable[[str], object] | None = None) -> None:
        """Take the rig and open every device; from a task.

        Parameters
        ----------
        on_device : callable, optional
            Told the label of each device before it is opened.
        """
        self._resources.enter_context(rig(self.machine))
        self.microscope.open(on_device)
        self.monitor.start()

    def use_presets(self) -> None:
        """Let checks and runs that start from now on use the presets and plates as they were edited."""
        self.machine = self.presets.machine()
        self.microscope.config = with_faults(self.machine, self._faults)
        self.controller.machine = self.machine

    def place_plate(self, plate: PlateGeometry) -> None:
        """Note which plate a person says lies on the stage; while a run is under way that is the run's."""
        if self.queue.current is None:
            self.microscope.place_plate(plate)

    def emergency_stop(self) -> Future[SafeState]:
        """Switch the light off and stop the stage at once, end live view and run; returns at once, from any thread."""
        return self.manual.emergency_stop()

    def _end_runs(self) -> None:
        self.queue.hold("emergency stop")
        self.queue.stop_now(f"{USER} (emergency stop)")

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
        self.queue.hold("the window was closed")
        self.queue.stop_now(f"{USER} (the window was closed)")
        self.live.stop()
        make_safe(self.microscope, _STEP_S / 2)

    def _wait_for_the_run(self) -> None:
        self.queue.wait()
        self.live.wait_stopped(_STEP_S)

    def _close_devices(self) -> None:
        self.monitor.stop()
        self.microscope.close()
        self.lane.close()

    def _close_files(self) -> None:
        self.run_queue.close()
        self._resources.close()
