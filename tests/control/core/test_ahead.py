from collections.abc import Iterator
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.core.ahead import Ahead


@given(st.lists(st.integers(), max_size=6), st.lists(st.booleans(), min_size=7, max_size=7))
def test_looking_ahead_changes_nothing(items: list[int], looks: list[bool]) -> None:
    ahead, got = Ahead(iter(items)), []
    for look in looks:
        if look:
            ahead.look()
            ahead.look()
        got += islice(ahead, 1)
    assert got == items


def test_the_next_item_is_worked_out_by_the_look() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(3):
            made.append(number)
            yield number

    ahead = Ahead(items())
    ahead.look()
    assert made == [0]
    assert next(ahead) == 0
    assert made == [0]


def test_an_error_of_the_iterator_is_raised_by_the_look() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    ahead = Ahead(items())
    assert next(ahead) == 1
    with pytest.raises(ValueError, match="no more"):
        ahead.look()
