"""Small pictures of a run for the window, within a fixed memory: a tile per well and channel, a mosaic of the well in
work, and the newest frame.

::

    writer ──see(record, pixels)──▶ newest frame (no copy)
                └─ middle plane only ─▶ shrunk to the mosaic's scale ─▶ shrunk to the tile's scale ─▶ contrast

Each field lies where its stage position is, seen from the middle of its well; the newest time point wins. The size of
tiles follows from the number of wells and channels, so that any plate fits into the budget. A run that is resumed keeps
its pictures; those of what was stored before this program looked are read back by `earlier_pictures`. Whoever looks
takes copies, and looks at the revision first. Knows no Qt, no file and no device.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from control.core.facts import Fact, RunStarted
from control.core.grey_values import GreyCounts, Limits
from control.core.plan_wells import PlanWells
from control.core.shrinking import shrunk
from squid.models.channel import ChannelLayout
from squid.models.frame import FrameRecord
from squid.models.geometry import Pixels
from squid.models.layout import DatasetLayout, WellRef

BUDGET_BYTES: Final = 200_000_000

MAX_TILE_PX: Final = 160
MAX_MOSAIC_PX: Final = 1024
"""No screen shows more."""

_MOSAIC_SHARE = 0.3
"""Of the budget, once the newest frame is taken off."""

_SAMPLES_PER_SIDE = 128
"""Of each field, for the contrast of the whole plate."""

MOST_EARLIER: Final = 500_000
"""Frames of a resumed run whose pictures are read back: the list of them takes 60 MB while that goes on."""

_FRAMES_HELD = 2
"""The newest frame, and the one before that a window still shows."""


@dataclass(frozen=True, slots=True, eq=False)
class LastFrame:
    """The frame stored last, at full size. Not to be written to."""

    record: FrameRecord
    pixels: Pixels
    number: int


@dataclass(frozen=True, slots=True, eq=False)
class Mosaic:
    """One channel of the well in work.

    Attributes
    ----------
    well : WellRef
        Which one.
    pixels : ndarray, shape (Y, X), dtype of the frames
        Fields at their places; 0 where nothing has been taken.
    pixel_um : float
        Size of a pixel of the mosaic.
    centre_x_um, centre_y_um : float
        Stage position of its middle.
    revision : int
        As `Previews.mosaic_revision`.
    """

    well: WellRef
    pixels: Pixels
    pixel_um: float
    centre_x_um: float
    centre_y_um: float
    revision: int


class Previews:
    """Keeps the pictures of one run at a time.

    Parameters
    ----------
    budget_bytes : int
        Most memory for all pixels kept.
    """

    def __init__(self, budget_bytes: int = BUDGET_BYTES) -> None:
        self._budget_bytes = budget_bytes
        self._shown: _Pictures | None = None
        self._folder: Path | None = None
        self._earlier: Path | None = None
        self._runs = 0

    def hear(self, fact: Fact) -> None:
        """Prepare for a run that begins; a listener of the controller."""
        if isinstance(fact, RunStarted):
            if fact.folder != self._folder or not fact.already_stored:
                self._shown = None  # two runs at once would be twice the budget
                self._shown = _Pictures(fact.layout, self._budget_bytes)
            self._folder = fact.folder
            self._earlier = fact.folder if 0 < fact.already_stored <= MOST_EARLIER else None
            self._runs += 1

    def see(self, record: FrameRecord, pixels: Pixels) -> None:
        """Take in a stored frame; a tap of the controller. About 1 ms for 2048 x 2048 pixels, less for other planes."""
        pictures = self._shown
        if pictures is not None:
            pictures.see(record, pixels)

    # --- what earlier parts of a resumed run have stored ------------------------------------------------------------

    @property
    def earlier(self) -> Path | None:
        """The run folder to read back from; None: nothing was stored before, or too much to be read beside a run."""
        return self._earlier

    def earlier_px(self, channel: int, image: int) -> int:
        """Return how many lines of a field are wanted of what was stored before; 0: it has been seen."""
        shown = self._shown
        return 0 if shown is None or shown.seen[channel, image] else shown.wanted_px(image)

    def put_earlier(self, run_number: int, channel: int, image: int, pixels: Pixels) -> None:
        """Take in a field that was stored before, as large as `earlier_px` says or larger; not in place of a newer one.

        Parameters
        ----------
        run_number : int
            `run_number` when it was asked for; of another run nothing is taken.
        channel, image : int
            Which field.
        pixels : ndarray, shape (Y, X)
            Any level of its pyramid.
        """
        shown = self._shown
        if shown is not None and run_number == self._runs:
            shown.put_earlier(channel, image, pixels)

    # --- for whoever looks, in any thread ---------------------------------------------------------------------------

    @property
    def run_number(self) -> int:
        """Counts the runs seen: when it changes, everything does."""
        return self._runs

    @property
    def channels(self) -> tuple[ChannelLayout, ...]:
        """The channels of the run."""
        return shown.layout.channels if (shown := self._shown) else ()

    @property
    def wells(self) -> tuple[WellRef, ...]:
        """The wells of the run, in the numbering of `RunView.wells`."""
        return shown.wells.wells if (shown := self._shown) else ()

    @property
    def layout(self) -> DatasetLayout | None:
        """The data set of the run; None before the first."""
        return shown.layout if (shown := self._shown) else None

    @property
    def tile_px(self) -> int:
        """Side of a tile."""
        return shown.tile_px if (shown := self._shown) else 0

    @property
    def mosaic_revision(self) -> int:
        """Changes with every field that is put into the mosaic."""
        return shown.mosaic_revision if (shown := self._shown) else 0

    def tile_revisions(self) -> npt.NDArray[np.int64]:
        """Return for each well a number that changes with its tile, shape (wells,); 0: it has none yet."""
        return shown.tile_revisions.copy() if (shown := self._shown) else np.zeros(0, np.int64)

    def tile(self, channel: int, well: int) -> Pixels | None:
        """Return a well's tile, shape (side, side); None when no field of this channel has been stored."""
        return shown.tile(channel, well) if (shown := self._shown) else None

    def mosaic(self, channel: int) -> Mosaic | None:
        """Return the well in work; None before its first field."""
        return shown.mosaic(channel) if (shown := self._shown) else None

    def newest(self) -> LastFrame | None:
        """Return the frame stored last."""
        return shown.newest if (shown := self._shown) else None

    def contrasts(self) -> tuple[Limits, ...]:
        """Return for each channel the limits that fit the whole plate so far."""
        return shown.contrasts() if (shown := self._shown) else ()


class _Pictures:
    """The pictures of one run."""

    def __init__(self, layout: DatasetLayout, budget_bytes: int) -> None:
        self.layout = layout
        self.wells = PlanWells.of(layout)
        self.newest: LastFrame | None = None
        self.mosaic_revision = 0
        self.tile_revisions = np.zeros(len(self.wells.wells), np.int64)
        self._lock = threading.Lock()
        self._frames_seen = 0
        channels = len(layout.channels)
        self.tile_px, self.mosaic_px = _sizes(layout, len(self.wells.wells), budget_bytes)
        self._dtype = np.dtype(layout.dtype)
        self._tiles: dict[tuple[int, int], Pixels] = {}
        self._mosaic: list[Pixels | None] = [None] * channels
        self._mosaic_well = [-1] * channels
        self._well = -1
        self._well_um = (0.0, 0.0)
        self.seen = np.zeros((channels, len(layout.images)), bool)
        self._contrasts = [GreyCounts(layout.significant_bits) for _ in layout.channels]
        self._left_um, self._top_um, self._extent_um = _extent(layout, self.wells)

    def see(self, record: FrameRecord, pixels: Pixels) -> None:
        self._frames_seen += 1
        self.newest = LastFrame(record, pixels, self._frames_seen)
        event = record.event
        planes = int(self.wells.size_z[event.image])
        if event.z in ((planes - 1) // 2, planes // 2):  # of an even stack both: a channel may have only one of them
            self._put(event.c, int(self.wells.well_of_image[event.image]), event.image, pixels)

    def _put(self, channel: int, well: int, image: int, pixels: Pixels) -> None:
        place = self._place(image, pixels.shape, self.mosaic_px)
        field = shrunk(pixels, place.height, place.width)
        spot = self._place(image, pixels.shape, self.tile_px)
        small = shrunk(field, spot.height, spot.width)
        with self._lock:
            place.paste(field, self._mosaic_of(channel, well, image))
            spot.paste(small, self._tile_of(channel, well))
            self.seen[channel, image] = True
            self._contrasts[channel].add(field, _SAMPLES_PER_SIDE)
            self.tile_revisions[well] += 1
            self.mosaic_revision += 1

    def wanted_px(self, image: int) -> int:
        """Return how many lines of a field are shown: those of the mosaic for the well in work, else of the tile."""
        side_px = self.mosaic_px if self.wells.well_of_image[image] == self._well else self.tile_px
        return self._place(image, self.layout.shape_px, side_px).height

    def put_earlier(self, channel: int, image: int, pixels: Pixels) -> None:
        well = int(self.wells.well_of_image[image])
        spot = self._place(image, self.layout.shape_px, self.tile_px)
        small = shrunk(pixels, spot.height, spot.width)
        with self._lock:
            if self.seen[channel, image]:
                return
            spot.paste(small, self._tile_of(channel, well))
            if well == self._well:
                place = self._place(image, self.layout.shape_px, self.mosaic_px)
                place.paste(shrunk(pixels, place.height, place.width), self._mosaic_of(channel, well, image))
                self.mosaic_revision += 1
            self.seen[channel, image] = True
            self._contrasts[channel].add(pixels, _SAMPLES_PER_SIDE)
            self.tile_revisions[well] += 1

    def _tile_of(self, channel: int, well: int) -> Pixels:
        """Return the well's tile, made when it has none."""
        tile = self._tiles.get((channel, well))
        if tile is None:
            tile = self._tiles[channel, well] = np.zeros((self.tile_px, self.tile_px), self._dtype)
        return tile

    def _mosaic_of(self, channel: int, well: int, image: int) -> Pixels:
        """Return the mosaic's plane, emptied when another well begins."""
        if well != self._well:
            self._well = well
            at, (x_um, y_um) = self.layout.images[image], self.wells.offset_um[image]
            self._well_um = (float(at.x_um - x_um), float(at.y_um - y_um))
        plane = self._mosaic[channel]
        if plane is None or self._mosaic_well[channel] != well:
            plane = np.zeros((self.mosaic_px, self.mosaic_px), self._dtype)
            self._mosaic[channel], self._mosaic_well[channel] = plane, well
        return plane

    def _place(self, image: int, shape_px: tuple[int, ...], side_px: int) -> _Place:
        """Return where a field lies in a square picture of the well; neighbours share their edges."""
        scale = side_px / self._extent_um
        x_um, y_um = self.wells.offset_um[image]
        height_um, width_um = (size * self.layout.pixel_size_um for size in shape_px)
        x, y = x_um - self._left_um, y_um - self._top_um
        left, right = round((x - width_um / 2) * scale), round((x + width_um / 2) * scale)
        top, bottom = round((y - height_um / 2) * scale), round((y + height_um / 2) * scale)
        return _Place(left, top, max(1, right - left), max(1, bottom - top))

    def tile(self, channel: int, well: int) -> Pixels | None:
        with self._lock:
            tile = self._tiles.get((channel, well))
            return None if tile is None else tile.copy()

    def mosaic(self, channel: int) -> Mosaic | None:
        with self._lock:
            if self._well < 0:
                return None
            plane = self._mosaic[channel] if self._mosaic_well[channel] == self._well else None
            pixels = np.zeros((self.mosaic_px, self.mosaic_px), self._dtype) if plane is None else plane.copy()
            x_um, y_um = (
                well_um + edge_um + self._extent_um / 2
                for well_um, edge_um in zip(self._well_um, (self._left_um, self._top_um), strict=True)
            )
            well, pixel_um = self.wells.wells[self._well], self._extent_um / self.mosaic_px
            return Mosaic(well, pixels, pixel_um, x_um, y_um, self.mosaic_revision)

    def contrasts(self) -> tuple[Limits, ...]:
        with self._lock:
            return tuple(contrast.limits() for contrast in self._contrasts)


@dataclass(frozen=True, slots=True)
class _Place:
    """A rectangle in a picture, in its pixels."""

    left: int
    top: int
    width: int
    height: int

    def paste(self, field: Pixels, picture: Pixels) -> None:
        """Put a field in, as far as it lies in the picture."""
        height, width = picture.shape
        top, left = max(0, self.top), max(0, self.left)
        bottom, right = min(height, self.top + self.height), min(width, self.left + self.width)
        if top < bottom and left < right:
            picture[top:bottom, left:right] = field[
                top - self.top : bottom - self.top, left - self.left : right - self.left
            ]


def _sizes(layout: DatasetLayout, wells: int, budget_bytes: int) -> tuple[int, int]:
    """Return the sides of tile and mosaic in pixels."""
    channels = max(1, len(layout.channels))
    pixel_bytes = np.dtype(layout.dtype).itemsize
    free = max(0, budget_bytes - _FRAMES_HELD * layout.frame_bytes)
    mosaic_px = int((free * _MOSAIC_SHARE / channels / pixel_bytes) ** 0.5)
    tile_px = int((free * (1 - _MOSAIC_SHARE) / channels / max(1, wells) / pixel_bytes) ** 0.5)
    return min(MAX_TILE_PX, max(1, tile_px)), min(MAX_MOSAIC_PX, max(1, mosaic_px))


def _extent(layout: DatasetLayout, wells: PlanWells) -> tuple[float, float, float]:
    """Return left, top and side of the square, from the middle of a well, that holds the fields of every well; µm."""
    height_um, width_um = (size * layout.pixel_size_um for size in layout.shape_px)
    half = np.array([width_um / 2, height_um / 2])
    low, high = wells.offset_um.min(axis=0) - half, wells.offset_um.max(axis=0) + half
    side_um = float((high - low).max())
    left_um, top_um = (low + high) / 2 - side_um / 2
    return float(left_um), float(top_um), side_um
