"""Hard cases of a run: devices that answer late, wrongly or not at all, and workers that are taken away.

Faults are those of drivers: a driver's ``_do_…`` method that blocks, raises or answers late. The disk's are in
`test_run_hard_io`.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from PyQt5.QtCore import QCoreApplication
from tests import rig
from tests.rig import FRAMES, Rig

from control.core import imaging, lighting, run_ending, travel
from control.core.facts import EventStarted, FrameStored, Hung, Paused, RunFinished
from control.core.journal import read_journal
from control.core.run import Run
from control.core.run_record import RunSummary, read_summary
from squid.abc.camera import TriggerMode
from squid.abc.device import Device
from squid.errors import DeviceError, SquidError, StageMoveError
from squid.machine_file import MachineConfig, read_machine_file
from squid.microscope import Microscope
from squid.models.plan import AcquisitionPlan

Strike = Callable[[int, tuple[Any, ...], Callable[[], Any]], Any]
"""Takes the place of a driver's method: told which call it is (1 …), its arguments, and the real call to make."""

TWO_FILTERS = {"DAPI": {"filter": "460/50"}, "FITC": {"filter": "525/45", "z_offset_um": 0.0}}


def shorten_margins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give steps, and the end of a run, one second beyond physics: the tests wait for it to pass."""
    for module in (imaging, lighting, travel):
        monkeypatch.setattr(module, "CALL_S", 1.0)
    monkeypatch.setattr(travel, "MOVE_MARGIN_S", 0.8)
    monkeypatch.setattr(imaging, "FIRST_FRAME_S", 1.0)
    monkeypatch.setattr(run_ending, "DRAIN_S", 1.0)


@pytest.fixture(autouse=True)
def _short_margins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shorten_margins(monkeypatch)
    monkeypatch.setenv("SQUID_LOG_FOLDER", str(tmp_path / "log"))


@contextmanager
def held() -> Iterator[threading.Event]:
    """Lend an event that drivers wait for; set in the end, so that no thread is left behind."""
    event = threading.Event()
    try:
        yield event
    finally:
        event.set()


def until(condition: Callable[[], object], timeout_s: float = 15) -> None:
    """Wait until something is so."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, "did not come about"
        time.sleep(0.005)


def ended(run: Run, timeout_s: float = 15) -> RunSummary:
    """Wait for a run's end; where another test has left a Qt application, its events go on."""
    deadline_s = time.monotonic() + timeout_s
    while (summary := run.wait(0.02)) is None:
        assert time.monotonic() < deadline_s, f"the run did not end within {timeout_s} s"
        if QCoreApplication.instance() is not None:
            QCoreApplication.processEvents()
    return summary


def intercept(device: Device, method: str, strike: Strike) -> None:
    """Let `strike` take the place of a driver's method."""
    real = getattr(device, method)
    calls = itertools.count(1)
    setattr(device, method, lambda *args: strike(next(calls), args, lambda: real(*args)))


def failed(error: Exception) -> Future[Any]:
    """Return a future that has failed."""
    future: Future[Any] = Future()
    future.set_exception(error)
    return future


def assert_over(bench: Rig) -> None:
    """The end was said once, the light is off, and the microscope is there for the next run."""
    assert len(bench.said(RunFinished)) == 1
    assert bench.microscope.illumination.lit == ()
    with bench.microscope.reserve("the next run"):
        pass


def retaken(bench: Rig) -> set[int]:
    """Return the frames that took more than one exposure."""
    return {fact.record.event.index for fact in bench.said(FrameStored) if fact.record.attempts > 1}


def one_exposure(folder: Path, **changes: Any) -> AcquisitionPlan:
    """A plan of 2 wells x 2 fields x 2 channels without z."""
    sequence = {"z_plan": None, **changes.pop("sequence", {})}
    return rig.plan(folder, sequence=sequence, **changes)


def stage_options(folder: Path, time_scale: float, **options: Any) -> MachineConfig:
    """The test machine with other options of its stage."""
    rig.machine(folder, time_scale=time_scale)
    file = folder / "machine.yaml"
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    data["devices"]["stage"]["options"] = options
    file.write_text(yaml.safe_dump(data), encoding="utf-8")
    return read_machine_file(file)


# --- the end of a hung run -------------------------------------------------------------------------------------------


def to_elsewhere(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


def dump_to_a_full_disk(folder: Path) -> None:
    (folder / "stacks.log").symlink_to("/dev/full")


def dump_never_returns(folder: Path) -> None:
    os.mkfifo(folder / "stacks.log")  # to open it takes for ever, as on a share that does not answer


@pytest.fixture
def _unblocked(tmp_path: Path) -> Iterator[None]:
    """Let go in the end who waits for a pipe to be read."""
    yield
    for pipe in tmp_path.glob("out/*/stacks.log"):
        if pipe.is_fifo():
            os.close(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))


@pytest.mark.usefixtures("_unblocked")
@pytest.mark.parametrize("spoil", [to_elsewhere, dump_to_a_full_disk, dump_never_returns])
def test_a_hang_whose_stacks_cannot_be_written_ends_truthfully(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    hangs = threading.Event()
    with rig.rig(rig.machine(tmp_path, time_scale=5)) as bench, held() as released:

        def strike(_: int, __: tuple[Any, ...], real: Callable[[], Any]) -> Any:
            if hangs.is_set():
                released.wait(30)
                raise DeviceError("camera", "came back")
            return real()

        intercept(bench.microscope.camera, "_do_trigger", strike)
        run = bench.controller.start(rig.plan(tmp_path), tmp_path / "out")
        until(lambda: len(bench.said(FrameStored)) >= 3)
        run.pause()
        until(lambda: bench.said(Paused))
        until(lambda: len(bench.said(FrameStored)) == len(bench.said(EventStarted)))
        stored = len(bench.said(FrameStored))
        spoil(run.folder)
        hangs.set()
        run.go_on()
        summary = ended(run)
        assert_over(bench)
    (hung,) = bench.said(Hung)
    if spoil is not dump_never_returns:
        assert hung.dump.parent == tmp_path / "log"  # what the run folder does not take is kept elsewhere
        assert "in strike" in hung.dump.read_text()  # where the hung call is
    assert (summary.status, summary.frames_stored) == ("aborted", stored)
    assert summary.reason.startswith("hung: camera.trigger")
    if spoil is to_elsewhere:
        assert not run.folder.exists()


def test_light_that_goes_on_after_the_end_of_a_hung_run_is_switched_off(tmp_path: Path) -> None:
    lit_late: list[tuple[str, ...]] = []
    with rig.rig(rig.machine(tmp_path)) as bench, held() as released:
        light = bench.microscope.illumination

        def strike(number: int, _: tuple[Any, ...], real: Callable[[], Any]) -> Any:
            if number < 6:
                return real()
            released.wait(30)
            future = real()
            lit_late.append(light.lit)
            return future

        intercept(light, "_do_turn_on", strike)
        run = bench.controller.start(rig.plan(tmp_path), tmp_path / "out")
        summary = ended(run)
        assert summary.reason.startswith("hung: light.turn_on")
        assert_over(bench)
        released.set()
        until(lambda: lit_late)
        assert lit_late[0]
        until(lambda: light.lit == (), timeout_s=3)


# --- the worker is taken away ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("keep_open", [(), ("z",)])
def test_a_manager_that_shuts_down_ends_the_run(tmp_path: Path, keep_open: tuple[str, ...]) -> None:
    plan = rig.plan(tmp_path, sequence={"keep_shutter_open_across": list(keep_open)})
    with rig.rig(rig.machine(tmp_path, time_scale=2)) as bench:
        run = bench.controller.start(plan, tmp_path / "out")
        until(lambda: len(bench.said(FrameStored)) >= 4)
        bench.manager.shutdown(wait=False)
        summary = ended(run)
        assert_over(bench)
    assert summary.status == "aborted"
    assert summary.reason
    assert not summary.reason.startswith("internal error")
    assert 4 <= summary.frames_stored == len(read_journal(run.folder).stored) < FRAMES
    assert read_summary(run.folder) == summary


@pytest.mark.parametrize("how", ["paused", "busy", "shut down"])
def test_a_run_that_is_cancelled_before_it_begins_ends(tmp_path: Path, how: str) -> None:
    with rig.rig(rig.machine(tmp_path)) as bench, held() as released:
        if how == "busy":
            for number in range(4):
                bench.manager.submit(f"busy {number}", lambda: released.wait(30))
        else:
            bench.manager.pause()
        run = bench.controller.start(rig.plan(tmp_path), tmp_path / "out")
        assert run.wait(0.05) is None
        if how == "shut down":
            bench.manager.shutdown(wait=False)
        else:
            (name,) = (task["name"] for task in bench.manager.task_table() if task["state"] == "waiting")
            assert bench.manager.cancel_task(name)
        summary = ended(run)
        assert_over(bench)
        assert bench.said(EventStarted) == []
    assert (summary.status, summary.frames_stored) == ("aborted", 0)
    assert summary.reason
    assert read_summary(run.folder).status == "aborted"


# --- light and camera ------------------------------------------------------------------------------------------------


def test_one_failure_to_darken_costs_one_exposure(tmp_path: Path) -> None:
    def strike(number: int, _: tuple[Any, ...], real: Callable[[], Any]) -> Any:
        return failed(DeviceError("light", "did not switch off")) if number == 8 else real()

    with rig.rig(rig.machine(tmp_path)) as bench:
        intercept(bench.microscope.illumination, "_do_turn_off", strike)
        _, summary = bench.run(rig.plan(tmp_path), tmp_path / "out")
        assert_over(bench)
    assert (summary.status, summary.frames_stored) == ("completed", FRAMES)
    assert len(retaken(bench)) == 1


def test_a_hardware_trigger_that_fails_once_costs_one_exposure(tmp_path: Path) -> None:
    config = rig.machine(tmp_path)
    camera = config.camera.model_copy(update={"trigger": TriggerMode.HARDWARE})
    config = config.model_copy(update={"camera": camera})
    with rig.rig(config, ["camera_trigger.exception@pulse=5"]) as bench:
        _, summary = bench.run(rig.plan(tmp_path), tmp_path / "out")
        assert_over(bench)
    assert (summary.status, summary.frames_stored) == ("completed", FRAMES)
    assert retaken(bench) == {4}


@pytest.mark.parametrize(
    "fault",
    [
        "camera.none@frame=0",
        "camera.wrong_shape@frame=0",
        "camera.lost_frame@frame=0",
        "illumination.exception@switch=1",
    ],
)
def test_a_bad_first_frame_is_taken_again_like_any_other(tmp_path: Path, fault: str) -> None:
    with rig.rig(rig.machine(tmp_path), [fault]) as bench:
        _, summary = bench.run(rig.plan(tmp_path), tmp_path / "out")
        assert_over(bench)
    assert (summary.status, summary.frames_stored) == ("completed", FRAMES)
    assert retaken(bench) == {0}


def test_a_first_frame_that_stays_bad_is_a_hole_not_a_missing_trigger(tmp_path: Path) -> None:
    with rig.rig(rig.machine(tmp_path), ["camera.wrong_shape@frame=0,times=always"]) as bench:
        _, summary = bench.run(rig.plan(tmp_path), tmp_path / "out")
    assert (summary.status, summary.frames_missing) == ("completed_with_missing", 1)
    assert "likely cause" not in summary.reason.lower()


def test_an_exposure_time_that_the_camera_rounds_is_set_once_and_recorded_as_it_is(tmp_path: Path) -> None:
    wanted: list[float] = []
    channels = [{"config": "DAPI", "exposure": 5.0}, {"config": "FITC", "exposure": 7.0}]
    with rig.rig(rig.machine(tmp_path)) as bench:
        camera = bench.microscope.camera
        set_exactly = camera._do_set_exposure_ms

        def set_rounded(exposure_ms: float) -> None:
            wanted.append(exposure_ms)
            set_exactly(exposure_ms - 0.0045)

        camera._do_set_exposure_ms = set_rounded  # type: ignore[method-assign]
        run, summary = bench.run(rig.plan(tmp_path, sequence={"channels": channels}), tmp_path / "out")
    assert summary.status == "completed"
    assert wanted == [5.0, 7.0] * 4  # each field: once per channel, not once per plane
    in_force = {"DAPI": 4.9955, "FITC": 6.9955}
    for fact in bench.said(FrameStored):
        assert fact.record.exposure_ms == pytest.approx(in_force[fact.record.event.channel])
    assert '"exposure_ms":4.9955' in (run.folder / "journal.jsonl").read_text()


@pytest.mark.parametrize(
    ("role", "method", "number"),
    [
        ("camera", "_do_trigger", 8),
        ("camera", "_do_set_exposure_ms", 1),
        ("illumination", "_do_turn_on", 8),
        ("illumination", "_do_turn_off", 8),
        ("stage", "_do_move_to", 4),
        ("stage", "_do_position", 8),
    ],
)
def test_a_foreign_error_of_a_driver_is_tried_again_like_our_own(
    tmp_path: Path, role: str, method: str, number: int
) -> None:
    def strike(call: int, _: tuple[Any, ...], real: Callable[[], Any]) -> Any:
        if call == number:
            raise RuntimeError("what a vendor's library raises")
        return real()

    with rig.rig(rig.machine(tmp_path)) as bench:
        intercept(getattr(bench.microscope, role), method, strike)
        _, summary = bench.run(rig.plan(tmp_path), tmp_path / "out")
        assert_over(bench)
    assert (summary.status, summary.frames_stored) == ("completed", FRAMES)


# --- stage and filter wheel ------------------------------------------------------------------------------------------


def test_a_stage_homed_in_the_middle_goes_back_to_its_target(tmp_path: Path) -> None:
    """Only the wheel moves, fails, and the stage has lost its home meanwhile: it was sent nowhere, but is elsewhere."""
    plan = one_exposure(tmp_path, channels=TWO_FILTERS)
    with rig.rig(rig.machine(tmp_path)) as bench:
        stage, wheel = bench.microscope.stage, bench.microscope.filter_wheel
        assert wheel is not None

        struck: list[int] = []

        def strike(number: int, _: tuple[Any, ...], real: Callable[[], Any]) -> Any:
            if struck or bench.said(EventStarted)[-1].event.index != 3:  # from DAPI to FITC in the second field
                return real()
            struck.append(number)
            assert not stage.is_moving
            stage._homed = False  # type: ignore[attr-defined]
            return failed(DeviceError(wheel.label, "lost its steps"))

        intercept(wheel, "_do_move_to", strike)
        _, summary = bench.run(plan, tmp_path / "out")
        assert stage.is_homed
    assert (summary.status, summary.frames_stored) == ("completed", 8)
    for fact in bench.said(FrameStored):
        assert stage.is_at(fact.record.event.target, fact.record.actual)


def test_a_wheel_that_does_not_start_leaves_the_stage_on_its_way(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with rig.rig(rig.machine(tmp_path, time_scale=5)) as bench:
        wheel = bench.microscope.filter_wheel
        assert wheel is not None

        struck: list[int] = []

        def strike(number: int, _: tuple[Any, ...], real: Callable[[], Any]) -> Any:
            if struck or bench.said(EventStarted)[-1].event.index != 3:  # on the way from there to the second well
                return real()
            struck.append(number)
            assert bench.microscope.stage.is_moving
            raise DeviceError(wheel.label, "was busy")

        intercept(wheel, "_do_move_to", strike)
        _, summary = bench.run(one_exposure(tmp_path, channels=TWO_FILTERS), tmp_path / "out")
    assert (summary.status, summary.frames_stored) == ("completed", 8)
    assert f"{wheel.label}: was busy" in caplog.text
    assert "stage:" not in caplog.text


@pytest.mark.parametrize("how", ["refused", "failed"])
def test_a_move_is_repeated_in_the_dark(tmp_path: Path, how: str) -> None:
    """The light stays on from plane to plane, but not on a sample that waits for a stage in trouble."""
    lit: list[tuple[str, ...]] = []
    plan = rig.plan(tmp_path, sequence={"keep_shutter_open_across": ["z"]})
    with rig.rig(rig.machine(tmp_path)) as bench:
        light = bench.microscope.illumination

        def strike(_: int, args: tuple[Any, ...], real: Callable[[], Any]) -> Any:
            if len(lit) == 1:
                lit.append(light.lit)
            if lit or not light.lit:
                return real()
            lit.append(light.lit)
            error = StageMoveError("stage", "lost its steps")
            if how == "refused":
                raise error
            return failed(error)

        intercept(bench.microscope.stage, "_do_move_to", strike)
        _, summary = bench.run(plan, tmp_path / "out")
        assert_over(bench)
    assert (summary.status, summary.frames_stored) == ("completed", FRAMES)
    assert lit[0] != ()
    assert lit[1] == ()


def test_homing_takes_nothing_from_the_intervals_of_a_time_lapse(tmp_path: Path) -> None:
    """Begun and resumed with a stage that must be homed first; the position is where homing ends: no long way to it."""
    interval_s = 0.5
    plan = rig.plan(
        tmp_path,
        plate=None,
        wells=None,
        fields=None,
        z_um=None,
        sequence={
            "stage_positions": [{"x": -9000, "y": -94000, "z": 50}],
            "channels": [{"config": "DAPI", "exposure": 5.0}],
            "time_plan": {"interval": interval_s, "loops": 4},
            "z_plan": None,
        },
    )
    machine = stage_options(tmp_path, 8, homed=False)
    homing_s: list[float] = []

    def strike(_: int, __: tuple[Any, ...], real: Callable[[], Any]) -> Any:
        started_s = time.monotonic()
        future = real()
        future.add_done_callback(lambda _: homing_s.append(time.monotonic() - started_s))
        return future

    with rig.rig(machine) as bench:
        intercept(bench.microscope.stage, "_do_home", strike)
        run = bench.controller.start(plan, tmp_path / "out")
        until(lambda: len(bench.said(FrameStored)) == 2)
        run.abort()
        ended(run)
        exposed_s = [fact.record.monotonic_s for fact in bench.said(FrameStored)]
    with rig.rig(machine) as bench:
        intercept(bench.microscope.stage, "_do_home", strike)
        summary = bench.finish(bench.controller.resume(run.folder))
        exposed_s += [fact.record.monotonic_s for fact in bench.said(FrameStored)]
    assert (summary.status, summary.frames_stored, len(exposed_s)) == ("completed", 4, 4)
    assert len(homing_s) == 2
    assert min(homing_s) > interval_s
    assert exposed_s[1] - exposed_s[0] > interval_s / 5  # less than the interval by what the first was late
    assert exposed_s[3] - exposed_s[2] > interval_s / 5


# --- opening and closing ---------------------------------------------------------------------------------------------


def test_a_foreign_error_while_closing_keeps_no_other_device_open(tmp_path: Path) -> None:
    def strike(_: int, __: tuple[Any, ...], real: Callable[[], Any]) -> Any:
        real()
        raise RuntimeError("what a vendor's library raises")

    microscope = Microscope.build(rig.machine(tmp_path))
    microscope.open()
    intercept(microscope.camera, "_do_close", strike)
    microscope.close()
    assert not any(device.is_open for device in microscope.devices.values())


def test_a_foreign_error_while_opening_closes_what_is_open(tmp_path: Path) -> None:
    def strike(_: int, __: tuple[Any, ...], ___: Callable[[], Any]) -> Any:
        raise RuntimeError("what a vendor's library raises")

    microscope = Microscope.build(rig.machine(tmp_path))
    intercept(microscope.illumination, "_do_open", strike)
    with pytest.raises((SquidError, RuntimeError), match="what a vendor's library raises"):
        microscope.open()
    assert not any(device.is_open for device in microscope.devices.values())
