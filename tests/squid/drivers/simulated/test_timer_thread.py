import threading
import time
from concurrent.futures import Future

import pytest

from squid.drivers.simulated.timing import TimerThread, fail, running_future, settle


def test_calls_in_order_of_time_and_never_early() -> None:
    timer = TimerThread("test")
    timer.start()
    called: list[tuple[str, float]] = []
    done = threading.Event()
    now = time.monotonic()
    for name, delay_s in (("late", 0.03), ("early", 0.01), ("past", -1.0)):
        timer.call_at(now + delay_s, lambda name=name: called.append((name, time.monotonic())))
    timer.call_at(now + 0.04, done.set)
    assert done.wait(10)
    timer.stop()
    assert [name for name, _ in called] == ["past", "early", "late"]
    assert called[1][1] >= now + 0.01
    assert called[2][1] >= now + 0.03


def test_a_call_that_raises_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    timer = TimerThread("test")
    timer.start()
    done = threading.Event()
    timer.call_at(0, lambda: 1 / 0)
    timer.call_at(0, done.set)
    assert done.wait(10)
    timer.stop()
    assert "a timed call failed" in caplog.text


def test_stopping_drops_what_is_not_due() -> None:
    timer = TimerThread("test")
    timer.start()
    called: list[int] = []
    timer.call_at(time.monotonic() + 60, lambda: called.append(1))
    start_s = time.monotonic()
    timer.stop()
    assert time.monotonic() - start_s < 10
    assert not called


def test_a_settled_future_keeps_its_first_outcome() -> None:
    future: Future[int] = running_future()
    assert not future.cancel()
    settle(future, 1)
    settle(future, 2)
    fail(future, RuntimeError())
    assert future.result() == 1
