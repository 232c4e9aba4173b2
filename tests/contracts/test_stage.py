"""What every stage promises."""

import time
from collections.abc import Iterator

import pytest
from tests.contracts.table import STAGES, TIMEOUT_S, opened

from squid.abc.stage import Stage
from squid.errors import DeviceClosedError, SettingError, StageMoveError
from squid.models.geometry import AxisRange, StageLimits, StagePosition


@pytest.fixture(params=STAGES, ids=str)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with opened(request.param) as device:
        yield device


def far_target(stage: Stage) -> StagePosition:
    return StagePosition(stage.limits.x.max_um, stage.limits.y.max_um, stage.limits.z.max_um)


def test_arrives_within_its_tolerance(stage: Stage) -> None:
    target = StagePosition(12345.0, 6789.0, 2500.0)
    arrived = stage.move_to(x_um=target.x_um, y_um=target.y_um, z_um=target.z_um).result(TIMEOUT_S)
    assert stage.is_at(target, arrived)
    assert stage.is_at(target, stage.position())
    assert not stage.is_moving
    assert min(stage.tolerance_um) > 0


def test_is_at_looks_at_every_axis(stage: Stage) -> None:
    target = StagePosition(1000.0, 2000.0, 3000.0)
    for axis, tolerance in enumerate(stage.tolerance_um):
        for factor, inside in ((0.99, True), (-0.99, True), (1.01, False), (-1.01, False)):
            there = list(target)
            there[axis] += factor * tolerance
            assert stage.is_at(target, StagePosition(*there)) is inside


def test_none_leaves_an_axis_alone(stage: Stage) -> None:
    before = stage.position()
    after = stage.move_to(y_um=before.y_um - 500).result(TIMEOUT_S)
    assert (after.x_um, after.z_um) == (before.x_um, before.z_um)


@pytest.mark.parametrize("axis", ["x", "y", "z"])
@pytest.mark.parametrize("beyond", ["min", "max", "nan"])
def test_a_target_outside_the_limits_moves_nothing(stage: Stage, axis: str, beyond: str) -> None:
    before = stage.position()
    allowed: AxisRange = getattr(stage.limits, axis)
    wrong = {"min": allowed.min_um - 1, "max": allowed.max_um + 1, "nan": float("nan")}[beyond]
    targets = {"x_um": before.x_um + 100, "y_um": before.y_um + 100, f"{axis}_um": wrong}
    with pytest.raises(SettingError, match=rf"{axis}_um .*allowed: .*µm") as refusal:
        stage.move_to(**targets)
    assert refusal.value.device == stage.label
    assert not stage.is_moving
    assert stage.position() == before


def test_restricting_narrows_and_never_widens(stage: Stage) -> None:
    hardware = stage.hardware_limits
    narrow = AxisRange(min_um=hardware.x.min_um + 1000, max_um=hardware.x.max_um + 1e6)
    stage.restrict(StageLimits(x=narrow, y=hardware.y, z=hardware.z))
    assert stage.limits.x == AxisRange(min_um=hardware.x.min_um + 1000, max_um=hardware.x.max_um)
    with pytest.raises(SettingError):
        stage.move_to(x_um=hardware.x.min_um + 500)


def test_travel_time_is_zero_for_no_move_and_never_shrinks_with_distance(stage: Stage) -> None:
    start = StagePosition(0.0, 0.0, 1000.0)
    assert stage.travel_time_s(start, start) == 0
    for axis in range(3):
        times = []
        for distance in (0.1, 10.0, 1000.0, 5000.0):
            target = list(start)
            target[axis] += distance
            times.append(stage.travel_time_s(start, StagePosition(*target)))
            assert stage.travel_time_s(StagePosition(*target), start) == times[-1]
        assert times == sorted(times)


@pytest.mark.alone
def test_travel_time_tells_the_truth(stage: Stage) -> None:
    first = StagePosition(20000.0, 20000.0, 3000.0)
    second = StagePosition(45000.0, 25000.0, 3100.0)
    stage.move_to(x_um=first.x_um, y_um=first.y_um, z_um=first.z_um).result(TIMEOUT_S)
    start_s = time.monotonic()
    stage.move_to(x_um=second.x_um, y_um=second.y_um, z_um=second.z_um).result(TIMEOUT_S)
    taken_s = time.monotonic() - start_s
    expected_s = stage.travel_time_s(first, second)
    assert taken_s >= expected_s - 1e-3
    assert taken_s < expected_s + 0.5  # a loaded machine wakes late


def test_stop_fails_the_move_and_stays_where_it_is(stage: Stage) -> None:
    target = far_target(stage)
    if stage.travel_time_s(stage.position(), target) == 0:
        pytest.skip(f"{stage.label} cannot be caught in mid-move: it takes no time")
    start = stage.position()
    move = stage.move_to(x_um=target.x_um)
    stage.stop()
    assert isinstance(move.exception(TIMEOUT_S), StageMoveError)
    assert not stage.is_moving
    here = stage.position()
    assert start.x_um - 1 <= here.x_um < target.x_um - 1
    assert stage.position() == here
    assert stage.is_at(start, stage.move_to(x_um=start.x_um).result(TIMEOUT_S))


def test_stop_is_harmless_at_rest_and_when_closed(stage: Stage) -> None:
    before = stage.position()
    stage.stop()
    assert stage.position() == before
    stage.close()
    stage.stop()


def test_a_second_move_of_a_moving_axis_is_refused(stage: Stage) -> None:
    target = far_target(stage)
    if stage.travel_time_s(stage.position(), target) == 0:
        pytest.skip(f"{stage.label} is never moving: it takes no time")
    move = stage.move_to(x_um=target.x_um)
    with pytest.raises(StageMoveError, match="already"):
        stage.move_to(x_um=0.0)
    assert abs(move.result(TIMEOUT_S).x_um - target.x_um) <= stage.tolerance_um.x_um


def test_closing_fails_the_move_under_way(stage: Stage) -> None:
    target = far_target(stage)
    if stage.travel_time_s(stage.position(), target) == 0:
        pytest.skip(f"{stage.label} is never moving: it takes no time")
    move = stage.move_to(x_um=target.x_um)
    stage.close()
    assert isinstance(move.exception(TIMEOUT_S), DeviceClosedError)


@pytest.mark.alone
def test_homing_finds_the_reference_within_its_time(stage: Stage) -> None:
    start_s = time.monotonic()
    stage.home().result(TIMEOUT_S)
    assert time.monotonic() - start_s < stage.homing_time_s() + 1.0
    assert stage.is_homed
    assert not stage.is_moving
    assert stage.move_to(z_um=2000.0).result(TIMEOUT_S).z_um == pytest.approx(2000, abs=stage.tolerance_um.z_um)
