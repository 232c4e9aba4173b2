"""`squid.utils.thread_priority` on a real kernel, read back from it."""

from __future__ import annotations

import os
import platform
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from squid.utils.task import Task
from squid.utils.task_pool import TaskPool
from squid.utils.thread_priority import STANDS_BACK, prompt, stand_back

T = TypeVar("T")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a priority for each thread")


def nice_of_this_thread() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def turn_ms() -> float | None:
    """What the kernel grants the calling thread at a time; None when it does not say."""
    facts = Path(f"/proc/self/task/{threading.get_native_id()}/sched")
    lines = facts.read_text().splitlines() if facts.exists() else []
    return next((int(line.split(":")[1]) / 1e6 for line in lines if line.startswith("se.slice")), None)


def grants_turns() -> bool:
    """Whether this kernel, Linux 6.12 or later, grants a thread turns of its own length."""
    major, minor = platform.release().split(".")[:2]
    return (int(major), int(minor)) >= (6, 12)


def in_a_thread(call: Callable[[], T]) -> T:
    answers: list[T] = []
    thread = threading.Thread(target=lambda: answers.append(call()))
    thread.start()
    thread.join()
    return answers[0]


def test_a_thread_that_stands_back_is_nicer_and_no_other_is() -> None:
    before = nice_of_this_thread()

    def stood_back() -> int:
        stand_back()
        return nice_of_this_thread()

    assert in_a_thread(stood_back) == min(19, before + STANDS_BACK)
    assert nice_of_this_thread() == before


def test_threads_of_a_background_pool_stand_back() -> None:
    pool = TaskPool("quiet", 1, in_background=True)
    seen: list[int] = []
    task = Task("look", lambda: seen.append(nice_of_this_thread()))
    pool.submit(task)
    assert pool.wait(task, 5)
    pool.shut_down(1.0)
    assert seen == [min(19, nice_of_this_thread() + STANDS_BACK)]


def test_prompt_shortens_turns_and_gives_the_usual_ones_back() -> None:
    if turn_ms() is None or not grants_turns():
        pytest.skip("this kernel does not grant or not say how long a turn is")

    def turns() -> tuple[float, float, float]:
        before = turn_ms() or 0.0
        with prompt():
            within = turn_ms() or 0.0
        return before, within, turn_ms() or 0.0

    before, within, after = in_a_thread(turns)
    assert 0 < within < before == after


def test_prompt_leaves_a_thread_that_stands_back_where_it_is() -> None:
    def both() -> tuple[int, int]:
        stand_back()
        nice = nice_of_this_thread()
        with prompt():
            return nice, nice_of_this_thread()

    nice, within = in_a_thread(both)
    assert nice == within
