"""Fault cases 9 and 23 to 27 in whole runs: a virtual controller on a real pseudo-terminal, a simulated camera."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.controller_rig import controller_rig, machine
from tests.faults.test_run_faults import data_set
from tests.rig import Rig, plan

from control.core.facts import EventStarted, Fact, FrameStored, Paused, Waiting
from control.core.multi_point_controller import MultiPointController
from control.core.run import Run
from control.core.run_record import read_summary
from squid.drivers.controller.virtual import VirtualController
from squid.models.plan import AcquisitionPlan

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="g++ builds the virtual controller")

ROOT = Path(__file__).parents[2]
FRAMES = 4
BOTH = pytest.mark.parametrize("sequences", [True, False], ids=["sequences", "frames"])


def long_plan(folder: Path) -> AcquisitionPlan:
    """Two fields of two exposures of 150 ms."""
    channels = [{"config": "DAPI", "exposure": 150.0}, {"config": "FITC", "exposure": 150.0}]
    return plan(folder, wells="B2", sequence={"channels": channels, "z_plan": None})


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    folder = tmp_path_factory.mktemp("undisturbed")
    with controller_rig(machine(folder)) as (bench, _):
        run, summary = bench.run(long_plan(folder), folder / "out")
    assert summary.status == "completed"
    return data_set(run.folder)


class Struck:
    """A run that is struck when a fact is told."""

    def __init__(self, bench: Rig, controller: VirtualController) -> None:
        self.bench = bench
        self.controller = controller
        self.run: Run | None = None

    def start(self, folder: Path, blow: Callable[[Fact], bool]) -> None:
        """Start the plan; `blow` is given each fact until it says that it has struck."""
        struck = threading.Event()

        def listener(fact: Fact) -> None:
            if not struck.is_set() and blow(fact):
                struck.set()

        controller = MultiPointController(
            self.bench.microscope, self.bench.manager, (self.bench.facts.append, listener)
        )
        self.run = controller.start(long_plan(folder), folder / "out")

    def until_told(self, text: str) -> None:
        eventually(lambda: any(text in fact.reason for fact in self.bench.said(Waiting)))

    def lit(self) -> set[str]:
        outputs = self.controller.ask("state")["outputs"]
        return {name for name, level in outputs.items() if level and name[0] == "D"}

    def assert_complete(self, undisturbed: dict[str, np.ndarray]) -> None:
        """Every frame is there, once, and as good as undisturbed."""
        assert self.run is not None
        summary = self.bench.finish(self.run)
        assert (summary.status, summary.frames_stored, summary.frames_missing) == ("completed", FRAMES, 0)
        assert sorted(fact.record.event.index for fact in self.bench.said(FrameStored)) == list(range(FRAMES))
        for name, pixels in data_set(self.run.folder).items():
            assert np.array_equal(pixels, undisturbed[name]), name


@pytest.fixture
def struck(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Struck]:
    path = str(tmp_path / "port")  # plugged in again, the terminal may have another name
    link = {"port": path, "arguments": ["--link", path, "--boot-ms", "50"]}
    sequences = request.node.callspec.params.get("sequences", True) if hasattr(request.node, "callspec") else True
    with controller_rig(machine(tmp_path, sequences=sequences, link=link)) as (bench, controller):
        yield Struck(bench, controller)


def eventually(condition: Callable[[], Any], within_s: float = 20.0) -> float:
    """Wait until a condition holds; return how long it took, in s."""
    start_s = time.monotonic()
    while not condition():
        assert time.monotonic() - start_s < within_s, "did not happen in time"
        time.sleep(0.005)
    return time.monotonic() - start_s


def at_event(index: int, blow: Callable[[], object], delay_s: float = 0.05) -> Callable[[Fact], bool]:
    """Strike a moment after an event has started, from another thread."""

    def strike(fact: Fact) -> bool:
        if not (isinstance(fact, EventStarted) and fact.event.index == index):
            return False
        threading.Timer(delay_s, blow).start()
        return True

    return strike


@pytest.mark.alone
@BOTH
@pytest.mark.parametrize("index", [1, 2], ids=["in an exposure", "in a move"])
def test_row_23_cable_pulled(
    struck: Struck, tmp_path: Path, undisturbed: dict[str, np.ndarray], sequences: bool, index: int
) -> None:
    pulled: list[float] = []

    def pull() -> None:
        struck.controller.ask("unplug")
        pulled.append(time.monotonic())

    struck.start(tmp_path, at_event(index, pull, 0.05 if index == 1 else 0.0))
    eventually(lambda: pulled)
    eventually(lambda: not struck.lit())
    assert time.monotonic() - pulled[0] < 0.6 + 0.5  # the lease; and a busy machine
    struck.until_told("the connection is lost")
    struck.controller.ask("plug")
    plugged_s = time.monotonic()
    eventually(lambda: not struck.bench.microscope.devices["controller"].is_reconnecting)
    assert time.monotonic() - plugged_s < 2.0
    struck.assert_complete(undisturbed)
    assert struck.lit() == set()


def test_row_23_a_run_that_waits_for_its_cable_can_be_aborted(struck: Struck, tmp_path: Path) -> None:
    struck.start(tmp_path, at_event(1, lambda: struck.controller.ask("unplug")))
    struck.until_told("the connection is lost")
    assert struck.run is not None
    struck.run.abort()
    summary = struck.bench.finish(struck.run)
    assert summary.status == "aborted"
    assert summary.reason.startswith("user")
    assert "LIGHT NOT CONFIRMED OFF" in summary.reason  # it is off, by its lease; but nobody has seen it
    assert struck.lit() == set()


@BOTH
def test_row_24_bytes_corrupted_during_a_run(
    struck: Struck, tmp_path: Path, undisturbed: dict[str, np.ndarray], sequences: bool
) -> None:
    struck.controller.ask("corrupt 0.01")
    struck.start(tmp_path, lambda _: True)
    assert struck.run is not None
    struck.bench.finish(struck.run)
    struck.controller.ask("corrupt 0")
    struck.assert_complete(undisturbed)
    assert struck.bench.microscope.devices["controller"].state()["damaged_frames"]


@pytest.mark.alone
@BOTH
def test_row_25_the_controller_resets_itself(
    struck: Struck, tmp_path: Path, undisturbed: dict[str, np.ndarray], sequences: bool
) -> None:
    stage = struck.bench.microscope.stage
    reset: list[float] = []
    noticed: list[float] = []

    def blow() -> None:
        struck.controller.ask("reset")
        reset.append(time.monotonic())
        eventually(lambda: not stage.is_homed)
        noticed.append(time.monotonic())

    struck.start(tmp_path, at_event(1, blow))
    eventually(lambda: noticed)
    assert noticed[0] - reset[0] < 0.5 + 0.5  # a busy machine
    struck.assert_complete(undisturbed)
    assert stage.is_homed
    carriage_um = struck.controller.ask("state")["axes"]["x"]["carriage_mm"] * 1000
    assert abs(carriage_um - stage.position().x_um) < 1


def test_row_26_a_lease_that_ran_out_is_shown_and_armed_again(
    struck: Struck, tmp_path: Path, undisturbed: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program stops to tick for a while, as if it hung, and then goes on."""
    link = struck.bench.microscope.devices["controller"]
    beat = type(link).beat
    deaf_until_s = 0.0

    def beats(self: Any) -> None:
        if time.monotonic() > deaf_until_s:
            beat(self)

    def blow() -> None:
        nonlocal deaf_until_s
        deaf_until_s = time.monotonic() + 0.9

    monkeypatch.setattr(type(link), "beat", beats)
    channels = [{"config": "DAPI", "exposure": 1000.0}]
    struck.start(tmp_path, lambda _: True)
    struck.assert_complete(undisturbed)
    blow()
    _, summary = struck.bench.run(
        plan(tmp_path, wells="B2", sequence={"channels": channels, "z_plan": None}), tmp_path / "lease"
    )
    assert (summary.status, summary.frames_stored, summary.frames_missing) == ("completed", 2, 0)
    assert max(fact.record.attempts for fact in struck.bench.said(FrameStored)) == 2
    state = link.state()
    assert state["light_lease_expired"] == 1
    assert state["light_lease_armed"] is True


@BOTH
def test_row_27_an_open_interlock_pauses_until_somebody_says_go_on(
    struck: Struck, tmp_path: Path, undisturbed: dict[str, np.ndarray], sequences: bool
) -> None:
    struck.start(tmp_path, at_event(1, lambda: struck.controller.ask("interlock open")))
    assert struck.run is not None
    struck.until_told("interlock is open")
    eventually(lambda: struck.bench.said(Paused))
    assert struck.lit() == set()
    stored = len(struck.bench.said(FrameStored))
    struck.run.go_on()  # without closing it: it pauses again
    eventually(lambda: len(struck.bench.said(Paused)) == 2)
    assert len(struck.bench.said(FrameStored)) == stored
    struck.controller.ask("interlock closed")
    link = struck.bench.microscope.devices["controller"]
    eventually(lambda: not link.state()["interlock_open"])
    struck.run.go_on()
    struck.assert_complete(undisturbed)


CHILD = """
import sys
from pathlib import Path
from tests.controller_rig import controller_rig, machine
from tests.faults.test_controller_runs import long_plan
folder = Path(sys.argv[1])
with controller_rig(machine(folder)) as (bench, controller):
    print(controller.pid, flush=True)
    run, _ = bench.run(long_plan(folder), folder / "out")
"""


def test_row_9_a_stopped_program_is_dark_and_believes_no_dark_frame(
    tmp_path: Path, undisturbed: dict[str, np.ndarray]
) -> None:
    """SIGSTOP in a run, SIGCONT after the lease: what was exposed meanwhile is taken again."""
    path = os.pathsep.join((str(ROOT / "software"), str(ROOT)))
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline()
        eventually(lambda: list(tmp_path.glob("out/*/journal*")))
        time.sleep(0.2)  # somewhere in its exposures
        child.send_signal(signal.SIGSTOP)
        time.sleep(1.0)  # twice the lease: the time itself is what is tested
        child.send_signal(signal.SIGCONT)
        assert child.wait(60) == 0
    finally:
        child.kill()
        child.communicate()
    (folder,) = tmp_path.glob("out/*")
    summary = read_summary(folder)
    assert (summary.status, summary.frames_stored) == ("completed", FRAMES)
    for name, pixels in data_set(folder).items():
        assert np.array_equal(pixels, undisturbed[name]), name
