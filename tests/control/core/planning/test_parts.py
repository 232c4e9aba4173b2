"""Names of wells, and fields over polygons."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPoint, Polygon, box, unary_union

from control.core.planning import RegionPolygon, tiles_of, wells_text
from control.core.planning.polygon_fields import most_fields
from squid.errors import PlanError
from squid.models.wells import select_wells

_wells = st.sets(st.tuples(st.integers(0, 31), st.integers(0, 47)), max_size=60)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(_wells)
def test_the_text_selects_the_wells_it_names(wells: set[tuple[int, int]]) -> None:
    text = wells_text(wells)
    assert (set(select_wells(text, 32, 48)) if text else set()) == wells


@pytest.mark.parametrize(
    ("wells", "text"),
    [
        ([(0, 0)], "A1"),
        ([(r, c) for r in range(3) for c in range(6)] + [(7, 11)], "A1:C6, H12"),
        ([(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)], "A1:A2, B1:B3"),
        ([(0, 0), (2, 0)], "A1, C1"),
        ([(r, c) for r in range(32) for c in range(48)], "A1:AF48"),
        ([], ""),
    ],
)
def test_rectangles_are_named_as_such(wells: list[tuple[int, int]], text: str) -> None:
    assert wells_text(wells) == text


def test_a_whole_plate_is_named_within_a_frame() -> None:
    checkers = [(row, column) for row in range(32) for column in range(48) if (row + column) % 2]
    times_s = []
    for _ in range(5):
        began_s = time.thread_time()
        wells_text(checkers)
        times_s.append(time.thread_time() - began_s)
    assert min(times_s) < 0.05  # 1 ms on a quiet machine


_corners = st.lists(st.tuples(st.integers(-900, 900), st.integers(-900, 900)), min_size=4, max_size=9, unique=True)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(_corners, st.sampled_from([(100.0, 60.0), (333.0, 400.0)]), st.sampled_from([0.0, 10.0, 50.0]))
def test_fields_cover_the_polygon_and_none_is_idle(
    corners: list[tuple[int, int]], fov_um: tuple[float, float], overlap_pct: float
) -> None:
    hull = MultiPoint(corners).convex_hull
    if not isinstance(hull, Polygon):
        return
    points = tuple((float(x), float(y)) for x, y in list(hull.exterior.coords)[:-1])
    region = RegionPolygon("r", points, overlap_pct)
    tiles = tiles_of(region, fov_um)
    half_x, half_y = fov_um[0] / 2, fov_um[1] / 2
    boxes = [box(x - half_x, y - half_y, x + half_x, y + half_y) for x, y in tiles]
    assert unary_union(boxes).buffer(1e-6).contains(hull)
    assert all(hull.buffer(1e-6).intersects(one) for one in boxes)
    assert len(tiles) <= most_fields(region, fov_um)
    assert tiles == tiles_of(points, fov_um, overlap_pct)


def test_fields_go_forth_and_back() -> None:
    tiles = tiles_of(((0.0, 0.0), (300.0, 0.0), (300.0, 200.0), (0.0, 200.0)), (100.0, 100.0), 0.0)
    assert tiles == ((50, 150), (150, 150), (250, 150), (250, 50), (150, 50), (50, 50))


@pytest.mark.parametrize(
    ("points", "overlap_pct", "words"),
    [
        (((0.0, 0.0), (1.0, 1.0)), 0.0, "has 2 corners"),
        (((0.0, 0.0), (1.0, 1.0), (0.0, 0.0)), 0.0, "has 2 corners"),
        (((0.0, 0.0), (9.0, 9.0), (9.0, 0.0), (0.0, 9.0)), 0.0, "crosses itself"),
        (((0.0, 0.0), (9.0, 9.0), (9.0, 0.0)), 95.0, "overlap 95 %.*0 to 90 %"),
        (((0.0, 0.0), (9.0, 9.0), (math.nan, 0.0)), 0.0, "no number"),
        (((0.0, 0.0), (9e6, 9e6), (9e6, 0.0)), 0.0, "up to 50000; are its corners in µm"),
    ],
)
def test_what_is_no_area_is_refused(points: tuple[tuple[float, float], ...], overlap_pct: float, words: str) -> None:
    with pytest.raises(PlanError, match=words):
        tiles_of(points, (100.0, 100.0), overlap_pct)


def test_a_field_has_a_size() -> None:
    with pytest.raises(PlanError, match="0 x 5 µm"):
        tiles_of(((0.0, 0.0), (9.0, 9.0), (9.0, 0.0)), (0.0, 5.0))
