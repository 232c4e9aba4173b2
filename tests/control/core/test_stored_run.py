"""Run folders of a simulated microscope, read back: every plane bit for bit, and nothing that was not stored."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
from tests import rig
from tests.control.core.review.runs import FRAMES, SENSOR_PX, MadeRun, make_run, running_copy

from control.core.journal import _encode, part_record, stored_record
from control.core.review.folders import find_run_folder, recent_runs
from control.core.sinks.pyramid import level_shapes, levels
from control.core.stored_run import StoredRun
from squid.errors import ConfigurationError
from squid.models.frame import FrameRecord

FORMATS = ("ome-zarr", "ome-tiff", "tiff")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, MadeRun]:
    """One finished run in each format."""
    folder = tmp_path_factory.mktemp("runs")
    return {name: make_run(folder / name, name) for name in FORMATS}


@pytest.fixture(scope="module")
def aborted(tmp_path_factory: pytest.TempPathFactory) -> MadeRun:
    """A run whose frames 3 and 6 are missing, aborted after 12 frames were stored."""
    faults = ["camera.none@frame=3,times=always", "camera.wrong_shape@frame=6,times=always"]
    return make_run(tmp_path_factory.mktemp("aborted"), "ome-tiff", faults=faults, abort_after=12)


@pytest.mark.parametrize("format", FORMATS)
def test_every_plane_is_what_the_engine_gave(made: dict[str, MadeRun], format: str) -> None:
    run = StoredRun.open(made[format].folder)
    assert len(made[format].frames) == FRAMES == run.summary.frames_stored
    for record, pixels in made[format].frames.values():
        event = record.event
        image = run.layout.images[event.image]
        plane = run.read(image, event.t, event.c, event.z)
        assert plane is not None
        assert plane.dtype == pixels.dtype
        np.testing.assert_array_equal(plane, pixels)
        small = run.read(image, event.t, event.c, event.z, level=1)
        assert small is not None
        np.testing.assert_array_equal(small, levels(np.ascontiguousarray(pixels), 2)[1])
    assert run.levels == len(level_shapes(SENSOR_PX)) == 2


@pytest.mark.parametrize("compression", ["zstd", "none"])
def test_other_compressions_of_ome_zarr(tmp_path: Path, compression: str) -> None:
    made = make_run(tmp_path, "ome-zarr", compression=compression, wells="C5", fields={"rows": 1, "columns": 1})
    run = StoredRun.open(made.folder)
    for record, pixels in made.frames.values():
        event = record.event
        np.testing.assert_array_equal(run.read(run.layout.images[event.image], event.t, event.c, event.z), pixels)


@pytest.mark.parametrize("format", FORMATS)
def test_free_positions_beside_a_plate(tmp_path: Path, format: str) -> None:
    sequence = {
        "stage_positions": [
            {"x": 20000, "y": 20000, "z": 3000, "name": "left bank"},
            {"x": 31000, "y": 21000, "z": 3000},
        ]
    }
    made = make_run(tmp_path, format, sequence=sequence, plate=None, wells=None, fields=None)
    run = StoredRun.open(made.folder)
    assert run.wells == ()
    assert run.has_free_images
    assert run.images_of(None)[0].name == "left bank"
    assert len(made.frames) == 12
    for record, pixels in made.frames.values():
        event = record.event
        np.testing.assert_array_equal(run.read(run.layout.images[event.image], event.t, event.c, event.z), pixels)


def test_what_the_journal_knows_of_a_frame(made: dict[str, MadeRun]) -> None:
    run = StoredRun.open(made["ome-zarr"].folder)
    for index, (record, _) in made["ome-zarr"].frames.items():
        event = record.event
        frame = run.frame(run.layout.images[event.image], event.t, event.c, event.z)
        assert frame is not None
        assert frame.index == index
        assert frame.actual == pytest.approx(record.actual, abs=1e-4)
        assert frame.target == pytest.approx(event.target, abs=1e-4)
        assert (frame.exposure_ms, frame.attempts) == (record.exposure_ms, 1)
    assert len(run.positions(t=1, c=0, z=1)) == 4
    assert sorted(run.positions(t=1)["index"]) == list(range(16, 32))


def test_wells_and_fields(made: dict[str, MadeRun]) -> None:
    run = StoredRun.open(made["tiff"].folder)
    assert [well.name for well in run.wells] == ["B2", "B4"]
    assert {well.name: count for well, count in run.frames_per_well.items()} == {"B2": 16, "B4": 16}
    assert [image.name for image in run.images_of(run.wells[1])] == ["B4_0", "B4_1"]
    assert not run.has_free_images
    assert run.images_of(None) == ()


def test_an_aborted_run_has_holes_with_reasons(aborted: MadeRun) -> None:
    run = StoredRun.open(aborted.folder)
    assert run.summary.status == "aborted"
    assert set(run.missing) == {3, 6}
    stored = set(aborted.frames)
    assert 12 <= len(stored) < FRAMES - 2
    for event in run.schedule.events():
        image = run.layout.images[event.image]
        plane = run.read(image, event.t, event.c, event.z)
        if event.index in stored:
            np.testing.assert_array_equal(plane, aborted.frames[event.index][1])
            continue
        assert plane is None
        why = run.absence(image, event.t, event.c, event.z)
        assert why.startswith("missing: camera" if event.index in (3, 6) else "not taken: the run ended before")


@pytest.mark.parametrize("format", FORMATS)
def test_a_running_run_grows(made: dict[str, MadeRun], tmp_path: Path, format: str) -> None:
    """Its files hold more than its journal says: what the journal does not say is not there yet."""
    folder = running_copy(made[format], tmp_path / "run", frames=10)
    run = StoredRun.open(folder)
    assert run.is_open_ended
    assert len(run.frames) == 10
    later = run.schedule.event(10)
    place = (run.layout.images[later.image], later.t, later.c, later.z)
    assert run.read(*place) is None
    assert run.absence(*place) == "not taken yet"
    assert not run.refresh()

    journal = (made[format].folder / "journal.jsonl").read_bytes()
    torn = journal[: (folder / "journal.jsonl").stat().st_size + 20]
    (folder / "journal.jsonl").write_bytes(torn)
    assert not run.refresh(), "half a record is none"
    (folder / "journal.jsonl").write_bytes(journal)
    (folder / "run.json").write_bytes((made[format].folder / "run.json").read_bytes())
    assert run.refresh()
    assert run.is_caught_up
    assert run.summary.status == "completed"
    np.testing.assert_array_equal(run.read(*place), made[format].frames[10][1])


def test_a_run_of_this_moment_is_followed(tmp_path: Path) -> None:
    with rig.rig(rig.machine(tmp_path, time_scale=5)) as bench:
        under_way = bench.controller.start(rig.plan(tmp_path), tmp_path / "out")
        run = StoredRun.open(under_way.folder)
        seen = 0
        while under_way.wait(0.005) is None:
            run.refresh()
            for row in run.frames[seen:]:
                image = run.layout.images[int(row["image"])]
                assert run.read(image, int(row["t"]), int(row["c"]), int(row["z"])) is not None
            seen = len(run.frames)
        run.refresh()
    assert run.summary.status == "completed"
    assert len(run.frames) == rig.FRAMES


@pytest.mark.parametrize("format", FORMATS)
def test_a_torn_file_is_not_there_yet(made: dict[str, MadeRun], tmp_path: Path, format: str) -> None:
    folder = running_copy(made[format], tmp_path / "run", frames=FRAMES)
    run = StoredRun.open(folder)
    image = run.layout.images[-1]
    last = (image, 1, 1, 1)
    assert run.read(*last) is not None
    reader = run._reader
    assert reader is not None
    path = reader.path(*last)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 5)
    assert run.read(*last) is None
    assert run.absence(*last).startswith("the file is damaged")
    path.unlink()
    assert StoredRun.open(folder).read(*last) is None
    assert run.absence(*last).startswith("the file is not there")


def test_a_chunk_that_is_damaged_inside_is_none(made: dict[str, MadeRun], tmp_path: Path) -> None:
    run = StoredRun.open(running_copy(made["ome-zarr"], tmp_path / "run", frames=FRAMES))
    image = run.layout.images[0]
    assert run._reader is not None
    path = run._reader.path(image, 0, 0, 0)
    path.write_bytes(path.read_bytes()[:16] + b"\xff" * (path.stat().st_size - 16))
    assert run.read(image, 0, 0, 0) is None
    path.write_bytes(b"")
    assert run.read(image, 0, 0, 0) is None


def test_anything_in_the_folder_opens_the_run(made: dict[str, MadeRun]) -> None:
    folder = made["ome-zarr"].folder
    assert find_run_folder(folder / "plate.ome.zarr") == folder
    assert StoredRun.open(folder / "run.json").folder == folder


def test_what_is_no_run_is_refused(tmp_path: Path, made: dict[str, MadeRun]) -> None:
    with pytest.raises(ConfigurationError, match="is no run folder"):
        StoredRun.open(tmp_path)
    (tmp_path / "journal.jsonl").write_text("hello\n")
    with pytest.raises(ConfigurationError, match="header is unreadable"):
        StoredRun.open(tmp_path)
    record = {"kind": "header", "version": 1, "frames": 1, "plan": {"name": "x"}, "machine": {}}
    (tmp_path / "journal.jsonl").write_bytes(_encode(record))
    with pytest.raises(ConfigurationError, match="cannot read the run"):
        StoredRun.open(tmp_path)
    head = json.loads((made["tiff"].folder / "journal.jsonl").read_bytes().splitlines()[0].rpartition(b"\t")[0])
    del head["optics"]
    (tmp_path / "journal.jsonl").write_bytes(_encode(head))
    with pytest.raises(ConfigurationError, match="has no 'optics' in its header: an earlier version"):
        StoredRun.open(tmp_path)


def test_a_lost_record_is_replaced_by_the_journal(made: dict[str, MadeRun], tmp_path: Path) -> None:
    folder = running_copy(made["tiff"], tmp_path / "run", frames=4)
    (folder / "run.json").unlink()
    run = StoredRun.open(folder)
    assert (run.summary.status, run.summary.frames_planned, len(run.frames)) == ("running", FRAMES, 4)


def test_recent_runs_are_the_newest_first(made: dict[str, MadeRun], tmp_path: Path) -> None:
    for name in ("one", "two"):
        running_copy(made["tiff"], tmp_path / name, frames=1)
    (tmp_path / "no run").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{")
    assert {folder.name for folder, _ in recent_runs(tmp_path)} == {"one", "two"}
    assert recent_runs(tmp_path / "nowhere") == []


def test_a_big_plate_opens_at_once_and_reads_on(tmp_path: Path, made: dict[str, MadeRun]) -> None:
    """1536 wells with 9 fields and 4 000 frames of them stored: opening reads only as long as it may."""
    config = rig.machine(tmp_path)
    plan = rig.plan(tmp_path, plate="1536 well plate", wells="all", fields={"rows": 3, "columns": 3})
    head = json.loads((made["tiff"].folder / "journal.jsonl").read_bytes().splitlines()[0].rpartition(b"\t")[0])
    head |= {"plan": plan.model_dump(mode="json"), "machine": config.model_dump(mode="json"), "frames": 82944}
    header, part = _encode(head), _encode(part_record(0.0, 1))
    (tmp_path / "journal.jsonl").write_bytes(header + part)
    run = StoredRun.open(tmp_path)
    assert len(run.layout.images) == 1536 * 9
    lines = [_encode(stored_record(_record(run, index))) for index in range(4000)]
    (tmp_path / "journal.jsonl").write_bytes(b"".join((header, part, *lines)))
    started_s = time.monotonic()
    run = StoredRun.open(tmp_path, limit_s=0.0)
    assert time.monotonic() - started_s < 10, "far above what it takes, far below reading 80 000 frames' files"
    assert 0 < len(run.frames) < 4000
    assert not run.is_caught_up
    while not run.is_caught_up:
        run.refresh(0.0)
    assert len(run.frames) == 4000
    assert run.wells[0].name == run.layout.images[0].well.name  # type: ignore[union-attr]


def _record(run: StoredRun, index: int) -> FrameRecord:
    event = run.schedule.event(index)
    return FrameRecord(event, event.target, 5.0, "405", 0.5, index, float(index), float(index))
