import time

import pytest
from tests.squid.drivers.simulated.bench import TIMEOUT_S, bench

from squid.errors import StageMoveError
from squid.models.geometry import StagePosition

START = StagePosition(20000.0, 20000.0, 3000.0)


def test_travel_time_is_that_of_the_slowest_axis_with_settling() -> None:
    with bench({"time_scale": 1.0}, stage={"takes_no_time": False}) as on:
        far = StagePosition(29000.0, 20450.0, 3000.0)
        assert on.stage.travel_time_s(START, far) == pytest.approx(0.36 + 0.025)
        focus = StagePosition(20450.0, 20000.0, 3100.0)  # z: 2 √(100 µm / 100 mm/s²) = 63.2 ms, + 20 ms
        assert on.stage.travel_time_s(START, focus) == pytest.approx(0.06 + 0.025)
        higher = StagePosition(20000.0, 20000.0, 3144.4)
        assert on.stage.travel_time_s(START, higher) == pytest.approx(0.038 * 2 + 0.020)


def test_time_scale_makes_moves_shorter() -> None:
    with bench({"time_scale": 4.0}, stage={"takes_no_time": False}) as on:
        far = StagePosition(29000.0, 20000.0, 3000.0)
        assert on.stage.travel_time_s(START, far) == pytest.approx((0.36 + 0.025) / 4)


@pytest.mark.alone
def test_a_move_takes_the_time_that_physics_says() -> None:
    with bench({"time_scale": 1.0}, stage={"takes_no_time": False}) as on:
        target = StagePosition(*on.world.start_position)._replace(x_um=on.world.start_position.x_um + 450)
        start_s = time.monotonic()
        on.go(x_um=target.x_um)
        taken_s = time.monotonic() - start_s
        assert taken_s >= 0.085 - 1e-4
        assert taken_s < 0.085 + 0.3  # a loaded machine wakes late, never early


def test_the_position_can_be_read_in_mid_move() -> None:
    with bench({"time_scale": 1.0}, stage={"takes_no_time": False}) as on:
        start = on.stage.position()
        move = on.stage.move_to(x_um=start.x_um + 30_000)  # takes a second: seen on a busy machine, too
        seen = [start.x_um]
        while not move.done():
            seen.append(on.stage.position().x_um)
        assert seen == sorted(seen)
        assert any(start.x_um + 100 < x < start.x_um + 29_900 for x in seen)


def test_axes_move_independently_and_at_the_same_time() -> None:
    with bench({"time_scale": 1.0}, stage={"takes_no_time": False}) as on:
        start = on.stage.position()
        x_move = on.stage.move_to(x_um=start.x_um + 2000)
        z_move = on.stage.move_to(z_um=start.z_um + 10)
        assert not x_move.done()
        z_move.result(TIMEOUT_S)
        assert not x_move.done()
        x_move.result(TIMEOUT_S)


def test_the_error_is_small_repeatable_and_follows_the_seed() -> None:
    reached: dict[int, list[float]] = {}
    for seed in (1, 1, 2):
        with bench({"seed": seed}) as on:
            positions = [on.stage.move_to(x_um=1000.0 * i).result(TIMEOUT_S).x_um for i in (1, 2, 3, 1)]
        errors = [x - target for x, target in zip(positions, (1000, 2000, 3000, 1000), strict=True)]
        assert all(0 < abs(error) <= 0.3 for error in errors)
        assert errors[0] == pytest.approx(errors[3])
        assert reached.setdefault(seed, errors) == errors
    assert reached[1] != reached[2]


def test_moves_are_refused_before_homing() -> None:
    with bench(stage={"homed": False}) as on:
        assert not on.stage.is_homed
        with pytest.raises(StageMoveError, match="not homed"):
            on.stage.move_to(x_um=0)
        home = on.stage.home().result(TIMEOUT_S)
        assert on.stage.is_homed
        assert on.stage.is_at(StagePosition(-10000, -100000, -1000), home)
        on.go(x_um=0)


def test_a_stop_during_homing_leaves_the_stage_unhomed() -> None:
    with bench({"time_scale": 1.0}, stage={"takes_no_time": False}) as on:
        home = on.stage.home()
        on.stage.stop()
        assert isinstance(home.exception(TIMEOUT_S), StageMoveError)
        assert not on.stage.is_homed


@pytest.mark.parametrize("axis", ["x_um", "z_um"])
def test_off_target_is_seen_by_reading_back(axis: str) -> None:
    with bench({"faults": ["stage.off_target@move=2,by_um=20"]}) as on:
        start = on.stage.position()
        for error_um in (0, 20, 0):
            target = start._replace(**{axis: getattr(start, axis) + 50})
            arrived = on.stage.move_to(**{axis: getattr(target, axis)}).result(TIMEOUT_S)
            assert on.stage.is_at(target, arrived) is (error_um == 0)
            assert getattr(arrived, axis) - getattr(target, axis) == pytest.approx(error_um, abs=0.3)
            on.stage.move_to(**{axis: getattr(start, axis)}).result(TIMEOUT_S) if error_um else None


def test_never_arrives_until_it_is_stopped() -> None:
    with bench({"faults": ["stage.never_arrives@move=1"]}) as on:
        move = on.stage.move_to(x_um=1000)
        with pytest.raises(TimeoutError):
            move.result(0.05)
        assert on.stage.is_moving
        on.stage.stop()
        assert isinstance(move.exception(TIMEOUT_S), StageMoveError)
        on.go(x_um=2000)


def test_an_injected_refusal_moves_nothing() -> None:
    with bench({"faults": ["stage.exception@move=1"]}) as on:
        before = on.stage.position()
        with pytest.raises(StageMoveError, match="injected"):
            on.stage.move_to(x_um=1000)
        assert on.stage.position() == before
