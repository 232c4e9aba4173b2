"""Where the fields of a draft lie, for drawing: at once, without a schedule, for any number of wells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from useq import RandomPoints, RelativePosition

from control.core.planning.draft import PlanDraft
from control.core.planning.parts import Kept
from control.core.planning.polygon_fields import tiles_of
from control.core.planning.reading import grid_of
from control.core.planning.writing import grid_written
from control.core.schedule.axes import grid_points, with_fov
from control.core.schedule.places import find_plate
from squid.errors import PlanError
from squid.models.plate import PlateGeometry

MOST_OUTLINES = 20_000
"""More are not drawn: nobody sees them apart."""

Outline = tuple[int, int, float, float]
"""Well row and column (-1: no well), x and y of the field's centre in µm."""


@dataclass(frozen=True, slots=True)
class FieldOutlines:
    """Fields to draw.

    Attributes
    ----------
    fov_um : (float, float)
        Width and height of each; (0, 0): not known yet.
    fields : tuple of (int, int, float, float)
        Well row and column (-1: no well), x and y of the centre in µm; at most `MOST_OUTLINES`.
    """

    fov_um: tuple[float, float] = (0.0, 0.0)
    fields: tuple[Outline, ...] = ()


def outlines_of(
    draft: PlanDraft, plates: Mapping[str, PlateGeometry], fov_um: tuple[float, float], most: int = MOST_OUTLINES
) -> FieldOutlines:
    """Return the fields of a draft; what cannot be worked out has none: the check says why."""
    try:
        return FieldOutlines(fov_um, tuple(islice(_outlines(draft, plates, fov_um), most)))
    except (PlanError, ValueError, ZeroDivisionError, OverflowError):
        return FieldOutlines(fov_um)


def _outlines(draft: PlanDraft, plates: Mapping[str, PlateGeometry], fov_um: tuple[float, float]) -> Iterator[Outline]:
    plate = find_plate(draft.plate, plates) if draft.plate is not None else None
    if draft.use == "regions":
        for region in draft.regions:
            yield from ((-1, -1, x, y) for x, y in tiles_of(region, fov_um))
        return
    offsets = _offsets(draft, fov_um)
    if draft.use == "positions":
        known = ((p.x_um, p.y_um) for p in draft.positions)
        centres: Iterable[Outline] = ((-1, -1, x, y) for x, y in known if x is not None and y is not None)
        kept = offsets
    elif plate is None:
        return
    else:
        centres = ((row, column, *plate.well_centre_um(row, column)) for row, column in plate.select(draft.wells))
        clip = getattr(draft.fields, "clip", False)
        kept = [(dx, dy) for dx, dy in offsets if not clip or plate.is_inside_well(dx, dy)]
    for row, column, x, y in centres:
        for dx, dy in kept:
            yield row, column, x + dx, y + dy


def _offsets(draft: PlanDraft, fov_um: tuple[float, float]) -> list[tuple[float, float]]:
    """Return the fields of one well or position around its centre."""
    if isinstance(draft.fields, Kept):
        grid = grid_of(draft.base)[1] if draft.base is not None else None
    else:
        grid = grid_written(draft.fields)
    if grid is None:
        return [(0.0, 0.0)]
    if isinstance(grid, RandomPoints):
        grid = grid.replace(order=None)  # the shortest way takes long to find, and is not drawn
    filled = with_fov(grid, fov_um)
    too_many = not isinstance(filled, RelativePosition) and filled.num_positions() > MOST_OUTLINES
    return [] if too_many or not getattr(grid, "is_relative", True) else list(grid_points(grid, fov_um))
