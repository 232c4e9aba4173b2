"""Faults during live view and moves by hand: the call is named, stacks are kept, the light is off, work goes on after.

Rows are those of `docs/fault_cases.md`: 4 (a call never returns), 17-20 (frames), 21 and 22 (stage), 31 (safety lane).
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from tests import rig
from tests.hands import HandBench, finished, hand_bench, wait_until

from control.core import device_calls, emergency, lighting, live_camera, live_loop
from control.core.live_camera import LIVE_INDEX
from squid.errors import BadFrameError, DeviceError, StageMoveError

DEADLINE_S = 1.0
BOUND_S = 0.1
"""From the emergency stop to the light's command (row 31)."""


@pytest.fixture(autouse=True)
def _short_margins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps get a second beyond physics instead of three: the tests wait for them to pass."""
    for module in (device_calls, lighting):
        monkeypatch.setattr(module, "CALL_S", DEADLINE_S)
    monkeypatch.setattr(device_calls, "MOVE_MARGIN_S", 0.8)
    monkeypatch.setattr(live_camera, "FIRST_FRAME_S", DEADLINE_S)


def newest_number(bench: HandBench) -> int:
    """Number of the newest live frame; 0 before the first."""
    newest = bench.live.newest()
    return newest.number if newest is not None else 0


def at_frame(number: int, kind: str, more: str = "") -> str:
    """A fault of the camera in the live frame of that number."""
    return f"camera.{kind}@frame={LIVE_INDEX + number}{more}"


# --- live view --------------------------------------------------------------------------------------------------------


def test_a_camera_that_hangs_ends_live_in_the_dark_and_is_named(tmp_path: Path) -> None:
    with hand_bench(rig.machine(tmp_path), tmp_path, [at_frame(5, "hang")]) as bench:
        live, light = bench.live, bench.microscope.illumination
        live.start()
        wait_until(lambda: live.failure, "the failure", tick=live.tick)
        assert light.lit == ()
        assert not live.is_running
        assert live.failure is not None
        assert "camera.trigger did not return within" in live.failure
        assert "light off" in live.failure
        assert str(bench.stacks) in live.failure
        wait_until(lambda: live.wait_stopped(0) and bench.microscope.owner is None, "the microscope")
        wait_until(lambda: "task 'live'" in bench.stacks.read_text(), "the stacks")
        assert "camera.trigger did not return" in bench.stacks.read_text()
        wait_until(lambda: bench.manager.get_statistics()["quarantined_threads"] == 1, "the quarantine")

        live.start()  # the camera answers again: the injected fault strikes once
        wait_until(lambda: newest_number(bench) > 6, "frames", tick=live.tick)
        assert live.failure is None


def test_a_hung_call_that_comes_back_late_does_nothing(tmp_path: Path) -> None:
    with hand_bench(rig.machine(tmp_path), tmp_path) as bench:
        camera, released, late = bench.microscope.camera, threading.Event(), threading.Event()
        trigger = camera._do_trigger

        def hang(index: int) -> object:
            released.wait(30)
            late.set()
            return trigger(index)

        camera._do_trigger = hang  # type: ignore[method-assign, assignment]
        bench.live.start()
        wait_until(lambda: bench.live.failure, "the failure", tick=bench.live.tick)
        camera._do_trigger = trigger  # type: ignore[method-assign]
        released.set()
        assert late.wait(10)
        wait_until(lambda: bench.manager.get_statistics()["quarantined_threads"] == 0, "the late thread")
        assert bench.live.newest() is None
        assert bench.microscope.illumination.lit == ()


def test_a_light_that_comes_back_while_the_hang_is_reported_stays_dark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call returns between the light-off command and the end of the task: nothing is lit, triggered or shown."""
    with hand_bench(rig.machine(tmp_path), tmp_path) as bench:
        light, camera, released = bench.microscope.illumination, bench.microscope.camera, threading.Event()
        turn_on, all_off = light._do_turn_on, light._do_all_off
        triggered: list[int] = []
        trigger = camera._do_trigger
        monkeypatch.setattr(camera, "_do_trigger", lambda index: (triggered.append(index), trigger(index))[1])
        monkeypatch.setattr(light, "_do_turn_on", lambda *a: (released.wait(30), turn_on(*a))[1])
        monkeypatch.setattr(light, "_do_all_off", lambda: (released.set(), all_off())[1])
        bench.live.start()
        wait_until(lambda: bench.live.failure, "the failure", tick=bench.live.tick)
        wait_until(lambda: bench.manager.wait_for_done(0), "the end of the task")
        wait_until(lambda: bench.manager.get_statistics()["quarantined_threads"] == 0, "the late thread")
        assert triggered == []
        assert light.lit == ()
        assert bench.live.newest() is None


@pytest.mark.parametrize("kind", ["lost_frame", "none", "wrong_shape", "exception", "duplicate", "no_frame"])
def test_one_bad_frame_is_not_shown_and_live_goes_on(tmp_path: Path, kind: str) -> None:
    with hand_bench(rig.machine(tmp_path), tmp_path, [at_frame(4, kind)]) as bench:
        numbers: set[int] = set()

        def look() -> bool:
            frame = bench.live.newest()
            if frame is not None:
                numbers.add(frame.number)
                assert frame.pixels.shape == rig.SENSOR_PX
            return bool(numbers) and max(numbers) > 8

        bench.live.start()
        wait_until(look, "frames after the fault", tick=bench.live.tick)
        assert 4 not in numbers
        assert bench.live.failure is None


def test_bad_frames_in_a_row_end_live_and_the_last_reason_is_told(tmp_path: Path) -> None:
    faults = [at_frame(number, "lost_frame") for number in range(4, 4 + live_loop.FAILURES)]
    with hand_bench(rig.machine(tmp_path), tmp_path, faults) as bench:
        bench.live.start()
        wait_until(lambda: bench.live.failure, "the failure", tick=bench.live.tick)
        assert bench.live.failure is not None
        assert "was lost" in bench.live.failure
        assert bench.live.wait_stopped(10)
        assert bench.microscope.illumination.lit == ()
        assert bench.microscope.owner is None


def test_a_light_that_hangs_ends_live(tmp_path: Path) -> None:
    with hand_bench(rig.machine(tmp_path), tmp_path, ["illumination.hang@switch=3"]) as bench:
        bench.live.start()
        wait_until(lambda: bench.live.failure, "the failure", tick=bench.live.tick)
        assert bench.live.failure is not None
        assert "light.turn_on did not return" in bench.live.failure
        assert bench.microscope.illumination.lit == ()


def test_a_bad_snap_is_an_error_and_dark(tmp_path: Path) -> None:
    with hand_bench(rig.machine(tmp_path), tmp_path, [at_frame(1, "wrong_shape")]) as bench:
        with pytest.raises(BadFrameError, match="instead of"):
            bench.ask(bench.live.snap)
        assert bench.microscope.illumination.lit == ()
        assert bench.ask(bench.live.snap).number == 2


def test_a_snap_whose_camera_hangs_ends_its_task(tmp_path: Path) -> None:
    with hand_bench(rig.machine(tmp_path), tmp_path, [at_frame(1, "hang")]) as bench:
        result = finished(bench.manager.submit("snap", bench.live.snap))
        assert result.timed_out
        assert "camera.trigger did not return" in str(result.error)
        assert bench.microscope.illumination.lit == ()
        wait_until(lambda: bench.microscope.owner is None, "the microscope")


# --- moves by hand ----------------------------------------------------------------------------------------------------


def test_a_stage_that_hangs_is_named_and_moves_go_on_after(tmp_path: Path) -> None:
    with hand_bench(rig.machine(tmp_path), tmp_path, ["stage.hang@move=2"]) as bench:
        assert finished(bench.manual.move_by(dx_um=10)).success
        told: list[str] = []
        result = finished(bench.manual.move_by(dx_um=10, on_error=lambda r: told.append(str(r.error))))
        assert result.timed_out
        assert "stage.move_to did not return within" in str(result.error)
        assert str(bench.stacks) in str(result.error)
        wait_until(lambda: told, "the message")
        assert told == [str(result.error)]
        assert "stage.move_to did not return" in bench.stacks.read_text()
        wait_until(lambda: bench.microscope.owner is None, "the microscope")
        assert finished(bench.manual.move_by(dx_um=10)).success


def test_a_move_that_never_arrives_is_stopped_and_never_taken_for_arrived(tmp_path: Path) -> None:
    with hand_bench(rig.machine(tmp_path), tmp_path, ["stage.never_arrives@move=1"]) as bench:
        error = finished(bench.manual.move_by(dx_um=10)).error
        assert isinstance(error, StageMoveError)
        assert "did not arrive" in str(error)
        assert not bench.microscope.stage.is_moving


def test_a_stage_that_stands_elsewhere_than_it_says_is_told(tmp_path: Path) -> None:
    with hand_bench(rig.machine(tmp_path), tmp_path, ["stage.off_target@move=1,by_um=20"]) as bench:
        error = finished(bench.manual.move_to(x_um=10_000)).error
        assert isinstance(error, StageMoveError)
        assert "x = 10.020 mm, not at 10.000 mm" in str(error)


def test_a_turret_that_hangs_is_named(tmp_path: Path) -> None:
    with hand_bench(rig.machine(tmp_path), tmp_path, ["objective_changer.hang@move=1"]) as bench:
        result = finished(bench.manual.set_objective("4x"))
        assert result.timed_out
        assert "turret.move_to did not return" in str(result.error)


# --- the emergency stop while everything hangs (row 31) ----------------------------------------------------------


@pytest.mark.alone
def test_the_emergency_stop_darkens_while_all_workers_and_live_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Camera, stage and every worker hang, and no deadline helps; the light's command is made within 100 ms."""
    for module in (device_calls, lighting, live_camera):
        monkeypatch.setattr(module, "FIRST_FRAME_S" if module is live_camera else "CALL_S", 60.0)
    released = threading.Event()
    hangs = [*(at_frame(number, "hang") for number in range(1, 9)), "stage.hang@move=1"]
    with hand_bench(rig.machine(tmp_path), tmp_path, hangs) as bench:
        _hang_everything(bench, released)
        light, took_s = bench.microscope.illumination, []
        all_off = light.all_off
        for _ in range(3):  # the quickest counts: the test machine may be busy, the program is not
            called: list[float] = []
            light.all_off = lambda called=called: (called.append(time.monotonic()), all_off())  # type: ignore[method-assign, misc]
            light.turn_on(light.sources[0].name, 0.5)
            pressed_s = time.monotonic()
            state = bench.manual.emergency_stop().result(10)
            took_s.append(called[0] - pressed_s)
            assert (state.dark, state.stopped) == (True, True)
            assert light.lit == ()
        assert min(took_s) < BOUND_S
        assert bench.manager.active_thread_count() == 8
        released.set()
        for device in (bench.microscope.camera, bench.microscope.stage):
            device.close()  # ends its injected hang


def test_a_hang_whose_stacks_cannot_be_kept_gives_the_microscope_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk of the log folder is full."""

    def full(_: str) -> None:
        raise OSError(28, "No space left on device")

    with hand_bench(rig.machine(tmp_path), tmp_path, ["stage.hang@move=1"]) as bench:
        monkeypatch.setattr(bench.manager._dump_file, "dump", full)
        result = finished(bench.manual.move_by(dx_um=10))
        assert "stage.move_to did not return" in str(result.error)
        wait_until(lambda: bench.microscope.owner is None, "the microscope")
        assert finished(bench.manual.move_by(dx_um=10)).success


def test_the_emergency_stop_tells_what_it_could_not_confirm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emergency, "ANSWER_S", 0.3)
    with hand_bench(rig.machine(tmp_path), tmp_path) as bench:
        released = threading.Event()
        monkeypatch.setattr(bench.microscope.illumination, "_do_all_off", lambda: released.wait(30))
        state = bench.manual.emergency_stop().result(10)
        released.set()
        assert (state.dark, state.stopped) == (False, True)  # another thread of the lane stopped the stage


def _hang_everything(bench: HandBench, released: threading.Event) -> None:
    """Hang live view, a move, and every other worker."""
    camera, hanging = bench.microscope.camera, threading.Event()
    trigger = camera._do_trigger
    camera._do_trigger = lambda index: (hanging.set(), trigger(index))[1]  # type: ignore[method-assign]
    bench.live.start()
    bench.manual.move_by(dx_um=10)
    for number in range(6):
        bench.manager.submit(f"hung {number}", released.wait)
    wait_until(hanging.is_set, "the hang of live view", tick=bench.live.tick)
    wait_until(lambda: bench.manager.active_thread_count() == 8, "eight busy workers", tick=bench.live.tick)


def test_a_closed_device_is_no_mystery(tmp_path: Path) -> None:
    with hand_bench(rig.machine(tmp_path), tmp_path) as bench:
        bench.microscope.camera.close()
        with pytest.raises(DeviceError, match="camera: is not open"):
            bench.ask(bench.live.snap)
