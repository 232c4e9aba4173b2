"""Drafts and plans: nothing is lost on the way there and back, whoever made the plan."""

from __future__ import annotations

import dataclasses
import time
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from pydantic import ValidationError
from tests.control.core.planning.drafts import changes, z_stacks
from tests.control.core.plans import sequences

from control.core.planning import (
    ChannelChoice,
    FreePosition,
    GridFields,
    Kept,
    PlanDraft,
    RandomFields,
    RegionPolygon,
    SingleField,
    TimeLapse,
    ZStack,
    wells_text,
)
from squid.errors import PlanError, StorageError
from squid.machine_file import read_plates
from squid.models.plan import AcquisitionPlan, plan_digest, read_plan

PROPERTY = settings(max_examples=60, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # useq's advice on orders of axes, at each validation
        yield


def opened(tmp_path: Path, text: str) -> PlanDraft:
    file = tmp_path / "opened.yaml"
    file.write_text(text, encoding="utf-8")
    return PlanDraft.read(file, read_plates())


@PROPERTY
@given(changes())
def test_what_the_window_makes_opens_as_the_same_draft(tmp_path: Path, keys: dict[str, Any]) -> None:
    draft = PlanDraft(**keys)
    draft.write(tmp_path / "plan.yaml")
    again = PlanDraft.read(tmp_path / "plan.yaml")
    assert again == draft
    assert again.kept_as_is == ()
    assert again.to_plan() is again.base
    assert plan_digest(draft.to_plan()) == plan_digest(again.to_plan())


@PROPERTY
@given(changes(), changes())
def test_an_opened_draft_may_become_any_other(tmp_path: Path, first: dict[str, Any], second: dict[str, Any]) -> None:
    PlanDraft(**first).write(tmp_path / "plan.yaml")
    draft = PlanDraft.read(tmp_path / "plan.yaml").replace(**second)
    draft.write(tmp_path / "plan.yaml")
    assert PlanDraft.read(tmp_path / "plan.yaml") == draft


@PROPERTY
@given(sequences(), changes())
def test_a_useq_file_of_others_is_written_back_unchanged(keys: dict[str, Any], other: dict[str, Any]) -> None:
    try:
        plan = AcquisitionPlan.model_validate({"name": "x", "sequence": keys})
    except ValidationError:
        return
    draft = PlanDraft.of(plan)
    assert draft.to_plan() is plan
    renamed = draft.replace(name="y").to_plan()  # one part changed, all others as they were
    assert renamed.sequence == plan.sequence
    assert renamed.model_copy(update={"name": "x"}) == plan
    changed = draft.replace(z=other["z"], time=other["time"]).to_plan()
    for name in ("stage_positions", "grid_plan", "channels", "keep_shutter_open_across"):
        assert getattr(changed.sequence, name) == getattr(plan.sequence, name)
    assert (PlanDraft.of(changed).z, PlanDraft.of(changed).time) == (other["z"], other["time"])


@PROPERTY
@given(z_stacks)
def test_planes_are_counted_as_the_run_takes_them(z: ZStack | None) -> None:
    plan = PlanDraft(z=z, channels=(ChannelChoice("A"),), wells="A1").to_plan()
    assert len(tuple(plan.sequence.z_plan or (0,))) == (z.planes if z is not None else 1)


# --- files of others --------------------------------------------------------------------------------

OTHERS = """
name: others
plate: 96
wells: [A1:B2, H12]
fields: {rows: 2, columns: 3, overlap: 10, relative_to: top_left}
clip_fields: true
sequence:
  metadata: {operator: Ada}
  axis_order: pcz
  channels: [{config: DAPI, exposure: 20, do_stack: false}, {config: FITC, z_offset: 1.5, group: Laser}]
  z_plan: {range: 4, step: 2, go_up: false}
  keep_shutter_open_across: z
channels:
  FITC: {intensity: 0.3, gain: 2, filter: open}
storage: {format: tiff, durable: true}
recovery: {tries_per_frame: 5}
"""


def test_what_the_window_shows_of_a_file(tmp_path: Path) -> None:
    draft = opened(tmp_path, OTHERS)
    assert (draft.plate, draft.wells, draft.use) == ("96 well plate", "A1:B2, H12", "wells")
    assert draft.fields == GridFields(2, 3, 10.0, "snake", clip=True)
    assert draft.channels == (ChannelChoice("DAPI", exposure_ms=20), ChannelChoice("FITC", None, 0.3, 1.5))
    assert draft.z == ZStack("centre", 2.0, range_um=4.0)
    assert draft.storage_format == "tiff"
    kept = " | ".join(draft.kept_as_is)
    for words in (
        "durable: True", "tries_per_frame: 5", "channels.FITC.gain: 2", "channels.FITC.filter: open",
        "metadata.operator", "channels.0.do_stack: False", "channels.1.group: Laser", "go_up: False",
        "keep_shutter_open_across", "relative_to",
    ):  # fmt: skip
        assert words in kept, words
    assert len(draft.kept_as_is) == 10


def test_what_it_does_not_show_stays_with_what_is_edited(tmp_path: Path) -> None:
    draft = opened(tmp_path, OTHERS)
    fitc = ChannelChoice("FITC", exposure_ms=7.0, intensity=0.3, z_offset_um=-1.0)
    edited = draft.replace(
        channels=(fitc, ChannelChoice("Cy5"), draft.channels[0]),
        fields=GridFields(3, 3, 5.0, "row"),
        z=ZStack("bottom", 1.0, range_um=9.0),
        time=TimeLapse(60.0, 2),
        storage_format="ome-tiff",
    )
    plan = edited.to_plan()
    assert plan.channels["FITC"].model_dump(exclude_none=True) == {
        "exposure_ms": 7.0, "intensity": 0.3, "z_offset_um": -1.0, "gain": 2.0, "filter": "open",
    }  # fmt: skip
    by_name = {channel.config: channel for channel in plan.sequence.channels}
    assert list(by_name) == ["FITC", "Cy5", "DAPI"]
    assert (by_name["FITC"].group, by_name["FITC"].z_offset) == ("Laser", 0.0)
    assert (by_name["DAPI"].do_stack, by_name["DAPI"].exposure) == (False, 20.0)
    assert (plan.fields.relative_to.value, plan.clip_fields) == ("top_left", False)  # type: ignore[union-attr]
    assert (plan.sequence.z_plan.go_up, plan.sequence.metadata) == (False, {"operator": "Ada"})  # type: ignore[union-attr]
    assert "".join(plan.sequence.axis_order) == "tpgcz"  # places for what was added
    assert (plan.storage.format, plan.storage.durable, plan.recovery.tries_per_frame) == ("ome-tiff", True, 5)
    assert (plan.plate, plan.wells) == (96, "A1:B2, H12")
    edited.write(tmp_path / "edited.yaml")
    again = PlanDraft.read(tmp_path / "edited.yaml", read_plates())
    assert again == edited.replace(axis_order="tpgcz")


def test_values_of_the_preset_come_back(tmp_path: Path) -> None:
    draft = opened(tmp_path, OTHERS)
    plain = draft.replace(channels=(ChannelChoice("DAPI"), ChannelChoice("FITC"))).to_plan()
    assert plain.sequence.channels[0].exposure is None
    assert plain.channels["FITC"].model_dump(exclude_none=True) == {"gain": 2.0, "filter": "open"}
    assert PlanDraft.of(plain).channels == (ChannelChoice("DAPI"), ChannelChoice("FITC"))
    only = draft.replace(channels=(ChannelChoice("DAPI"),)).to_plan()
    assert dict(only.channels) == {}


CALIBRATED = """
stage_positions:
  plate: 96-well
  a1_center_xy: [15000, 9000]
  rotation: 2
  selected_wells: [[0, 0, 1, 1], [0, 1, 0, 1]]
  well_points_plan: {rows: 1, columns: 2}
channels: [DAPI]
time_plan: [{interval: 1, loops: 2}, {interval: 10, loops: 3}]
z_plan: {relative: [0, 3, 5]}
"""


def test_a_useq_plate_keeps_its_calibration(tmp_path: Path) -> None:
    draft = opened(tmp_path, CALIBRATED)
    assert (draft.use, draft.plate, draft.wells, draft.fields) == ("wells", "96 well plate", "A1:B2", GridFields(1, 2))
    assert isinstance(draft.time, Kept)
    assert draft.z == Kept("relative [0.0, 3.0, 5.0]")
    plan = draft.replace(wells="H12, A1", fields=SingleField()).to_plan()
    wells: Any = plan.sequence.stage_positions
    assert (tuple(wells.a1_center_xy), wells.rotation) == ((15000.0, 9000.0), 2.0)
    assert wells.selected_wells == ((7, 0), (0, 11)) or wells.selected_wells == ((7, 0), (11, 0))
    assert plan.sequence.time_plan == draft.base.sequence.time_plan  # type: ignore[union-attr]
    assert PlanDraft.of(plan, read_plates()).fields == SingleField()
    other = draft.replace(plate="384 well plate", wells="P24", z=None).to_plan()
    assert (other.plate, other.wells, other.sequence.z_plan) == ("384 well plate", "P24", None)
    assert other.sequence.stage_positions == ()


POSITIONS = """
name: mine
sequence:
  channels: [DAPI]
  stage_positions:
    - {x: 1, y: 2, z: 3, name: plain}
    - {x: 4, y: 5, name: own, sequence: {z_plan: {range: 2, step: 1}, channels: [FITC]}}
    - {x: 7, y: 8, z: 9}
channels: {FITC: {gain: 3}}
"""


def test_a_position_keeps_its_own_sequence_wherever_it_goes(tmp_path: Path) -> None:
    draft = opened(tmp_path, POSITIONS)
    assert draft.positions == (FreePosition("plain", 1, 2, 3), FreePosition("own", 4, 5), FreePosition("", 7, 8, 9))
    assert any("sequence" in line and "stage_positions.1" in line for line in draft.kept_as_is)
    plain, own, unnamed = draft.positions
    moved = dataclasses.replace(own, name="renamed", x_um=44.0)
    plan = draft.replace(positions=(unnamed, moved, FreePosition("new", 0.0, 0.0))).to_plan()
    positions: Any = plan.sequence.stage_positions
    assert [(p.name, p.x) for p in positions] == [(None, 7), ("renamed", 44.0), ("new", 0.0)]
    assert positions[1].sequence == draft.base.sequence.stage_positions[1].sequence  # type: ignore[union-attr]
    assert plan.channels["FITC"].gain == 3
    assert dict(draft.replace(positions=(plain,)).to_plan().channels) == {}


def test_what_is_not_in_use_is_there_when_it_is_wanted_again(tmp_path: Path) -> None:
    draft = PlanDraft(
        wells="A1:C6",
        fields=RandomFields(3, 1, 100.0, 100.0),
        positions=(FreePosition("p", 1.0, 2.0),),
        regions=(RegionPolygon("r", ((0.0, 0.0), (9.0, 0.0), (0.0, 9.0))),),
        channels=(ChannelChoice("DAPI"),),
    )
    for use in ("wells", "positions", "regions", "positions", "wells"):
        draft = draft.replace(use=use)
        draft.write(tmp_path / "plan.yaml")
        again = PlanDraft.read(tmp_path / "plan.yaml")
        assert again == draft
        draft = again


def test_a_damaged_note_is_refused_by_its_key(tmp_path: Path) -> None:
    text = "sequence: {channels: [DAPI], metadata: {squid_hcs_unused: {wels: A1}}}"
    with pytest.raises(PlanError, match=r"sequence.metadata.squid_hcs_unused.wels: unknown key"):
        opened(tmp_path, text)


def test_a_single_polygon_of_useq_is_kept(tmp_path: Path) -> None:
    draft = opened(tmp_path, "channels: [DAPI]\ngrid_plan: {vertices: [[0, 0], [900, 0], [0, 900]]}")
    assert isinstance(draft.fields, Kept)
    assert draft.replace(name="x").to_plan().sequence.grid_plan == draft.base.sequence.grid_plan  # type: ignore[union-attr]
    with pytest.raises(PlanError, match="fixed places"):
        draft.replace(use="wells", plate="96 well plate", wells="A1").to_plan()


def test_the_examples_open_and_stay_as_they_are(root: Path) -> None:
    for file in sorted((root / "examples").glob("*.yaml")):
        draft = PlanDraft.read(file, read_plates())
        assert plan_digest(draft.to_plan()) == plan_digest(read_plan(file))
        assert draft.kept_as_is == PlanDraft.of(draft.to_plan(), read_plates()).kept_as_is


def test_edits_are_quick_on_a_full_plate() -> None:
    draft = PlanDraft(plate="1536 well plate", wells="A1:AF48", fields=GridFields(3, 3), channels=(ChannelChoice("A"),))
    times_s = []
    for number in range(20):
        began_s = time.thread_time()
        draft = draft.replace(
            wells=wells_text((r, c) for r in range(32) for c in range(48) if (r * c) % 7 != number % 7)
        )
        draft.to_plan()
        times_s.append(time.thread_time() - began_s)
    assert sorted(times_s)[10] < 0.05  # 2 ms on a quiet machine


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        PlanDraft(wells="A1", channels=(ChannelChoice("A"),)).write(tmp_path / "no folder" / "plan.yaml")
