"""A whole simulated microscope with everything that a person's hands use: for tests of live view, moves and monitor."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PyQt5.QtCore import QCoreApplication

from control.core.hands import Hands
from control.core.live import Live
from control.core.manual import Manual
from control.core.monitor import Monitor
from squid.drivers.simulated.faults import with_faults
from squid.machine_file import MachineConfig
from squid.microscope import Microscope
from squid.models.channel import ChannelPreset
from squid.utils import TaskHandle, WorkerManager, WorkerResult
from squid.utils.safety_lane import SafetyLane

PATIENCE_S = 20.0
"""How long a test waits for what should come at once: a loaded machine is no failure."""


class MachinePresets:
    """The machine file's presets, nothing edited."""

    def __init__(self, config: MachineConfig) -> None:
        self._config = config

    def names(self, objective: str) -> tuple[str, ...]:
        return tuple(self._config.channels_of(objective))

    def get(self, objective: str, name: str) -> ChannelPreset:
        return self._config.channels_of(objective)[name]


@dataclass
class HandBench:
    """An open microscope and what works on it by hand."""

    microscope: Microscope
    manager: WorkerManager
    lane: SafetyLane
    hands: Hands
    live: Live
    manual: Manual
    monitor: Monitor
    stacks: Path

    def ask(self, task: Callable[[], Any]) -> Any:
        """Run a blocking call in a task, as the window does, and return its value."""
        handle = self.manager.submit(f"test {time.monotonic_ns()}", task)
        assert handle.wait(PATIENCE_S)
        assert handle.result is not None
        if handle.result.error is not None:
            raise handle.result.error
        return handle.result.value


def finished(handle: TaskHandle) -> WorkerResult:
    """Wait for a task and return its result."""
    assert handle.wait(PATIENCE_S), f"{handle} did not end"
    assert handle.result is not None
    return handle.result


def wait_until(condition: Callable[[], Any], what: str = "it", *, tick: Callable[[], object] | None = None) -> None:
    """Wait for a condition; `tick` is called meanwhile, as a window's timer would."""
    until_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until_s, f"{what} did not come within {PATIENCE_S} s"
        if tick is not None:
            tick()
        app = QCoreApplication.instance()
        if app is not None:  # an earlier test's: results of tasks come through its events
            app.processEvents()
        time.sleep(0.002)


@contextmanager
def hand_bench(config: MachineConfig, folder: Path, faults: Sequence[str] = (), **manual: Any) -> Iterator[HandBench]:
    """Open a microscope, with faults injected for this time only."""
    stacks = folder / "stacks.log"
    manager = WorkerManager(8, dump_file=stacks)
    lane = SafetyLane()
    try:
        with Microscope.build(with_faults(config, faults)) as microscope:
            hands = Hands(microscope)
            live = Live(microscope, manager, hands, MachinePresets(config), lane)
            moves = Manual(microscope, hands, manager, lane, **manual)
            monitor = Monitor(microscope, manager)
            yield HandBench(microscope, manager, lane, hands, live, moves, monitor, stacks)
            monitor.stop()
            live.stop()
            live.wait_stopped(5)
            moves.close()
    finally:
        manager.shutdown(timeout=2.0)
        lane.close()
