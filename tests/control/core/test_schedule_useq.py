"""The schedule against useq's own iteration: the same frames, in the same order, at the same places."""

from __future__ import annotations

import math
import warnings
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from pydantic import ValidationError
from tests.control.core.plans import PRESET_EXPOSURE_MS, schedule_of, sequences
from useq import MDAEvent, MDASequence

from squid.models.event import AcquisitionEvent
from squid.models.layout import DatasetLayout

slow = settings(max_examples=150, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))


def useq_events(keys: dict[str, Any]) -> tuple[MDASequence, list[MDAEvent]]:
    """Return useq's events; gives the example up where useq refuses or fails itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            sequence = MDASequence.model_validate(keys)
            events = list(sequence)
        except (ValidationError, KeyError, TypeError):
            assume(False)
    assume(len(events) < 3000)
    return sequence, events


def facts_of_useq(event: MDAEvent) -> tuple[object, ...]:
    place = tuple(pytest.approx(value or 0.0, abs=1e-6) for value in (event.x_pos, event.y_pos, event.z_pos))
    exposure = event.exposure or PRESET_EXPOSURE_MS
    channel = event.channel.config if event.channel else None
    return (*place, channel, exposure, event.min_start_time, event.keep_shutter_open)


def facts_of_ours(event: AcquisitionEvent) -> tuple[object, ...]:
    return (*event.target, event.channel, event.exposure_ms, event.min_start_s, event.keep_shutter_open)


@slow
@given(sequences())
def test_events_are_those_of_useq(keys: dict[str, Any]) -> None:
    """And have a place of their own each; and a stream of them can start anywhere."""
    sequence, expected = useq_events(keys)
    schedule = schedule_of(sequence)
    assert schedule.frames == len(expected)
    events = list(schedule.events())
    assert [facts_of_ours(event) for event in events] == [facts_of_useq(event) for event in expected]
    assert [event.index for event in events] == list(range(len(expected)))
    assert_every_frame_has_a_place_of_its_own(schedule.layout(), events, expected)
    for start in {0, 1, len(expected) // 3, len(expected) // 2, len(expected) - 1, len(expected)} - {-1}:
        assert list(schedule.events(start)) == events[start:]


def assert_every_frame_has_a_place_of_its_own(
    layout: DatasetLayout, events: list[AcquisitionEvent], expected: list[MDAEvent]
) -> None:
    places = set()
    images: dict[tuple[object, ...], int] = {}
    for event, theirs in zip(events, expected, strict=True):
        image = layout.images[event.image]
        assert event.t < image.size_t
        assert event.z < image.size_z
        assert layout.channels[event.c].name == event.channel
        assert event.t == theirs.index.get("t", 0)
        assert math.isclose(image.x_um, event.target.x_um, abs_tol=1e-9)
        assert math.isclose(image.y_um, event.target.y_um, abs_tol=1e-9)
        key = (theirs.index.get("p"), theirs.index.get("g"))
        assert images.setdefault(key, event.image) == event.image
        places.add((event.image, event.t, event.c, event.z))
    assert len(places) == len(expected)
    assert len(set(images.values())) == len(images)
