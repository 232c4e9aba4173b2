from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.core.index_set import IndexSet


@given(size=st.integers(0, 200), data=st.data())
def test_is_a_set_of_small_numbers(size: int, data: st.DataObject) -> None:
    put = data.draw(st.sets(st.integers(0, size - 1))) if size else set()
    taken = data.draw(st.sets(st.integers(0, size - 1))) if size else set()
    indexes = IndexSet(size)
    for index in put:
        indexes.add(index)
        indexes.add(index)
    for index in taken:
        indexes.discard(index)
    expected = put - taken
    assert len(indexes) == len(expected)
    assert list(indexes.absent()) == [i for i in range(size) if i not in expected]
    assert indexes.first_absent() == min((i for i in range(size) if i not in expected), default=size)
    assert all((index in indexes) == (index in expected) for index in range(size))


@pytest.mark.parametrize("index", [-1, 10])
def test_refuses_what_is_not_of_the_plan(index: int) -> None:
    with pytest.raises(IndexError, match="plan of 10 frames"):
        IndexSet(10).add(index)


def test_a_huge_plan_is_small() -> None:
    indexes = IndexSet(76_032_000)
    for index in range(1000):
        indexes.add(index)
    assert indexes.first_absent() == 1000
    assert len(indexes._bits) < 10_000_000
