"""Hardware sequences in whole runs, on a virtual controller with a simulated camera: the same data as without."""

from __future__ import annotations

import dataclasses
import functools
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests import controller_rig as rigs
from tests.controller_rig import controller_rig
from tests.faults.test_run_faults import data_set
from tests.rig import SENSOR_PX, Rig, plan, rig

from control.core.facts import EventStarted, Fact, FrameStored, Paused, Resumed, RunFinished
from control.core.multi_point_controller import MultiPointController
from squid.abc.camera import TriggerMode
from squid.drivers.controller.sequencer import ControllerSequencer
from squid.drivers.controller.virtual import VirtualController
from squid.drivers.simulated.camera import SimulatedCamera
from squid.errors import DeviceError
from squid.models.frame import FrameRecord

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="g++ builds the virtual controller")

machine = functools.partial(rigs.machine, link={"lease_ms": 5000})
"""A busy machine beats late at times: that is not to darken the exposures here."""

GROUP = 6
"""Two channels and three planes: the events of a field."""


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is silent at times: that is no lost connection here."""
    monkeypatch.setattr("squid.drivers.controller.connection.SILENCE_S", 5.0)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[tuple[Rig, VirtualController]]:
    with controller_rig(machine(tmp_path)) as opened:
        yield opened


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Lengths of the sequences that were started."""
    lengths: list[int] = []
    original = ControllerSequencer._do_start

    def counted(self: ControllerSequencer, steps: Any, readout_ms: float) -> Any:
        lengths.append(len(steps))
        return original(self, steps, readout_ms)

    monkeypatch.setattr(ControllerSequencer, "_do_start", counted)
    return lengths


def listening(bench: Rig, listener: Callable[[Fact], None]) -> MultiPointController:
    return MultiPointController(bench.microscope, bench.manager, (bench.facts.append, listener))


def told(records: list[FrameRecord]) -> list[dict[str, Any]]:
    """What the records say, instants left out."""
    found = [dataclasses.asdict(record) for record in sorted(records, key=lambda r: r.event.index)]
    for record in found:
        for instant in ("monotonic_s", "utc_s", "clock_s"):
            del record[instant]
    return found


def test_with_and_without_sequences_the_data_is_the_same(tmp_path: Path, starts: list[int]) -> None:
    data, records = {}, {}
    for sequences in (True, False):
        with controller_rig(machine(tmp_path, sequences=sequences)) as (opened, _):
            run, summary = opened.run(plan(tmp_path, wells="B2"), tmp_path / str(sequences))
            assert summary.status == "completed"
            data[sequences] = data_set(run.folder)
            records[sequences] = told([fact.record for fact in opened.said(FrameStored)])
            started = [fact.event.index for fact in opened.said(EventStarted)]
            assert started == list(range(2 * GROUP))
    assert starts == [GROUP] * 2
    assert records[True] == records[False]
    assert data[True].keys() == data[False].keys()
    for name, pixels in data[True].items():
        assert np.array_equal(pixels, data[False][name]), name


@pytest.mark.parametrize("sequences", [True, False], ids=["sequences", "frames"])
def test_a_strobed_light_gives_the_same_data_and_is_on_for_the_exposures_only(tmp_path: Path, sequences: bool) -> None:
    data, records = {}, {}
    channels = [{"config": "DAPI", "exposure": 100.0}, {"config": "FITC", "exposure": 100.0}]
    small = plan(tmp_path, wells="B2", fields={"rows": 1, "columns": 1}, sequence={"channels": channels})
    for delay_ms in (None, 20.0):
        with controller_rig(machine(tmp_path, sequences=sequences, strobe_delay_ms=delay_ms)) as (opened, controller):
            controller.ask("edges clear")
            run, summary = opened.run(small, tmp_path / str(delay_ms))
            assert (summary.status, summary.frames_stored) == ("completed", GROUP)
            data[delay_ms], records[delay_ms] = data_set(run.folder), told([f.record for f in opened.said(FrameStored)])
            edges = controller.ask("edges")["edges"]
    assert records[None] == records[20.0]
    pulses = [time_us for time_us, name, level in edges if (name, level) == ("trigger0", 0)]
    lit = [time_us for time_us, name, level in edges if name in ("D1", "D2") and level]
    assert len(pulses) == len(lit) == GROUP
    assert all(on - pulse >= 19_900 for pulse, on in zip(pulses, lit, strict=True))
    for name, pixels in data[20.0].items():
        # the camera exposes 20 ms longer, in the dark: the same light
        assert pixels.mean() == pytest.approx(data[None][name].mean(), rel=0.05)


@pytest.mark.parametrize("fault", ["lost_frame", "skip_id", "wrong_shape", "none", "duplicate"])
def test_a_bad_frame_of_a_sequence_is_taken_again_alone(tmp_path: Path, starts: list[int], fault: str) -> None:
    config = machine(tmp_path)
    with rig(config, (f"camera.{fault}@frame=3",)) as opened:
        opened.microscope.stage.home().result(60)
        _, summary = opened.run(plan(tmp_path, wells="B2", fields={"rows": 1, "columns": 1}), tmp_path / "out")
    assert (summary.status, summary.frames_stored) == ("completed", GROUP)
    again = {fact.record.event.index: fact.record.attempts for fact in opened.said(FrameStored)}
    assert again == {index: 2 if index == 3 else 1 for index in range(GROUP)}
    assert starts == [GROUP]


def test_a_pulse_that_the_camera_misses_shifts_no_frame(
    tmp_path: Path, bench: tuple[Rig, VirtualController], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Later frames would settle earlier exposures: none of the sequence's is believed, all are taken one by one."""
    monkeypatch.setattr("control.core.hardware_sequence.CALL_S", 0.3)
    monkeypatch.setattr("control.core.hardware_sequence.FIRST_FRAME_S", 0.3)
    opened, _ = bench
    camera = opened.microscope.camera
    assert isinstance(camera, SimulatedCamera)
    original, pulses = camera.hardware_pulse, 0

    def deaf(instant_s: float | None = None) -> None:
        nonlocal pulses
        pulses += 1
        if pulses != 3:
            original(instant_s)

    monkeypatch.setattr(camera, "hardware_pulse", deaf)
    # the first field's frames come in; the second field's third pulse is missed
    pulses -= GROUP
    small = plan(tmp_path, wells="B2")
    run, summary = opened.run(small, tmp_path / "out")
    assert (summary.status, summary.frames_stored) == ("completed", 2 * GROUP)
    shifted = data_set(run.folder)
    monkeypatch.setattr(camera, "hardware_pulse", original)
    undisturbed, _ = opened.run(small, tmp_path / "again")
    for name, pixels in data_set(undisturbed.folder).items():
        assert np.array_equal(pixels, shifted[name]), name


def test_a_pause_ends_the_sequence_after_an_exposure_and_loses_nothing(
    tmp_path: Path, bench: tuple[Rig, VirtualController], starts: list[int]
) -> None:
    opened, controller = bench
    paused = threading.Event()

    def listener(fact: Fact) -> None:
        if isinstance(fact, EventStarted) and fact.event.index == 2:
            run.pause()
        if isinstance(fact, Paused):
            paused.set()

    run = listening(opened, listener).start(slow(tmp_path), tmp_path / "out")
    assert paused.wait(20)
    state = controller.ask("state")
    assert not any(level for name, level in state["outputs"].items() if name[0] == "D")
    run.go_on()
    summary = opened.finish(run)
    assert (summary.status, summary.frames_stored) == ("completed", GROUP)
    assert [fact.record.event.index for fact in opened.said(FrameStored)] == list(range(GROUP))
    assert len(opened.said(Resumed)) == 1
    assert starts[0] == GROUP
    assert len(starts) == 2
    assert 1 <= starts[1] < GROUP


def slow(folder: Path) -> Any:
    """A field of six exposures of 200 ms: time enough for a test to act in one."""
    channels = [{"config": "DAPI", "exposure": 200.0}, {"config": "FITC", "exposure": 200.0}]
    return plan(folder, wells="B2", fields={"rows": 1, "columns": 1}, sequence={"channels": channels})


@pytest.mark.alone
def test_an_abort_in_a_sequence_keeps_the_exposure_under_way(
    tmp_path: Path, bench: tuple[Rig, VirtualController]
) -> None:
    opened, controller = bench
    aborted_s = 0.0

    def listener(fact: Fact) -> None:
        nonlocal aborted_s
        if isinstance(fact, EventStarted) and fact.event.index == 2:
            aborted_s = time.monotonic()
            run.abort()

    run = listening(opened, listener).start(slow(tmp_path), tmp_path / "out")
    summary = opened.finish(run)
    assert time.monotonic() - aborted_s < 0.2 + 0.5 + 1.0  # one exposure and half a second; the rest is a busy machine
    assert (summary.status, summary.reason) == ("aborted", "user")
    assert summary.frames_stored == 3  # that of event 2 was kept, no other was taken
    exposures = [edge for edge in controller.ask("edges")["edges"] if edge[1] == "trigger0" and edge[2] == 0]
    assert len(exposures) == 3
    resumed = opened.finish(opened.controller.resume(run.folder))
    assert (resumed.status, resumed.frames_stored) == ("completed", GROUP)


def test_a_sequence_that_the_controller_gives_up_is_taken_frame_by_frame(
    tmp_path: Path, bench: tuple[Rig, VirtualController]
) -> None:
    opened, _ = bench
    done = threading.Event()

    def listener(fact: Fact) -> None:
        if isinstance(fact, EventStarted) and fact.event.index == 2 and not done.is_set():
            done.set()
            threading.Thread(target=opened.microscope.illumination.all_off).start()  # somebody darkens everything

    run = listening(opened, listener).start(slow(tmp_path), tmp_path / "out")
    summary = opened.finish(run)
    assert (summary.status, summary.frames_stored, summary.frames_missing) == ("completed", GROUP, 0)
    attempts = {fact.record.event.index: fact.record.attempts for fact in opened.said(FrameStored)}
    assert attempts[2] == 2
    assert attempts[5] == 1  # it had not been exposed
    assert isinstance(opened.facts[-1], RunFinished)


def test_a_sequence_is_one_field_at_one_time_point(tmp_path: Path, starts: list[int]) -> None:
    with controller_rig(machine(tmp_path)) as (opened, _):
        lapse = plan(tmp_path, wells="B2", sequence={"time_plan": {"interval": 0.01, "loops": 2}})
        _, summary = opened.run(lapse, tmp_path / "out")
    assert (summary.status, summary.frames_stored) == ("completed", 4 * GROUP)
    assert starts == [GROUP] * 4


def test_the_frames_of_a_sequence_fit_into_memory(
    tmp_path: Path, starts: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    height, width = SENSOR_PX
    monkeypatch.setattr("control.core.hardware_sequence.GROUP_BYTES", 4 * 2 * height * width)
    with controller_rig(machine(tmp_path)) as (opened, _):
        _, summary = opened.run(plan(tmp_path, wells="B2"), tmp_path / "out")
    assert (summary.status, summary.frames_stored) == ("completed", 2 * GROUP)
    assert starts == [4, 2, 4, 2]


def test_a_camera_that_is_triggered_by_software_gets_no_sequences(tmp_path: Path, starts: list[int]) -> None:
    config = machine(tmp_path)
    software = config.model_copy(update={"camera": config.camera.model_copy(update={"trigger": TriggerMode.SOFTWARE})})
    with controller_rig(software) as (opened, _):
        _, summary = opened.run(plan(tmp_path, wells="B2"), tmp_path / "out")
    assert (summary.status, summary.frames_stored) == ("completed", 2 * GROUP)
    assert starts == []


def test_sequences_that_keep_failing_are_given_up(
    tmp_path: Path, bench: tuple[Rig, VirtualController], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object) -> Any:
        raise DeviceError("sequencer", "is out of order")

    monkeypatch.setattr(ControllerSequencer, "_do_start", refuses)
    opened, _ = bench
    _, summary = opened.run(plan(tmp_path), tmp_path / "out")
    assert (summary.status, summary.frames_stored) == ("completed", 24)
    assert {fact.record.attempts for fact in opened.said(FrameStored)} == {1}
