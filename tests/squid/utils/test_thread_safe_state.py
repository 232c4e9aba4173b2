"""A value and a flag between threads."""

from __future__ import annotations

import threading

from squid.utils import ThreadSafeFlag, ThreadSafeValue


def _in_threads(count: int, call: object) -> None:
    threads = [threading.Thread(target=call) for _ in range(count)]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)


def test_a_value_is_updated_without_loss() -> None:
    value = ThreadSafeValue(initial_value=0)

    def add() -> None:
        for _ in range(500):
            value.update(lambda old: (old or 0) + 1)

    _in_threads(4, add)
    assert value.get() == 2000
    assert value.get_and_clear() == 2000
    assert value.get() is None
    value.set(3)
    with value.locked() as held:
        held.set((held.get() or 0) + 1)
    assert value.get() == 4


def test_an_update_that_raises_leaves_the_old_value() -> None:
    value = ThreadSafeValue(5)
    try:
        value.update(lambda old: 1 // 0)
    except ZeroDivisionError:
        assert value.get() == 5


def test_a_flag_wakes_and_is_taken_once() -> None:
    flag, taken = ThreadSafeFlag(), []
    assert not flag.is_set
    assert not flag.wait(0.01)
    assert not flag.wait_and_clear(0.01)
    flag.set()
    assert flag
    assert flag.wait()
    _in_threads(4, lambda: taken.append(flag.wait_and_clear(0.2)))
    assert sorted(taken) == [False, False, False, True]
    flag.set()
    flag.clear()
    assert not flag.is_set
