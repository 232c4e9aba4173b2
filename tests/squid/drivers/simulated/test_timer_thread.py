import threading
import time
from collections.abc import Iterator

import pytest

from squid.drivers.simulated.timing import TimedFuture, TimerThread, fail, settle


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
    future: TimedFuture[int] = TimedFuture()
    assert not future.cancel()
    settle(future, 1)
    settle(future, 2)
    fail(future, RuntimeError())
    assert future.result() == 1


@pytest.fixture
def timer() -> Iterator[TimerThread]:
    timer = TimerThread("test")
    timer.start()
    yield timer
    timer.stop()


def test_who_waits_for_a_timed_future_wakes_at_its_instant_and_settles_it_once(timer: TimerThread) -> None:
    future: TimedFuture[float] = TimedFuture()
    settled: list[str] = []

    def happen() -> None:
        settled.append(threading.current_thread().name)
        settle(future, time.monotonic())

    due_s = time.monotonic() + 0.02
    timer.settle_at(due_s, future, happen)
    assert future.result(10) >= due_s
    assert settled[0] in (threading.current_thread().name, "test")  # the timer, if this thread was late


def test_a_timed_future_comes_true_though_nobody_waits_for_it(timer: TimerThread) -> None:
    future: TimedFuture[int] = TimedFuture()
    heard = threading.Event()
    future.add_done_callback(lambda _: heard.set())
    timer.settle_at(time.monotonic() + 0.01, future, lambda: settle(future, 1))
    assert heard.wait(10)


def test_a_short_wait_for_a_timed_future_times_out(timer: TimerThread) -> None:
    future: TimedFuture[int] = TimedFuture()
    timer.settle_at(time.monotonic() + 60, future, lambda: settle(future, 1))
    with pytest.raises(TimeoutError):
        future.result(0.01)
    with pytest.raises(TimeoutError):
        TimedFuture[int]().result(0.01)  # its instant is not known


def test_a_timed_future_that_fails_before_its_instant_wakes_the_waiter(timer: TimerThread) -> None:
    future: TimedFuture[int] = TimedFuture()
    timer.settle_at(time.monotonic() + 60, future, lambda: settle(future, 1))
    timer.call_at(time.monotonic() + 0.02, lambda: fail(future, RuntimeError("stopped")))
    with pytest.raises(RuntimeError, match="stopped"):
        future.result()
