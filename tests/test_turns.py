"""Tests that are marked `alone` have the machine for themselves, and are not kept waiting by those that come later."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.turns import Turns


def test_who_wants_to_be_alone_waits_for_the_others_and_goes_before_later_ones(tmp_path: Path) -> None:
    order: list[str] = []
    waiting = threading.Event()

    def take(name: str, *, alone: bool) -> None:
        turns = Turns(tmp_path)  # as another process has it
        waiting.set()
        with turns.taken(alone=alone):
            order.append(name)

    def begin(pool: ThreadPoolExecutor, name: str, *, alone: bool) -> Future[None]:
        waiting.clear()
        future = pool.submit(take, name, alone=alone)
        assert waiting.wait(20)
        with pytest.raises(TimeoutError):
            future.result(0.05)
        return future

    with ThreadPoolExecutor(2) as pool, ExitStack() as first:
        first.enter_context(Turns(tmp_path).taken(alone=False))
        with Turns(tmp_path).taken(alone=False):
            pass  # two that share the room do not wait for each other
        begun = [begin(pool, "alone", alone=True), begin(pool, "later", alone=False)]
        assert order == []
        first.close()
        for future in begun:
            future.result(20)
    assert order == ["alone", "later"]
