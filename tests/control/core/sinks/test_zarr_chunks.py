"""Chunks are what zarr-python's codec writes and reads, and a damaged one is no plane."""

from __future__ import annotations

import numcodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.core.sinks.zarr_chunks import BLOSC, COMPRESSIONS, chunk_of, plane_of

SHAPE_PX = (120, 70)


def picture(dtype: str) -> np.ndarray:
    return np.random.default_rng(3).poisson(90, SHAPE_PX).astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("compression", BLOSC)
def test_a_chunk_is_the_one_of_the_fields_codec(compression, dtype):
    shuffle = numcodecs.Blosc.BITSHUFFLE if dtype == "uint16" else numcodecs.Blosc.NOSHUFFLE
    codec = numcodecs.Blosc(BLOSC[compression].name, BLOSC[compression].level, shuffle)
    assert chunk_of(picture(dtype), compression) == codec.encode(picture(dtype))


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_plane_comes_back(compression, dtype):
    plane = plane_of(bytes(chunk_of(picture(dtype), compression)), compression, SHAPE_PX, dtype)
    np.testing.assert_array_equal(plane, picture(dtype), strict=True)


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_chunk_that_is_cut_off_or_of_another_shape_is_no_plane(compression):
    chunk = bytes(chunk_of(picture("uint16"), compression))
    for length in (0, 7, 16, len(chunk) - 1):
        assert plane_of(chunk[:length], compression, SHAPE_PX, "uint16") is None
    assert plane_of(chunk, compression, (SHAPE_PX[0] + 1, SHAPE_PX[1]), "uint16") is None


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(BLOSC)), st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), max_size=8))
def test_a_damaged_chunk_is_no_plane_or_one_of_the_right_shape(compression, damages):
    chunk = bytearray(chunk_of(picture("uint16"), compression))
    for place, change in damages:
        chunk[place % len(chunk)] ^= change
    plane = plane_of(bytes(chunk), compression, SHAPE_PX, "uint16")
    assert plane is None or (plane.shape == SHAPE_PX and plane.dtype == np.uint16)
