"""A queue that survives the program."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from squid.errors import StorageError
from squid.utils.persistent_queue import JobState, PersistentQueue

SOFTWARE = Path(__file__).resolve().parents[3] / "software"


def test_jobs_go_in_order_and_keep_a_history(tmp_path: Path) -> None:
    queue = PersistentQueue(tmp_path / "folder" / "queue.sqlite")
    a, b = queue.add({"plan": "a.yaml"}), queue.add({"plan": "b.yaml"})
    job = queue.take()
    assert job is not None
    assert (job.id, job.state, job.content) == (a, JobState.RUNNING, {"plan": "a.yaml"})
    queue.note(a, "run 1")
    assert queue.job(a).note == "run 1"
    queue.finish(a, JobState.DONE, "192 frames")
    assert [job.id for job in queue.jobs(JobState.WAITING)] == [b]
    done = queue.job(a)
    assert (done.state, done.note) == (JobState.DONE, "192 frames")
    assert done.created_utc <= (done.started_utc or "") <= (done.ended_utc or "")
    with pytest.raises(ValueError, match="is done, not running"):
        queue.finish(a, JobState.FAILED)
    with pytest.raises(KeyError, match="no job 99"):
        queue.finish(99, JobState.DONE)
    queue.close()
    queue.close()


def test_waiting_jobs_are_moved_and_cancelled(tmp_path: Path) -> None:
    queue = PersistentQueue(tmp_path / "queue.sqlite")
    a, b, c = (queue.add({"n": n}) for n in range(3))
    queue.move(c, before=a)
    assert [job.id for job in queue.jobs()] == [c, a, b]
    queue.move(c, before=None)
    assert [job.id for job in queue.jobs()] == [a, b, c]
    assert queue.cancel(a)
    assert not queue.cancel(a)
    taken = queue.take()
    assert taken is not None
    assert taken.id == b
    assert queue.take() is not None
    assert queue.take() is None
    queue.close()


def test_each_job_is_taken_by_one_thread_only(tmp_path: Path) -> None:
    queue, taken = PersistentQueue(tmp_path / "queue.sqlite"), []
    for number in range(60):
        queue.add({"n": number})

    def take_all() -> None:
        while (job := queue.take()) is not None:
            taken.append(job.id)

    threads = [threading.Thread(target=take_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 60
    queue.close()


def test_after_a_kill_the_queue_is_intact_and_the_interrupted_job_offered(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite"
    code = f"""
import os, signal, sys
sys.path.insert(0, {str(SOFTWARE)!r})
from pathlib import Path
from squid.utils.persistent_queue import PersistentQueue
queue = PersistentQueue(Path({str(path)!r}))
for number in range(3):
    queue.add({{"n": number}})
queue.take()
queue.note(1, "run folder")
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    queue = PersistentQueue(path)
    (interrupted,) = queue.recover()
    assert (interrupted.id, interrupted.state, interrupted.note) == (1, JobState.INTERRUPTED, "run folder")
    assert [job.id for job in queue.jobs(JobState.WAITING)] == [2, 3]
    queue.resume(1)
    first = queue.take()
    assert first is not None
    assert (first.id, first.note) == (1, "run folder")
    with pytest.raises(ValueError, match="is waiting, not interrupted"):
        queue.resume(2)
    queue.close()


def test_what_has_ended_waits_again_or_is_forgotten_and_nothing_else_is(tmp_path: Path) -> None:
    queue = PersistentQueue(tmp_path / "queue.sqlite")
    failed, done, waiting = (queue.add({"n": number}) for number in range(3))
    for job_id, state in ((failed, JobState.FAILED), (done, JobState.DONE)):
        queue.take()
        queue.finish(job_id, state, "its note")
    queue.resume(failed)
    assert [(job.id, job.note) for job in queue.jobs(JobState.WAITING)] == [(failed, "its note"), (waiting, "")]
    queue.forget([failed, done, waiting])
    assert [job.id for job in queue.jobs()] == [failed, waiting]
    queue.close()


def test_what_the_file_refuses_is_told_and_changes_nothing(tmp_path: Path) -> None:
    queue = PersistentQueue(tmp_path / "queue.sqlite")
    queue.add({"plan": "a.yaml"})
    other = sqlite3.connect(tmp_path / "queue.sqlite", isolation_level=None)
    queue._database.execute("PRAGMA busy_timeout = 1")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StorageError, match=r"queue\.sqlite cannot be used: database is locked"):
        queue.take()
    other.execute("ROLLBACK")
    queue._database.execute(f"PRAGMA max_page_count = {queue._database.execute('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(StorageError, match="full"):
        queue.add({"plan": "x" * 100_000})
    assert [job.content for job in queue.jobs()] == [{"plan": "a.yaml"}]
    job = queue.take()  # and works again
    assert job is not None
    other.close()
    queue.close()
    with pytest.raises(StorageError, match="closed"):
        queue.jobs()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "queue.sqlite").write_bytes(b"no database at all" * 1000)
    with pytest.raises(StorageError, match=r"queue\.sqlite cannot be used: .*not a database"):
        PersistentQueue(tmp_path / "queue.sqlite")
