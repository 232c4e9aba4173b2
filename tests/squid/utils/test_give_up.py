"""Giving up a task whose hang was found from outside."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from squid.errors import AccessRevokedError
from squid.utils import Outcome, WorkerManager, current_task
from squid.utils.epoch import check_access
from squid.utils.task import Task


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[WorkerManager]:
    made = WorkerManager(1, dump_file=tmp_path / "stacks.log")
    yield made
    made.shutdown(timeout=2.0)


def test_a_task_given_up_is_dumped_cut_off_and_replaced(manager: WorkerManager) -> None:
    started, released, late = threading.Event(), threading.Event(), threading.Event()
    tasks: list[Task | None] = []
    refused: list[AccessRevokedError] = []

    def hang() -> None:
        tasks.append(current_task())
        started.set()
        released.wait(20)
        try:
            check_access("camera")
        except AccessRevokedError as e:
            refused.append(e)
        late.set()

    handle = manager.submit("look", hang, coalesce_key="look")
    assert started.wait(20)
    assert tasks[0] is not None
    assert manager.give_up(tasks[0], "camera.trigger hangs")
    assert handle.wait(20)
    assert handle.outcome is Outcome.TIMEOUT
    assert handle.result is not None
    assert str(handle.result.error) == "camera.trigger hangs"
    assert "camera.trigger hangs" in manager.dump_path.read_text()
    assert "task 'look'" in manager.dump_path.read_text()
    again = manager.submit("look", lambda: 7, coalesce_key="look")  # the only worker was replaced, the key is free
    assert again.wait(20)
    assert not manager.give_up(tasks[0], "again")
    released.set()
    assert late.wait(20)
    assert "camera.trigger hangs" in str(refused[0])


def test_a_task_that_has_ended_is_not_given_up(manager: WorkerManager) -> None:
    handle = manager.submit("quick", lambda: 1)
    assert handle.wait(20)
    assert not manager.give_up(handle.task, "too late")
    assert handle.outcome is Outcome.DONE


def test_a_limit_of_the_wait_never_takes_the_place_of_the_runs_own(
    manager: WorkerManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task that could start before `submit` has returned keeps the limits of its run."""
    started, submitted = threading.Event(), threading.Event()
    arm = manager._pool._watch.arm

    def slowly(name: str, timeout_s: float, on_overdue: Any) -> Any:
        if timeout_s == 60.0:
            started.wait(0.2)
        return arm(name, timeout_s, on_overdue)

    monkeypatch.setattr(manager._pool._watch, "arm", slowly)

    def limits_s() -> list[float]:
        task = current_task()
        assert task is not None
        started.set()
        assert submitted.wait(20)
        return [limit.timeout_s for limit in task.limits]

    handle = manager.submit("work", limits_s, timeout_ms=30_000, queue_timeout_ms=60_000)
    submitted.set()
    assert handle.wait(20)
    assert handle.result is not None
    assert handle.result.value == [30.0]


def test_a_thread_that_ends_takes_its_task_along_and_is_replaced(
    manager: WorkerManager, caplog: pytest.LogCaptureFixture
) -> None:
    """Ended between two steps of its own, where no task can catch it: the pool's own code raises."""
    end_it = iter([MemoryError()])

    def started(task: Task) -> None:
        for error in end_it:
            raise error

    manager.task_started = started  # type: ignore[method-assign]
    first = manager.submit("first", lambda: 1)
    assert first.wait(10)
    assert first.outcome is Outcome.LOST
    assert manager.submit("second", lambda: 2).wait(10)
    assert "thread worker-1 ends" in caplog.text
    assert manager.get_statistics()["lost"] == 1
