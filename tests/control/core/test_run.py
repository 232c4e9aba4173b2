"""A run from start to end on the simulated microscope: what it stores, says and records."""

from __future__ import annotations

import json
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import tensorstore as ts
from tests import rig
from tests.rig import FRAMES, SENSOR_PX

from control.core import multi_point_controller
from control.core.facts import EventStarted, FrameStored, Paused, Resumed, RunFinished, RunStarted
from control.core.journal import read_journal
from control.core.run_record import read_summary
from squid.errors import DeviceError, PreflightError, ResumeRefusedError


def level(folder: Path, path: str) -> np.ndarray:
    """The full-size array of one image of a run's plate."""
    spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": str(folder / "plate.ome.zarr" / path / "0")}}
    return ts.open(spec, read=True).result().read().result()


def test_a_run_stores_every_frame_and_says_so(tmp_path: Path) -> None:
    with rig.rig(rig.machine(tmp_path)) as bench:
        run, summary = bench.run(rig.plan(tmp_path), tmp_path / "out")
    assert (summary.status, summary.frames_planned, summary.frames_stored) == ("completed", FRAMES, FRAMES)
    assert summary.frames_missing == 0
    assert 0 < summary.ideal_s <= summary.wall_s
    assert summary.outputs == ("plate.ome.zarr",)
    for name in ("run.json", "plan.yaml", "machine.yaml", "journal.jsonl", "run.log"):
        assert (run.folder / name).stat().st_size > 0
    assert not (run.folder / "stacks.log").exists()
    assert json.loads((run.folder / "run.json").read_text())["status"] == "completed"
    assert len(read_journal(run.folder).stored) == FRAMES
    image = level(run.folder, "B/2/0")
    assert image.shape == (1, 2, 3, *SENSOR_PX)
    assert image.min(axis=(-2, -1)).max() > 0  # every plane holds an image


def test_facts_come_in_order_and_end_once(tmp_path: Path) -> None:
    with rig.rig(rig.machine(tmp_path)) as bench:
        bench.run(rig.plan(tmp_path), tmp_path / "out")
    assert isinstance(bench.facts[0], RunStarted)
    assert isinstance(bench.facts[-1], RunFinished)
    assert len(bench.said(RunFinished)) == 1
    assert [fact.event.index for fact in bench.said(EventStarted)] == list(range(FRAMES))
    assert [fact.record.event.index for fact in bench.said(FrameStored)] == list(range(FRAMES))


def test_frames_carry_what_is_known_of_them(tmp_path: Path) -> None:
    with rig.rig(rig.machine(tmp_path)) as bench:
        bench.run(rig.plan(tmp_path), tmp_path / "out")
        stage = bench.microscope.stage
    records = [fact.record for fact in bench.said(FrameStored)]
    assert [r.hardware_id for r in records] == list(range(records[0].hardware_id, records[0].hardware_id + FRAMES))
    assert all(later.monotonic_s > earlier.monotonic_s for earlier, later in pairwise(records))
    assert all(abs(r.utc_s - time.time()) < 120 for r in records)
    assert all(stage.is_at(r.event.target, r.actual) and r.actual != r.event.target for r in records)
    assert {(r.event.channel, r.exposure_ms) for r in records} == {("DAPI", 5.0), ("FITC", 5.0)}
    assert all(r.source and 0 < r.intensity <= 1 and r.attempts == 1 for r in records)


def test_the_light_is_off_and_the_rig_free_at_the_end(tmp_path: Path) -> None:
    lit_at_end = []
    with rig.rig(rig.machine(tmp_path)) as bench:
        light = bench.microscope.illumination
        run = bench.controller.start(rig.plan(tmp_path), tmp_path / "out")
        bench.finish(run)
        lit_at_end.append(light.lit)
        with bench.microscope.reserve("the next"):
            pass
        bench.run(rig.plan(tmp_path), tmp_path / "out")  # the same second: a folder of its own
    assert lit_at_end == [()]
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_a_second_run_is_refused_while_one_goes_on(tmp_path: Path) -> None:
    with rig.rig(rig.machine(tmp_path, time_scale=2)) as bench:
        run = bench.controller.start(rig.plan(tmp_path), tmp_path / "out")
        with pytest.raises(DeviceError, match="in use by the run of test plate"):
            bench.controller.start(rig.plan(tmp_path), tmp_path / "out")
        run.abort()
        bench.finish(run)
        assert [f.parent for f in (tmp_path / "out").glob("*/run.json")] == [run.folder]


def test_pause_holds_the_run_in_the_dark(tmp_path: Path) -> None:
    with rig.rig(rig.machine(tmp_path, time_scale=5)) as bench:
        run = bench.controller.start(rig.plan(tmp_path), tmp_path / "out")
        run.pause()
        deadline_s = time.monotonic() + 20
        while not bench.said(Paused) and time.monotonic() < deadline_s:
            run.wait(0.01)
        started = len(bench.said(EventStarted))
        assert run.wait(0.3) is None
        assert len(bench.said(EventStarted)) == started < FRAMES
        assert bench.microscope.illumination.lit == ()
        run.go_on()
        assert bench.finish(run).status == "completed"
    assert len(bench.said(Resumed)) == 1


def test_a_pause_does_not_use_up_the_time_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multi_point_controller, "BUDGET_FACTOR", 0.0)
    monkeypatch.setattr(multi_point_controller, "BUDGET_MARGIN_S", 1.5)
    with rig.rig(rig.machine(tmp_path)) as bench:
        run = bench.controller.start(rig.plan(tmp_path), tmp_path / "out")
        run.pause()
        assert run.wait(2.0) is None
        run.go_on()
        assert bench.finish(run).status == "completed"


def test_abort_keeps_what_was_taken_and_can_be_resumed(tmp_path: Path) -> None:
    config = rig.machine(tmp_path, time_scale=3)
    with rig.rig(config) as bench:
        run = bench.controller.start(rig.plan(tmp_path), tmp_path / "out")
        deadline_s = time.monotonic() + 30
        while len(bench.said(FrameStored)) < 5 and time.monotonic() < deadline_s:
            run.wait(0.01)
        run.abort()
        summary = bench.finish(run, timeout_s=3)
        assert (summary.status, summary.reason) == ("aborted", "user")
        assert 5 <= summary.frames_stored < FRAMES
        assert summary.frames_stored == len(read_journal(run.folder).stored)
        resumed = bench.controller.resume(run.folder)
        summary = bench.finish(resumed)
    assert (summary.status, summary.frames_stored, summary.parts) == ("completed", FRAMES, 2)
    assert resumed.folder == run.folder
    assert read_summary(run.folder) == summary
    with pytest.raises(ResumeRefusedError, match="is complete"):
        bench.controller.resume(run.folder)


@pytest.mark.alone
def test_abort_returns_within_one_exposure_and_half_a_second(tmp_path: Path) -> None:
    """The quickest of three: a busy machine may hold up one of them, a slow abort holds up all."""
    exposure_s = 0.2
    channels = [{"config": "DAPI", "exposure": exposure_s * 1000}]
    took_s = []
    with rig.rig(rig.machine(tmp_path, time_scale=1)) as bench:
        for _ in range(3):
            run = bench.controller.start(rig.plan(tmp_path, sequence={"channels": channels}), tmp_path / "out")
            stored = len(bench.said(FrameStored))
            while len(bench.said(FrameStored)) == stored:
                assert run.wait(0.01) is None
            started_s = time.monotonic()
            run.abort()
            assert bench.finish(run).status == "aborted"
            took_s.append(time.monotonic() - started_s)
    assert min(took_s) < exposure_s + 0.5


def test_abort_ends_a_wait_for_a_time_point(tmp_path: Path) -> None:
    plan = rig.plan(tmp_path, wells="B2", sequence={"time_plan": {"interval": 3600, "loops": 2}})
    with rig.rig(rig.machine(tmp_path)) as bench:
        run = bench.controller.start(plan, tmp_path / "out")
        deadline_s = time.monotonic() + 30
        while len(bench.said(FrameStored)) < FRAMES // 2 and time.monotonic() < deadline_s:
            run.wait(0.01)
        run.abort()
        summary = bench.finish(run, timeout_s=2)
    assert summary.frames_stored == FRAMES // 2


def test_a_refused_plan_leaves_nothing_behind(tmp_path: Path) -> None:
    with rig.rig(rig.machine(tmp_path)) as bench:
        before = bench.microscope.stage.position()
        with pytest.raises(PreflightError, match="Purple"):
            bench.controller.start(rig.plan(tmp_path, sequence={"channels": [{"config": "Purple"}]}), tmp_path / "out")
        assert bench.microscope.stage.position() == before
    assert not (tmp_path / "out").exists()
    assert bench.facts == []


@pytest.mark.parametrize("what", ["plan", "machine"])
def test_resume_refuses_a_changed_plan_or_machine(tmp_path: Path, what: str) -> None:
    with rig.rig(rig.machine(tmp_path, time_scale=3)) as bench:
        run = bench.controller.start(rig.plan(tmp_path), tmp_path / "out")
        run.abort()
        bench.finish(run)
        if what == "plan":
            path = run.folder / "plan.yaml"
            path.write_text(path.read_text().replace("B2, B4", "B2, B5"))
            with pytest.raises(ResumeRefusedError, match=r"plan has changed.*wells was 'B2, B4', is 'B2, B5'"):
                bench.controller.resume(run.folder)
            return
    with (
        rig.rig(rig.machine(tmp_path, sensor_px=(32, 32))) as bench,
        pytest.raises(ResumeRefusedError, match=r"machine has changed.*sensor_shape_px"),
    ):
        bench.controller.resume(run.folder)


def test_resume_refuses_a_folder_that_is_being_written(tmp_path: Path) -> None:
    config = rig.machine(tmp_path, time_scale=2)
    with rig.rig(config) as bench, rig.rig(config) as other:
        run = bench.controller.start(rig.plan(tmp_path), tmp_path / "out")
        with pytest.raises(ResumeRefusedError, match="being written by another program"):
            other.controller.resume(run.folder)
        run.abort()
        bench.finish(run)


@pytest.mark.usefixtures("qapp")
def test_the_time_budget_ends_a_run_that_no_step_deadline_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that makes no progress although no device call hangs: here it waits for a time point that is far away.

    The window's thread is blocked meanwhile: a Qt application is there, and its events are not handled.
    """
    monkeypatch.setattr(multi_point_controller, "BUDGET_FACTOR", 0.0)
    monkeypatch.setattr(multi_point_controller, "BUDGET_MARGIN_S", 1.0)
    plan = rig.plan(tmp_path, wells="B2", sequence={"time_plan": {"interval": 3600, "loops": 2}})
    with rig.rig(rig.machine(tmp_path)) as bench:
        run, summary = bench.run(plan, tmp_path / "out", timeout_s=10)
        assert bench.microscope.illumination.lit == ()
    assert summary.status == "aborted"
    assert summary.reason.startswith("hung: run.execute did not return within 1.00 s")
    assert "execute" in (run.folder / "stacks.log").read_text()
