"""The bytes of an uncompressed multi-page TIFF whose planes have fixed places, so that they can come in any order.

::

    header │ resolution │ description (OME-XML) │ one directory per plane │ … 4096 │ plane 0 │ plane 1 │ …

Source: TIFF 6.0 (Adobe, 1992), BigTIFF (https://www.awaresystems.be/imaging/tiff/bigtiff.html). Files of 4 GB and more
are BigTIFF. Little endian. Knows no file: it computes bytes and offsets.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_SHORT, _LONG, _RATIONAL, _ASCII, _LONG8 = 3, 4, 5, 2, 16
_ALIGNMENT = 4096
_CENTIMETRE = 3


@dataclass(frozen=True, slots=True)
class _Dialect:
    """Classic TIFF or BigTIFF: sizes of counts and offsets."""

    is_big: bool

    @property
    def header(self) -> int:
        return 16 if self.is_big else 8

    @property
    def entry(self) -> int:
        return 20 if self.is_big else 12

    def directory_size(self, entries: int) -> int:
        return (8 if self.is_big else 2) + entries * self.entry + (8 if self.is_big else 4)


class TiffLayout:
    """Where everything is in the file.

    Parameters
    ----------
    shape_px : (int, int)
        Height and width of a plane.
    dtype : str
        ``uint8`` or ``uint16``.
    planes : int
        Number of planes.
    description_bytes : int
        Length of the description, without the final NUL.
    pixel_size_um : float
        For the resolution tags.
    """

    _FIRST_TAGS, _TAGS = 14, 13

    def __init__(
        self, shape_px: tuple[int, int], dtype: str, planes: int, description_bytes: int, pixel_size_um: float
    ) -> None:
        self._height, self._width = shape_px
        self._itemsize = 1 if dtype == "uint8" else 2
        self._planes = planes
        self._description_bytes = description_bytes
        self._pixel_size_um = pixel_size_um
        self.plane_bytes = self._height * self._width * self._itemsize
        rough_size = planes * (self.plane_bytes + 512) + description_bytes + 2 * _ALIGNMENT
        self._dialect = _Dialect(is_big=rough_size >= 2**32)
        self.description_offset = self._dialect.header + 8
        end = self.description_offset + description_bytes + 1
        self._directories = end + -end % 8
        end = self._directory_offset(planes)
        self._pixels = end + -end % _ALIGNMENT
        self.file_bytes = self._pixels + planes * self.plane_bytes

    def plane_offset(self, plane: int) -> int:
        """Return where the pixels of a plane start."""
        return self._pixels + plane * self.plane_bytes

    def head(self, description: bytes) -> bytes:
        """Return everything before the pixels."""
        resolution = struct.pack("<II", round(1e9 / self._pixel_size_um), 100_000)  # pixels per cm = 1e4 / µm
        head = self._header() + resolution + description + b"\0"
        head += bytes(self._directories - len(head))
        return head + b"".join(self._directory(plane) for plane in range(self._planes))

    def _header(self) -> bytes:
        if self._dialect.is_big:
            return struct.pack("<2sHHHQ", b"II", 43, 8, 0, self._directories)
        return struct.pack("<2sHI", b"II", 42, self._directories)

    def _directory_offset(self, plane: int) -> int:
        first = self._dialect.directory_size(self._FIRST_TAGS) if plane else 0
        size = self._dialect.directory_size(self._TAGS)
        return self._directories + first + max(0, plane - 1) * size

    def _directory(self, plane: int) -> bytes:
        offset = _LONG8 if self._dialect.is_big else _LONG
        description = [(270, _ASCII, self._description_bytes + 1, self.description_offset)] if plane == 0 else []
        tags = [
            (254, _LONG, 1, 0),
            (256, _LONG, 1, self._width),
            (257, _LONG, 1, self._height),
            (258, _SHORT, 1, 8 * self._itemsize),
            (259, _SHORT, 1, 1),
            (262, _SHORT, 1, 1),
            *description,
            (273, offset, 1, self.plane_offset(plane)),
            (277, _SHORT, 1, 1),
            (278, _LONG, 1, self._height),
            (279, offset, 1, self.plane_bytes),
            (282, _RATIONAL, 1, self._resolution()),
            (283, _RATIONAL, 1, self._resolution()),
            (296, _SHORT, 1, _CENTIMETRE),
        ]
        following = self._directory_offset(plane + 1) if plane + 1 < self._planes else 0
        count, entry, link = ("<Q", "<HHQQ", "<Q") if self._dialect.is_big else ("<H", "<HHII", "<I")
        entries = b"".join(struct.pack(entry, *tag) for tag in tags)
        return struct.pack(count, len(tags)) + entries + struct.pack(link, following)

    def _resolution(self) -> int:
        """Return the value field of a rational: inline in BigTIFF, an offset in classic TIFF."""
        if not self._dialect.is_big:
            return self._dialect.header
        numerator: int = round(1e9 / self._pixel_size_um)
        return numerator | 100_000 << 32
