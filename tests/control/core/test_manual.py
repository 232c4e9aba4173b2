"""Moves by hand on the simulated stage."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from tests import rig
from tests.hands import HandBench, finished, hand_bench, wait_until

from control.core.live import Live
from control.core.stage_job import JOG_LEAD_S
from squid.errors import DeviceError, SettingError
from squid.machine_file import LoadingPosition
from squid.utils import WorkerResult


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[HandBench]:
    with hand_bench(rig.machine(tmp_path), tmp_path) as made:
        yield made


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[HandBench]:
    """With a stage that takes its real time."""
    with hand_bench(rig.machine(tmp_path, time_scale=1), tmp_path) as made:
        yield made


class Track:
    """Notes every move that is sent to the stage."""

    def __init__(self, bench: HandBench) -> None:
        self.sent: list[dict[str, float]] = []
        self._move = bench.microscope.stage.move_to
        bench.microscope.stage.move_to = self._note  # type: ignore[method-assign, assignment]

    def _note(self, **axes: float) -> object:
        self.sent.append(axes)
        return self._move(**axes)


def at(bench: HandBench, **axes: float) -> bool:
    """Whether the stage is there, within its tolerance."""
    stage = bench.microscope.stage
    here = stage.position()
    return stage.is_at(here._replace(**axes), here)


# --- going there ------------------------------------------------------------------------------------------------------


def test_a_move_goes_there_and_leaves_the_other_axes_alone(bench: HandBench) -> None:
    track, before = Track(bench), bench.microscope.stage.position()
    assert finished(bench.manual.move_to(x_um=20_000, y_um=30_000)).success
    assert at(bench, x_um=20_000, y_um=30_000)
    assert track.sent == [{"x_um": 20_000, "y_um": 30_000}]
    assert bench.microscope.stage.position().z_um == before.z_um
    assert bench.microscope.owner is None
    assert bench.manual.activity is None


@pytest.mark.parametrize(("z_um", "first"), [(1000.0, "z_um"), (5000.0, "x_um")])
def test_z_goes_down_before_x_and_y_and_up_after_them(bench: HandBench, z_um: float, first: str) -> None:
    track = Track(bench)
    assert finished(bench.manual.move_to(20_000, 30_000, z_um)).success
    assert [next(iter(axes)) for axes in track.sent] == [first, "x_um" if first == "z_um" else "z_um"]
    assert at(bench, x_um=20_000, y_um=30_000, z_um=z_um)


@pytest.mark.parametrize(
    ("axes", "text"),
    [
        ({"x_um": 125_001.0}, "x = 125.001 mm is outside the limits (allowed: -10.000 mm to 125.000 mm)"),
        ({"y_um": -95_001.0}, "y = -95.001 mm is outside the limits"),
        ({"x_um": 0.0, "z_um": 6000.1}, "z = 6000.10 µm is outside the limits (allowed: 0.00 µm to 6000.00 µm)"),
        ({"z_um": float("nan")}, "z = nan µm"),
    ],
)
def test_a_target_outside_the_limits_moves_nothing(bench: HandBench, axes: dict[str, float], text: str) -> None:
    track = Track(bench)
    told: list[WorkerResult] = []
    result = finished(bench.manual.move_to(**axes, on_error=told.append))
    assert isinstance(result.error, SettingError)
    assert text in str(result.error)
    wait_until(lambda: told, "the refusal")
    assert track.sent == []


def test_a_step_beyond_the_limits_moves_nothing(bench: HandBench) -> None:
    track = Track(bench)
    result = finished(bench.manual.move_by(dz_um=5000.0))
    assert isinstance(result.error, SettingError)
    assert "z = 8000" in str(result.error)
    assert track.sent == []


def test_a_run_keeps_hands_away(bench: HandBench) -> None:
    track, manual = Track(bench), bench.manual
    with bench.microscope.reserve("the run of plate 7"):
        for ask in (lambda: manual.move_to(x_um=0), lambda: manual.move_by(dx_um=1), manual.home):
            error = finished(ask()).error
            assert isinstance(error, DeviceError)
            assert "the run of plate 7" in str(error)
    assert track.sent == []


def test_a_move_feeds_no_light_lease(bench: HandBench, monkeypatch: pytest.MonkeyPatch) -> None:
    beats: list[int] = []
    monkeypatch.setattr(bench.microscope, "beat", lambda: beats.append(1))
    assert finished(bench.manual.move_by(dx_um=1000)).success
    assert finished(bench.manual.home()).success
    assert beats == []
    bench.ask(bench.live.snap)
    assert beats


def test_click_to_centre_moves_by_the_pixels_distance_from_the_middle(bench: HandBench) -> None:
    frame = bench.ask(bench.live.snap)
    height, width = frame.pixels.shape
    assert finished(bench.manual.centre_on(frame, (height - 1) / 2, (width - 1) / 2 + 20)).success
    assert at(bench, x_um=frame.position.x_um + 20 * frame.pixel_size_um, y_um=frame.position.y_um)


# --- steps ------------------------------------------------------------------------------------------------------------


def test_steps_add_up_exactly(bench: HandBench) -> None:
    start = bench.microscope.stage.position()
    for _ in range(5):
        assert finished(bench.manual.move_by(dx_um=100, dz_um=-5)).success
    assert at(bench, x_um=start.x_um + 500, z_um=start.z_um - 25)


def test_a_held_key_queues_no_moves_and_overshoots_little(slow: HandBench) -> None:
    """100 repeats of a 1 mm step come at once: 100 mm would take 4 s and more."""
    track, stage = Track(slow), slow.microscope.stage
    start = stage.position()
    handles = [slow.manual.move_by(dx_um=-1000) for _ in range(100)]
    assert finished(handles[-1]).success
    here = stage.position()
    travelled_mm = (start.x_um - here.x_um) / 1000
    assert travelled_mm == pytest.approx(round(travelled_mm), abs=0.01)  # whole steps
    assert 1 <= travelled_mm < 100
    assert slow.manual.steps_left_out == 100 - round(travelled_mm)  # and none is left out silently
    assert len(track.sent) < 20
    places = [start.x_um, *(sent["x_um"] for sent in track.sent)]
    for one, other in pairwise(places):
        assert stage.travel_time_s(start._replace(x_um=one), start._replace(x_um=other)) <= 2 * JOG_LEAD_S


def test_the_newest_target_wins(slow: HandBench) -> None:
    stage = slow.microscope.stage
    slow.manual.move_to(x_um=-9_000, y_um=-90_000)
    wait_until(lambda: stage.is_moving, "the move")
    start = stage.position()
    handle = slow.manual.move_to(x_um=start.x_um - 100)
    assert finished(handle).success
    assert at(slow, x_um=start.x_um - 100)
    assert stage.position().y_um > 0  # it was on its way to -90 mm, and stopped


def test_stop_stops_at_once_and_forgets_the_target(slow: HandBench) -> None:
    stage = slow.microscope.stage
    told: list[WorkerResult] = []
    handle = slow.manual.move_to(y_um=-90_000, on_error=told.append)
    wait_until(lambda: stage.is_moving, "the move")
    slow.manual.stop()
    finished(handle)
    assert not stage.is_moving
    assert stage.position().y_um > -89_000
    assert slow.microscope.owner is None
    assert told == []  # who stops needs not be told
    here = stage.position()
    assert finished(slow.manual.move_by(dx_um=10)).success
    assert at(slow, x_um=here.x_um + 10, y_um=here.y_um)


# --- homing, loading, objectives --------------------------------------------------------------------------------------


def test_homing_ends_with_a_homed_stage(bench: HandBench) -> None:
    assert finished(bench.manual.home()).success
    limits = bench.microscope.stage.hardware_limits
    assert bench.microscope.stage.is_homed
    assert at(bench, z_um=limits.z.min_um, x_um=limits.x.min_um)


def test_a_step_while_the_stage_homes_is_refused_and_the_homing_goes_on(tmp_path: Path) -> None:
    with hand_bench(rig.machine(tmp_path, time_scale=5), tmp_path) as bench:
        homing = bench.manual.home()
        wait_until(lambda: bench.microscope.stage.is_moving, "the homing")
        error = finished(bench.manual.move_by(dx_um=10)).error
        assert "busy (homing)" in str(error)
        assert bench.manual.activity == "homing"
        assert finished(homing).success


def test_loading_retracts_z_before_anything_else_moves(tmp_path: Path) -> None:
    config = rig.machine(tmp_path).model_copy(update={"loading_position_um": LoadingPosition(x=5000, y=20_000)})
    with hand_bench(config, tmp_path) as bench:
        track = Track(bench)
        assert finished(bench.manual.go_to_loading_position()).success
        assert track.sent == [{"z_um": 0.0}, {"x_um": 5000, "y_um": 20_000}]
        assert bench.manual.loading_position == (5000, 20_000, 0)


def test_without_a_key_in_the_machine_file_loading_is_at_the_upper_end_of_y(bench: HandBench) -> None:
    assert bench.manual.loading_position == (57_500, 95_000, 0)


def test_a_loading_position_outside_the_limits_moves_nothing(tmp_path: Path) -> None:
    config = rig.machine(tmp_path).model_copy(update={"loading_position_um": LoadingPosition(x=5000, y=200_000)})
    with hand_bench(config, tmp_path) as bench:
        track = Track(bench)
        assert isinstance(finished(bench.manual.go_to_loading_position()).error, SettingError)
        assert track.sent == []


def test_an_objective_is_turned_in(bench: HandBench) -> None:
    assert bench.manual.objectives == ("20x", "4x", "10x", "40x")
    assert finished(bench.manual.set_objective("40x")).success
    assert bench.microscope.objective == "40x"
    assert "allowed: 20x, 4x" in str(finished(bench.manual.set_objective("41x")).error)


# --- the emergency stop -----------------------------------------------------------------------------------------------


def test_the_emergency_stop_darkens_stops_and_tells_everybody(tmp_path: Path) -> None:
    told = threading.Event()

    def clumsy() -> None:
        raise ValueError("a listener that fails")

    config = rig.machine(tmp_path, time_scale=1)
    with hand_bench(config, tmp_path, on_emergency=(clumsy, told.set)) as bench:
        bench.live.set(exposure_ms=20_000)
        bench.live.start()
        wait_until(lambda: bench.microscope.illumination.lit, "light", tick=bench.live.tick)
        moving = bench.manual.move_to(y_um=-90_000)
        wait_until(lambda: bench.microscope.stage.is_moving, "the move")
        bench.live.stop()
        state = bench.manual.emergency_stop().result(10)
        assert (state.dark, state.stopped) == (True, True)
        assert told.is_set()
        finished(moving)
        assert not bench.microscope.stage.is_moving
        assert bench.live.wait_stopped(10)
        assert bench.microscope.illumination.lit == ()


def test_live_light_does_not_come_back_after_an_emergency_stop(tmp_path: Path) -> None:
    """Live view of 1 ms frames switches the light all the time; whatever it was about to do, the dark is the end."""
    lives: list[Live] = []
    with hand_bench(rig.machine(tmp_path), tmp_path, on_emergency=(lambda: lives[0].stop(),)) as bench:
        lives.append(bench.live)
        bench.live.set(exposure_ms=1.0)
        for _ in range(10):
            bench.live.start()
            before = bench.live.newest()
            wait_until(lambda before=before: bench.live.newest() is not before, "a frame", tick=bench.live.tick)  # type: ignore[misc]
            assert bench.manual.emergency_stop().result(10).dark
            assert not bench.live.is_running
            assert bench.live.wait_stopped(10)
            assert bench.microscope.illumination.lit == ()
