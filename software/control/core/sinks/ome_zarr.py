"""OME-Zarr 0.5: a plate of images TCZYX with pyramids, and a collection for positions outside the plate.

::

    append ──▶ documents of the image, if new ──▶ writes of its levels start ──▶ waits while too many are in flight
    flush  ──▶ all writes have ended ──▶ lines in OME/frames.csv

A frame belongs to the sink until `flush` returns: one whose write failed is written again by the next `append` or
`flush`, so that after a full disk was emptied the caller repeats the call that failed and nothing is lost.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from control.core.sinks.disk import Disk
from control.core.sinks.frame_table import FrameTable
from control.core.sinks.pyramid import level_shapes
from control.core.sinks.zarr_chunks import COMPRESSIONS
from control.core.sinks.zarr_metadata import Window
from control.core.sinks.zarr_pixels import FrameWrite, ZarrPixels
from control.core.sinks.zarr_tree import ZarrTree
from squid.errors import ConfigurationError, StorageError
from squid.models.frame import FrameRecord
from squid.models.geometry import Pixels
from squid.models.layout import DatasetLayout, ImageLayout

IN_FLIGHT_BYTES = 64 << 20
"""Pixels that are being compressed and written at once; at least one frame, at most `IN_FLIGHT_FRAMES`."""

IN_FLIGHT_FRAMES = 8


@dataclass(slots=True)
class _Pending:
    """A frame between `append` and `flush`.

    No pixels: it is stored. Pixels without a write: it must be started (again).
    """

    record: FrameRecord
    pixels: Pixels | None
    nbytes: int
    write: FrameWrite | None = None

    @property
    def is_flying(self) -> bool:
        return self.write is not None and not self.write.is_done


@dataclass(frozen=True, slots=True)
class _DataSet:
    """One root folder: the plate, or the free positions."""

    tree: ZarrTree
    table: FrameTable


class OmeZarrSink:
    """Writes ``plate.ome.zarr`` and, for positions outside the plate, ``positions.ome.zarr``.

    Parameters
    ----------
    compression : str
        ``lz4`` (fast, about half the bytes of camera frames), ``zstd`` (smaller, three times the work) or ``none``.
    durable : bool
        `flush` waits for the device, so that frames outlive a power cut.
    """

    def __init__(self, compression: str = "lz4", *, durable: bool = False) -> None:
        if compression not in COMPRESSIONS:
            raise ConfigurationError(
                f"{compression!r} is not a compression of OME-Zarr", key="compression", allowed=", ".join(COMPRESSIONS)
            )
        self._compression = compression
        self._durable = durable
        self._outputs: tuple[str, ...] = ()
        self._pending: dict[int, _Pending] = {}
        self._data_sets: dict[bool, _DataSet] = {}
        self._closed = True
        self._disk: Disk
        self._pixels: ZarrPixels
        self._layout: DatasetLayout
        self._in_flight_frames = 1

    @property
    def outputs(self) -> tuple[str, ...]:
        """The plate, the collection of free positions, or both."""
        return self._outputs

    def open(self, folder: Path, layout: DatasetLayout, *, resume: bool) -> None:
        """Make the data sets with their first image, or find what an earlier part of the run left."""
        self._in_flight_frames = min(IN_FLIGHT_FRAMES, max(1, IN_FLIGHT_BYTES // layout.frame_bytes))
        self._disk = Disk(folder, planned_bytes=layout.frames_planned * layout.frame_bytes, durable=self._durable)
        self._layout = layout
        self._pixels = ZarrPixels(self._disk, self._compression, len(level_shapes(layout.shape_px)))
        self._data_sets = {}
        in_wells = layout.plate is not None
        plate = [image for image in layout.images if in_wells and image.well]
        free = [image for image in layout.images if not (in_wells and image.well)]
        self._outputs = tuple(
            self._open_data_set(folder / f"{name}.ome.zarr", images, resume=resume)
            for name, images in (("plate", plate), ("positions", free))
            if images
        )
        self._disk.written_bytes = layout.frame_bytes * sum(len(each.table) for each in self._data_sets.values())
        self._closed = False

    def append(self, record: FrameRecord, pixels: Pixels) -> None:
        """Start writing the frame; waits while too many are in flight."""
        self._disk.check_present()
        self._pending[record.event.index] = _Pending(record, pixels, pixels.nbytes)
        self._start_pending()

    def skip(self, index: int, reason: str) -> None:
        """Note the reason; the chunk stays absent, which readers see as zeros."""
        tables = [each.table for each in self._data_sets.values()]
        next((table for table in tables if index in table), tables[0]).skip(index, reason)

    def flush(self) -> None:
        """Wait for all writes, then note the frames in the table."""
        if not self._pending:
            return
        self._disk.check_present()
        self._start_pending()
        self._settle(0)
        for pending in self._pending.values():
            image = self._image(pending.record)
            self._data_sets[self._is_free(image)].table.add(pending.record, image.name)
        for data_set in self._data_sets.values():
            data_set.table.commit()
        self._disk.sync()
        self._disk.written_bytes += sum(pending.nbytes for pending in self._pending.values())
        self._pending.clear()

    def drop(self) -> None:
        """Wait for the writes under way and forget what was not flushed."""
        if self._closed:
            return
        self._pixels.drop()
        self._pending.clear()
        self._disk.check_present()

    def close(self, missing: Collection[int] = ()) -> None:
        """Flush, write the table of missing frames and the display ranges."""
        if self._closed:
            return
        self.flush()
        for data_set in self._data_sets.values():
            data_set.tree.finish()
            data_set.table.finish(missing)
        self._disk.sync()
        self._pixels.drop()
        self._closed = True

    def _open_data_set(self, root: Path, images: list[ImageLayout], *, resume: bool) -> str:
        table = FrameTable(self._disk, root / "OME", self._layout.frames_planned)
        table.open(resume=resume)
        tree = ZarrTree(self._disk, root, self._layout, images, self._compression)
        tree.open(images, resume=resume)
        self._data_sets[self._is_free(images[0])] = _DataSet(tree, table)
        return root.name

    def _start_pending(self) -> None:
        for pending in self._pending.values():
            if pending.pixels is not None and pending.write is None:
                self._settle(self._in_flight_frames - 1)
                pending.write = self._start(pending.record, pending.pixels)

    def _start(self, record: FrameRecord, pixels: Pixels) -> FrameWrite:
        event = record.event
        image = self._image(record)
        tree = self._data_sets[self._is_free(image)].tree
        if not tree.has_window(event.c):
            tree.set_window(event.c, display_window(pixels))
        tree.ensure(image)
        return self._pixels.write(tree.folder(image), (event.t, event.c, event.z), pixels)

    def _settle(self, allowed: int) -> None:
        """Wait until at most `allowed` frames are in flight; a frame that failed must be started again.

        Raises
        ------
        StorageError
            The first failure; all frames that had to end have ended.
        """
        flying = sum(pending.is_flying for pending in self._pending.values())
        failure: StorageError | None = None
        for pending in self._pending.values():
            if pending.write is None or (pending.is_flying and flying <= allowed):
                continue
            flying -= pending.is_flying
            try:
                pending.write.finish()
                pending.pixels = None
            except StorageError as e:
                failure = failure or e
            pending.write = None
        if failure is not None:
            raise failure

    def _image(self, record: FrameRecord) -> ImageLayout:
        return self._layout.images[record.event.image]

    def _is_free(self, image: ImageLayout) -> bool:
        return self._layout.plate is None or image.well is None


def display_window(pixels: Pixels) -> Window:
    """Return a display range for a channel from one of its frames: 0.1 % to 99.9 %, a quarter wider at the top."""
    small = pixels[:: max(1, pixels.shape[0] // 256), :: max(1, pixels.shape[1] // 256)]
    grey = np.sort(small, axis=None)
    low, high = (int(grey[round(share * (grey.size - 1))]) for share in (0.001, 0.999))
    highest = int(np.iinfo(pixels.dtype).max)
    end = min(highest, int(high + 0.25 * (high - low)) + 1)
    return min(low, end - 1), end
