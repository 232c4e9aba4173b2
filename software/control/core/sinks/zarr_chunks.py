"""A plane as a chunk of OME-Zarr, and back: plain, or compressed by Blosc, byte for byte as zarr-python's codec does.

The `blosc` package rather than numcodecs: the same library, built to use the processor's AVX2 where it has it, which
takes a fifth less time (docs/decisions/0077). Its settings are for the whole process and made here, once.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import blosc
import numpy as np

from squid.models.geometry import Pixels

_HEADER_BYTES = 16

blosc.set_nthreads(1)  # several planes are compressed at once, each in a thread of ours
blosc.set_releasegil(True)


class BloscSettings(NamedTuple):
    """What Blosc does with the bytes of a chunk, after shuffling them."""

    name: str
    level: int


BLOSC = {"lz4": BloscSettings("lz4", 1), "zstd": BloscSettings("zstd", 1)}

COMPRESSIONS = (*BLOSC, "none")
"""What a plan may ask for."""


def chunk_of(plane: Pixels, compression: str) -> bytes | memoryview:
    """Return the chunk of a plane in C order."""
    if compression == "none":
        return plane.data
    settings = BLOSC[compression]
    shuffle = blosc.BITSHUFFLE if plane.itemsize > 1 else blosc.NOSHUFFLE
    chunk: bytes = blosc.compress(plane, plane.itemsize, settings.level, shuffle, settings.name)
    return chunk


def plane_of(chunk: bytes, compression: str, shape_px: tuple[int, int], dtype: str) -> Pixels | None:
    """Return the plane of a chunk, shape (Y, X), read-only; None when the chunk is not whole, or of another shape."""
    expected = shape_px[0] * shape_px[1] * np.dtype(dtype).itemsize
    if compression == "none":
        return np.frombuffer(chunk, dtype).reshape(shape_px) if len(chunk) == expected else None
    if len(chunk) < _HEADER_BYTES:
        return None
    plain_bytes, _, packed_bytes = struct.unpack_from("<III", chunk, 4)
    if plain_bytes != expected or packed_bytes != len(chunk):
        return None
    try:
        return np.frombuffer(blosc.decompress(chunk), dtype).reshape(shape_px)
    except blosc.blosc_extension.error:  # Blosc's only word for a chunk that is damaged inside
        return None
