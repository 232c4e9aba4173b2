"""A run queue on a simulated microscope, with all that a window looks at: for tests of it and of the Run page."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from PyQt5.QtCore import QCoreApplication
from tests.rig import TIME_SCALE, machine, plan

from control.core.multi_point_controller import MultiPointController
from control.core.previews import Previews
from control.core.queue_runner import QueueRunner
from control.core.run_queue import RunQueue
from control.core.run_status import RunStatus
from squid.drivers.simulated.faults import with_faults
from squid.microscope import Microscope
from squid.models.plan import AcquisitionPlan
from squid.utils.persistent_queue import JobState
from squid.utils.worker_manager import WorkerManager


@dataclass
class Bench:
    """A microscope with a queue, and where it writes; has what the Run page wants of a session."""

    folder: Path
    manager: WorkerManager
    microscope: Microscope
    queue: QueueRunner
    status: RunStatus
    previews: Previews
    live_stopped: list[str | None]
    told: list[str] = field(default_factory=list)

    @property
    def output(self) -> Path:
        return self.folder / "plates"

    def plan(self, name: str, **changes: object) -> AcquisitionPlan:
        return plan(self.folder, name=name, **changes)

    def enqueue(self, name: str, *, start: bool = False, **changes: object) -> None:
        handle = self.queue.enqueue(self.plan(name, **changes), self.output, start=start, on_error=self.told.append)
        assert handle.wait(20)

    def states(self) -> list[tuple[str, JobState]]:
        return [(run.name, run.state) for run in self.queue.view().runs]

    def is_idle(self) -> bool:
        view = self.queue.view()
        return view.current_id is None and not view.is_open


def until(condition: Callable[[], bool], timeout_s: float = 30.0) -> None:
    """Wait for what other threads do; where there is a Qt application, its callbacks come meanwhile."""
    give_up_s = time.monotonic() + timeout_s
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < give_up_s, "it did not happen in time"
        if (app := QCoreApplication.instance()) is not None:
            app.processEvents()
        pause.wait(0.01)


@contextmanager
def bench(folder: Path, *faults: str, time_scale: float = TIME_SCALE) -> Iterator[Bench]:
    """Open a microscope, with faults injected for this time only."""
    config = machine(folder, time_scale=time_scale)
    manager = WorkerManager()
    run_queue = RunQueue(folder / "queue.sqlite")
    stopped: list[str | None] = []
    try:
        with Microscope.build(with_faults(config, faults) if faults else config) as microscope:
            status, previews = RunStatus(), Previews()
            controller = MultiPointController(
                microscope, manager, (status.hear, previews.hear), machine=config, taps=(previews.see,)
            )
            queue = QueueRunner(
                run_queue,
                controller,
                manager,
                folder=folder / "plans",
                status=status,
                stop_live=lambda: stopped.append(microscope.owner),
            )
            queue.interrupted()
            made = Bench(folder, manager, microscope, queue, status, previews, stopped)
            yield made
            if queue.current is not None:
                queue.abort("the test has ended")
            until(made.is_idle)
    finally:
        manager.shutdown(timeout=2.0)
        run_queue.close()
