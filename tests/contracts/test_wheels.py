"""What every filter wheel and every objective changer promises: they differ in a name only."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from tests.contracts.table import FILTER_WHEELS, OBJECTIVE_CHANGERS, TIMEOUT_S, opened

from squid.abc.filter_wheel import FilterWheel
from squid.abc.objective_changer import ObjectiveChanger
from squid.errors import DeviceClosedError, DeviceError, SettingError

Wheel = FilterWheel | ObjectiveChanger


@pytest.fixture(params=[*FILTER_WHEELS, *OBJECTIVE_CHANGERS], ids=str)
def wheel(request: pytest.FixtureRequest) -> Iterator[Wheel]:
    with opened(request.param) as device:
        yield device


def names_of(wheel: Wheel) -> tuple[str, ...]:
    return wheel.filters if isinstance(wheel, FilterWheel) else wheel.objectives


def test_visits_every_position(wheel: Wheel) -> None:
    for name in (*names_of(wheel), *reversed(names_of(wheel))):
        assert wheel.move_to(name).result(TIMEOUT_S) == name
        assert wheel.current == name


def test_refuses_an_unknown_name_and_stays(wheel: Wheel) -> None:
    before = wheel.current
    with pytest.raises(SettingError, match=names_of(wheel)[0]):
        wheel.move_to("pink")
    assert wheel.current == before


def test_travel_time_is_zero_for_no_move_and_longest_from_nowhere(wheel: Wheel) -> None:
    names = names_of(wheel)
    for target in names:
        longest = wheel.travel_time_s(None, target)
        for start in names:
            needed = wheel.travel_time_s(start, target)
            assert needed <= longest
            assert (needed == 0) is (start == target)


@pytest.mark.alone
def test_travel_time_tells_the_truth(wheel: Wheel) -> None:
    names = names_of(wheel)
    wheel.move_to(names[0]).result(TIMEOUT_S)
    start_s = time.monotonic()
    wheel.move_to(names[-1]).result(TIMEOUT_S)
    taken_s = time.monotonic() - start_s
    expected_s = wheel.travel_time_s(names[0], names[-1])
    assert expected_s - 1e-3 <= taken_s < expected_s + 0.5


def test_nothing_is_in_the_beam_while_it_turns(wheel: Wheel) -> None:
    names = names_of(wheel)
    if len(names) < 2:
        pytest.skip("one position only: it never turns")
    move = wheel.move_to(names[1])
    assert wheel.current is None or move.done()
    if not move.done():
        with pytest.raises(DeviceError, match="already"):
            wheel.move_to(names[0])
    move.result(TIMEOUT_S)


def test_closing_fails_the_move_under_way(wheel: Wheel) -> None:
    names = names_of(wheel)
    if len(names) < 2:
        pytest.skip("one position only: it never turns")
    move = wheel.move_to(names[1])
    wheel.close()
    error = move.exception(TIMEOUT_S)
    assert error is None or isinstance(error, DeviceClosedError)
