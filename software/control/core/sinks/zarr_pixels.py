"""The pixels of an OME-Zarr data set, written by tensorstore.

Owns the open arrays: the most recently used ones only, so that memory does not grow with the plate. tensorstore puts
each chunk into a file of its own under another name and renames it, so that a chunk is whole or absent.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import tensorstore as ts

from control.core.sinks.pyramid import levels
from control.core.sinks.zarr_metadata import Json
from squid.models.geometry import Pixels

OPEN_IMAGES = 32
"""Images whose arrays stay open."""


class Commit(Protocol):
    """A write on its way; a tensorstore future."""

    def result(self) -> Any:
        """Wait for the end; raises `ValueError` when it failed."""

    def done(self) -> bool:
        """Whether it has ended."""


class ZarrPixels:
    """Writes frames into arrays.

    Parameters
    ----------
    durable : bool
        Chunks are synced to the device.
    threads : int
        Chunks that are compressed and written at once.
    """

    def __init__(self, *, durable: bool, threads: int = 2) -> None:
        self._context = ts.Context(
            {
                "file_io_concurrency": {"limit": threads},
                "data_copy_concurrency": {"limit": threads},
                "file_io_sync": durable,
            }
        )
        self._open: OrderedDict[Path, list[ts.TensorStore]] = OrderedDict()

    def write(
        self, folder: Path, documents: Sequence[Json], place: tuple[int, int, int], pixels: Pixels
    ) -> list[Commit]:
        """Start writing a frame and its smaller levels.

        Parameters
        ----------
        folder : Path
            The image; its documents are on disk.
        documents : sequence of dict
            Of its arrays, largest first.
        place : (int, int, int)
            Time point, channel, z plane.
        pixels : ndarray, shape (Y, X)
            Contiguous; must not change until the writes have ended.
        """
        arrays = self._arrays(folder, documents)
        return [
            array[place].write(level, can_reference_source_data_indefinitely=True).commit
            for array, level in zip(arrays, levels(pixels, len(arrays)), strict=True)
        ]

    def close(self) -> None:
        """Let the arrays go."""
        self._open.clear()

    def _arrays(self, folder: Path, documents: Sequence[Json]) -> list[ts.TensorStore]:
        if folder in self._open:
            self._open.move_to_end(folder)
            return self._open[folder]
        opening = [self._start_opening(folder / str(level), document) for level, document in enumerate(documents)]
        self._open[folder] = [each.result() for each in opening]
        if len(self._open) > OPEN_IMAGES:
            self._open.popitem(last=False)
        return self._open[folder]

    def _start_opening(self, folder: Path, document: Json) -> ts.Future[ts.TensorStore]:
        store = {"driver": "file", "path": f"{folder.as_posix()}/"}
        spec = {"driver": "zarr3", "kvstore": store, "metadata": document}
        opening: ts.Future[ts.TensorStore] = ts.open(spec, open=True, assume_metadata=True, context=self._context)
        return opening
