"""The ideal time: blocks computed once against the plain sum, and hand-made cases."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from tests.control.core.devices import physics
from tests.control.core.plans import OPTICS, ORIGIN, machine, plan_of, schedule_of, sequences
from tests.control.core.test_schedule_useq import slow, useq_events

from control.core.schedule import Schedule
from control.core.timing import ideal_s, sum_of_events_s
from squid.models.geometry import StagePosition

READOUT_S, LIGHT_S, EXPOSURE_S = 0.015, 0.003, 0.007


def ideal_of(sequence: dict[str, Any], **keys: Any) -> float:
    schedule = schedule_of(sequence, **keys)
    return ideal_s(schedule, physics(schedule.channels))


@slow
@given(sequences())
def test_blocks_give_the_sum_of_the_events(keys: dict[str, Any]) -> None:
    sequence, _ = useq_events(keys)
    schedule = schedule_of(sequence, origin=StagePosition(100.0, -50.0, 3.0))
    times = physics(schedule.channels)
    assert ideal_s(schedule, times) == pytest.approx(sum_of_events_s(schedule, times), rel=1e-9, abs=1e-9)


def test_one_frame_needs_light_exposure_and_readout() -> None:
    assert ideal_of({"channels": ["A"]}) == pytest.approx(LIGHT_S + EXPOSURE_S + READOUT_S)


def test_the_first_move_counts() -> None:
    way_s = 0.01 + 0.5
    found = ideal_of({"channels": ["A"], "stage_positions": [{"x": 500.0, "y": 0.0, "z": 0.0}]})
    assert found == pytest.approx(way_s + LIGHT_S + EXPOSURE_S + READOUT_S)


def test_readout_hides_behind_a_longer_move_and_a_shorter_move_behind_the_readout() -> None:
    per_frame_s = LIGHT_S + EXPOSURE_S
    two = {"channels": ["A"], "z_plan": {"relative": [0.0, 100.0]}}
    assert ideal_of(two) == pytest.approx(2 * per_frame_s + (0.01 + 0.1) + READOUT_S)
    near = {"channels": ["A"], "z_plan": {"relative": [0.0, 1.0]}}
    assert ideal_of(near) == pytest.approx(2 * per_frame_s + READOUT_S + READOUT_S)


def test_light_that_stays_on_is_not_waited_for() -> None:
    stack = {"channels": ["A"], "z_plan": {"relative": [0.0, 1.0]}}
    assert ideal_of(stack) - ideal_of({**stack, "keep_shutter_open_across": "z"}) == pytest.approx(LIGHT_S)


def test_the_filter_wheel_turns_while_the_frame_is_read_out() -> None:
    presets = {
        name: {"source": "source A", "intensity": 0.5, "exposure_ms": 7.0, "filter": colour}
        for name, colour in (("A", "blue"), ("B", "red"))
    }
    schedule = Schedule.build(plan_of({"channels": ["A", "B"]}), machine(channels={"default": presets}), ORIGIN, OPTICS)
    found = ideal_s(schedule, physics(schedule.channels))
    assert found == pytest.approx(2 * (LIGHT_S + EXPOSURE_S) + 0.1 + READOUT_S)


def test_time_points_are_waited_for_and_late_ones_are_not() -> None:
    assert ideal_of({"channels": ["A"], "time_plan": {"interval": 60, "loops": 3}}) == pytest.approx(
        120 + LIGHT_S + EXPOSURE_S + READOUT_S
    )
    assert ideal_of({"channels": ["A"], "time_plan": {"interval": 0.001, "loops": 3}}) == pytest.approx(
        3 * (LIGHT_S + EXPOSURE_S + READOUT_S)
    )


def test_each_position_has_its_own_clock_when_time_is_the_inner_loop() -> None:
    positions = [{"x": 0.0, "y": 0.0, "z": 0.0}, {"x": 100.0, "y": 0.0, "z": 0.0}]
    plan = {
        "axis_order": "ptc",
        "channels": ["A"],
        "stage_positions": positions,
        "time_plan": {"interval": 10, "loops": 2},
    }
    clocks = [event.restarts_clock for event in schedule_of(plan).events()]
    assert clocks == [True, False, True, False]
    assert ideal_of(plan) == pytest.approx(2 * (10 + LIGHT_S + EXPOSURE_S) + READOUT_S)


@pytest.mark.parametrize("order", ["tpgcz", "ztpgc", "cpgzt"])
def test_76_million_frames_are_added_up_at_once(order: str) -> None:
    started = time.monotonic()
    schedule = schedule_of(
        {
            "axis_order": order,
            "channels": ["A", "B", "C"],
            "z_plan": {"range": 10, "step": 1},
            "time_plan": {"interval": 60, "loops": 167},
        },
        plate=1536,
        wells="all",
        fields={"rows": 3, "columns": 3},
    )
    assert schedule.frames == 13_824 * 3 * 11 * 167
    assert ideal_s(schedule, physics(schedule.channels)) > schedule.frames * EXPOSURE_S
    assert time.monotonic() - started < 20
