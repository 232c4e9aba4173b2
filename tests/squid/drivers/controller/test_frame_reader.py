"""Finding frames in a stream that lost, gained or changed bytes."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squid.drivers.controller.frame_reader import FrameReader
from squid.drivers.controller.packets import StatusFrame, encode_status


def frame(number: int, version: tuple[int, int] = (1, 4), x: int | None = None) -> StatusFrame:
    x = number * 1000 if x is None else x
    return StatusFrame(number % 256, 0, x, -30000, -64000, 0, 0, 0, 0, version)


def test_junk_before_a_frame_is_skipped() -> None:
    found = FrameReader().feed(bytes.fromhex("deadbeef550301ffffd74b0000000000000000000000000000000014c8"))
    assert [(f.command_id, f.x_usteps) for f in found] == [(3, -10421)]


@pytest.mark.parametrize("lost", range(1, 24))
@pytest.mark.parametrize("version", [(0, 0), (1, 4), (2, 0)])
def test_any_loss_costs_the_frame_and_no_other(lost: int, version: tuple[int, int]) -> None:
    sent = [frame(number, version) for number in range(1, 9)]
    stream = b"".join(encode_status(f) for f in sent)
    found = FrameReader().feed(stream[: 2 * 24 + 5] + stream[2 * 24 + 5 + lost :])
    assert found[:2] == sent[:2]
    assert found[-4:] == sent[-4:]
    assert all(f in sent for f in found)


@given(st.integers(0, 2**32), st.sampled_from([(1, 4), (2, 0)]), st.integers(1, 60))
@settings(max_examples=50, deadline=None)
def test_pieces_of_any_size_give_the_same_frames(seed: int, version: tuple[int, int], most: int) -> None:
    rng = random.Random(seed)
    sent = [frame(number, version, rng.randint(-(2**31), 2**31 - 1)) for number in range(20)]
    stream = b"".join(encode_status(f) for f in sent)
    reader, found, at = FrameReader(), [], 0
    while at < len(stream):
        size = rng.randint(1, most)
        found += reader.feed(stream[at : at + size])
        at += size
    assert found == sent
    assert reader.damaged == 0


@pytest.mark.parametrize("seed", range(4))
def test_one_percent_of_damaged_bytes_never_gives_a_wrong_frame_of_ours(seed: int) -> None:
    rng = random.Random(seed)
    sent = [frame(number, (2, 0), rng.randint(-(2**31), 2**31 - 1)) for number in range(2000)]
    stream = bytearray(b"".join(encode_status(f) for f in sent))
    for at in range(len(stream)):
        if rng.random() < 0.01:
            stream[at] ^= rng.randint(1, 255)
    reader = FrameReader()
    found = reader.feed(bytes(stream))
    assert set(found) <= set(sent)
    assert len(found) > 0.7 * len(sent)
    assert reader.damaged > 0


def test_frames_without_checksums_are_taken_while_nothing_better_was_seen() -> None:
    old = bytes.fromhex("090000000001000000020000000300000004000000000000")
    reader = FrameReader()
    assert reader.feed(old) == []
    assert [f.command_id for f in reader.feed(old)] == [9, 9]
    moved = bytearray(old)
    moved[5] = 7
    assert [f.x_usteps for f in reader.feed(bytes(moved))] == [7]


def test_frames_without_checksums_are_refused_once_checksums_were_seen() -> None:
    old = bytes.fromhex("090000000001000000020000000300000004000000000000")
    reader = FrameReader()
    assert len(reader.feed(encode_status(frame(1)))) == 1
    assert reader.feed(old * 3) == []
    assert reader.feed(encode_status(frame(2)))[-1] == frame(2)
