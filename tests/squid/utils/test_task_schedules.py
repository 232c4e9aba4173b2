"""Random schedules of everything at once: one outcome per accepted task, delivered once, none after shutdown."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from squid.errors import DuplicateTaskError, WorkerError
from squid.utils import TaskPriority, WorkerManager, WorkerResult, current_task
from squid.utils.retry import retrying


def _cooperative() -> None:
    task = current_task()
    assert task is not None
    for _ in range(20):
        task.pause(0.001)


def _fail() -> None:
    raise ValueError("on purpose")


KINDS = {
    "quick": lambda: 1,
    "slow": lambda: time.sleep(0.005),
    "fails": _fail,
    "exits": lambda: (_ for _ in ()).throw(SystemExit()),
    "cooperative": _cooperative,
    "retries": retrying(_fail, attempts=2, initial_s=0.001),
}
_step = st.tuples(
    st.sampled_from(sorted(KINDS)),
    st.sampled_from(TaskPriority),
    st.sampled_from(["", "cancel", "limit", "queue limit", "key", "delay", "pause", "resume"]),
)


@given(st.lists(_step, min_size=1, max_size=25), st.integers(1, 3), st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_one_outcome_each_and_none_after_shutdown(
    qapp: object, steps: list[tuple[str, TaskPriority, str]], workers: int, seed: int
) -> None:
    finished: Counter[int] = Counter()
    told: Counter[int] = Counter()
    handles = {}
    with TemporaryDirectory() as folder:
        manager = WorkerManager(workers, dump_file=Path(folder) / "stacks.log", coalescing_s=0.002)

        def submit(number: int, kind: str, priority: TaskPriority, extra: str) -> None:
            def note(_: WorkerResult) -> None:
                finished[number] += 1

            def tell(_: WorkerResult) -> None:
                told[number] += 1

            options = {
                "limit": {"timeout_ms": 2},
                "queue limit": {"queue_timeout_ms": 1},
                "key": {"coalesce_key": "key"},
                "delay": {"delay_ms": 2},
            }.get(extra, {})
            name = "key" if extra == "key" else f"task {number % 20}"
            try:
                handles[number] = manager.submit(
                    name, KINDS[kind], on_finished=note, on_complete=tell, on_error=tell, priority=priority, **options
                )
            except DuplicateTaskError:
                return
            if extra == "cancel":
                handles[number].cancel()

        for number, (kind, priority, extra) in enumerate(steps):
            submit(number, kind, priority, extra)
            if extra == "pause":
                manager.pause()
            elif extra == "resume":
                manager.resume()
        time.sleep(random.Random(seed).uniform(0, 0.02))
        if seed % 2:
            manager.resume()
            manager.wait_for_done(5000)
        manager.shutdown(timeout=2.0)
        after = finished.copy()
    assert set(after) == set(handles)
    assert set(after.values()) <= {1}
    assert set(told.values()) <= {1}
    assert all(handle.is_finished and handle.result is not None for handle in handles.values())
    statistics = manager.get_statistics()
    ended = ("completed", "failed", "cancelled", "coalesced", "timed_out", "lost")
    assert sum(statistics[name] for name in ended) == statistics["submitted"] == len(handles)
    threading.Event().wait(0.01)
    assert finished == after


def test_coalescing_runs_the_newest_and_not_too_often(qtbot: QtBot, tmp_path: Path) -> None:
    manager, runs = WorkerManager(4, dump_file=tmp_path / "stacks.log"), []
    begin = time.monotonic()
    for number in range(3000):
        manager.submit("preview", lambda number=number: runs.append(number), coalesce_key="preview")
    assert manager.wait_for_done(10_000)
    took_s = time.monotonic() - begin
    assert runs[-1] == 2999
    assert runs == sorted(runs)
    assert len(runs) <= 60 * took_s + 2
    assert manager.get_statistics()["coalesced"] == 3000 - len(runs)
    manager.shutdown()


def test_a_manager_under_load_loses_nothing(qtbot: QtBot, tmp_path: Path) -> None:
    manager, done, refused = WorkerManager(4, dump_file=tmp_path / "stacks.log"), Counter[str](), []

    def submit_many(thread: int) -> None:
        for number in range(500):
            name = f"{thread} {number}"
            try:
                manager.submit(name, lambda: None, 60_000, on_complete=lambda _, name=name: done.update([name]))
            except WorkerError as error:
                refused.append(error)

    threads = [threading.Thread(target=submit_many, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    qtbot.waitUntil(lambda: len(done) == 2000, timeout=30_000)
    for thread in threads:
        thread.join()
    manager.shutdown()
    assert set(done.values()) == {1}
    assert refused == []
