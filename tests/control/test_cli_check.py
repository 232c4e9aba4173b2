"""What `hcs check` and `hcs resume` say; window and command line open the same microscope."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from control.cli import EXIT_COMPLETED, EXIT_REFUSED, main
from control.core.presets import Presets
from control.core.user_files import machine_file_of_user
from squid.machine_file import CONFIGS, read_machine_file

PLAN = "name: p\nplate: 96 well plate\nwells: A1\nz_um: 3000\nsequence: {channels: [DAPI]}\n"


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("SQUID_SETTINGS_FOLDER", str(tmp_path / "user"))
    (tmp_path / "plan.yaml").write_text(PLAN)
    return str(tmp_path / "plan.yaml")


def edit(name: str, **values: object) -> Presets:
    machine = read_machine_file(CONFIGS / "simulation.yaml")
    presets = Presets(machine, machine_file_of_user(machine.name))
    presets.save("20x", name, {**presets.get("20x", name).model_dump(), **values})
    return presets


def seconds(text: str) -> int:
    """The duration that a check says."""
    found = re.search(r"duration: (\d+):(\d+):(\d+)", text)
    assert found is not None
    hours, minutes, rest = map(int, found.groups())
    return 3600 * hours + 60 * minutes + rest


def test_check_names_the_edited_presets(plan: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", plan, "--simulation"]) == EXIT_COMPLETED
    plain = capsys.readouterr().out
    assert "edited" not in plain
    presets = edit("DAPI", exposure_ms=4040.0)
    assert main(["check", plan, "--simulation"]) == EXIT_COMPLETED
    edited = capsys.readouterr().out
    assert f"presets edited by the user: 20x: DAPI ({presets.file})" in edited
    assert seconds(edited) - seconds(plain) == pytest.approx(4, abs=1)  # 4040 ms, not the machine file's 40 ms


def test_an_edited_preset_is_named_on_a_refusal_too(plan: str, capsys: pytest.CaptureFixture[str]) -> None:
    edit("DAPI", source="999")
    assert main(["check", plan, "--simulation"]) == EXIT_REFUSED
    said = capsys.readouterr()
    assert "20x: DAPI" in said.out
    assert "no light source '999'" in said.err


def test_a_users_own_plate_is_a_plate(plan: str, capsys: pytest.CaptureFixture[str]) -> None:
    edit("DAPI", exposure_ms=41.0).save_plate(
        {"name": "mine", "rows": 1, "columns": 1, "a1_x_mm": 20, "a1_y_mm": 20, "well_size_mm": 5, "well_spacing_mm": 9}
    )
    Path(plan).write_text(PLAN.replace("96 well plate", "mine"))
    assert main(["check", plan, "--simulation"]) == EXIT_COMPLETED
    assert "where: 1 well of mine, 1 field\n" in capsys.readouterr().out


def test_check_says_whether_the_disk_was_looked_at(
    plan: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["check", plan, "--simulation"])
    assert "disk: not checked, no --output was given (" in capsys.readouterr().out
    main(["check", plan, "--simulation", "--output", str(tmp_path)])
    with_output = capsys.readouterr().out
    assert "disk: not checked" not in with_output
    assert "GB free)" in with_output


def test_resume_of_a_folder_that_is_no_run(plan: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resume", str(tmp_path)]) == EXIT_REFUSED
    assert "this is no run folder" in capsys.readouterr().err


def test_a_damaged_file_of_the_user_is_named(plan: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = edit("DAPI", exposure_ms=41.0).file
    assert file is not None
    file.write_text("machine: [")
    assert main(["check", plan, "--simulation"]) == EXIT_REFUSED
    assert str(file) in capsys.readouterr().err
