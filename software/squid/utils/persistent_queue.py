"""A queue of jobs that survives the program: order, state and history in one SQLite file.

::

    add ─▶ WAITING ──take──▶ RUNNING ──finish──▶ DONE · FAILED
              │                  └─ the program died ─▶ recover ─▶ INTERRUPTED ──resume──▶ WAITING, first in line
              └──cancel──▶ CANCELLED                   all that has ended ──resume──▶ the same · forget ──▶ gone

Every change is one transaction, on disk when the call returns; what disk or file refuse is a `StorageError` and changes
nothing. Knows not what a job is: a JSON object.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from squid.errors import StorageError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    place REAL NOT NULL,
    state TEXT NOT NULL,
    content TEXT NOT NULL,
    note TEXT NOT NULL DEFAULT '',
    created_utc TEXT NOT NULL,
    started_utc TEXT,
    ended_utc TEXT
);
CREATE INDEX IF NOT EXISTS job_state ON job (state, place);
"""


class JobState(Enum):
    """Where a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


ENDED = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True)
class Job:
    """One entry of the queue.

    Attributes
    ----------
    id : int
        Never used twice.
    state : JobState
        When it was read.
    content : dict
        The caller's.
    note : str
        Why it ended, or what the caller noted.
    created_utc, started_utc, ended_utc : str or None
        ISO 8601.
    """

    id: int
    state: JobState
    content: dict[str, Any]
    note: str
    created_utc: str
    started_utc: str | None
    ended_utc: str | None


class PersistentQueue:
    """Jobs in a file; usable from any thread.

    Parameters
    ----------
    path : Path
        Made if missing. One program at a time: a second one would take the first one's running job for interrupted.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        with self._storing():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=FULL")
            self._database.executescript(_SCHEMA)

    def add(self, content: Mapping[str, Any]) -> int:
        """Put a job at the end and return its id."""
        with self._transaction() as database:
            row = database.execute(
                "INSERT INTO job (place, state, content, created_utc)"
                " VALUES ((SELECT coalesce(max(place), 0) + 1 FROM job), 'waiting', ?, ?) RETURNING id",
                (json.dumps(dict(content)), _now()),
            ).fetchone()
            return int(row[0])

    def take(self) -> Job | None:
        """Take the first waiting job, which runs from now; None if none waits."""
        with self._transaction() as database:
            row = database.execute("SELECT id FROM job WHERE state = 'waiting' ORDER BY place LIMIT 1").fetchone()
            if row is None:
                return None
            database.execute("UPDATE job SET state = 'running', started_utc = ? WHERE id = ?", (_now(), row[0]))
            return self.job(row[0])

    def note(self, job_id: int, text: str) -> None:
        """Note something with a job: its run folder, its progress."""
        with self._transaction() as database:
            database.execute("UPDATE job SET note = ? WHERE id = ?", (text, job_id))

    def update(self, job_id: int, changes: Mapping[str, Any]) -> None:
        """Change or add keys of a job's content; KeyError if there is no such job."""
        with self._transaction() as database:
            content = self.job(job_id).content | dict(changes)
            database.execute("UPDATE job SET content = ? WHERE id = ?", (json.dumps(content), job_id))

    def finish(self, job_id: int, state: JobState, note: str = "") -> None:
        """Say how a running job ended."""
        self._change(job_id, state, (JobState.RUNNING,), note)

    def cancel(self, job_id: int) -> bool:
        """Take a waiting or interrupted job out; False if it is neither."""
        return self._try_change(job_id, JobState.CANCELLED, (JobState.WAITING, JobState.INTERRUPTED), "")

    def recover(self) -> list[Job]:
        """Mark what was running when the program died as interrupted; return all interrupted jobs. Call it at start."""
        with self._transaction() as database:
            database.execute("UPDATE job SET state = 'interrupted', ended_utc = ? WHERE state = 'running'", (_now(),))
        return self.jobs(JobState.INTERRUPTED)

    def resume(self, job_id: int) -> None:
        """Let a job that was interrupted, or has ended, wait again, before all others; content and note are kept."""
        with self._transaction() as database:
            self._change(job_id, JobState.WAITING, (JobState.INTERRUPTED, *ENDED), None)
            database.execute("UPDATE job SET place = (SELECT min(place) FROM job) - 1 WHERE id = ?", (job_id,))

    def forget(self, job_ids: Iterable[int]) -> None:
        """Take jobs that have ended out of the history; others stay."""
        marks = ", ".join("?" * len(ENDED))
        states = [state.value for state in ENDED]
        with self._transaction() as database:
            database.executemany(
                f"DELETE FROM job WHERE id = ? AND state IN ({marks})", [(job_id, *states) for job_id in job_ids]
            )

    def move(self, job_id: int, before: int | None) -> None:
        """Move a waiting job before another one, or to the end (None)."""
        others = [job.id for job in self.jobs(JobState.WAITING) if job.id != job_id]
        at = len(others) if before is None else others.index(before)
        with self._transaction() as database:
            start = database.execute("SELECT coalesce(max(place), 0) FROM job").fetchone()[0]
            order = [*others[:at], job_id, *others[at:]]
            database.executemany(
                "UPDATE job SET place = ? WHERE id = ? AND state = 'waiting'",
                [(start + 1 + number, each) for number, each in enumerate(order)],
            )

    def job(self, job_id: int) -> Job:
        """Return one job; KeyError if there is none."""
        rows = self._select("WHERE id = ?", job_id)
        if not rows:
            raise KeyError(f"no job {job_id} in the queue")
        return rows[0]

    def jobs(self, *states: JobState) -> list[Job]:
        """Return the jobs in these states (none: all), in the order of the queue."""
        marks = ", ".join("?" * len(states))
        where = f"WHERE state IN ({marks}) " if states else ""
        return self._select(f"{where}ORDER BY place", *(state.value for state in states))

    def close(self) -> None:
        """Close the file; closing twice does no harm."""
        with self._lock:
            self._database.close()

    def _select(self, clause: str, *values: object) -> list[Job]:
        columns = "id, state, content, note, created_utc, started_utc, ended_utc"
        with self._lock, self._storing():
            rows = self._database.execute(f"SELECT {columns} FROM job {clause}", values).fetchall()
        return [Job(row[0], JobState(row[1]), json.loads(row[2]), *row[3:]) for row in rows]

    def _change(self, job_id: int, state: JobState, allowed: tuple[JobState, ...], note: str | None) -> None:
        if not self._try_change(job_id, state, allowed, note):
            found = self.job(job_id).state.value
            expected = " or ".join(each.value for each in allowed)
            raise ValueError(f"job {job_id} is {found}, not {expected}: it cannot become {state.value}")

    def _try_change(self, job_id: int, state: JobState, allowed: tuple[JobState, ...], note: str | None) -> bool:
        with self._transaction() as database:
            marks = ", ".join("?" * len(allowed))
            changed = database.execute(
                "UPDATE job SET state = ?, note = coalesce(?, note), ended_utc = ?"
                f" WHERE id = ? AND state IN ({marks})",
                (state.value, note, _now(), job_id, *(each.value for each in allowed)),
            )
            return changed.rowcount == 1

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._storing():
            if self._database.in_transaction:  # part of a larger one
                yield self._database
                return
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:  # a full disk has SQLite roll back by itself
                    self._database.execute("ROLLBACK")
                raise

    @contextmanager
    def _storing(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as e:
            raise StorageError(f"{self._path} cannot be used: {e}") from e


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
