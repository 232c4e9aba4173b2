"""The memory of a frame is free for another when nobody holds it any more, not some collections later: it is large.

The camera's threads hold their last one until the next has come.
"""

from __future__ import annotations

import gc

from tests.contracts.table import TIMEOUT_S, opened, simulated

from squid.abc.camera import BurstShot, Camera, TriggerMode


def test_memory_is_free_with_its_exposure() -> None:
    with opened(simulated("camera", sensor_shape_px=(96, 128))) as camera:
        gc.collect()
        gc.disable()
        try:
            first = _pixels(camera).ctypes.data
            assert any(_pixels(camera).ctypes.data == first for _ in range(100))
        finally:
            gc.enable()


def test_memory_of_a_burst_is_free() -> None:
    with opened(simulated("camera", sensor_shape_px=(96, 128))) as camera:
        camera.set_trigger_mode(TriggerMode.HARDWARE)
        gc.collect()
        gc.disable()
        try:
            first = _burst(camera).ctypes.data
            assert any(_burst(camera).ctypes.data == first for _ in range(100))
        finally:
            gc.enable()


def _pixels(camera: Camera):  # type: ignore[no-untyped-def]
    exposure = camera.trigger(0)
    exposure.ended.result(TIMEOUT_S)
    return exposure.frame.result(TIMEOUT_S).pixels


def _burst(camera):  # type: ignore[no-untyped-def]
    exposures = camera.arm_burst([BurstShot(0, 2.0), BurstShot(1, 2.0)])
    pixels = None
    for exposure in exposures:
        camera.hardware_pulse()
        exposure.ended.result(TIMEOUT_S)
        pixels = exposure.frame.result(TIMEOUT_S).pixels
    return pixels
