"""The images of a data set: one for each field of a well, or for each point of a free position; computed on demand."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import overload

from control.core.schedule.places import Place
from squid.models.geometry import StagePosition
from squid.models.layout import ImageLayout, WellRef
from squid.models.plate import PlateGeometry


@dataclass(frozen=True, slots=True)
class Extent:
    """What the images of one place have in common.

    Attributes
    ----------
    points : tuple of (float, float)
        Grid points; empty: the place itself is the only one.
    relative : bool
        The points count from the place.
    kept : tuple of int
        The points that are taken.
    size_t, size_z : int
        Planned extent.
    lowest_um : float
        Lowest plane; from the place's z when `planes_relative`.
    planes_relative : bool
        See there.
    step_um : float or None
        Distance of planes; None: one plane, or unequal distances.
    """

    points: tuple[tuple[float, float], ...]
    relative: bool
    kept: tuple[int, ...]
    size_t: int
    size_z: int
    lowest_um: float
    planes_relative: bool
    step_um: float | None = None


class Images(Sequence[ImageLayout]):
    """The images of a plan, in order of its places.

    Parameters
    ----------
    places : sequence of Place
        With their coordinates filled in.
    extents : sequence of Extent
        One for each place.
    plate : PlateGeometry or None
        For points that do not count from a place: the wells in which they lie.
    first_offset_um : float
        z offset of the first channel.
    """

    def __init__(
        self, places: Sequence[Place], extents: Sequence[Extent], plate: PlateGeometry | None, first_offset_um: float
    ) -> None:
        self._places = places
        self._extents = extents
        self._plate = plate
        self._first_offset_um = first_offset_um
        self._ends = list(accumulate(len(e.kept) if e.points else 1 for e in extents))
        self._ranks: dict[int, dict[int, int]] = {}
        self._wells: dict[int, tuple[WellRef | None, int]] = {}
        self._bases: list[int] = []
        self._number_fields()

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, index: int) -> ImageLayout: ...

    @overload
    def __getitem__(self, index: slice) -> list[ImageLayout]: ...

    def __getitem__(self, index: int | slice) -> ImageLayout | list[ImageLayout]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        index += len(self) if index < 0 else 0
        if not 0 <= index < len(self):
            raise IndexError(f"image {index} of {len(self)}")
        return self._image(index)

    @property
    def uses_wells(self) -> bool:
        """Whether a point that counts from no place lies in a well."""
        return any(well is not None for well, _ in self._wells.values())

    def kept(self, place: int) -> tuple[int, ...]:
        """Return the grid points of a place that are taken."""
        return self._extents[place].kept

    def numbered(self, place: int) -> int:
        """Return how many images of a place bear its name and a number; 0 when there is one that bears its name."""
        extent = self._extents[place]
        return len(extent.kept) if len(extent.points) > 1 else 0

    def outside_wells(self) -> ImageLayout | None:
        """Return the first image that lies in no well; None when all do."""
        for number, (place, extent) in enumerate(zip(self._places, self._extents, strict=True)):
            start = self._ends[number - 1] if number else 0
            lost = place.well is None
            if lost and extent.points and not extent.relative:
                ours = range(start, self._ends[number])
                start = next(
                    (image for image in ours if self._wells.get(image, (None, 0))[0] is None), self._ends[number]
                )
            if lost and start < self._ends[number]:
                return self[start]
        return None

    def number(self, place: int, point: int | None) -> int:
        """Return the index of the image that a place's grid point goes to."""
        start = self._ends[place - 1] if place else 0
        if point is None:
            return start
        extent = self._extents[place]
        if len(extent.kept) == len(extent.points):
            return start + point
        ranks = self._ranks.setdefault(id(extent), {g: rank for rank, g in enumerate(extent.kept)})
        return start + ranks[point]

    def centre(self, place: int, point: int | None) -> StagePosition:
        """Return the centre of a place's grid point, at the place's own z."""
        at = self._places[place]
        x, y, z = at.x_um or 0.0, at.y_um or 0.0, at.z_um or 0.0
        if point is None:
            return StagePosition(x, y, z)
        extent = self._extents[place]
        dx, dy = extent.points[point]
        return StagePosition(x + dx, y + dy, z) if extent.relative else StagePosition(dx, dy, z)

    def _image(self, index: int) -> ImageLayout:
        number = bisect_right(self._ends, index)
        place, extent = self._places[number], self._extents[number]
        rank = index - (self._ends[number - 1] if number else 0)
        centre = self.centre(number, extent.kept[rank] if extent.points else None)
        well, field = self._wells.get(index) or (place.well, self._bases[number] + rank)
        single = well is None and len(extent.points) <= 1
        return ImageLayout(
            index=index,
            name=place.name if single else f"{well.name if well else place.name}_{field}",
            well=well,
            field=field,
            x_um=centre.x_um,
            y_um=centre.y_um,
            z_um=extent.lowest_um + self._first_offset_um + (centre.z_um if extent.planes_relative else 0.0),
            size_t=extent.size_t,
            size_z=extent.size_z,
            z_step_um=extent.step_um,
            position="" if well else place.name,
        )

    def _number_fields(self) -> None:
        """Count the fields of each well through all places; absolute points find their own well."""
        fields: dict[WellRef, int] = {}
        for number, (place, extent) in enumerate(zip(self._places, self._extents, strict=True)):
            start = self._ends[number - 1] if number else 0
            self._bases.append(fields.get(place.well, 0) if place.well else 0)
            if place.well:
                fields[place.well] = self._bases[-1] + self._ends[number] - start
            elif self._plate is not None and extent.points and not extent.relative:
                for rank, point in enumerate(extent.kept):
                    self._place_tile(start + rank, extent.points[point], rank, fields)

    def _place_tile(self, image: int, at: tuple[float, float], rank: int, fields: dict[WellRef, int]) -> None:
        assert self._plate is not None
        cell = self._plate.well_at(*at)
        if cell is None:
            self._wells[image] = (None, rank)
            return
        well = WellRef(*cell, self._plate.well_name(*cell))
        self._wells[image] = (well, fields.get(well, 0))
        fields[well] = fields.get(well, 0) + 1
