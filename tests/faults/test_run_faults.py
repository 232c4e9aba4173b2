"""Injected faults end a run, or do not, as the fault cases say; row numbers are those of `docs/fault_cases.md`.

Each test injects its fault into a simulated device, runs a plan through the controller, and looks at what was stored.
"""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import tensorstore as ts
from tests import rig
from tests.rig import FRAMES

from control.core import imaging, lighting, travel
from control.core.facts import FrameMissing, FrameStored, Hung
from control.core.journal import read_journal
from control.core.multi_point_controller import MultiPointController
from squid.models.plan import AcquisitionPlan


@pytest.fixture(autouse=True)
def _short_margins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps get a second beyond physics instead of three: the tests wait for it to pass; a busy machine has it, too."""
    for module in (imaging, lighting, travel):
        monkeypatch.setattr(module, "CALL_S", 1.0)
    monkeypatch.setattr(imaging, "FIRST_FRAME_S", 1.0)
    monkeypatch.setattr(travel, "MOVE_MARGIN_S", 0.8)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """The data set of a run without faults."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with rig.rig(rig.machine(folder)) as bench:
        run, summary = bench.run(rig.plan(folder), folder / "out")
    assert summary.status == "completed"
    return data_set(run.folder)


def data_set(run_folder: Path) -> dict[str, np.ndarray]:
    """Every image of a run's plate, by its path in the plate."""
    plate = run_folder / "plate.ome.zarr"
    found = {}
    for level in sorted(plate.glob("*/*/*/0/zarr.json")):
        store = {"driver": "file", "path": str(level.parent)}
        array = ts.open({"driver": "zarr3", "kvstore": store}, read=True).result()
        found[str(level.parent.relative_to(plate))] = array.read().result()
    return found


def frames_of(run_folder: Path) -> dict[int, np.ndarray]:
    """Every journaled frame's pixels by its index in the plan: axis order is field, channel, z."""
    images = list(data_set(run_folder).values())
    stored = read_journal(run_folder).stored
    return {i: images[i // 6][0, i % 6 // 3, i % 3] for i in range(FRAMES) if i in stored}


def assert_same_but_for(run_folder: Path, undisturbed: dict[str, np.ndarray], missing: set[int]) -> None:
    """Every frame is where it belongs, bit for bit; the missing ones are holes."""
    images = data_set(run_folder)
    assert images.keys() == undisturbed.keys()
    for number, (path, image) in enumerate(images.items()):
        for inner in range(6):
            got, wanted = image[0, inner // 3, inner % 3], undisturbed[path][0, inner // 3, inner % 3]
            if number * 6 + inner in missing:
                assert not got.any()
            else:
                np.testing.assert_array_equal(got, wanted)


def test_the_frames_of_the_test_plan_all_differ(undisturbed: dict[str, np.ndarray]) -> None:
    """Else a shifted frame would not be seen."""
    planes = [plane.tobytes() for image in undisturbed.values() for plane in image.reshape(-1, *image.shape[-2:])]
    assert len(planes) == len(set(planes)) == FRAMES


# --- rows 17 to 19: bad frames -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    ["exception", "lost_frame", "late_frame", "none", "wrong_shape", "skip_id", "duplicate", "no_frame"],
)
def test_a_bad_frame_is_taken_again(tmp_path: Path, undisturbed: dict[str, np.ndarray], kind: str) -> None:
    with rig.rig(rig.machine(tmp_path), [f"camera.{kind}@frame=7"]) as bench:
        run, summary = bench.run(rig.plan(tmp_path), tmp_path / "out")
    assert (summary.status, summary.frames_stored, summary.frames_missing) == ("completed", FRAMES, 0)
    assert_same_but_for(run.folder, undisturbed, set())
    attempts = {fact.record.event.index: fact.record.attempts for fact in bench.said(FrameStored)}
    assert {index for index, count in attempts.items() if count > 1} == {7}


def test_a_frame_is_taken_again_without_disturbing_the_stage(
    tmp_path: Path, undisturbed: dict[str, np.ndarray], caplog: pytest.LogCaptureFixture
) -> None:
    """The stage is on its way to the next field when the frame turns out bad; it is let arrive before it goes back."""
    plan = rig.plan(tmp_path, recovery={"on_stage_failure": "abort"})
    with rig.rig(rig.machine(tmp_path), ["camera.none@frame=5,times=2"]) as bench:
        run, summary = bench.run(plan, tmp_path / "out")
    assert summary.status == "completed"
    assert_same_but_for(run.folder, undisturbed, set())
    assert "stage:" not in caplog.text


@pytest.mark.parametrize("kind", ["exception", "lost_frame", "none", "wrong_shape"])
def test_a_frame_that_stays_bad_is_a_hole_and_never_a_shift(
    tmp_path: Path, undisturbed: dict[str, np.ndarray], kind: str
) -> None:
    with rig.rig(rig.machine(tmp_path), [f"camera.{kind}@frame=7,times=always"]) as bench:
        run, summary = bench.run(rig.plan(tmp_path), tmp_path / "out")
    assert (summary.status, summary.frames_stored, summary.frames_missing) == ("completed_with_missing", FRAMES - 1, 1)
    assert summary.reason.startswith("1 frame missing; first 7: ")
    assert_same_but_for(run.folder, undisturbed, {7})
    assert [fact.index for fact in bench.said(FrameMissing)] == [7]
    assert read_journal(run.folder).missing.keys() == {7}


def test_a_hole_is_filled_by_a_resume(tmp_path: Path, undisturbed: dict[str, np.ndarray]) -> None:
    config = rig.machine(tmp_path)
    with rig.rig(config, ["camera.lost_frame@frame=7,times=always"]) as bench:
        run, summary = bench.run(rig.plan(tmp_path), tmp_path / "out")
    assert summary.status == "completed_with_missing"
    with rig.rig(config) as bench:
        summary = bench.finish(bench.controller.resume(run.folder))
    assert (summary.status, summary.frames_missing) == ("completed", 0)
    assert_same_but_for(run.folder, undisturbed, set())


def test_the_plan_may_ask_to_end_at_a_missing_frame(tmp_path: Path) -> None:
    plan = rig.plan(tmp_path, recovery={"on_missing_frame": "abort", "tries_per_frame": 2})
    with rig.rig(rig.machine(tmp_path), ["camera.lost_frame@frame=7,times=always"]) as bench:
        _, summary = bench.run(plan, tmp_path / "out")
    assert summary.status == "aborted"
    assert "frame 7 is missing" in summary.reason
    assert summary.frames_stored == 7


def test_a_dead_camera_ends_the_run_and_not_the_night(tmp_path: Path) -> None:
    plan = rig.plan(tmp_path, recovery={"max_failures_in_a_row": 4, "tries_per_frame": 1})
    faults = [f"camera.exception@frame={index},times=always" for index in range(6, FRAMES)]
    with rig.rig(rig.machine(tmp_path), faults) as bench:
        run, summary = bench.run(plan, tmp_path / "out")
    assert summary.status == "aborted"
    assert summary.reason.startswith("4 failures in a row; the last: camera:")
    assert (summary.frames_stored, summary.frames_missing) == (6, 4)
    assert bench.microscope.illumination.lit == ()
    assert frames_of(run.folder).keys() == set(range(6))


# --- row 20: the first frame never arrives ----------------------------------------------------------------------


def test_a_first_frame_that_never_arrives_names_the_likely_cause(tmp_path: Path) -> None:
    with rig.rig(rig.machine(tmp_path), ["camera.no_frame@frame=0,times=always"]) as bench:
        started_s = time.monotonic()
        _, summary = bench.run(rig.plan(tmp_path), tmp_path / "out")
    assert time.monotonic() - started_s < 5
    assert summary.status == "aborted"
    assert "the first frame never arrived" in summary.reason
    assert "the camera got no trigger" in summary.reason
    assert summary.frames_stored == 0


# --- row 4: a device call never returns --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "device", "call"),
    [
        ("camera.hang@frame=7", "camera", "trigger"),
        ("stage.hang@move=4", "stage", "move_to"),
        ("illumination.hang@switch=6", "light", "turn_o"),
    ],
)
def test_a_hung_call_ends_the_run_truthfully(tmp_path: Path, fault: str, device: str, call: str) -> None:
    config = rig.machine(tmp_path)
    with rig.rig(config, [fault]) as bench:
        started_s = time.monotonic()
        run, summary = bench.run(rig.plan(tmp_path), tmp_path / "out", timeout_s=10)
        took_s = time.monotonic() - started_s
        assert bench.microscope.illumination.lit == ()
    hung = bench.said(Hung)
    assert len(hung) == 1
    assert hung[0].device == device
    assert hung[0].call.startswith(call)
    assert took_s < hung[0].deadline_s + 1 + 1.5  # the bound, and the frames before
    assert summary.status == "aborted"
    assert summary.reason.startswith(f"hung: {device}.{call}")
    stacks = (run.folder / "stacks.log").read_text()
    assert hung[0].call in stacks
    assert "multi_point_worker.py" in stacks
    assert 0 < summary.frames_stored < FRAMES
    assert len(frames_of(run.folder)) == summary.frames_stored


def test_the_light_goes_off_before_anything_is_said_of_a_hang(tmp_path: Path) -> None:
    lit: list[tuple[str, ...]] = []
    with rig.rig(rig.machine(tmp_path), ["camera.hang@frame=7"]) as bench:
        light = bench.microscope.illumination
        look = MultiPointController(
            bench.microscope,
            bench.manager,
            (lambda fact: lit.append(light.lit) if isinstance(fact, Hung) else None,),
            machine=rig.machine(tmp_path),
        )
        bench.finish(look.start(rig.plan(tmp_path), tmp_path / "out"))
    assert lit == [()]


def test_a_hung_run_is_resumed_to_the_same_data(tmp_path: Path, undisturbed: dict[str, np.ndarray]) -> None:
    config = rig.machine(tmp_path)
    with rig.rig(config, ["camera.hang@frame=7"]) as bench:
        run, summary = bench.run(rig.plan(tmp_path), tmp_path / "out")
        assert summary.status == "aborted"
    with rig.rig(config) as bench:
        summary = bench.finish(bench.controller.resume(run.folder))
    assert (summary.status, summary.parts) == ("completed", 2)
    assert_same_but_for(run.folder, undisturbed, set())


def test_a_worker_that_comes_back_late_may_do_nothing(tmp_path: Path) -> None:
    """Row 30: the hung call returns after all when the device is closed; its thread may command nothing more."""
    with rig.rig(rig.machine(tmp_path), ["stage.hang@move=4"]) as bench:
        run, _ = bench.run(rig.plan(tmp_path), tmp_path / "out", timeout_s=10)
        facts = list(bench.facts)
    assert bench.facts == facts
    assert read_journal(run.folder).stored.first_absent() < FRAMES


@pytest.mark.alone
def test_the_light_lease_is_fed_by_a_run_that_ticks_and_by_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beats_s: list[float] = []
    with rig.rig(rig.machine(tmp_path), ["camera.hang@frame=7"]) as bench:
        monkeypatch.setattr(bench.microscope, "beat", lambda: beats_s.append(time.monotonic()))
        bench.run(rig.plan(tmp_path), tmp_path / "out", timeout_s=10)
        ended_s = time.monotonic()
    assert len(beats_s) > 7
    assert max(b - a for a, b in pairwise(beats_s)) < 1.0
    assert ended_s - beats_s[-1] > 0.4  # the hung call lasted that long, unfed


# --- rows 21, 22: the stage -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["never_arrives", "exception", "off_target"])
def test_a_failed_move_is_tried_once_more(tmp_path: Path, undisturbed: dict[str, np.ndarray], kind: str) -> None:
    with rig.rig(rig.machine(tmp_path), [f"stage.{kind}@move=3"]) as bench:
        run, summary = bench.run(rig.plan(tmp_path), tmp_path / "out")
    assert (summary.status, summary.frames_stored) == ("completed", FRAMES)
    assert_same_but_for(run.folder, undisturbed, set())


def stage_fault_plan(tmp_path: Path, on_stage_failure: str) -> AcquisitionPlan:
    return rig.plan(tmp_path, recovery={"on_stage_failure": on_stage_failure})


@pytest.mark.parametrize("kind", ["never_arrives", "off_target"])
def test_a_field_that_cannot_be_reached_is_skipped_when_the_plan_says_so(tmp_path: Path, kind: str) -> None:
    with rig.rig(rig.machine(tmp_path), [f"stage.{kind}@move=7,times=2"]) as bench:
        run, summary = bench.run(stage_fault_plan(tmp_path, "skip"), tmp_path / "out")
    assert summary.status == "completed_with_missing"
    missing = set(read_journal(run.folder).missing)
    assert missing
    assert len({index // 6 for index in missing}) == 1  # of one field
    assert summary.frames_stored + len(missing) == FRAMES
    assert "not" in summary.reason
    for fact in bench.said(FrameStored):
        assert bench.microscope.stage.is_at(fact.record.event.target, fact.record.actual)


@pytest.mark.parametrize("on_stage_failure", ["retry", "abort"])
@pytest.mark.parametrize("kind", ["never_arrives", "off_target"])
def test_a_stage_that_stays_away_ends_the_run(tmp_path: Path, kind: str, on_stage_failure: str) -> None:
    with rig.rig(rig.machine(tmp_path), [f"stage.{kind}@move=7,times=always"]) as bench:
        run, summary = bench.run(stage_fault_plan(tmp_path, on_stage_failure), tmp_path / "out")
        assert bench.microscope.illumination.lit == ()
    assert summary.status == "aborted"
    assert summary.reason.startswith("stage:")
    assert "µm" in summary.reason
    assert read_journal(run.folder).missing == {}
    assert len(frames_of(run.folder)) == summary.frames_stored > 0
