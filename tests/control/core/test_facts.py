from __future__ import annotations

import logging
import threading

import pytest

from control.core.facts import Fact, FactStream, Paused, Resumed, RunFinished, Waiting

END = RunFinished("completed", "", 1, 0)


def test_one_order_for_everybody_from_many_threads() -> None:
    first: list[Fact] = []
    second: list[Fact] = []
    stream = FactStream((first.append, second.append))

    def say(number: int) -> None:
        for count in range(50):
            stream.say(Waiting(f"{number}.{count}"))

    threads = [threading.Thread(target=say, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert first == second
    assert len(first) == 200


def test_nothing_is_said_after_the_end(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Fact] = []
    stream = FactStream((heard.append,))
    for fact in (Paused(), END, END, Resumed()):
        stream.say(fact)
    assert heard == [Paused(), END]
    assert "after the end" in caplog.text


def test_a_listener_that_fails_disturbs_nobody(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Fact] = []

    def fail(_: Fact) -> None:
        raise ZeroDivisionError

    with caplog.at_level(logging.ERROR):
        FactStream((fail, heard.append)).say(END)
    assert heard == [END]
    assert "ZeroDivisionError" in caplog.text
