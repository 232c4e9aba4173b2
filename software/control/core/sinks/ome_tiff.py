"""OME-TIFF: one file per field in ``ome_tiff/``, made when the field's first frame comes.

A file has its full length and all its directories from the start, and frames are put into their places in any order;
its OME-XML is true after every frame (`ome_xml`), so that a killed run leaves readable files and closing is free.
Plain positional writes: on a full disk a memory map would end the process with SIGBUS.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

from control.core.sinks.disk import Disk
from control.core.sinks.frame_table import FrameTable
from control.core.sinks.ome_xml import OmeXml, start_of
from control.core.sinks.pyramid import contiguous
from control.core.sinks.tiff_layout import TiffLayout
from squid.errors import StorageError
from squid.models.frame import FrameRecord
from squid.models.geometry import Pixels
from squid.models.layout import DatasetLayout, ImageLayout

FOLDER = "ome_tiff"

OPEN_FILES = 64
"""Files that stay open, the most recently used ones."""


class OmeTiffSink:
    """Writes ``ome_tiff/{image name}.ome.tiff`` and ``ome_tiff/frames.csv``; pixels are not compressed.

    Parameters
    ----------
    durable : bool
        `flush` waits for the device, so that frames outlive a power cut.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self._durable = durable
        self._files: OrderedDict[int, _FieldFile] = OrderedDict()
        self._closed = True
        self._disk: Disk
        self._layout: DatasetLayout
        self._table: FrameTable

    @property
    def outputs(self) -> tuple[str, ...]:
        """The folder of files."""
        return (FOLDER,)

    def open(self, folder: Path, layout: DatasetLayout, *, resume: bool) -> None:
        """Make the folder; files come with their first frame."""
        self._disk = Disk(folder, planned_bytes=layout.frames_planned * layout.frame_bytes, durable=self._durable)
        self._layout = layout
        self._table = FrameTable(self._disk, folder / FOLDER, layout.frames_planned)
        self._table.open(resume=resume)
        self._disk.written_bytes = layout.frame_bytes * len(self._table)
        self._closed = False

    def append(self, record: FrameRecord, pixels: Pixels) -> None:
        """Put the frame into its place; it need not be kept after the call."""
        self._disk.check_present()
        image = self._layout.images[record.event.image]
        file = self._file(image, record.utc_s)
        with self._disk.guard(file.path):
            file.write(record, contiguous(pixels))
        self._disk.written_bytes += pixels.nbytes
        self._table.add(record, image.name)

    def skip(self, index: int, reason: str) -> None:
        """Note the reason; the plane stays zero and without a `Plane` element."""
        self._table.skip(index, reason)

    def flush(self) -> None:
        """Frames are in their files already; note them in the table."""
        self._table.commit()
        self._disk.sync()

    def drop(self) -> None:
        """Let the files go."""
        if self._closed:
            return
        self._let_files_go()
        self._disk.check_present()

    def close(self, missing: Collection[int] = ()) -> None:
        """Write the table of missing frames and let the files go."""
        if self._closed:
            return
        self.flush()
        self._table.finish(missing)
        self._disk.sync()
        self._let_files_go()
        self._closed = True

    def _let_files_go(self) -> None:
        while self._files:
            self._files.popitem()[1].close()

    def _file(self, image: ImageLayout, utc_s: float) -> _FieldFile:
        if image.index in self._files:
            self._files.move_to_end(image.index)
            return self._files[image.index]
        if len(self._files) >= OPEN_FILES:
            self._files.popitem(last=False)[1].close()
        file = _FieldFile(self._disk, self._disk.folder / FOLDER / f"{file_name(image.name)}.ome.tiff")
        file.open(self._layout, image, utc_s)
        self._files[image.index] = file
        return file


class _FieldFile:
    """One file, open for writing."""

    def __init__(self, disk: Disk, path: Path) -> None:
        self.path = path
        self._disk = disk
        self._descriptor = -1
        self._xml: OmeXml
        self._tiff: TiffLayout

    def open(self, layout: DatasetLayout, image: ImageLayout, utc_s: float) -> None:
        """Open the file, or make it; `utc_s` is the time of its first frame."""
        is_new = not self.path.exists()
        start_utc_s = utc_s if is_new else self._read_start()
        self._xml = OmeXml(layout, image, start_utc_s)
        self._tiff = TiffLayout(layout.shape_px, layout.dtype, self._xml.planes, self._xml.size, layout.pixel_size_um)
        if is_new:
            with self._disk.replacing(self.path) as partial, partial.open("wb") as file:
                file.write(self._tiff.head(self._xml.text()))
                file.truncate(self._tiff.file_bytes)
        with self._disk.guard(self.path):
            self._descriptor = os.open(self.path, os.O_RDWR | getattr(os, "O_BINARY", 0))
        if not is_new:
            self._check()

    def write(self, record: FrameRecord, pixels: Pixels) -> None:
        """Write pixels, then the plane's metadata."""
        event = record.event
        plane = self._xml.plane(event.t, event.c, event.z)
        self._put(self._tiff.plane_offset(plane), pixels.data)
        for offset, text in self._xml.patches(record):
            self._put(self._tiff.description_offset + offset, text)

    def close(self) -> None:
        """Let the file go."""
        os.close(self._descriptor)

    def _put(self, offset: int, data: bytes | memoryview) -> None:
        os.lseek(self._descriptor, offset, os.SEEK_SET)
        self._disk.write_fully(self._descriptor, data)

    def _read_start(self) -> float:
        with self._disk.guard(self.path), self.path.open("rb") as file:
            start = start_of(file.read(1 << 16))
        if start is None:
            raise StorageError(f"{self.path}: is no file of this program: it has no acquisition date")
        return datetime.fromisoformat(start).replace(tzinfo=UTC).timestamp()

    def _check(self) -> None:
        """Raise `StorageError` unless the file that is there has the layout of this run."""
        with self._disk.guard(self.path):
            os.lseek(self._descriptor, self._tiff.description_offset, os.SEEK_SET)
            head = os.read(self._descriptor, self._xml.size)
            size = os.fstat(self._descriptor).st_size
        if size != self._tiff.file_bytes or not self._xml.fits(head):
            self.close()
            raise StorageError(f"{self.path}: was written for another plan ({size} bytes)")


def file_name(name: str) -> str:
    """Return an image's name as a file name: what no file system takes becomes ``_``."""
    return "".join("_" if character in '<>:"/\\|?* ' or ord(character) < 32 else character for character in name)
