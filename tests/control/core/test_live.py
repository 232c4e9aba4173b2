"""Live view on the simulated microscope: frames, settings, light, leases, snaps."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests import rig
from tests.hands import HandBench, hand_bench, wait_until

from control.core import live as live_module
from control.core import live_loop
from control.core.hands import OWNER
from control.core.live_frame import LiveFrame
from control.core.live_loop import FrameRate, keeps_lit
from squid.abc.camera import TriggerMode
from squid.errors import DeviceError, SettingError
from squid.models.geometry import Roi


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[HandBench]:
    with hand_bench(rig.machine(tmp_path), tmp_path) as made:
        yield made


def watch(bench: HandBench, count: int) -> list[LiveFrame]:
    """Look at live view, as the window does, until `count` more frames have come."""
    seen: list[LiveFrame] = []

    def look() -> bool:
        frame = bench.live.newest()
        if frame is not None and (not seen or frame.number != seen[-1].number):
            seen.append(frame)
        return len(seen) > count  # the first may be an old one

    wait_until(look, "live frames", tick=bench.live.tick)
    return seen[1:]


# --- frames -----------------------------------------------------------------------------------------------------------


def test_frames_come_one_after_the_other_and_say_how_they_were_taken(bench: HandBench) -> None:
    live = bench.live
    live.set(channel="FITC", exposure_ms=7.0, intensity=0.25, gain=2.0)
    live.start()
    frames = watch(bench, 5)
    assert live.is_running
    assert [frame.number for frame in frames] == sorted({frame.number for frame in frames})
    frame = frames[-1]
    assert (frame.channel, frame.exposure_ms, frame.intensity, frame.gain) == ("FITC", 7.0, 0.25, 2.0)
    assert (frame.source, frame.objective, frame.significant_bits) == ("488", "20x", 12)
    assert frame.pixels.shape == rig.SENSOR_PX
    assert frame.pixels.dtype == np.uint16
    assert frame.pixel_size_um == pytest.approx(6.5 / 20)
    assert frame.position == pytest.approx(bench.microscope.stage.position(), abs=1)
    assert live.frame_rate_hz > 1
    assert live.failure is None


def test_pixels_are_in_stage_orientation(tmp_path: Path) -> None:
    config = rig.machine(tmp_path)
    turned = config.camera.model_copy(
        update={"orientation": config.camera.orientation.model_copy(update={"rotate_deg": 90})}
    )
    with hand_bench(config.model_copy(update={"camera": turned}), tmp_path) as bench:
        frame = bench.ask(bench.live.snap)
    assert frame.pixels.shape == rig.SENSOR_PX[::-1]


def test_a_camera_on_a_trigger_line_is_triggered_by_it(tmp_path: Path) -> None:
    config = rig.machine(tmp_path)
    camera = config.camera.model_copy(update={"trigger": TriggerMode.HARDWARE})
    with hand_bench(config.model_copy(update={"camera": camera}), tmp_path) as bench:
        bench.live.start()
        assert len(watch(bench, 3)) == 3
        assert bench.microscope.camera.trigger_mode is TriggerMode.HARDWARE


def test_starting_twice_and_stopping_twice_is_harmless(bench: HandBench) -> None:
    live = bench.live
    live.start()
    live.start()
    watch(bench, 1)
    live.stop()
    live.stop()
    assert not live.is_running
    assert live.wait_stopped(10)
    assert bench.microscope.owner is None
    assert bench.microscope.illumination.lit == ()


def test_a_start_right_after_a_stop_shows_frames_again(bench: HandBench) -> None:
    for _ in range(5):
        bench.live.start()
        watch(bench, 1)
        bench.live.stop()
    bench.live.start()
    watch(bench, 2)
    assert bench.live.is_running


def test_a_run_keeps_live_away_and_live_keeps_a_run_away(bench: HandBench) -> None:
    with bench.microscope.reserve("the run of plate 7"):
        with pytest.raises(DeviceError, match="the run of plate 7"):
            bench.live.start()
        with pytest.raises(DeviceError, match="the run of plate 7"):
            bench.ask(bench.live.snap)
        assert not bench.live.is_running
    bench.live.start()
    with pytest.raises(DeviceError, match=OWNER), bench.microscope.reserve("the run of plate 7"):
        pass


def test_a_stop_ends_a_long_exposure(tmp_path: Path) -> None:
    with hand_bench(rig.machine(tmp_path, time_scale=1), tmp_path) as bench:
        bench.live.set(exposure_ms=30_000)
        bench.live.start()
        wait_until(lambda: bench.microscope.illumination.lit, "light", tick=bench.live.tick)
        bench.live.stop()
        assert bench.live.wait_stopped(10)
        assert bench.microscope.illumination.lit == ()


# --- settings ---------------------------------------------------------------------------------------------------------


def test_a_new_setting_is_in_the_next_frame_and_never_in_a_label_alone(bench: HandBench) -> None:
    """Light is in proportion to exposure times intensity: a frame labelled with the wrong one would show."""
    live, offset = bench.live, 100
    live.set(channel="Brightfield", exposure_ms=2.0, intensity=0.1)
    live.start()
    brightness: dict[tuple[float, float], list[float]] = {}
    for exposure_ms, intensity in ((2.0, 0.1), (4.0, 0.1), (8.0, 0.1), (2.0, 0.2), (2.0, 0.4), (8.0, 0.05), (2.0, 0.1)):
        live.set(exposure_ms=exposure_ms, intensity=intensity)
        for frame in watch(bench, 4):
            per_dose = (float(frame.pixels.mean()) - offset) / (frame.exposure_ms * frame.intensity)
            brightness.setdefault((frame.exposure_ms, frame.intensity), []).append(per_dose)
    assert len(brightness) == 6
    every = [value for values in brightness.values() for value in values]
    assert max(every) == pytest.approx(min(every), rel=0.2)


def test_choosing_a_channel_takes_its_preset(bench: HandBench) -> None:
    live, presets = bench.live, bench.microscope.config.channels_of("20x")
    live.set(exposure_ms=3.0)
    live.set(channel="Cy5", intensity=0.1)
    assert live.settings.exposure_ms == presets["Cy5"].exposure_ms
    assert (live.settings.channel, live.settings.intensity, live.settings.gain) == ("Cy5", 0.1, 1.0)
    assert live.channels == tuple(presets)


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({"exposure_ms": 0.0}, "0.02 to 30000"),
        ({"exposure_ms": float("nan")}, "0.02 to 30000"),
        ({"intensity": 1.1}, "0 to 1"),
        ({"gain": 99.0}, "1 to 16"),
        ({"channel": "DAPY"}, "DAPI"),
    ],
)
def test_a_setting_out_of_range_is_refused_at_once_and_changes_nothing(
    bench: HandBench, changes: dict[str, float], allowed: str
) -> None:
    before = bench.live.settings
    with pytest.raises(SettingError, match=allowed):
        bench.live.set(**{"intensity": 0.01, **changes})  # type: ignore[arg-type]
    assert bench.live.settings == before


def test_a_channel_turns_its_filter_in(tmp_path: Path) -> None:
    config = rig.machine(tmp_path)
    own = {
        **config.channels["default"],
        "DAPI": config.channels["default"]["DAPI"].model_copy(update={"filter": "600/50"}),
    }
    channels = {**config.channels, "default": own}
    with hand_bench(config.model_copy(update={"channels": channels}), tmp_path) as bench:
        wheel = bench.microscope.filter_wheel
        assert wheel is not None
        assert wheel.current != "600/50"
        bench.live.set(channel="DAPI")
        bench.ask(bench.live.snap)
        assert wheel.current == "600/50"


def test_binning_and_region_take_effect_and_are_not_left_to_runs(bench: HandBench) -> None:
    live, camera = bench.live, bench.microscope.camera
    live.set(gain=4.0)
    live.start()
    watch(bench, 1)
    live.set_camera(binning=2, roi=Roi(8, 4, 16, 8))
    frame = watch(bench, 2)[-1]
    assert frame.pixels.shape == (8, 16)
    assert frame.view.binning == 2
    assert frame.pixel_size_um == pytest.approx(2 * 6.5 / 20)
    live.set_camera()
    assert watch(bench, 2)[-1].pixels.shape == (32, 40)
    live.stop()
    assert live.wait_stopped(10)
    assert (camera.binning, camera.frame_shape_px, camera.gain) == (1, rig.SENSOR_PX, 1.0)
    assert live.camera_view.binning == 2  # the next live view goes on with it


def test_a_window_that_looks_away_gives_the_camera_back(bench: HandBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans are checked against the camera that runs will have, whatever live view was doing."""
    monkeypatch.setattr(live_loop, "TICK_S", 0.2)
    bench.live.set_camera(binning=2)
    bench.live.start()
    watch(bench, 2)
    wait_until(lambda: bench.microscope.camera.binning == 1, "the camera")
    assert watch(bench, 2)[-1].view.binning == 2


def test_a_run_refuses_a_camera_that_was_not_given_back(bench: HandBench) -> None:
    bench.microscope.check_camera_config()
    bench.microscope.camera.set_binning(2)
    with pytest.raises(DeviceError, match=r"camera: has binning 2, mono12, 40 x 32 px .* but binning 1"):
        bench.microscope.check_camera_config()
    bench.ask(bench.live.snap)
    bench.microscope.check_camera_config()


def test_a_region_drawn_in_a_frame_shows_that_part(bench: HandBench) -> None:
    live = bench.live
    whole = bench.ask(live.snap)
    live.show_part(whole, Roi(17, 9, 20, 10))
    part = bench.ask(live.snap)
    assert part.view.roi == Roi(16, 8, 24, 16)
    assert part.pixels.shape == (16, 24)


@pytest.mark.parametrize("wrong", [{"binning": 3}, {"roi": Roi(0, 0, 81, 8)}, {"roi": Roi(0, 0, 0, 8)}])
def test_a_wrong_view_of_the_camera_is_refused(bench: HandBench, wrong: dict[str, Roi]) -> None:
    before = bench.live.camera_view
    with pytest.raises(SettingError, match="allowed"):
        bench.live.set_camera(**wrong)  # type: ignore[arg-type]
    assert bench.live.camera_view == before


def test_no_frame_is_shown_while_the_turret_turns(tmp_path: Path) -> None:
    with hand_bench(rig.machine(tmp_path, time_scale=4), tmp_path) as bench:
        bench.live.start()
        watch(bench, 1)
        bench.manual.set_objective("40x")
        seen: set[tuple[str, float]] = set()

        def look() -> bool:
            frame = bench.live.newest()
            assert frame is not None
            seen.add((frame.objective, round(frame.pixel_size_um, 6)))
            return frame.objective == "40x"

        wait_until(look, "a frame with the other objective", tick=bench.live.tick)
    assert seen == {("20x", round(6.5 / 20, 6)), ("40x", round(6.5 / 40, 6))}


# --- light and lease --------------------------------------------------------------------------------------------------


def test_without_a_window_that_ticks_it_goes_dark_and_the_lease_is_not_fed(
    bench: HandBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_loop, "TICK_S", 0.3)
    beats: list[float] = []
    monkeypatch.setattr(bench.microscope, "beat", lambda: beats.append(time.monotonic()))
    bench.live.start()
    watch(bench, 2)
    last_tick_s = time.monotonic()
    number = -1

    def no_more_frames() -> bool:
        nonlocal number
        newest = bench.live.newest()
        assert newest is not None
        same, number = newest.number == number, newest.number
        time.sleep(0.1)
        return same and not bench.microscope.illumination.lit

    wait_until(no_more_frames, "the dark")
    assert beats
    assert beats[-1] < last_tick_s + 0.3 + 0.05
    assert bench.live.is_running  # it waits for the window
    watch(bench, 2)  # and goes on with it
    assert beats[-1] > last_tick_s + 0.3


def test_a_long_exposure_ends_when_the_window_does_not_tick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_loop, "TICK_S", 0.3)
    with hand_bench(rig.machine(tmp_path, time_scale=1), tmp_path) as bench:
        bench.live.set(exposure_ms=30_000)
        bench.live.start()
        wait_until(lambda: bench.microscope.illumination.lit, "light", tick=bench.live.tick)
        wait_until(lambda: not bench.microscope.illumination.lit, "the dark")


def test_a_changed_setting_ends_a_long_exposure(tmp_path: Path) -> None:
    with hand_bench(rig.machine(tmp_path, time_scale=1), tmp_path) as bench:
        bench.live.set(exposure_ms=30_000)
        bench.live.start()
        wait_until(lambda: bench.microscope.illumination.lit, "light", tick=bench.live.tick)
        bench.live.set(exposure_ms=5.0)
        wait_until(bench.live.newest, "a frame", tick=bench.live.tick)
        frame = bench.live.newest()
        assert frame is not None
        assert frame.exposure_ms == 5.0


@pytest.mark.parametrize(
    ("latency_ms", "period_s", "stays"),
    [(0.5, 0.02, False), (10.0, 0.02, True), (10.0, 0.5, False), (2.0, 0.02, False), (2.1, 0.19, True)],
)
def test_a_slow_light_stays_on_between_fast_frames(latency_ms: float, period_s: float, stays: bool) -> None:
    assert keeps_lit(latency_ms, period_s) is stays


def test_a_fast_light_is_dark_between_frames(tmp_path: Path) -> None:
    with hand_bench(rig.machine(tmp_path, time_scale=1), tmp_path) as bench:
        bench.live.set(exposure_ms=20.0)
        switched_off = []
        light = bench.microscope.illumination
        turn_off = light.turn_off
        light.turn_off = lambda source: (switched_off.append(source), turn_off(source))[1]  # type: ignore[method-assign]
        bench.live.start()
        frames = watch(bench, 5)
    assert len(switched_off) >= len(frames)


def test_a_slow_light_burns_on_between_frames_and_goes_off_with_live(tmp_path: Path) -> None:
    config = rig.machine(tmp_path, time_scale=1)
    lamp = config.devices["light"]
    slow = lamp.model_copy(update={"options": {**lamp.options, "on_latency_ms": 5.0}})
    with hand_bench(config.model_copy(update={"devices": {**config.devices, "light": slow}}), tmp_path) as bench:
        light, switched = bench.microscope.illumination, []
        turn_on = light.turn_on
        light.turn_on = lambda *a: (switched.append(a), turn_on(*a))[1]  # type: ignore[method-assign]
        bench.live.set(channel="DAPI", exposure_ms=10.0)
        bench.live.start()
        watch(bench, 5)
        assert light.lit == ("405",)
        assert len(switched) == 1
        bench.live.set(channel="FITC", exposure_ms=10.0)
        wait_until(lambda: light.lit == ("488",), "the other light", tick=bench.live.tick)
        bench.live.stop()
        assert bench.live.wait_stopped(10)
        assert light.lit == ()


# --- snaps ------------------------------------------------------------------------------------------------------------


def test_a_snap_is_one_frame_and_leaves_the_light_off(bench: HandBench) -> None:
    bench.live.set(channel="TRITC", exposure_ms=5.0)
    frame = bench.ask(bench.live.snap)
    assert (frame.channel, frame.exposure_ms) == ("TRITC", 5.0)
    assert bench.live.newest() is frame
    assert bench.microscope.illumination.lit == ()
    assert bench.microscope.owner is None


def test_a_snap_during_live_is_begun_after_it_was_asked_for(bench: HandBench) -> None:
    bench.live.start()
    watch(bench, 2)
    bench.live.set(exposure_ms=6.5)
    handle = bench.manager.submit("snap", bench.live.snap)
    wait_until(lambda: handle.is_finished, "the snap", tick=bench.live.tick)
    assert handle.result is not None
    assert handle.result.value.exposure_ms == 6.5
    assert bench.live.is_running


def test_a_snap_outside_a_task_is_refused(bench: HandBench) -> None:
    with pytest.raises(RuntimeError, match="in a task"):
        bench.live.snap()
    assert bench.microscope.owner is None


# --- the rate ---------------------------------------------------------------------------------------------------------


def test_the_rate_is_that_of_the_last_second_and_zero_when_nothing_comes() -> None:
    rate = FrameRate()
    assert rate.per_second(0.0) == 0
    for number in range(100):
        rate.note(number * 0.02)
    assert rate.per_second(1.98) == pytest.approx(50)
    assert rate.per_second(3.5) == 0
    for number in range(3):
        rate.note(10.0 + 5 * number)
    assert rate.per_second(21.0) == pytest.approx(0.2)


@pytest.mark.parametrize("ends", ["stopped", "given up"])
def test_live_view_that_gets_no_thread_keeps_no_run_away(
    bench: HandBench, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    monkeypatch.setattr(live_module, "THREAD_S", 0.2 if ends == "given up" else 60.0)
    go_on = threading.Event()
    for number in range(8):
        bench.manager.submit(f"hangs {number}", lambda: go_on.wait(60))
    bench.live.start()
    assert bench.microscope.owner == OWNER
    if ends == "stopped":
        bench.live.stop()
        assert bench.live.wait_stopped(0)
    else:
        wait_until(lambda: bench.live.failure, "the failure")
        assert "waited for more than 0.2 s" in str(bench.live.failure)
    wait_until(lambda: bench.microscope.owner is None, "the microscope")
    go_on.set()
    bench.live.start()
    watch(bench, 2)
