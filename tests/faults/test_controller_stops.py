"""Runs on a virtual controller, stopped or hung in the middle of an exposure: dark at once, whole after a resume."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.controller_rig import controller_rig, machine
from tests.faults.test_controller_runs import FRAMES, Struck, at_event, data_set, eventually, long_plan

from control.core import hardware_sequence
from control.core.facts import EventStarted, Fact, FrameStored
from squid.drivers.controller.sequencer import ControllerSequencer
from squid.utils.bounded import start_bounded

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="g++ builds the virtual controller")

WAYS: dict[str, dict[str, Any]] = {
    "sequences": {},
    "frames": {"sequences": False},
    "strobes": {"sequences": False, "strobe_delay_ms": 0.0},
}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    folder = tmp_path_factory.mktemp("undisturbed")
    with controller_rig(machine(folder)) as (bench, _):
        run, _ = bench.run(long_plan(folder), folder / "out")
    return data_set(run.folder)


@pytest.fixture
def struck(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Struck]:
    with controller_rig(machine(tmp_path, **WAYS[request.param])) as (bench, controller):
        yield Struck(bench, controller)


def assert_resumes(struck: Struck, undisturbed: dict[str, np.ndarray]) -> None:
    """The rest is taken, each frame stored once, and all as good as undisturbed."""
    assert struck.run is not None
    stored = len(struck.bench.said(FrameStored))
    summary = struck.bench.finish(struck.bench.controller.resume(struck.run.folder))
    assert (summary.status, summary.frames_stored, summary.frames_missing) == ("completed", FRAMES, 0)
    assert stored < FRAMES
    for name, pixels in data_set(struck.run.folder).items():
        assert np.array_equal(pixels, undisturbed[name]), name


@pytest.mark.parametrize("index", [1, 2], ids=["in an exposure", "in a move"])
@pytest.mark.parametrize("struck", list(WAYS), indirect=True)
def test_an_emergency_stop(struck: Struck, tmp_path: Path, undisturbed: dict[str, np.ndarray], index: int) -> None:
    """Commands first, then the run is told, as the window's emergency stop does; nobody waits for an answer."""

    def stop() -> None:
        assert struck.run is not None
        for command in (struck.bench.microscope.illumination.all_off, struck.bench.microscope.stage.stop):
            start_bounded("emergency stop", command)
        struck.run.stop_now("user (emergency stop)")

    def stop_here(fact: Fact) -> bool:
        if not (isinstance(fact, EventStarted) and fact.event.index == index):
            return False
        stop()
        return True

    struck.start(tmp_path, at_event(index, stop) if index == 1 else stop_here)
    assert struck.run is not None
    summary = struck.bench.finish(struck.run)
    assert struck.lit() == set()
    assert (summary.status, summary.reason) == ("aborted", "user (emergency stop)")
    assert summary.frames_missing == 0
    assert struck.bench.microscope.owner is None
    assert_resumes(struck, undisturbed)


@pytest.mark.parametrize("struck", ["sequences"], indirect=True)
@pytest.mark.parametrize("where", ["before", "after"])
def test_row_4_a_sequencer_that_does_not_return(
    struck: Struck, tmp_path: Path, undisturbed: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """The driver hangs before or after it has told the controller to begin."""
    monkeypatch.setattr(hardware_sequence, "CALL_S", 0.5)
    start, released, hung = ControllerSequencer._do_start, threading.Event(), []

    def hang(self: ControllerSequencer, steps: Any, readout_ms: float) -> Any:
        if hung:
            return start(self, steps, readout_ms)
        hung.append(time.monotonic())
        running = start(self, steps, readout_ms) if where == "after" else None
        released.wait(30)
        return running or start(self, steps, readout_ms)

    monkeypatch.setattr(ControllerSequencer, "_do_start", hang)
    struck.start(tmp_path, lambda _: True)
    assert struck.run is not None
    eventually(lambda: struck.run is not None and struck.run.is_hung)
    eventually(lambda: not struck.lit())
    summary = struck.bench.finish(struck.run)
    assert "hung: sequencer.start did not return within 0.50 s" in summary.reason
    assert (struck.run.folder / "stacks.log").exists()
    released.set()
    eventually(lambda: not struck.bench.manager.get_statistics()["quarantined_threads"])
    assert struck.lit() == set()
    assert_resumes(struck, undisturbed)
