"""Deadlines: exactly one of fire and disarm, on a clock that nobody sets."""

from __future__ import annotations

import random
import threading
import time

import pytest

from squid.errors import ShutDownError
from squid.utils.deadlines import Deadline, DeadlineWatch


def test_it_fires_once_in_the_watch_thread() -> None:
    watch, fired, done = DeadlineWatch(0.01), [], threading.Event()

    def overdue(deadline: Deadline) -> None:
        fired.append((deadline.name, threading.current_thread().name))
        done.set()

    begin = time.monotonic()
    deadline = watch.arm("stage.move", 0.05, overdue)
    assert done.wait(5)
    assert time.monotonic() - begin >= 0.05
    assert not deadline.disarm()
    watch.close()
    assert fired == [("stage.move", "deadline watch")]


def test_disarmed_in_time_it_never_fires() -> None:
    watch, fired, later = DeadlineWatch(0.01), [], threading.Event()
    deadline = watch.arm("a", 0.05, fired.append)
    assert deadline.disarm()
    assert not deadline.disarm()
    watch.arm("b", 0.15, lambda _: later.set())
    assert later.wait(5)
    assert fired == []
    watch.close()


def test_extended_it_fires_later() -> None:
    watch, done = DeadlineWatch(0.01), threading.Event()
    begin = time.monotonic()
    deadline = watch.arm("a", 0.1, lambda _: done.set())
    assert deadline.extend(0.5)
    assert deadline.timeout_s == 0.5
    assert done.wait(5)
    assert time.monotonic() - begin >= 0.5
    assert not deadline.extend(1)
    watch.close()


def test_a_handler_that_raises_does_not_stop_the_watch(caplog: pytest.LogCaptureFixture) -> None:
    watch, done = DeadlineWatch(0.01), threading.Event()

    def bad(_: Deadline) -> None:
        raise SystemExit

    watch.arm("bad", 0.01, bad)
    watch.arm("good", 0.1, lambda _: done.set())
    assert done.wait(5)
    assert "handling of overdue 'bad' failed" in caplog.text
    watch.close()


def test_fire_and_disarm_never_both() -> None:
    watch, fired, disarmed, seed = DeadlineWatch(0.001), [], [], random.Random(1)
    for _ in range(300):
        deadline = watch.arm("race", 0.002, fired.append)
        time.sleep(seed.uniform(0.0, 0.005))
        if deadline.disarm():
            disarmed.append(deadline)
    watch.close()
    assert len(fired) + len(disarmed) == 300
    assert not set(fired) & set(disarmed)


def test_the_wall_clock_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    watch, fired = DeadlineWatch(0.01), []
    real = time.time
    deadline = watch.arm("a", 5.0, fired.append)
    for hours in (1, -1):
        monkeypatch.setattr(time, "time", lambda hours=hours: real() + 3600 * hours)
        threading.Event().wait(0.05)
    assert deadline.disarm()
    assert fired == []
    watch.close()


def test_a_closed_watch_fires_and_accepts_nothing() -> None:
    watch, fired = DeadlineWatch(0.01), []
    watch.arm("a", 0.05, fired.append)
    watch.close()
    watch.close()
    with pytest.raises(ShutDownError):
        watch.arm("b", 1.0, fired.append)
    assert fired == []


def test_the_thread_sleeps_and_wakes_again() -> None:
    watch = DeadlineWatch(0.01)
    for _ in range(5):
        done = threading.Event()
        watch.arm("a", 0.02, lambda _, done=done: done.set())
        assert done.wait(5)
        threading.Event().wait(0.05)  # long enough to fall asleep
    watch.close()
