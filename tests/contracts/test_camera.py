"""What every camera promises."""

import time
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest
from tests.contracts.table import CAMERAS, TIMEOUT_S, opened

from squid.abc.camera import Camera, PixelFormat, TriggerMode
from squid.errors import DeviceClosedError, DeviceError, FrameLostError, SettingError
from squid.models.geometry import Roi


@pytest.fixture(params=CAMERAS, ids=str)
def camera(request: pytest.FixtureRequest) -> Iterator[Camera]:
    with opened(request.param) as device:
        device.set_exposure_ms(5.0)
        yield device


def settings(camera: Camera) -> tuple[Any, ...]:
    return (
        camera.exposure_ms,
        camera.gain,
        camera.binning,
        camera.pixel_format,
        camera.trigger_mode,
        camera.roi,
    )


@pytest.mark.parametrize(
    ("setter", "value"),
    [
        ("set_exposure_ms", -1.0),
        ("set_exposure_ms", 1e9),
        ("set_exposure_ms", float("nan")),
        ("set_gain", 0.0),
        ("set_gain", 1e6),
        ("set_binning", 0),
        ("set_binning", 77),
        ("set_pixel_format", "mono7"),
        ("set_trigger_mode", "by hand"),
        ("set_roi", Roi(-1, 0, 8, 8)),
        ("set_roi", Roi(0, 0, 0, 8)),
        ("set_roi", Roi(0, 0, 100000, 8)),
        ("set_roi", Roi(1, 0, 128, 8)),
    ],
)
def test_a_refused_setting_changes_nothing(camera: Camera, setter: str, value: object) -> None:
    before = settings(camera)
    with pytest.raises(SettingError, match=r"allowed:") as refusal:
        getattr(camera, setter)(value)
    assert refusal.value.device == camera.label
    assert settings(camera) == before


def test_takes_both_ends_of_its_ranges(camera: Camera) -> None:
    for exposure_ms in camera.exposure_range_ms:
        camera.set_exposure_ms(exposure_ms)
        assert camera.exposure_ms == exposure_ms
    for gain in camera.gain_range:
        camera.set_gain(gain)
        assert camera.gain == gain


@pytest.mark.alone
def test_an_exposure_ends_before_its_frame_comes(camera: Camera) -> None:
    order: list[str] = []
    start_s = time.monotonic()
    exposure = camera.trigger(0)
    exposure.ended.add_done_callback(lambda _: order.append("ended"))
    exposure.frame.add_done_callback(lambda _: order.append("frame"))
    frame = exposure.frame.result(TIMEOUT_S)
    ended_s = exposure.ended.result(TIMEOUT_S)
    assert order == ["ended", "frame"]
    assert ended_s - start_s >= camera.exposure_duration_s(5.0) - 1e-4
    assert abs(frame.monotonic_s - ended_s) < 0.2
    assert abs(frame.utc_s - time.time()) < TIMEOUT_S


def test_counts_exposures_and_frames(camera: Camera) -> None:
    frames = []
    for number in range(1, 5):
        exposure = camera.trigger(number)
        assert exposure.trigger_id == number
        frames.append(exposure.frame.result(TIMEOUT_S))
    assert [frame.trigger_id for frame in frames] == [1, 2, 3, 4]
    hardware_ids = [frame.hardware_id for frame in frames]
    assert hardware_ids == list(range(hardware_ids[0], hardware_ids[0] + 4))


def test_takes_one_exposure_at_a_time(camera: Camera) -> None:
    camera.set_exposure_ms(200)
    exposure = camera.trigger(0)
    with pytest.raises(DeviceError, match="under way"):
        camera.trigger(1)
    exposure.frame.result(TIMEOUT_S)
    assert camera.trigger(1).frame.result(TIMEOUT_S).trigger_id == exposure.trigger_id + 1


@pytest.mark.parametrize("pixel_format", PixelFormat)
@pytest.mark.parametrize("binning", [1, 2, 4])
def test_frames_have_the_shape_and_type_that_was_set(camera: Camera, pixel_format: PixelFormat, binning: int) -> None:
    if pixel_format not in camera.pixel_formats or binning not in camera.binnings:
        pytest.skip(f"{camera.label} has no {pixel_format} at binning {binning}")
    camera.set_pixel_format(pixel_format)
    camera.set_binning(binning)
    height, width = camera.sensor_shape_px
    assert camera.roi == Roi(0, 0, width // binning, height // binning)
    pixels = camera.trigger(0).frame.result(TIMEOUT_S).pixels
    assert pixels.shape == camera.frame_shape_px == (height // binning, width // binning)
    assert pixels.dtype == np.dtype(pixel_format.dtype)
    assert pixels.max() < 2**pixel_format.bits


def test_a_region_of_interest_is_delivered(camera: Camera) -> None:
    camera.set_roi(Roi(5, 3, 31, 17))
    assert camera.frame_shape_px == (17, 31)
    assert camera.trigger(0).frame.result(TIMEOUT_S).pixels.shape == (17, 31)
    camera.set_binning(2)
    assert camera.roi.x_px == camera.roi.y_px == 0


def test_settings_are_latched_at_the_trigger(camera: Camera) -> None:
    shape = camera.frame_shape_px
    camera.set_exposure_ms(100)
    exposure = camera.trigger(0)
    camera.set_binning(2)
    assert exposure.frame.result(TIMEOUT_S).pixels.shape == shape


def test_the_receiver_owns_its_frames(camera: Camera) -> None:
    first = camera.trigger(0).frame.result(TIMEOUT_S).pixels
    kept = first.copy()
    camera.trigger(1).frame.result(TIMEOUT_S)
    assert np.array_equal(first, kept)
    first[:] = 0  # nobody refuses, nobody is hurt
    assert camera.trigger(2).frame.result(TIMEOUT_S).pixels.any()


def test_cancel_fails_both_ends_and_frees_the_camera(camera: Camera) -> None:
    camera.cancel()
    camera.set_exposure_ms(camera.exposure_range_ms[1])
    exposure = camera.trigger(0)
    camera.cancel()
    for end in (exposure.ended, exposure.frame):
        assert isinstance(end.exception(TIMEOUT_S), FrameLostError)
    camera.set_exposure_ms(5.0)
    assert camera.trigger(1).frame.result(TIMEOUT_S).trigger_id == exposure.trigger_id + 1


def test_closing_fails_the_exposure_under_way(camera: Camera) -> None:
    camera.set_exposure_ms(camera.exposure_range_ms[1])
    exposure = camera.trigger(0)
    camera.close()
    ends: tuple[Future[Any], ...] = (exposure.ended, exposure.frame)
    assert all(isinstance(end.exception(TIMEOUT_S), DeviceClosedError) for end in ends)


def test_read_out_time_follows_the_rows(camera: Camera) -> None:
    whole_ms = camera.readout_ms
    height, width = camera.frame_shape_px
    camera.set_roi(Roi(0, 0, width, height // 2))
    assert 0 <= camera.readout_ms <= whole_ms


def test_hardware_mode_waits_for_a_pulse(camera: Camera) -> None:
    if TriggerMode.HARDWARE not in camera.trigger_modes:
        pytest.skip(f"{camera.label} has no hardware trigger")
    camera.set_trigger_mode(TriggerMode.HARDWARE)
    exposure = camera.trigger(0)
    with pytest.raises(TimeoutError):
        exposure.ended.result(10 * camera.exposure_duration_s(5.0))
    camera.cancel()
    assert isinstance(exposure.frame.exception(TIMEOUT_S), FrameLostError)
