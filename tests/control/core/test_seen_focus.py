"""Where a person has looked, and when a start elsewhere is doubtful."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from control.core.seen_focus import SeenFocus
from squid.models.geometry import AxisRange


def _seen(*frames: tuple[float, float], travel_um: tuple[float, float] = (0.0, 6000.0)) -> SeenFocus:
    """Look at frames, each at (z in µm, time in s)."""
    focus = SeenFocus(lambda: AxisRange(min_um=travel_um[0], max_um=travel_um[1]))
    for z_um, at_s in frames:
        focus.see(cast(Any, SimpleNamespace(position=SimpleNamespace(z_um=z_um), monotonic_s=at_s)))
    return focus


def test_a_snap_and_a_stage_that_stands_count_and_a_stage_on_its_way_down_does_not() -> None:
    assert _seen().z_um is None
    assert _seen((3000.0, 5.0)).z_um == 3000.0
    assert _seen((3000.0, 5.0), (2000.0, 5.05), (1000.0, 5.1), (0.05, 5.15), (0.05, 5.2)).z_um == 3000.0
    assert _seen((3000.0, 5.0), (3010.0, 5.05), (3010.1, 5.1)).z_um == 3010.1
    assert _seen((3000.0, 5.0), (2800.0, 60.0)).z_um == 2800.0


@pytest.mark.parametrize(
    ("z_um", "why"),
    [
        (0.05, "retracted"),
        (99.0, "retracted"),
        (2750.0, "250 µm from where you looked last"),
        (3150.0, ""),
        (3000.0, ""),
    ],
)
def test_a_start_far_from_what_was_seen_is_doubtful(z_um: float, why: str) -> None:
    doubt = _seen((3000.0, 5.0)).doubt(z_um)
    assert (doubt is not None) == bool(why)
    if doubt is not None:
        assert why in doubt.why
        assert doubt.seen_um == 3000.0


def test_who_has_looked_nowhere_is_asked_only_where_plates_are_loaded() -> None:
    assert _seen().doubt(3000.0) is None
    assert _seen().doubt(0.0) is not None
    assert _seen(travel_um=(0.0, 300.0)).doubt(20.0) is None, "a piezo has little travel"
