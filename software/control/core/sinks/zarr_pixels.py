"""The pixels of an OME-Zarr data set: each plane of each level is one chunk, in a file of its own.

Owns the threads that compress and write: a pool of their own, which no other task can delay, and which stands back for
the acquisition loop. A chunk is written under another name and renamed, so that it is whole or absent. Why not
tensorstore: docs/decisions/0020-zarr-chunks.md.
"""

from __future__ import annotations

import itertools
from pathlib import Path

from control.core.sinks.disk import Disk
from control.core.sinks.pyramid import contiguous, levels
from control.core.sinks.zarr_chunks import chunk_of
from control.core.sinks.zarr_metadata import chunk_key
from squid.errors import StorageError
from squid.models.geometry import Pixels
from squid.utils.task import Task, TaskHandle
from squid.utils.task_pool import TaskPool

THREADS = 2
"""Frames that are compressed and written at once."""

LAST_WRITES_S = 1.0
"""How long `ZarrPixels.drop` waits for the writes under way."""


class FrameWrite:
    """A frame that is being written."""

    def __init__(self, handle: TaskHandle) -> None:
        self._handle = handle

    @property
    def is_done(self) -> bool:
        """Whether it has ended, well or not."""
        return self._handle.is_finished

    def finish(self) -> None:
        """Wait for the end.

        Raises
        ------
        StorageError, DiskFullError
            Some levels may have been written.
        """
        self._handle.wait()
        result = self._handle.result
        assert result is not None  # it has ended
        error = result.error or result.value
        if error is not None:
            raise error


class ZarrPixels:
    """Writes frames into the chunk files of images whose documents exist.

    Parameters
    ----------
    disk : Disk
        Of the run.
    compression : str
        Of `zarr_chunks.COMPRESSIONS`.
    levels : int
        Number of levels.
    """

    def __init__(self, disk: Disk, compression: str, levels: int) -> None:
        self._disk = disk
        self._compression = compression
        self._levels = levels
        self._pool = TaskPool("zarr", THREADS, in_background=True)
        self._numbers = itertools.count()

    def write(self, image: Path, place: tuple[int, int, int], pixels: Pixels) -> FrameWrite:
        """Start writing a frame and its smaller levels.

        Parameters
        ----------
        image : Path
            Folder of the image.
        place : (int, int, int)
            Time point, channel, z plane.
        pixels : ndarray, shape (Y, X)
            Must not change until the write is done.
        """

        def write() -> StorageError | None:  # a full disk is no failure of the task: it would be logged with its stack
            try:
                self._write(image, place, pixels)
            except StorageError as failure:
                return failure
            return None

        task = Task(f"write {chunk_key(place)} of {image} ({next(self._numbers)})", write)
        self._pool.submit(task)
        return FrameWrite(TaskHandle.of(task, self._pool))

    def drop(self) -> None:
        """Start no more writes and end the threads; harmless when repeated.

        Raises
        ------
        StorageError
            A write under way has not ended.
        """
        for task in self._pool.active():
            if task.started_at is None:
                self._pool.cancel(task)
        if not self._pool.wait_idle(LAST_WRITES_S):
            raise StorageError(f"a frame is still being written after {LAST_WRITES_S:g} s")
        self._pool.shut_down(0.0)

    def _write(self, image: Path, place: tuple[int, int, int], pixels: Pixels) -> None:
        for level, plane in enumerate(levels(contiguous(pixels), self._levels)):
            self._put(image / str(level) / chunk_key(place), chunk_of(plane, self._compression))

    def _put(self, path: Path, chunk: bytes | memoryview) -> None:
        with self._disk.replacing(path) as partial, partial.open("wb", buffering=0) as file:
            self._disk.write_fully(file.fileno(), chunk)
