"""How fast a run goes and when it will be done."""

from __future__ import annotations

import pytest

from control.core.run_clock import RunClock


def _clock(left: int, estimated_s: float, **changes: object) -> RunClock:
    options: dict[str, object] = {"frames_per_round": left, "last_due_s": None, "has_rounds": False}
    return RunClock(1000.0, left, estimated_s, **{**options, **changes})  # type: ignore[arg-type]


def _take(clock: RunClock, frames: int, start_s: float, each_s: float) -> float:
    """Store frames one after another; return when the last one was."""
    now_s = start_s
    for _ in range(frames):
        now_s += each_s
        clock.stored(now_s, now_s, now_s - 1000.0)
    return now_s


def test_before_anything_is_measured_the_plans_estimate_counts() -> None:
    assert _clock(200, 400.0).left_s(1000.0, 200) == pytest.approx(400.0)


def test_the_measured_rate_takes_over() -> None:
    clock = _clock(1000, 1000.0)
    now_s = _take(clock, 500, 1000.0, 2.0)
    assert clock.left_s(now_s, 500) == pytest.approx(1000.0, rel=0.05)


def test_a_pause_does_not_make_the_rest_slower() -> None:
    clock = _clock(200, 200.0)
    now_s = _take(clock, 100, 1000.0, 1.0)
    clock.idle(now_s)
    clock.busy(now_s + 3600.0)
    assert clock.left_s(now_s + 3600.0, 100) == pytest.approx(100.0, rel=0.01)


def test_the_wait_for_time_points_counts_once_and_exactly() -> None:
    """5 time points of 10 frames, one each hour; a frame takes 1 s."""
    clock = _clock(50, 4 * 3600.0 + 10.0, frames_per_round=10, last_due_s=4 * 3600.0, has_rounds=True)
    assert clock.left_s(1000.0, 50) == pytest.approx(4 * 3600.0 + 10.0)
    now_s = _take(clock, 10, 1000.0, 1.0)
    clock.idle(now_s, 1000.0 + 3600.0)
    half_way_s = 1000.0 + 1800.0
    assert clock.left_s(half_way_s, 40) == pytest.approx(3.5 * 3600.0 + 10.0, rel=0.001)
    clock.busy(1000.0 + 3600.0)
    for number in range(1, 5):
        start_s = 1000.0 + 3600.0 * number
        if number < 4:
            now_s = _take(clock, 10, start_s, 1.0)
            clock.idle(now_s, start_s + 3600.0)
    now_s = _take(clock, 4, 1000.0 + 4 * 3600.0, 1.0)
    assert clock.left_s(now_s, 6) == pytest.approx(6.0, rel=0.05)


def test_waits_within_wells_are_spread_over_all_frames() -> None:
    """The clock of time points starts again in each well: 10 wells, 2 time points a minute apart, 1 frame each."""
    clock = _clock(20, 600.0, frames_per_round=10, has_rounds=True)
    now_s = 1000.0
    for _ in range(5):
        now_s = _take(clock, 1, now_s, 0.1)
        clock.idle(now_s, now_s + 60.0)
        now_s = _take(clock, 1, now_s + 60.0, 0.1)
    assert clock.left_s(now_s, 10) == pytest.approx(300.0, rel=0.02)


def test_a_time_lapse_that_is_late_takes_as_long_as_its_frames() -> None:
    clock = _clock(100, 100.0, frames_per_round=50, last_due_s=1.0, has_rounds=True)
    now_s = _take(clock, 60, 1000.0, 2.0)
    assert clock.left_s(now_s, 40) == pytest.approx(80.0, rel=0.2)


def test_the_rate_is_that_of_late() -> None:
    clock = _clock(10_000, 1000.0)
    assert clock.frames_per_s(1000.0) == 0.0
    now_s = _take(clock, 1000, 1000.0, 0.1)
    assert clock.frames_per_s(now_s) == pytest.approx(10.0, rel=0.1)
    now_s = _take(clock, 40, now_s, 1.0)
    assert clock.frames_per_s(now_s) == pytest.approx(1.0, rel=0.1)
    assert clock.frames_per_s(now_s + 90.0) < 0.05


def test_a_slow_run_has_a_rate_too() -> None:
    clock = _clock(10, 300.0)
    now_s = _take(clock, 5, 1000.0, 30.0)
    assert clock.frames_per_s(now_s + 1.0) == pytest.approx(1 / 31.0, rel=0.1)
