# ruff: noqa: E501  (the table of mistakes has a line for each)
"""Plan files: what is read, what is refused by which key, and that writing gives the same plan again."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from pydantic import ValidationError
from tests.control.core.plans import sequences
from useq import MDASequence

from squid.errors import PlanError
from squid.models.plan import AcquisitionPlan, plan_digest, read_plan, write_plan

OURS = """
name: mine
plate: 96
wells: [A1:B2, H12]
fields: {rows: 2, columns: 2, overlap: 10}
clip_fields: true
sequence:
  axis_order: pcz
  channels: [DAPI, {config: GFP, do_stack: false}]
  z_plan: {range: 4, step: 2}
channels:
  GFP: {exposure_ms: 40, intensity: 0.3}
storage: {format: null, compression: none}
recovery: {on_stage_failure: skip}
"""


def read(tmp_path: Path, text: str, name: str = "mine.yaml") -> AcquisitionPlan:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return read_plan(file)


def test_our_keys(tmp_path: Path) -> None:
    plan = read(tmp_path, OURS)
    assert (plan.name, plan.plate, plan.wells) == ("mine", 96, ("A1:B2", "H12"))
    assert (plan.storage.format, plan.storage.compression) == ("null", "none")
    assert plan.sequence.channels[1].do_stack is False
    assert plan.channels["GFP"].exposure_ms == 40
    assert plan.recovery.on_stage_failure == "skip"
    assert plan.sequence_key == "sequence."


def test_a_bare_useq_file_is_a_plan(tmp_path: Path) -> None:
    sequence = MDASequence(channels=["DAPI"], z_plan={"range": 4, "step": 1}, stage_positions=[(1, 2, 3)])
    for name, text in (("walk.yaml", str(sequence.yaml())), ("walk.json", sequence.model_dump_json())):
        plan = read(tmp_path, text, name)
        assert (plan.name, plan.sequence, plan.sequence_key) == ("walk", sequence, "")


def test_a_bare_file_may_hold_channels_only(tmp_path: Path) -> None:
    assert read(tmp_path, "channels: [DAPI]").sequence.channels[0].config == "DAPI"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: x\nsequence: {channels: [A]}\nplat: 96", ("plat: unknown key", "plate, objective, wells")),
        ("sequence: {channels: [A], zplan: {range: 3}}", ("sequence.zplan: unknown key", "z_plan")),
        ("sequence: {channels: [{config: A, exposre: 3}]}", ("sequence.channels.0.exposre: unknown key", "exposure")),
        ("sequence: {channels: [A], time_plan: [{interval: 1, loops: 2, lops: 3}]}", ("sequence.time_plan.0.lops",)),
        ("channels: [A]\nstage_positions: [{x: 1, why: 2}]", (": stage_positions.0.why: unknown key", "plate_row")),
        ("channels: [A]\nz_plan: {range: 3, step: one}", (": z_plan", "one")),
        ("name: x", ("sequence: is missing",)),
        ("sequence: {channels: [A]}\nwells: A1", ("wells need a plate",)),
        ("sequence: {channels: [A]}\nplate: 96\nfields: {rows: 1, columns: 2}", ("fields belong to wells",)),
        ("sequence: {channels: [A]}\nchannels: {B: {gain: 2}}", ("channels.B", "allowed: A")),
        ("sequence: {channels: [A]}\nchannels: {A: {intensity: 2}}", ("channels.A.intensity", "2", "less than or equal to 1")),
        ("sequence: {channels: [A]}\nstorage: {format: jpeg}", ("storage.format", "'jpeg'", "'ome-zarr', 'ome-tiff'")),
        ("sequence: {channels: [A]}\nrecovery: {tries_per_frame: 0}", ("recovery.tries_per_frame", "0")),
        ("sequence: {axis_order: tpx}", ("sequence.axis_order", "'x'")),
        ("- 1", ("holds list",)),
        ("sequence: [", ("is not valid YAML",)),
        ("name: a\nname: b", ("key 'name' stands twice",)),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(PlanError) as raised:
        read(tmp_path, text)
    assert raised.value.file == tmp_path / "mine.yaml"
    assert all(word in str(raised.value) for word in words), str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="cannot be read"):
        read_plan(tmp_path / "none.yaml")


def test_what_useq_warns_of_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = "axis_order: ct\nchannels: [{config: A, acquire_every: 2}]\ntime_plan: {interval: 1, loops: 4}"
    with caplog.at_level(logging.WARNING):
        read(tmp_path, text)
    assert "skipped frames" in caplog.text


@pytest.mark.parametrize("name", ["marked.yaml", "marked.json"])
def test_a_byte_order_mark_is_no_part_of_a_plan(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text('{"sequence": {"channels": ["A"]}}', encoding="utf-8-sig")
    assert read_plan(file).name == "marked"


@pytest.mark.parametrize("name", ["again.yaml", "again.json"])
def test_a_written_plan_is_the_same_plan(tmp_path: Path, name: str) -> None:
    plan = read(tmp_path, OURS)
    write_plan(plan, tmp_path / name)
    again = read_plan(tmp_path / name)
    assert again == plan
    assert plan_digest(again) == plan_digest(plan)


@settings(max_examples=100, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(sequences())
def test_every_useq_sequence_survives_writing(tmp_path: Path, keys: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            plan = AcquisitionPlan.model_validate({"name": "x", "sequence": keys})
        except ValidationError:
            return
        write_plan(plan, tmp_path / "again.yaml")
        again = read_plan(tmp_path / "again.yaml")
    assert again.sequence == plan.sequence
    assert plan_digest(again) == plan_digest(plan)


def test_a_default_that_is_written_out_does_not_change_the_digest(tmp_path: Path) -> None:
    plain = read(tmp_path, "name: x\nsequence: {channels: [A]}")
    said = read(tmp_path, "name: x\nsequence: {channels: [A]}\nstorage: {format: ome-zarr}\nz_um: null")
    other = read(tmp_path, "name: x\nsequence: {channels: [B]}")
    assert plan_digest(plain) == plan_digest(said) != plan_digest(other)


def test_the_examples_are_plans(root: Path) -> None:
    files = sorted((root / "examples").glob("*.yaml"))
    assert {file.name for file in files} >= {"first_plate.yaml", "time_lapse.yaml", "useq_bare.yaml", "reference.yaml"}
    for file in files:
        assert read_plan(file).sequence.channels


def test_the_files_of_the_documentation_are_plans(root: Path, tmp_path: Path) -> None:
    blocks = (root / "docs" / "plan_file.md").read_text(encoding="utf-8").split("```yaml\n")[1:]
    assert blocks
    for number, block in enumerate(blocks):
        text = block.split("```")[0]
        if isinstance(yaml.safe_load(text), dict):
            read(tmp_path, text, f"block_{number}.yaml")
