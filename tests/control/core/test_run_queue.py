"""Plates that wait overnight."""

from __future__ import annotations

from pathlib import Path

import pytest

from control.core.run_queue import RunQueue
from control.core.run_record import RunSummary, Status
from squid.utils.persistent_queue import JobState


def _summary(status: Status, reason: str = "") -> RunSummary:
    return RunSummary(
        name="plate",
        status=status,
        reason=reason,
        frames_planned=4,
        started_utc="2026-01-01T00:00:00+00:00",
        plan_digest="0",
        versions={},
    )


def test_runs_go_in_order_with_state_and_history(tmp_path: Path) -> None:
    queue = RunQueue(tmp_path / "queue.sqlite")
    first, second, third = (queue.add(tmp_path / f"{name}.yaml", tmp_path / "plates") for name in "abc")
    queue.move(third, before=second)
    run = queue.take()
    assert run is not None
    assert (run.id, run.state, run.plan_file.name, run.run_folder) == (first, JobState.RUNNING, "a.yaml", None)
    with pytest.raises(ValueError, match="has not ended"):
        queue.finish(first, _summary("running"))
    queue.finish(first, _summary("aborted", "hung: camera.trigger"))
    following = queue.take()
    assert following is not None
    queue.finish(following.id, _summary("completed"))
    assert queue.cancel(second)
    assert [(run.id, run.state, run.reason) for run in queue.runs()] == [
        (first, JobState.FAILED, "hung: camera.trigger"),
        (third, JobState.DONE, "completed"),
        (second, JobState.CANCELLED, ""),
    ]
    queue.close()


def test_an_interrupted_run_is_offered_and_resumed_first_in_its_folder(tmp_path: Path) -> None:
    queue = RunQueue(tmp_path / "queue.sqlite")
    for name in "ab":
        queue.add(tmp_path / f"{name}.yaml", tmp_path / "plates")
    run = queue.take()
    assert run is not None
    queue.started(run.id, tmp_path / "plates" / "run 1")
    queue.close()  # the program ends here
    queue = RunQueue(tmp_path / "queue.sqlite")
    (interrupted,) = queue.recover()
    assert (interrupted.id, interrupted.state) == (run.id, JobState.INTERRUPTED)
    queue.resume(interrupted.id)
    resumed = queue.take()
    assert resumed is not None
    assert (resumed.id, resumed.run_folder) == (run.id, tmp_path / "plates" / "run 1")
    assert [run.plan_file.name for run in queue.runs(JobState.WAITING)] == ["b.yaml"]
    queue.close()
