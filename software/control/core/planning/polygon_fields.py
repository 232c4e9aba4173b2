"""From a polygon on the stage to the fields that cover it.

The fields lie on a grid that begins at the polygon's left edge and its edge at largest y, row by row, every other row
backwards; a field is taken when it touches the polygon. It is useq's `GridFromPolygon`, so that what the window draws
is what the run takes.
"""

from __future__ import annotations

import math

from pydantic import ValidationError
from useq import GridFromPolygon

from control.core.planning.parts import RegionPolygon
from squid.errors import PlanError

MOST_OVERLAP_PCT = 90.0
MOST_FIELDS = 50_000
"""In the rectangle around one region: more is a slip (a millimetre taken for a micrometre)."""


def grid_over(region: RegionPolygon, *, key: str = "") -> GridFromPolygon:
    """Return useq's grid over a region.

    Raises
    ------
    PlanError
        Fewer than three corners, an outline that crosses itself, or an overlap out of range.
    """
    name = f"region '{region.name}'"
    if len(set(region.points_um)) < 3:
        raise PlanError(f"{name} has {len(set(region.points_um))} corners", key=key, allowed="3 or more")
    if not all(math.isfinite(um) for point in region.points_um for um in point):
        raise PlanError(f"{name} has a corner that is no number", key=key, allowed="x and y in µm")
    if not 0 <= region.overlap_pct <= MOST_OVERLAP_PCT:
        allowed = f"0 to {MOST_OVERLAP_PCT:g} %"
        raise PlanError(f"{name}: overlap {region.overlap_pct:g} %", key=key, allowed=allowed)
    try:
        return GridFromPolygon(vertices=list(region.points_um), overlap=region.overlap_pct)
    except ValidationError as e:
        raise PlanError(f"the outline of {name} crosses itself", key=key, allowed="an area with one outline") from e


def most_fields(region: RegionPolygon, fov_um: tuple[float, float]) -> int:
    """Return how many fields the rectangle around a region takes: no region takes more."""
    counts = []
    for side, axis in zip(fov_um, (0, 1), strict=True):
        values = [point[axis] for point in region.points_um]
        step = side * (1 - region.overlap_pct / 100)
        counts.append(max(0, math.ceil((max(values) - min(values) - side) / step)) + 1)
    return counts[0] * counts[1]


def tiles_of(
    polygon: RegionPolygon | tuple[tuple[float, float], ...], fov_um: tuple[float, float], overlap_pct: float = 10.0
) -> tuple[tuple[float, float], ...]:
    """Return the centres of the fields that cover a polygon, in the order in which they are taken.

    Parameters
    ----------
    polygon : RegionPolygon or tuple of (float, float)
        A region (with its own overlap), or the corners (x, y) in µm.
    fov_um : (float, float)
        Width and height of a field at the sample.
    overlap_pct : float
        Of neighbouring fields, for corners.

    Returns
    -------
    tuple of (float, float)
        Stage x and y in µm.

    Raises
    ------
    PlanError
        The polygon is none, or takes too many fields.
    """
    region = polygon if isinstance(polygon, RegionPolygon) else RegionPolygon("area", tuple(polygon), overlap_pct)
    if not all(side > 0 for side in fov_um):
        raise PlanError(f"a field of {fov_um[0]:g} x {fov_um[1]:g} µm", key="fields", allowed="more than 0 µm")
    grid = grid_over(region)
    refuse_too_large(region, fov_um)
    filled = grid.replace(fov_width=fov_um[0], fov_height=fov_um[1])
    return tuple((float(point.x or 0.0), float(point.y or 0.0)) for point in filled)


def refuse_too_large(region: RegionPolygon, fov_um: tuple[float, float], *, key: str = "") -> None:
    """Raise `PlanError` when the rectangle around a region takes too many fields to be meant."""
    count = most_fields(region, fov_um)
    if count > MOST_FIELDS:
        message = f"region '{region.name}' takes up to {count} fields of {fov_um[0]:.0f} x {fov_um[1]:.0f} µm"
        raise PlanError(message, key=key, allowed=f"up to {MOST_FIELDS}; are its corners in µm?")
