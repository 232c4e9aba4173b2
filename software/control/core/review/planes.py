"""Reads single planes of a run's files, one reader for each format behind one protocol.

A reader gives a whole plane or None: a file that is not there, or is shorter or other than it must be, is no plane.
Which planes are stored is not its business: the journal says so (`control.core.review.frames`).
"""

from __future__ import annotations

import os
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Protocol

import numpy as np

from control.core.sinks import squid_metadata
from control.core.sinks.ome_tiff import FOLDER, file_name
from control.core.sinks.pyramid import level_shapes, levels
from control.core.sinks.tiff import DESCRIPTION
from control.core.sinks.tiff_layout import TiffLayout
from control.core.sinks.zarr_chunks import plane_of
from control.core.sinks.zarr_metadata import chunk_key, well_path
from squid.errors import StorageError
from squid.models.geometry import Pixels
from squid.models.layout import DatasetLayout, ImageLayout

_KNOWN_FILES = 4096


class PlaneReader(Protocol):
    """Reads planes; any thread may call it.

    Raises
    ------
    StorageError
        The disk does not answer as it should; nothing is known of the plane.
    """

    def read(self, image: ImageLayout, t: int, c: int, z: int, level: int) -> Pixels | None:
        """Return a plane, shape (Y, X) of that level; None when its file is not there or not whole."""

    def path(self, image: ImageLayout, t: int, c: int, z: int) -> Path:
        """Return the file that holds the plane."""


def plane_reader(format: str, compression: str, folder: Path, layout: DatasetLayout) -> PlaneReader | None:
    """Return the reader of a storage format; None for a format that leaves nothing on disk."""
    if format == "ome-zarr":
        return ZarrPlanes(folder, layout, compression)
    if format == "ome-tiff":
        return OmeTiffPlanes(folder, layout)
    return TiffPlanes(folder, layout) if format == "tiff" else None


class ZarrPlanes:
    """Planes of ``plate.ome.zarr`` and ``positions.ome.zarr``: each is one chunk in a file of its own."""

    def __init__(self, folder: Path, layout: DatasetLayout, compression: str) -> None:
        self._folder = folder
        self._layout = layout
        self._compression = compression
        self._shapes = level_shapes(layout.shape_px)
        self._numbers: dict[int, int] | None = None

    def read(self, image: ImageLayout, t: int, c: int, z: int, level: int) -> Pixels | None:
        """Return a plane of any level, as it is stored."""
        data = _content(self.folder(image) / str(level) / chunk_key((t, c, z)))
        return None if data is None else plane_of(data, self._compression, self._shapes[level], self._layout.dtype)

    def path(self, image: ImageLayout, t: int, c: int, z: int) -> Path:
        """Return the chunk's file."""
        return self.folder(image) / "0" / chunk_key((t, c, z))

    def folder(self, image: ImageLayout) -> Path:
        """Return where an image is."""
        if self._layout.plate is not None and image.well is not None:
            return self._folder / "plate.ome.zarr" / well_path(image.well) / str(image.field)
        if self._numbers is None:
            free = (each.index for each in self._layout.images if self._layout.plate is None or each.well is None)
            self._numbers = {index: number for number, index in enumerate(free)}
        return self._folder / "positions.ome.zarr" / str(self._numbers[image.index])


class OmeTiffPlanes:
    """Planes of ``ome_tiff/<image>.ome.tiff``: uncompressed, one behind the other, z fastest, then c, then t."""

    def __init__(self, folder: Path, layout: DatasetLayout) -> None:
        self._folder = folder
        self._layout = layout
        self._starts: OrderedDict[Path, int] = OrderedDict()

    def read(self, image: ImageLayout, t: int, c: int, z: int, level: int) -> Pixels | None:
        """Return a plane; smaller levels are computed."""
        path = self.path(image, t, c, z)
        start = self._start(path)
        if start is None:
            return None
        plane = (t * len(self._layout.channels) + c) * image.size_z + z
        return _plain_plane(path, start + plane * self._layout.frame_bytes, self._layout, level)

    def path(self, image: ImageLayout, t: int, c: int, z: int) -> Path:
        """Return the field's file."""
        return self._folder / FOLDER / f"{file_name(image.name)}.ome.tiff"

    def _start(self, path: Path) -> int | None:
        """Return where the first plane starts in a file; None when there is no such file yet."""
        if path not in self._starts:
            start = first_plane_offset(path)
            if start is None:
                return None
            self._starts[path] = start
            if len(self._starts) > _KNOWN_FILES:
                self._starts.popitem(last=False)
        return self._starts[path]


class TiffPlanes:
    """Planes of ``<t>/{region}_{fov}_{z}_{channel}.tiff``: uncompressed, one each."""

    def __init__(self, folder: Path, layout: DatasetLayout) -> None:
        self._folder = folder
        self._layout = layout
        tiff = TiffLayout(layout.shape_px, layout.dtype, 1, len(DESCRIPTION), layout.pixel_size_um)
        self._start = tiff.plane_offset(0)

    def read(self, image: ImageLayout, t: int, c: int, z: int, level: int) -> Pixels | None:
        """Return a plane; smaller levels are computed."""
        return _plain_plane(self.path(image, t, c, z), self._start, self._layout, level)

    def path(self, image: ImageLayout, t: int, c: int, z: int) -> Path:
        """Return the frame's file."""
        region, fov = squid_metadata.region(image)
        channel = file_name(self._layout.channels[c].name)
        return self._folder / str(t) / f"{file_name(region)}_{fov}_{z}_{channel}.tiff"


def first_plane_offset(path: Path) -> int | None:
    """Return the offset of the first plane of a TIFF or BigTIFF of one strip a plane; None when there is no file.

    Raises
    ------
    StorageError
        It is no such file, or cannot be read.
    """
    head = _piece(path, 0, 16)
    if head is None:
        return None
    is_big = head[:4] == b"II\x2b\0"
    if not is_big and head[:4] != b"II\x2a\0":
        raise StorageError(f"{path}: is no little-endian TIFF file")
    (directory,) = struct.unpack_from("<Q" if is_big else "<I", head, 8 if is_big else 4)
    count_format, entry_format = ("<Q", "<HHQQ") if is_big else ("<H", "<HHII")
    entries = struct.calcsize(count_format)
    (count,) = struct.unpack(count_format, _piece(path, directory, entries) or bytes(entries))
    table = _piece(path, directory + entries, min(count, 100) * struct.calcsize(entry_format)) or b""
    for tag, _, values, value in struct.iter_unpack(entry_format, table):
        if tag == 273 and values == 1:
            return int(value)
    raise StorageError(f"{path}: has no strip offset; it is no file of this program")


def _plain_plane(path: Path, offset: int, layout: DatasetLayout, level: int) -> Pixels | None:
    data = _piece(path, offset, layout.frame_bytes)
    if data is None:
        return None
    plane: Pixels = np.frombuffer(data, np.dtype(layout.dtype)).reshape(layout.shape_px)
    return levels(plane, level + 1)[level]


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as e:
        raise StorageError(f"{path} cannot be read: {e.strerror or e}") from e


def _piece(path: Path, offset: int, count: int) -> bytes | None:
    """Return `count` bytes of a file; None when it is not there or ends before."""
    try:
        with path.open("rb", buffering=0) as file:
            file.seek(offset, os.SEEK_SET)
            data = file.read(count)
            while len(data) < count and (more := file.read(count - len(data))):
                data += more
    except FileNotFoundError:
        return None
    except OSError as e:
        raise StorageError(f"{path} cannot be read: {e.strerror or e}") from e
    return data if len(data) == count else None
