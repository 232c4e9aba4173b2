"""Named workers, periodic tasks, several tasks with one completion."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from squid.utils import WorkerManager, WorkerResult
from squid.utils.worker_group import PeriodicTask, WorkerGroup, submit_together, worker_threads

Make = Callable[..., WorkerManager]


def test_named_workers_start_and_stop_together(tmp_path: Path) -> None:
    def make(name: str, size: int) -> WorkerManager:
        return WorkerManager(size, name=name, dump_file=tmp_path / f"{name}.log")

    group = WorkerGroup({"preview": 1, "stitching": 2}, make)
    with pytest.raises(KeyError, match="no worker 'preview' runs"):
        group.get_worker("preview")
    group.start_all()
    first = group.get_worker("preview")
    group.start_all()
    assert group.get_worker("preview") is first
    assert first.submit("a", lambda: 1).wait(5)
    assert group.get_all_stats()["preview"]["completed"] == 1
    assert group.get_all_stats()["stitching"]["submitted"] == 0
    begin = time.monotonic()
    group.stop_all(timeout=2)
    assert time.monotonic() - begin < 3
    group.start_all()
    assert group.get_worker("preview") is not first
    group.stop_all(wait=False)


def test_the_environment_sets_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SQUID_WORKER_THREADS", raising=False)
    assert worker_threads() == 4
    monkeypatch.setenv("SQUID_WORKER_THREADS", "7")
    assert worker_threads() == 7
    for bad in ("0", "many", "-1"):
        monkeypatch.setenv("SQUID_WORKER_THREADS", bad)
        with pytest.raises(ValueError, match="SQUID_WORKER_THREADS"):
            worker_threads()


def test_a_periodic_task_repeats_until_cancelled(qtbot: QtBot, make_manager: Make) -> None:
    manager, runs = make_manager(), []
    periodic = PeriodicTask(manager, "poll", lambda: runs.append(time.monotonic()), 0.03).start()
    qtbot.waitUntil(lambda: len(runs) >= 4, timeout=10_000)
    assert all(later - earlier >= 0.02 for earlier, later in pairwise(runs))
    periodic.cancel()  # whether it was in time for the last run is left to chance
    assert not periodic.cancel()
    count = len(runs)
    qtbot.wait(100)
    assert len(runs) <= count + 1


def test_several_at_once_complete_once(qtbot: QtBot, make_manager: Make) -> None:
    manager, seen = make_manager(), []
    submit_together(manager, {"a": lambda: 1, "b": lambda: 1 // 0, "c": lambda: 3}, seen.append)
    qtbot.waitUntil(lambda: bool(seen))
    ((results),) = seen
    assert results["a"] == WorkerResult(True, 1)
    assert isinstance(results["b"].error, ZeroDivisionError)
    assert set(results) == {"a", "b", "c"}
