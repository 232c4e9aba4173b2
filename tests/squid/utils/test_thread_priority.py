"""`squid.utils.thread_priority` on a real kernel, read back from it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from squid.utils.task import Task
from squid.utils.task_pool import TaskPool
from squid.utils.thread_priority import STANDS_BACK, prompt, stand_back

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a priority for each thread")


def nice_of_this_thread() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def slice_ms() -> float:
    """What the kernel grants the calling thread at a time."""
    lines = Path(f"/proc/self/task/{threading.get_native_id()}/sched").read_text().splitlines()
    found = [line.split(":")[1] for line in lines if line.startswith("se.slice")]
    if not found:
        pytest.skip("this kernel does not say how long a turn is")
    return int(found[0]) / 1e6


def in_a_thread(call: Callable[[], object]) -> object:
    answers: list[object] = []
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
    def turns() -> tuple[float, float, float, int]:
        before = slice_ms()
        nice = nice_of_this_thread()
        with prompt():
            within = slice_ms()
            assert nice_of_this_thread() == nice
        return before, within, slice_ms(), nice

    before, within, after, _ = in_a_thread(turns)  # type: ignore[misc]
    if within == before:
        pytest.skip("this kernel grants no turns of one's own length")
    assert within < before == after


def test_prompt_leaves_a_thread_that_stands_back_where_it_is() -> None:
    def both() -> tuple[int, int]:
        stand_back()
        nice = nice_of_this_thread()
        with prompt():
            return nice, nice_of_this_thread()

    nice, within = in_a_thread(both)  # type: ignore[misc]
    assert nice == within
