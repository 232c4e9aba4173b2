"""The public surface of the worker manager, with the event loop of a Qt application."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from squid.errors import DuplicateTaskError, ShutDownError
from squid.utils import (
    Outcome,
    TaskCancelledError,
    TaskLostError,
    TaskPriority,
    WorkerManager,
    WorkerResult,
    current_task,
)

Make = Callable[..., WorkerManager]


def _raise(error: BaseException) -> None:
    raise error


def test_a_value_arrives_in_the_gui_thread(qtbot: QtBot, make_manager: Make) -> None:
    manager = make_manager()
    seen: list[tuple[str, object, threading.Thread]] = []
    manager.signals.started.connect(lambda name: seen.append(("started", name, threading.current_thread())))
    manager.signals.completed.connect(lambda name, _: seen.append(("completed", name, threading.current_thread())))
    handle = manager.submit(
        "answer", lambda: 42, on_complete=lambda result: seen.append(("callback", result, threading.current_thread()))
    )
    qtbot.waitUntil(lambda: len(seen) == 3)
    assert [what for what, _, _ in seen] == ["started", "completed", "callback"]
    assert {thread for _, _, thread in seen} == {threading.main_thread()}
    assert seen[2][1] == WorkerResult(True, 42)
    assert handle == "answer"
    assert isinstance(handle, str)
    assert handle.outcome is Outcome.DONE


@pytest.mark.parametrize("error", [ZeroDivisionError("x"), SystemExit(3), KeyboardInterrupt()])
def test_whatever_a_task_raises_is_one_error_in_the_gui_thread(
    qtbot: QtBot, make_manager: Make, error: BaseException
) -> None:
    manager = make_manager()
    seen: list[tuple[WorkerResult, threading.Thread]] = []
    manager.submit("bad", lambda: _raise(error), on_error=lambda r: seen.append((r, threading.current_thread())))
    with qtbot.waitSignal(manager.signals.error) as signal:
        pass
    qtbot.waitUntil(lambda: bool(seen))
    ((result, thread),) = seen
    assert signal.args == ["bad", result]
    assert result.error is error
    assert result.stack_trace is not None
    assert type(error).__name__ in result.stack_trace
    assert (result.success, result.timed_out) == (False, False)
    assert thread is threading.main_thread()


@pytest.mark.parametrize("error", [ZeroDivisionError("x"), SystemExit(3)])
def test_a_callback_that_raises_stops_neither_the_program_nor_the_next_result(
    qtbot: QtBot, make_manager: Make, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    manager, seen = make_manager(1), threading.Event()
    manager.submit("told badly", lambda: None, on_complete=lambda _: _raise(error))
    manager.submit("told well", lambda: None, on_complete=lambda _: seen.set())
    qtbot.waitUntil(seen.is_set)
    assert "delivery to" in caplog.text


def test_a_passed_limit_is_one_timeout_and_the_late_result_is_dropped(
    qtbot: QtBot, make_manager: Make, tmp_path: Path
) -> None:
    manager, gate, back = make_manager(1), threading.Event(), threading.Event()
    calls: list[object] = []

    def slow() -> None:
        gate.wait(30)
        back.set()

    for signal in (manager.signals.timeout, manager.signals.error, manager.signals.completed):
        signal.connect(lambda *args: calls.append(args[0]))
    handle = manager.submit("slow scan", slow, 100, on_complete=calls.append, on_error=calls.append)
    qtbot.waitUntil(lambda: len(calls) == 3)
    assert calls[:2] == ["slow scan", "slow scan"]
    result = calls[2]
    assert isinstance(result, WorkerResult)
    assert result.timed_out
    assert isinstance(result.error, TimeoutError)
    gate.set()
    assert back.wait(5)
    manager.submit("later", lambda: 1)  # the replaced thread works
    qtbot.waitUntil(lambda: len(calls) == 4)
    assert handle.outcome is Outcome.TIMEOUT
    dump = (tmp_path / "stacks.log").read_text()
    assert "task 'slow scan' ran for more than 0.1 s" in dump
    assert "in task 'slow scan'" in dump
    assert "test_worker_manager.py" in dump


def test_waiting_in_the_queue_does_not_count(make_manager: Make) -> None:
    manager, gate = make_manager(1), threading.Event()
    first = manager.submit("first", lambda: gate.wait(30))
    second = manager.submit("second", lambda: 2, timeout_ms=150)
    assert not second.wait(0.4)
    gate.set()
    assert first.wait(5)
    assert second.wait(5)
    assert second.outcome is Outcome.DONE


def test_a_queue_limit_counts_only_the_wait(qtbot: QtBot, make_manager: Make) -> None:
    manager, gate = make_manager(1), threading.Event()
    manager.submit("first", lambda: gate.wait(30))
    second = manager.submit("second", lambda: 2, queue_timeout_ms=100)
    assert second.wait(5)
    assert second.outcome is Outcome.TIMEOUT
    gate.set()
    third = manager.submit("third", lambda: time.sleep(0.3), queue_timeout_ms=150)
    assert third.wait(5)
    assert third.outcome is Outcome.DONE


def test_a_task_that_reports_progress_is_not_overdue_until_it_stops(qtbot: QtBot, make_manager: Make) -> None:
    manager, reported, gate = make_manager(), [], threading.Event()

    def work() -> None:
        task = current_task()
        assert task is not None
        for step in range(8):
            task.pause(0.05)
            task.report_progress(step / 8, f"step {step}")
        gate.wait(30)

    handle = manager.submit("work", work, progress_timeout_ms=250, on_progress=lambda *seen: reported.append(seen))
    qtbot.waitUntil(lambda: handle.is_finished, timeout=10_000)
    gate.set()
    assert handle.outcome is Outcome.TIMEOUT
    assert handle.task.ended_at - handle.task.started_at > 0.6
    assert reported[-1] == (7 / 8, "step 7")


def test_a_second_active_task_of_a_name_is_refused(make_manager: Make) -> None:
    manager, gate = make_manager(), threading.Event()
    first = manager.submit("scan", lambda: gate.wait(30))
    with pytest.raises(DuplicateTaskError, match="'scan' is still active"):
        manager.submit("scan", lambda: None)
    gate.set()
    assert first.wait(5)
    assert manager.submit("scan", lambda: 2).wait(5)


def test_shutdown_is_bounded_and_gives_everything_an_outcome(qtbot: QtBot, make_manager: Make) -> None:
    manager, gate, results, running = make_manager(1), threading.Event(), [], threading.Event()
    manager.submit("hung", lambda: (running.set(), gate.wait(60)), on_error=results.append)
    assert running.wait(5)
    manager.submit("waiting", lambda: None, on_error=results.append)
    begin = time.monotonic()
    manager.shutdown(timeout=0.3)
    assert time.monotonic() - begin < 2.0
    assert {type(result.error) for result in results} == {TaskLostError, TaskCancelledError}
    with pytest.raises(ShutDownError):
        manager.submit("more", lambda: None)
    gate.set()


def test_shutdown_lets_a_running_task_finish(qtbot: QtBot, make_manager: Make) -> None:
    manager, results, running = make_manager(), [], threading.Event()

    def work() -> int:
        running.set()
        time.sleep(0.1)
        return 7

    manager.submit("work", work, on_complete=results.append)
    assert running.wait(5)
    manager.shutdown(timeout=10)
    assert results == [WorkerResult(True, 7)]


def test_cancel_takes_a_waiting_task_out_and_asks_a_running_one(qtbot: QtBot, make_manager: Make) -> None:
    manager, running, results, ran = make_manager(1), threading.Event(), [], []

    def endless() -> None:
        task = current_task()
        assert task is not None
        running.set()
        task.pause(60)

    first = manager.submit("first", endless, on_error=results.append)
    second = manager.submit("second", lambda: ran.append(1), on_error=results.append)
    assert running.wait(5)
    assert first.is_running
    assert second.cancel()
    assert second.is_cancelled
    assert manager.cancel_task("first")
    assert first.wait(5)
    assert first.is_cancelled
    assert not first.cancel()
    assert not manager.cancel_task("first")
    qtbot.waitUntil(lambda: len(results) == 2)
    assert all(isinstance(result.error, TaskCancelledError) for result in results)
    assert ran == []


def test_cancel_all_and_clear_and_waiting_for_all(make_manager: Make) -> None:
    manager, gate = make_manager(1), threading.Event()
    running = manager.submit("running", lambda: gate.wait(30))
    while not running.is_running:
        running.wait(0.01)
    for number in range(5):
        manager.submit(f"waiting {number}", lambda: None)
    assert not manager.wait_for_done(50)
    assert manager.clear() == 5
    assert manager.active_thread_count() == 1
    assert manager.cancel_all() == 1
    gate.set()
    assert manager.wait_for_done(5000)
    assert running.is_cancelled
    statistics = manager.get_statistics()
    assert (statistics["submitted"], statistics["cancelled"]) == (6, 6)
    manager.reset_statistics()
    assert manager.get_statistics()["submitted"] == 0


def test_priorities_go_first(make_manager: Make) -> None:
    manager, order = make_manager(1), []
    manager.pause()
    for priority in reversed(TaskPriority):
        manager.submit(priority.name, lambda name=priority.name: order.append(name), priority=priority)
    manager.resume()
    assert manager.wait_for_done(5000)
    assert order == [priority.name for priority in TaskPriority]


def test_a_low_priority_ages_past_a_high_one(make_manager: Make) -> None:
    manager, order = make_manager(1, ageing_s=0.01), []
    manager.pause()
    low = manager.submit("low", lambda: order.append("low"), priority=TaskPriority.IDLE)
    low.wait(0.1)
    manager.submit("high", lambda: order.append("high"), priority=TaskPriority.CRITICAL)
    manager.resume()
    assert manager.wait_for_done(5000)
    assert order == ["low", "high"]


def test_the_number_of_workers_can_change(make_manager: Make) -> None:
    manager, gate = make_manager(1), threading.Barrier(4, timeout=10)
    manager.set_max_workers(3)
    for number in range(3):
        manager.submit(f"{number}", gate.wait)
    gate.wait()
    assert manager.wait_for_done(5000)
    manager.set_max_workers(1)
    for number in range(5):
        assert manager.submit(f"after {number}", lambda: 1).wait(5)


def test_a_delayed_task_starts_later_and_can_be_cancelled(make_manager: Make) -> None:
    manager = make_manager()
    handle = manager.submit("later", lambda: 1, delay_ms=100)
    other = manager.submit("never", lambda: 1, delay_ms=60_000)
    assert handle.wait(5)
    assert handle.task.started_at - handle.task.created_at >= 0.1
    assert other.cancel()
    assert other.is_finished
