"""Timing, light and faults of the simulated camera; its pixels are tested in test_sensor and test_cells."""

import time

import numpy as np
import pytest
from tests.squid.drivers.simulated.bench import EMPTY, TIMEOUT_S, Bench, bench

from squid.errors import DeviceError, FrameLostError


def signal(pixels: np.ndarray) -> float:
    """Mean counts above the offset of 12 bits."""
    return float(pixels.mean()) - 100


def test_durations_are_by_the_wall_clock() -> None:
    with bench({"time_scale": 4.0}, camera={"sensor_shape_px": (1024, 64), "readout_ms": 10}) as on:
        assert on.camera.exposure_duration_s(100) == pytest.approx(0.025)
        assert on.camera.readout_ms == pytest.approx(10 / 2 / 4)
        on.camera.set_binning(2)
        assert on.camera.readout_ms == pytest.approx(10 / 2 / 4)


def test_rendering_delays_no_exposure_and_no_frame_comes_early() -> None:
    with bench({"time_scale": 1.0}, camera={"sensor_shape_px": (64, 64), "readout_ms": 1000}) as on:
        on.camera.set_exposure_ms(10)
        start_s = time.monotonic()
        exposure = on.camera.trigger()
        ended_s = exposure.ended.result(TIMEOUT_S)
        exposure.frame.result(TIMEOUT_S)
        frame_s = time.monotonic()
        assert ended_s >= start_s + 0.010
        assert frame_s >= start_s + 0.010 + on.camera.readout_ms / 1000


def test_no_image_without_light() -> None:
    with bench({"specimen": {"cells_per_mm2": 1000}}) as on:
        dark = on.snap(None)
        assert abs(signal(dark)) < 0.5
        assert dark.std() < 1.5
        assert signal(on.snap("405")) > 5


def test_light_that_is_left_on_bleeds_into_the_next_channel() -> None:
    with bench({"specimen": EMPTY}) as on:
        alone = signal(on.snap("488", 0.5))
        on.light.turn_on("638", 1.0).result(TIMEOUT_S)
        both = signal(on.snap("488", 0.5))
        assert both == pytest.approx(3 * alone, rel=0.1)


def test_light_counts_for_the_part_of_the_exposure_in_which_it_was_on() -> None:
    with bench({"specimen": EMPTY, "time_scale": 1.0}, light={"off_latency_ms": 100}) as on:
        on.camera.set_exposure_ms(400)
        full = signal(on.snap("BF", 0.002))
        on.light.turn_on("BF", 0.002).result(TIMEOUT_S)
        exposure = on.camera.trigger()
        started_s = time.monotonic()
        on.light.turn_off("BF")
        off_s = time.monotonic() + 0.1
        part = signal(exposure.frame.result(TIMEOUT_S).pixels)
        assert part / full == pytest.approx((off_s - started_s) / 0.4, abs=0.05)


def test_a_stage_that_moves_during_the_exposure_smears() -> None:
    with bench(
        {"time_scale": 1.0, "specimen": {"cells_per_mm2": 2000, "well_spread": 0}},
        stage={"takes_no_time": False},
    ) as on:
        on.camera.set_exposure_ms(60)
        still = on.snap("405")
        on.light.turn_on("405", 0.5).result(TIMEOUT_S)
        exposure = on.camera.trigger()
        move = on.stage.move_to(x_um=on.stage.position().x_um + 450)
        smeared = exposure.frame.result(TIMEOUT_S).pixels
        move.result(TIMEOUT_S)
        assert smeared.std() < 0.9 * still.std()


def test_gain_binning_and_bits_scale_the_signal() -> None:
    with bench({"specimen": EMPTY}, camera={"vignetting": 0}) as on:
        plain = signal(on.snap("BF", 0.005))
        on.camera.set_gain(2)
        assert signal(on.snap("BF", 0.005)) == pytest.approx(2 * plain, rel=0.02)
        on.camera.set_gain(1)
        on.camera.set_binning(2)
        assert signal(on.snap("BF", 0.005)) == pytest.approx(4 * plain, rel=0.02)
        on.camera.set_binning(1)
        on.camera.set_pixel_format(on.camera.pixel_formats[-1])
        sixteen = float(on.snap("BF", 0.005).mean()) - 65535 * 100 / 4095
        assert sixteen == pytest.approx(plain * 65535 / 4095, rel=0.02)


def test_too_much_light_saturates() -> None:
    with bench({"specimen": EMPTY}, light={"sources": {"BF": {"power": 1000}}}) as on:
        on.camera.set_exposure_ms(1000)
        pixels = on.snap("BF", 1.0)
        assert pixels.max() <= 4095
        assert pixels.min() >= 4090


def struck(on: Bench, plan_index: int = 0) -> object:
    on.snap(None, plan_index=9)
    return on.camera.trigger(plan_index).frame.result(TIMEOUT_S)


def test_fault_none() -> None:
    with bench({"faults": ["camera.none@frame=0"]}) as on:
        assert struck(on) is None
        assert on.snap(None).shape == (256, 256)


def test_fault_wrong_shape() -> None:
    with bench({"faults": ["camera.wrong_shape@frame=0"]}) as on:
        assert on.snap(None).shape == (128, 256)


def test_fault_lost_frame_ends_the_exposure_but_gives_no_frame() -> None:
    with bench({"faults": ["camera.lost_frame@frame=0,times=2"]}) as on:
        for _ in range(2):
            exposure = on.camera.trigger(0)
            exposure.ended.result(TIMEOUT_S)
            assert isinstance(exposure.frame.exception(TIMEOUT_S), FrameLostError)
        assert on.frame().hardware_id == 3


def test_fault_duplicate_bears_the_earlier_trigger_id() -> None:
    with bench({"faults": ["camera.duplicate@frame=0"]}) as on:
        first = on.frame(9)
        exposure = on.camera.trigger(0)
        frame = exposure.frame.result(TIMEOUT_S)
        assert (frame.trigger_id, frame.hardware_id) == (first.trigger_id, first.hardware_id)
        assert frame.trigger_id == exposure.trigger_id - 1


def test_fault_skip_id_leaves_a_gap() -> None:
    with bench({"faults": ["camera.skip_id@frame=1"]}) as on:
        assert [on.frame(index).hardware_id for index in (0, 1, 2)] == [1, 3, 4]


def test_fault_late_frame_is_dropped_once_its_exposure_was_given_up() -> None:
    with bench({"faults": ["camera.late_frame@frame=0,delay_s=0.2"]}) as on:
        start_s = time.monotonic()
        late = on.camera.trigger(0)
        late.ended.result(TIMEOUT_S)
        on.camera.cancel()
        assert isinstance(late.frame.exception(TIMEOUT_S), FrameLostError)
        assert on.frame(1).trigger_id == 2
        assert on.camera.state()["late_frames_dropped"] == 1
        assert time.monotonic() - start_s < TIMEOUT_S


def test_fault_late_frame_comes_late() -> None:
    with bench({"faults": ["camera.late_frame@frame=0,delay_s=0.2"]}) as on:
        exposure = on.camera.trigger(0)
        ended_s = exposure.ended.result(TIMEOUT_S)
        assert exposure.frame.result(TIMEOUT_S).trigger_id == 1
        assert time.monotonic() - ended_s >= 0.19


def test_fault_no_frame_never_ends_until_it_is_cancelled() -> None:
    with bench({"faults": ["camera.no_frame@frame=0"]}) as on:
        exposure = on.camera.trigger(0)
        with pytest.raises(TimeoutError):
            exposure.ended.result(0.05)
        on.camera.cancel()
        assert isinstance(exposure.ended.exception(TIMEOUT_S), FrameLostError)
        on.frame()


def test_fault_exception_triggers_nothing() -> None:
    with bench({"faults": ["camera.exception@frame=0"]}) as on:
        with pytest.raises(DeviceError, match="injected"):
            on.camera.trigger(0)
        assert on.frame().trigger_id == 1


def test_a_lamp_that_stays_dark_gives_a_dark_frame() -> None:
    with bench({"faults": ["illumination.stays_dark@switch=1"], "specimen": EMPTY}) as on:
        assert abs(signal(on.snap("BF"))) < 0.5
        assert signal(on.snap("BF")) > 100
