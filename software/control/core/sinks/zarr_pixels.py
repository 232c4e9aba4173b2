"""The pixels of an OME-Zarr data set: each plane of each level is one chunk, in a file of its own.

Owns the threads that compress (numcodecs' Blosc, the codec of zarr-python) and write. A chunk is written under another
name and renamed, so that it is whole or absent. Why not tensorstore: docs/decisions/0020-zarr-chunks.md.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numcodecs import blosc

from control.core.sinks.disk import Disk
from control.core.sinks.pyramid import contiguous, levels
from control.core.sinks.zarr_metadata import BLOSC, chunk_key
from squid.models.geometry import Pixels

THREADS = 2
"""Frames that are compressed and written at once."""


class ZarrPixels:
    """Writes frames into the chunk files of images whose documents exist.

    Parameters
    ----------
    disk : Disk
        Of the run.
    compression : str
        Of `zarr_metadata.COMPRESSIONS`.
    levels : int
        Number of levels.
    """

    def __init__(self, disk: Disk, compression: str, levels: int) -> None:
        self._disk = disk
        self._compression = compression
        self._levels = levels
        self._encode(np.zeros((1, 1), np.uint16))  # its first use imports and takes 30 ms: not during the run
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="zarr")

    def write(self, image: Path, place: tuple[int, int, int], pixels: Pixels) -> Future[None]:
        """Start writing a frame and its smaller levels.

        Parameters
        ----------
        image : Path
            Folder of the image.
        place : (int, int, int)
            Time point, channel, z plane.
        pixels : ndarray, shape (Y, X)
            Must not change until the future is done.

        Returns
        -------
        Future
            Raises `StorageError` or `DiskFullError`; some levels may have been written then.
        """
        return self._pool.submit(self._write, image, place, pixels)

    def close(self) -> None:
        """End the threads; harmless when repeated."""
        self._pool.shutdown()

    def _write(self, image: Path, place: tuple[int, int, int], pixels: Pixels) -> None:
        for level, plane in enumerate(levels(contiguous(pixels), self._levels)):
            self._put(image / str(level) / chunk_key(place), self._encode(plane))

    def _put(self, path: Path, chunk: bytes | memoryview) -> None:
        with self._disk.replacing(path) as partial, partial.open("wb", buffering=0) as file:
            self._disk.write_fully(file.fileno(), chunk)

    def _encode(self, plane: Pixels) -> bytes | memoryview:
        if self._compression == "none":
            return plane.data
        settings = BLOSC[self._compression]
        shuffle = blosc.BITSHUFFLE if plane.itemsize > 1 else blosc.NOSHUFFLE
        chunk: bytes = blosc.compress(plane, settings.name.encode(), settings.level, shuffle)
        return chunk
