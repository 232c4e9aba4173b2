"""`squid.drivers.simulated.frame_memory`: a frame that somebody has is never written again."""

from __future__ import annotations

import numpy as np
import pytest

from squid.drivers.simulated import frame_memory
from squid.drivers.simulated.frame_memory import FrameMemory


def test_a_frame_that_nobody_has_is_used_again() -> None:
    memory = FrameMemory()
    place = memory.frame(8, 16).ctypes.data
    assert memory.frame(8, 16).ctypes.data == place


def test_a_frame_or_a_view_of_it_that_somebody_has_is_left_alone() -> None:
    memory = FrameMemory()
    frame = memory.frame(8, 16)
    frame[:] = 7
    view = np.rot90(frame)[1:]
    raw = memoryview(memory.frame(8, 16))
    del frame
    other = memory.frame(8, 16)
    other[:] = 9
    assert (view == 7).all()
    assert raw.obj is not other


def test_other_shapes_get_other_memory() -> None:
    memory = FrameMemory()
    assert memory.frame(8, 16).shape == (8, 16)
    assert memory.frame(16, 8).shape == (16, 8)


def test_frames_larger_than_what_is_kept_are_made_anew_and_kept_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_memory, "_KEPT_BYTES", 1000)
    memory = FrameMemory()
    large = memory.frame(32, 32)  # 2048 bytes
    assert memory.frame(32, 32) is not large
    assert not memory._frames


def test_what_is_kept_is_as_much_as_may_wait_for_the_disk_and_no_more() -> None:
    memory = FrameMemory()
    held = [memory.frame(2048, 2048) for _ in range(40)]
    assert 128 * 2**20 < sum(frame.nbytes for frame in memory._frames) <= 192 * 2**20
    assert len({frame.ctypes.data for frame in held}) == 40
