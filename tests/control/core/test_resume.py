"""What a resume takes over from the beginning of a run, and what keeps it from going on."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests import rig

from control.core.facts import FrameStored
from control.core.journal import read_journal
from control.core.lost_frames import LOST
from control.core.run import Run
from control.core.run_record import RunSummary
from control.core.stored_run import StoredRun
from squid.errors import ResumeRefusedError
from squid.machine_file import MachineConfig
from squid.models.channel import ChannelPreset
from squid.models.plate import PlateGeometry


def cut_short(bench: rig.Rig, folder: Path, **changes: Any) -> Run:
    run = bench.controller.start(rig.plan(folder, **changes), folder / "out")
    until_s = time.monotonic() + 30
    while len(bench.said(FrameStored)) < 5 and time.monotonic() < until_s:
        run.wait(0.005)
    run.abort()
    assert bench.finish(run).frames_stored < rig.FRAMES
    return run


def resumed(bench: rig.Rig, run: Run) -> RunSummary:
    return bench.finish(bench.controller.resume(run.folder))


def with_preset(config: MachineConfig, objective: str, name: str, **changes: object) -> MachineConfig:
    presets = config.channels_of(objective)
    preset = presets[name].model_copy(update=changes) if name in presets else ChannelPreset.model_validate(changes)
    return config.model_copy(update={"channels": {**config.channels, objective: {**presets, name: preset}}})


def test_a_run_that_named_no_objective_goes_on_with_the_one_it_began_with(tmp_path: Path) -> None:
    with rig.rig(rig.machine(tmp_path, time_scale=10)) as bench:
        run = cut_short(bench, tmp_path)
        changer = bench.microscope.objective_changer
        assert changer is not None
        assert changer.current == "20x"
        changer.move_to("4x").result(20)
        summary = resumed(bench, run)
        assert (summary.status, summary.frames_stored) == ("completed", rig.FRAMES)
        assert changer.current == "20x"


def test_presets_and_plates_that_it_does_not_use_may_be_edited(tmp_path: Path) -> None:
    config = rig.machine(tmp_path, time_scale=10)
    with rig.rig(config) as bench:
        run = cut_short(bench, tmp_path)
        edited = with_preset(config, "4x", "DAPI", intensity=0.123)
        edited = with_preset(edited, "20x", "Cy5", intensity=0.123)
        edited = with_preset(edited, "20x", "my own", source="488", intensity=0.1, exposure_ms=5.0)
        plate = PlateGeometry.model_validate(
            {"name": "mine", "rows": 1, "columns": 1}
            | {"well_spacing_mm": 0, "well_size_mm": 5, "a1_x_mm": 5, "a1_y_mm": 5}
        )
        edited = edited.model_copy(update={"plates": {**edited.plates, "mine": plate}})
        bench.microscope.config = bench.controller.machine = edited
        assert resumed(bench, run).status == "completed"


def test_a_preset_that_it_uses_refuses_it_and_the_difference_is_named(tmp_path: Path) -> None:
    config = rig.machine(tmp_path, time_scale=10)
    with rig.rig(config) as bench:
        run = cut_short(bench, tmp_path)
        edited = with_preset(config, "20x", "DAPI", intensity=0.123)
        bench.microscope.config = bench.controller.machine = edited
        then = config.channels_of("20x")["DAPI"].intensity
        with pytest.raises(ResumeRefusedError, match=rf"channels\.20x\.DAPI\.intensity was {then}, is 0\.123$"):
            bench.controller.resume(run.folder)
        assert bench.microscope.owner is None
        bench.microscope.config = bench.controller.machine = config
        assert resumed(bench, run).status == "completed"


@pytest.mark.parametrize(
    ("storage", "gone", "frames"),
    [
        ("ome-zarr", "plate.ome.zarr/B/2", 12),
        ("ome-zarr", "plate.ome.zarr/B/2/1", 6),
        ("ome-tiff", "ome_tiff/B2_0.ome.tiff", 6),
        ("tiff", "0/B2_0_1_FITC.tiff", 1),
    ],
)
def test_frames_that_are_not_on_disk_any_more_are_taken_again(
    tmp_path: Path, storage: str, gone: str, frames: int
) -> None:
    """Here after the end: nobody lost anything while the run went on."""
    with rig.rig(rig.machine(tmp_path)) as bench:
        run, _ = bench.run(rig.plan(tmp_path, storage={"format": storage}), tmp_path / "out")
        with pytest.raises(ResumeRefusedError, match="is complete"):
            bench.controller.resume(run.folder)
        before = pixels_of(run)
        (run.folder / gone).rename(tmp_path / "elsewhere")
        bench.facts.clear()
        summary = resumed(bench, run)
        assert len(bench.said(FrameStored)) == frames
    assert (summary.status, summary.frames_stored, summary.frames_lost) == ("completed", rig.FRAMES, frames)
    assert f"time point is over: {frames} stored frame" in (run.folder / "run.log").read_text()
    np.testing.assert_array_equal(pixels_of(run) > 0, before > 0)
    table = next(run.folder.rglob("frames.csv")).read_text().splitlines()
    assert sorted(int(line.split(",")[0]) for line in table[1:]) == list(range(rig.FRAMES))


def test_lost_frames_of_a_time_point_that_is_over_are_missing(tmp_path: Path) -> None:
    """A picture of now is none of then."""
    times = {"time_plan": {"interval": 0.01, "loops": 2}, "z_plan": None, "channels": ["DAPI"]}
    with rig.rig(rig.machine(tmp_path)) as bench:
        run, before = bench.run(rig.plan(tmp_path, storage={"format": "tiff"}, sequence=times), tmp_path / "out")
        for t in (0, 1):
            (run.folder / str(t) / "B2_0_0_DAPI.tiff").unlink()
        summary = resumed(bench, run)
    assert (summary.status, summary.frames_lost) == ("completed_with_missing", 2)
    assert (summary.frames_stored, summary.frames_missing) == (before.frames_planned - 1, 1)
    state = read_journal(run.folder)
    assert (len(state.stored), state.missing) == (before.frames_planned - 1, {0: LOST})
    assert len(StoredRun.open(run.folder).frames) == before.frames_planned - 1
    assert (run.folder / "missing.csv").read_text().splitlines() == ["index,reason", f'0,"{LOST}"']
    assert not (run.folder / ".done").exists()


@pytest.mark.parametrize(
    ("storage", "images", "table"),
    [
        ("ome-zarr", "plate.ome.zarr", "plate.ome.zarr/OME/frames.csv"),
        ("ome-tiff", "ome_tiff", "ome_tiff/frames.csv"),
        ("tiff", "0", "frames.csv"),
    ],
)
def test_a_run_whose_images_are_all_gone_or_their_table_is_refused(
    tmp_path: Path, storage: str, images: str, table: str
) -> None:
    """Most likely they were only moved: to take them again would cost the sample its light."""
    with rig.rig(rig.machine(tmp_path)) as bench:
        run, _ = bench.run(rig.plan(tmp_path, storage={"format": storage}), tmp_path / "out")
        for gone, said in ((table, r"frames\.csv is not there any more"), (images, "none of the images .* is there")):
            (run.folder / gone).rename(tmp_path / "elsewhere")
            with pytest.raises(ResumeRefusedError, match=said):
                bench.controller.resume(run.folder)
            (tmp_path / "elsewhere").rename(run.folder / gone)
        assert bench.microscope.owner is None


def pixels_of(run: Run) -> Any:
    """All planes of a run, shape (image, c, z, Y, X)."""
    stored = StoredRun.open(run.folder)
    return np.array(
        [[[stored.read(image, 0, c, z) for z in range(3)] for c in range(2)] for image in stored.layout.images]
    )


def test_a_channel_without_a_gain_of_its_own_takes_that_of_no_other_channel_or_run(tmp_path: Path) -> None:
    one: dict[str, Any] = {"wells": "B2", "fields": {"rows": 1, "columns": 1}, "sequence": {"z_plan": None}}
    with rig.rig(rig.machine(tmp_path)) as bench:
        alone, _ = bench.run(rig.plan(tmp_path, **one), tmp_path / "alone")
        beside, _ = bench.run(rig.plan(tmp_path, channels={"DAPI": {"gain": 4.0}}, **one), tmp_path / "beside")
        after, _ = bench.run(rig.plan(tmp_path, **one), tmp_path / "after")
    expected = plane(alone, 1)
    np.testing.assert_array_equal(plane(beside, 1), expected)
    np.testing.assert_array_equal(plane(after, 1), expected)
    assert (plane(beside, 0) != plane(alone, 0)).any()


def plane(run: Run, channel: int) -> Any:
    stored = StoredRun.open(run.folder)
    return stored.read(stored.layout.images[0], 0, channel, 0)


def test_the_machine_that_is_written_is_the_one_that_was_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Presets are edited while the files of a large plate are made."""
    config = rig.machine(tmp_path)
    with rig.rig(config) as bench:
        edited = with_preset(config, "20x", "DAPI", intensity=0.123)
        writer = bench.controller._builder._writer

        def edit_meanwhile(*args: Any) -> Any:
            bench.microscope.config = bench.controller.machine = edited
            return writer(*args)

        monkeypatch.setattr(bench.controller._builder, "_writer", edit_meanwhile)
        run, _ = bench.run(rig.plan(tmp_path), tmp_path / "out")
    stored = StoredRun.open(run.folder)
    then = config.channels_of("20x")["DAPI"].intensity
    assert stored.layout.channels[0].preset.intensity == then
    assert '"intensity":0.123' not in (run.folder / "journal.jsonl").read_text()
