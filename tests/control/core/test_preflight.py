# ruff: noqa: E501  (the table of refusals has a line for each)
"""Preflight: what is refused, by which words, and what a plan that passes is said to take."""

from __future__ import annotations

import warnings
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.control.core.devices import PaperMicroscope
from tests.control.core.plans import machine, plan_of

from control.core import preflight_machine
from control.core.preflight import Preflight, describe, preflight
from squid.errors import PreflightError
from squid.models.geometry import AxisRange, StageLimits, StagePosition
from squid.models.plan import read_plan

FILE = Path("plans/mine.yaml")
WELLS: dict[str, Any] = {"plate": 96, "wells": "A1:B3"}


def check(sequence: dict[str, Any], microscope: Any = None, output: Path | None = None, **keys: Any) -> Preflight:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plan = plan_of(sequence, **keys)
    return preflight(plan, microscope or PaperMicroscope(), output, file=FILE)


def refusals(sequence: dict[str, Any], microscope: Any = None, output: Path | None = None, **keys: Any) -> list[str]:
    with pytest.raises(PreflightError) as raised:
        check(sequence, microscope, output, **keys)
    assert all(refusal.file == FILE and refusal.key for refusal in raised.value.refusals)
    return [str(refusal) for refusal in raised.value.refusals]


POSITION = {"x": 1.0, "y": 2.0}

REFUSED: list[tuple[str, dict[str, Any], dict[str, Any], tuple[str, ...]]] = [
    ("unknown channel", {"channels": ["Purple"]}, WELLS, ("sequence.channels", "'Purple'", "A, B, C")),
    ("unknown plate", {"channels": ["A"]}, {"plate": "97 wells", "wells": "A1"}, ("plate", "'97 wells'", "96 well plate")),
    ("unknown well", {"channels": ["A"]}, {"plate": 96, "wells": "A1, J3"}, ("wells", "'J3'", "A1 to H12")),
    ("unknown objective", {"channels": ["A"]}, {"objective": "63x"}, ("objective", "'63x'", "20x")),
    ("no channel", {"stage_positions": [POSITION]}, {}, ("sequence.channels", "at least one channel")),
    ("channel twice", {"channels": ["A", {"config": "A", "exposure": 5}]}, {}, ("sequence.channels", "'A' stands 2 times")),
    ("exposure", {"channels": [{"config": "A", "exposure": 5000}]}, {}, ("channels.A.exposure_ms", "5000 ms", "0.1 to 1000 ms")),
    ("gain", {"channels": ["A"]}, {"channels": {"A": {"gain": 20}}}, ("channels.A.gain", "20", "1 to 8")),
    ("source", {"channels": ["A"]}, {"channels": {"A": {"source": "sun"}}}, ("channels.A.source", "'sun'", "source A, source B")),
    ("filter", {"channels": ["A"]}, {"channels": {"A": {"filter": "pink"}}}, ("channels.A.filter", "'pink'", "blue, green, red")),
    ("camera", {"channels": [{"config": "A", "camera": "left"}]}, {}, ("sequence.channels.0.camera", "'left'")),
    ("autofocus", {"channels": ["A"], "autofocus_plan": {"autofocus_motor_offset": 3.0, "axes": ["p"]}}, {}, ("sequence.autofocus_plan", "leave it out")),
    ("setup", {"channels": ["A"], "setup": {"exposure": 3.0}}, {}, ("sequence.setup",)),
    ("properties", {"channels": ["A"], "stage_positions": [{**POSITION, "properties": [("Cam", "Gain", "3")]}]}, {}, ("sequence.stage_positions.0.properties",)),
    ("own autofocus", {"channels": ["A"], "stage_positions": [{**POSITION, "sequence": {"autofocus_plan": {"axes": ["p"]}}}]}, {}, ("sequence.stage_positions.0.sequence.autofocus_plan",)),
    ("time in time", {"channels": ["A"], "time_plan": {"interval": 1, "loops": 2}, "stage_positions": [{**POSITION, "sequence": {"time_plan": {"interval": 1, "loops": 2}}}]}, {}, ("sequence.stage_positions.0.sequence.time_plan", "one of the two")),
    ("axis left out", {"channels": ["A"], "z_plan": {"range": 4, "step": 1}, "axis_order": "tpgc"}, {}, ("sequence.axis_order", "z_plan would be left out")),
    ("shutter axis", {"channels": ["A"], "keep_shutter_open_across": "x"}, {}, ("sequence.keep_shutter_open_across", "'x'")),
    ("endless", {"channels": ["A"], "time_plan": {"interval": 1, "loops": 10**12}}, {}, ("sequence.time_plan", "1000000000000 time points")),
    ("no interval", {"channels": ["A"], "time_plan": {"interval": 0, "duration": 5}}, {}, ("sequence.time_plan.interval", "more than 0 s")),
    ("no planes", {"channels": ["A"], "z_plan": {"relative": []}}, {}, ("sequence.z_plan", "0 planes")),
    ("no step", {"channels": ["A"], "grid_plan": {"width": 900, "height": 900, "overlap": 100}}, {}, ("sequence.grid_plan", "gives no fields")),
    ("random", {"channels": ["A"]}, {"plate": 96, "wells": "A1", "fields": {"num_points": 5000}}, ("fields.num_points", "1 to 500")),
    ("name twice", {"channels": ["A"], "stage_positions": [{**POSITION, "name": "P"}, {"x": 3.0, "name": "p"}]}, {}, ("sequence.stage_positions", "2 positions", "'p'")),
    ("name alike on the disk", {"channels": ["A"], "stage_positions": [{**POSITION, "name": "a b"}, {"x": 3.0, "name": "a_b"}]}, {}, ("sequence.stage_positions", "2 positions", "'a b', 'a_b'")),
    ("name of a field", {"channels": ["A"], "stage_positions": [{**POSITION, "name": "P", "sequence": {"grid_plan": {"rows": 1, "columns": 2}}}, {"x": 3.0, "name": "P_1"}]}, {}, ("sequence.stage_positions", "'p_1'", "field 1 of position 'p'")),
    ("name of a file", {"channels": ["A"], "stage_positions": [{**POSITION, "name": "a/b"}]}, {}, ("sequence.stage_positions", "'a/b'")),
    ("between wells", {"channels": ["A"], "stage_positions": [{"x": 11310.0 + 4500, "y": 10750.0}]}, {"plate": 96}, ("sequence.stage_positions", "lies in no well", "96 well plate")),
    ("x", {"channels": ["A"], "stage_positions": [POSITION, {"x": 2e6, "y": 0.0, "name": "far"}]}, {}, ("sequence.stage_positions.1", "x = 2000000.0 µm of far", "x -1e+06 to 1e+06 µm")),
    ("field", {"channels": ["A"], "grid_plan": {"rows": 1, "columns": 3}, "stage_positions": [{"x": 999_900.0, "y": 0.0}]}, {}, ("x = 1000050.0 µm",)),
    ("z and offset", {"channels": [{"config": "A", "z_offset": 2.0}], "z_plan": {"range": 4, "step": 2}, "stage_positions": [{"x": 0.0, "y": 0.0, "z": 9_997.0}]}, {}, ("z = 10001.0 µm",)),
    ("nothing", {"channels": ["A"], "stage_positions": {"plate": 96, "a1_center_xy": (0, 0), "selected_wells": None}}, {}, ("sequence.stage_positions.selected_wells", "no well")),
    ("strange plate", {"channels": ["A"], "stage_positions": {"plate": "coverslip-18mm-square", "a1_center_xy": (0, 0), "selected_wells": ([0], [0])}}, {}, ("sequence.stage_positions.plate", "18mm coverslip")),
    ("another plate", {"channels": ["A"], "stage_positions": {"plate": 384, "a1_center_xy": (0, 0), "selected_wells": ([0], [0])}}, {"plate": 96}, ("sequence.stage_positions.plate", "8 x 12")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("sequence", "keys", "words"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_refused_by_name(sequence: dict[str, Any], keys: dict[str, Any], words: tuple[str, ...]) -> None:
    found = refusals(sequence, **keys)
    assert len(found) == 1
    assert all(word in found[0] for word in (*words, str(FILE)))


def test_every_refusal_is_told_at_once() -> None:
    sequence = {
        "channels": ["A", {"config": "Purple", "exposure": 5e4}, {"config": "B", "camera": "left"}],
        "stage_positions": [{"x": 2e6, "y": -2e6, "z": 1e6}],
        "autofocus_plan": {"axes": ["p"]},
    }
    found = refusals(sequence, objective="63x", channels={"A": {"gain": 50}})
    for words in ("Purple", "camera", "autofocus_plan", "63x", "gain", "x = 2000000", "y = -2000000", "z = 1000000"):
        assert any(words in refusal for refusal in found), words


def test_channels_that_take_no_stack_do_not_reach_its_ends() -> None:
    microscope = PaperMicroscope()
    microscope.stage.restrict(StageLimits(**{axis: AxisRange(min_um=-50, max_um=50) for axis in "xyz"}))
    sequence = {"channels": [{"config": "A", "do_stack": False}], "z_plan": {"range": 200, "step": 100}}
    assert check(sequence, microscope).frames == 1
    assert len(refusals({**sequence, "channels": ["A"]}, microscope)) == 1


def test_a_bare_file_is_refused_by_its_own_keys(tmp_path: Path) -> None:
    file = tmp_path / "bare.yaml"
    file.write_text("channels: [Purple]\nstage_positions: [{x: 0, y: 0}]\n")
    with pytest.raises(PreflightError) as raised:
        preflight(read_plan(file), PaperMicroscope(), None, file=file)  # type: ignore[arg-type]
    assert raised.value.refusals[0].key == "channels"


def test_objective_needs_a_changer_that_holds_it() -> None:
    objectives = {name: {"magnification": 20, "numerical_aperture": 0.8} for name in ("20x", "40x", "60x")}
    microscope: Any = PaperMicroscope(machine(objectives=objectives))
    assert "no objective changer" in refusals({"channels": ["A"]}, microscope, objective="40x")[0]
    microscope.objective_changer = SimpleNamespace(objectives=("20x", "40x"))
    assert check({"channels": ["A"]}, microscope, objective="40x").layout.objective == "40x"
    assert "'60x' is not in the changer" in refusals({"channels": ["A"]}, microscope, objective="60x")[0]


def test_a_full_disk_is_refused_with_the_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight_machine, "free_bytes", lambda _: 1_010_000_000)
    sequence = {"channels": ["A"], "z_plan": {"range": 9, "step": 1}}
    assert check(sequence, output=tmp_path / "not" / "there", storage={"format": "tiff"}, **WELLS).frames == 60
    found = refusals(sequence, output=tmp_path, plate=96, wells="A1:F12", storage={"format": "tiff"})
    assert "needs 0.09 GB and must leave 1.00 GB" in found[0]
    assert check(sequence, output=tmp_path, plate=96, wells="all", recovery={"min_free_gb": 0.5}).frames == 960


def test_channels_whose_files_would_have_one_name_are_refused() -> None:
    preset = {"source": "source A", "intensity": 0.5, "exposure_ms": 10}
    microscope: Any = PaperMicroscope(machine(channels={"default": {"BF full": preset, "bf_full": preset}}))
    sequence = {"channels": ["BF full", "bf_full"]}
    assert "2 channels would have files of the name" in refusals(sequence, microscope, storage={"format": "tiff"})[0]
    assert check(sequence, microscope).frames == 2


def test_a_compression_that_the_format_does_not_use_is_noted() -> None:
    def notes(**storage: str) -> tuple[str, ...]:
        return check({"channels": ["A"]}, storage=storage, **WELLS).notes

    assert "compression zstd is not used" in notes(format="ome-tiff", compression="zstd")[0]
    assert notes(format="ome-tiff") == notes(format="ome-tiff", compression="none") == notes(compression="zstd") == ()


def test_done_frames_need_no_space() -> None:
    plan = plan_of({"channels": ["A"]}, **WELLS)
    whole = preflight(plan, PaperMicroscope(), None)  # type: ignore[arg-type]
    rest = preflight(plan, PaperMicroscope(), None, done=4)  # type: ignore[arg-type]
    assert rest.bytes * 3 == whole.bytes
    assert whole.bytes >= 6 * 200 * 300 * 2 * 4 / 3


def test_origin_is_where_the_stage_stands_or_stood() -> None:
    plan = plan_of({"channels": ["A"]})
    microscope: Any = PaperMicroscope()
    assert preflight(plan, microscope, None).schedule.event(0).target == (10.0, 20.0, 30.0)
    stood = StagePosition(1.0, 2.0, 3.0)
    assert preflight(plan, microscope, None, origin=stood).schedule.event(0).target == stood


def test_late_time_points_and_plates_beyond_the_travel_are_noted() -> None:
    microscope = PaperMicroscope()
    microscope.stage.restrict(StageLimits(**{axis: AxisRange(min_um=-5e4, max_um=5e4) for axis in "xyz"}))
    checked = check({"channels": ["A"], "time_plan": {"interval": 1, "loops": 3}}, microscope, **WELLS)
    assert len(checked.notes) == 2
    assert "time points will be late" in checked.notes[0]
    assert "larger than the stage's travel" in checked.notes[1]


def test_describe_says_what_a_run_takes() -> None:
    checked = check({"channels": ["A", "B"], "time_plan": {"interval": 3600, "loops": 3}}, **WELLS)
    text = describe(checked, datetime(2030, 1, 1, 22, 0, 0))
    assert "frames: 36" in text
    assert "6 wells of 96 well plate, 6 fields" in text
    assert "until 2030-01-02 00:0" in text
    assert f"bytes: {checked.bytes}" in text


@pytest.mark.parametrize(
    ("sequence", "keys", "words"),
    [
        (
            {"channels": ["A"]},
            WELLS,
            ("z_um", "takes z from where the stage stands", "not homed", "home the stage first"),
        ),
        ({"channels": ["A"]}, {}, ("sequence.stage_positions", "x and y and z", "positions with x, y, z")),
        ({"channels": ["A"]}, {**WELLS, "z_um": 5.0}, ()),
        ({"channels": ["A"], "z_plan": {"bottom": 1, "top": 3, "step": 1}}, WELLS, ()),
        ({"channels": ["A"], "stage_positions": [{"x": 1.0, "y": 2.0, "z": 3.0}]}, {}, ()),
    ],
    ids=["wells", "nowhere", "z given", "absolute planes", "positions"],
)
def test_a_stage_that_is_not_homed_cannot_say_where_it_stands(
    sequence: dict[str, Any], keys: dict[str, Any], words: tuple[str, ...]
) -> None:
    microscope = PaperMicroscope()
    microscope.stage.is_homed = False  # type: ignore[misc]
    microscope.stage._do_position = lambda: StagePosition(0.0, 0.0, -2e7)  # type: ignore[method-assign]
    if not words:
        assert check(sequence, microscope, **keys).frames
        return
    found = refusals(sequence, microscope, **keys)
    assert len(found) == 1
    assert all(word in found[0] for word in words), found
    stood = StagePosition(1.0, 2.0, 3.0)  # a resumed run knows where it began
    assert preflight(plan_of(sequence, **keys), microscope, None, origin=stood).frames  # type: ignore[arg-type]
