"""The queue of runs: plates that wait overnight, with order, state and history, in a file that survives the program.

::

    add ─▶ waiting ──take──▶ running ──finish──▶ done (completed, with or without missing frames) · failed (aborted)
                               └─ the program died ─▶ interrupted ──resume──▶ waiting, first in line, in its run folder
    done · failed · taken out ──resume──▶ the same                   ──forget──▶ gone from the list; its folder stays

A run folder has one line, however often the run is resumed. A run that a fault ended, or the end of the program, is
*offered*: somebody wants the rest of it, until he resumes or dismisses it.

Owns what a queued run is; the order and the states are `squid.utils.persistent_queue`'s. Starts nothing: who takes a
run starts it, notes its run folder and says how it ended.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from control.core.run_record import RunSummary
from squid.utils.persistent_queue import ENDED, Job, JobState, PersistentQueue

_OFFERED = "offered"


@dataclass(frozen=True)
class QueuedRun:
    """One run of the queue.

    Attributes
    ----------
    id : int
        Never used twice.
    state : JobState
        When it was read.
    plan_file, output : Path
        The plan, and the parent of the run folder.
    run_folder : Path or None
        Once it was started; a run that waits and has one is to be resumed.
    reason : str
        How it ended, in words.
    created_utc, started_utc, ended_utc : str or None
        ISO 8601.
    name : str
        Of the plan.
    frames_stored, frames_planned : int or None
        Once it has ended.
    is_offered : bool
        It ended before its time, other than by a plain abort, and was neither resumed nor dismissed.
    """

    id: int
    state: JobState
    plan_file: Path
    output: Path
    run_folder: Path | None
    reason: str
    created_utc: str
    started_utc: str | None
    ended_utc: str | None
    name: str = ""
    frames_stored: int | None = None
    frames_planned: int | None = None
    is_offered: bool = False

    @property
    def is_incomplete(self) -> bool:
        """Whether it has a folder and has ended, in whatever way, with frames that are not stored."""
        is_whole = self.state is JobState.DONE and self.frames_stored == self.frames_planned
        return self.run_folder is not None and not is_whole and self.state in (JobState.INTERRUPTED, *ENDED)


class RunQueue:
    """Runs in a file; usable from any thread, by one program at a time.

    Parameters
    ----------
    path : Path
        Made if missing.
    """

    def __init__(self, path: Path) -> None:
        self._queue = PersistentQueue(path)

    def add(self, plan_file: Path, output: Path, run_folder: Path | None = None, name: str = "") -> int:
        """Put a run at the end and return its id; one that has a run folder is to be resumed from it."""
        content = {
            "plan_file": str(plan_file.absolute()),
            "output": str(output.absolute()),
            "name": name or plan_file.stem,
        }
        if run_folder is not None:
            content["run_folder"] = str(run_folder.absolute())
        return self._queue.add(content)

    def take(self) -> QueuedRun | None:
        """Take the first waiting run, which counts as running from now; None if none waits."""
        job = self._queue.take()
        return _queued_run(job) if job is not None else None

    def started(self, run_id: int, run_folder: Path) -> None:
        """Note the run folder, so that the run can be resumed from it."""
        self._queue.update(run_id, {"run_folder": str(run_folder.absolute())})

    def finish(self, run_id: int, summary: RunSummary, *, offer: bool = False) -> None:
        """Say how a running run ended.

        Parameters
        ----------
        run_id : int
            Which one.
        summary : RunSummary
            Its end.
        offer : bool
            Somebody will want the rest of it: see `QueuedRun.is_offered`.

        Raises
        ------
        ValueError
            It does not run, or `summary` is of a run that has not ended; nothing changed.
        """
        if summary.status == "running":
            raise ValueError(f"run {run_id} of '{summary.name}' has not ended")
        state = JobState.FAILED if summary.status == "aborted" else JobState.DONE
        counts = {"frames_stored": summary.frames_stored, "frames_planned": summary.frames_planned}
        self._queue.update(run_id, {**counts, _OFFERED: offer})  # first: a program that dies here leaves it interrupted
        self._queue.finish(run_id, state, summary.reason or summary.status)

    def refuse(self, run_id: int, reason: str) -> None:
        """Say why a run that was taken could not be started."""
        self._queue.finish(run_id, JobState.FAILED, reason)

    def recover(self) -> list[QueuedRun]:
        """Return the runs that were interrupted when the program died, to offer them for resume. Call it at start."""
        return [_queued_run(job) for job in self._queue.recover()]

    def resume(self, run_id: int) -> None:
        """Let an interrupted run, or one that has ended, wait again, before all others."""
        self._queue.resume(run_id)

    def cancel(self, run_id: int) -> bool:
        """Take a waiting or interrupted run out; one that ended early is offered no more. False if it is neither."""
        if self._queue.cancel(run_id):
            return True
        is_offered = _queued_run(self._queue.job(run_id)).is_offered
        if is_offered:
            self._queue.update(run_id, {_OFFERED: False})
        return is_offered

    def forget(self, runs: Iterable[QueuedRun]) -> None:
        """Take runs that have ended out of the list; their folders stay."""
        self._queue.forget(run.id for run in runs)

    def move(self, run_id: int, before: int | None) -> None:
        """Move a waiting run before another one, or to the end (None)."""
        self._queue.move(run_id, before)

    def runs(self, *states: JobState) -> list[QueuedRun]:
        """Return the runs in these states (none: all, the history too), in the order of the queue."""
        return [_queued_run(job) for job in self._queue.jobs(*states)]

    def close(self) -> None:
        """Close the file; closing twice does no harm."""
        self._queue.close()


def _queued_run(job: Job) -> QueuedRun:
    content = job.content
    folder = content.get("run_folder")
    return QueuedRun(
        job.id,
        job.state,
        Path(content["plan_file"]),
        Path(content["output"]),
        Path(folder) if folder else None,
        job.note,
        job.created_utc,
        job.started_utc,
        job.ended_utc,
        content.get("name", Path(content["plan_file"]).stem),
        content.get("frames_stored"),
        content.get("frames_planned"),
        job.state is JobState.INTERRUPTED or (job.state is JobState.FAILED and bool(content.get(_OFFERED))),
    )
