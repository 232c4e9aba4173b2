"""What every sequencer promises."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.contracts.table import SEQUENCERS, TIMEOUT_S, opened, step_here

from squid.abc.camera_trigger import CameraTrigger
from squid.abc.filter_wheel import FilterWheel
from squid.abc.illumination import Illumination
from squid.abc.sequencer import Sequencer, SequenceStep
from squid.abc.stage import Stage
from squid.errors import DeviceError, SettingError


@pytest.fixture(params=SEQUENCERS, ids=str)
def sequencer(request: pytest.FixtureRequest) -> Iterator[Sequencer]:
    with opened(request.param) as device:
        yield device


def stage_of(sequencer: Sequencer) -> Stage:
    return next(part for part in sequencer.parts if isinstance(part, Stage))


def light_of(sequencer: Sequencer) -> Illumination:
    return next(part for part in sequencer.parts if isinstance(part, Illumination))


def stack(sequencer: Sequencer, planes: int = 3, exposure_ms: float = 5.0) -> list[SequenceStep]:
    """A z-stack from where the stage stands, 2 µm apart."""
    return [step_here(sequencer, 2.0 * plane, exposure_ms) for plane in range(planes)]


def test_drives_a_stage_a_light_and_a_trigger(sequencer: Sequencer) -> None:
    for kind in (Stage, Illumination, CameraTrigger):
        assert any(isinstance(part, kind) for part in sequencer.parts)


def test_reports_each_step_where_it_was_to_be(sequencer: Sequencer) -> None:
    stage = stage_of(sequencer)
    steps = stack(sequencer)
    assert sequencer.why_not(steps) is None
    run = sequencer.start(steps, 2.0)
    assert run.done.result(TIMEOUT_S) == 3
    reports = [future.result(TIMEOUT_S) for future in run.triggered]
    for step, report in zip(steps, reports, strict=True):
        assert stage.is_at(step.target, report.position)
    assert [report.triggered_s for report in reports] == sorted(report.triggered_s for report in reports)
    assert stage.is_at(steps[-1].target, stage.position())
    assert light_of(sequencer).lit == ()
    assert not stage.is_moving


def test_the_stage_and_the_next_list_go_on_from_where_it_ended(sequencer: Sequencer) -> None:
    stage = stage_of(sequencer)
    start = stage.position()
    for _ in range(2):
        steps = stack(sequencer)
        assert sequencer.start(steps, 0.0).done.result(TIMEOUT_S) == 3
        back = stage.move_to(z_um=start.z_um).result(TIMEOUT_S)
        assert stage.is_at(start, back)


def test_takes_as_long_as_it_says(sequencer: Sequencer) -> None:
    steps = stack(sequencer, exposure_ms=50.0)
    expected_s = sum(sequencer.step_s(a, b, 5.0) for a, b in zip([None, *steps], steps, strict=False))
    start_s = time.monotonic()
    sequencer.start(steps, 5.0).done.result(TIMEOUT_S)
    assert expected_s >= 0.15
    assert time.monotonic() - start_s < expected_s + 1.0


def test_finish_keeps_the_exposure_under_way_and_takes_no_other(sequencer: Sequencer) -> None:
    run = sequencer.start(stack(sequencer, exposure_ms=300.0), 1.0)
    run.triggered[0].result(TIMEOUT_S)
    sequencer.finish()
    assert run.done.result(TIMEOUT_S) == 1
    for future in run.triggered[1:]:
        assert isinstance(future.exception(TIMEOUT_S), DeviceError)


def test_abort_is_dark_at_once(sequencer: Sequencer) -> None:
    run = sequencer.start(stack(sequencer, exposure_ms=5000.0), 1.0)
    run.triggered[0].result(TIMEOUT_S)
    sequencer.abort()
    assert isinstance(run.done.exception(TIMEOUT_S), DeviceError)
    assert light_of(sequencer).lit == ()
    sequencer.abort()
    sequencer.finish()
    assert sequencer.start(stack(sequencer), 1.0).done.result(TIMEOUT_S) == 3


@pytest.mark.parametrize("how", ["abort", "all_off", "stop"])
def test_nothing_goes_on_after_an_early_end(sequencer: Sequencer, how: str) -> None:
    """The list may still be on its way to the hardware."""
    run = sequencer.start(stack(sequencer, planes=20, exposure_ms=100.0), 1.0)
    {"abort": sequencer.abort, "all_off": light_of(sequencer).all_off, "stop": stage_of(sequencer).stop}[how]()
    assert isinstance(run.done.exception(TIMEOUT_S), DeviceError)
    assert all(isinstance(future.exception(TIMEOUT_S), DeviceError) for future in run.triggered[1:])
    assert sequencer.start(stack(sequencer), 1.0).done.result(TIMEOUT_S) == 3


def test_finish_ends_a_list_that_is_still_on_its_way(sequencer: Sequencer) -> None:
    run = sequencer.start(stack(sequencer, planes=20, exposure_ms=50.0), 1.0)
    sequencer.finish()
    assert run.done.result(TIMEOUT_S) < 20


def test_what_darkens_all_ends_it(sequencer: Sequencer) -> None:
    run = sequencer.start(stack(sequencer, exposure_ms=5000.0), 1.0)
    run.triggered[0].result(TIMEOUT_S)
    light_of(sequencer).all_off()
    assert isinstance(run.done.exception(TIMEOUT_S), DeviceError)


def test_one_list_at_a_time(sequencer: Sequencer) -> None:
    run = sequencer.start(stack(sequencer, exposure_ms=300.0), 1.0)
    with pytest.raises(DeviceError, match="already"):
        sequencer.start(stack(sequencer), 1.0)
    sequencer.finish()
    run.done.result(TIMEOUT_S)


def test_refuses_what_it_cannot_run_and_moves_nothing(sequencer: Sequencer) -> None:
    stage = stage_of(sequencer)
    here = stage.position()
    good = step_here(sequencer)
    bad = {
        "source": [replace(good, source="moonlight")],
        "limits": [good, replace(good, target=good.target._replace(z_um=stage.limits.z.max_um + 1))],
        "0": [],
        "filter": [replace(good, filter="pink")],
    }
    for steps in bad.values():
        with pytest.raises(SettingError):
            sequencer.start(steps, 1.0)
    with pytest.raises(SettingError, match="readout_ms"):
        sequencer.start([good], -1.0)
    assert stage.position() == here


def test_turns_filters_where_it_drives_a_wheel(sequencer: Sequencer) -> None:
    wheel = next((part for part in sequencer.parts if isinstance(part, FilterWheel)), None)
    if wheel is None:
        assert sequencer.why_not([replace(step_here(sequencer), filter="red")]) is not None
        return
    steps = [replace(step_here(sequencer), filter=name) for name in wheel.filters]
    assert sequencer.start(steps, 1.0).done.result(TIMEOUT_S) == len(steps)
    assert wheel.current == wheel.filters[-1]
    assert wheel.move_to(wheel.filters[0]).result(TIMEOUT_S) == wheel.filters[0]
