"""What the window remembers of a user: kept whole, and never a reason not to start."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from control.gui.settings import RECENT_FILES, Settings, SettingsFile


def test_a_new_user_has_the_settings_of_the_first_day(tmp_path: Path) -> None:
    assert SettingsFile(tmp_path / "settings.json").values == Settings()


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    first = SettingsFile(tmp_path / "new" / "settings.json")
    first.change(geometry="AAA=", page="plan", pages={"look": {"wheel_um": [5, 1, 40]}})
    first.used_machine(tmp_path / "rig.yaml")
    first.save()
    assert SettingsFile(first.path).values == first.values
    assert [file.name for file in first.path.parent.iterdir()] == ["settings.json"]


@pytest.mark.parametrize("broken", ["", "{", "[1, 2]", '"text"', "\xff"])
def test_a_broken_file_is_put_aside_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture, broken: str) -> None:
    path = tmp_path / "settings.json"
    path.write_text(broken, encoding="latin-1")
    with caplog.at_level(logging.WARNING):
        assert SettingsFile(path).values == Settings()
    assert (tmp_path / "settings.json.broken").read_text(encoding="latin-1") == broken
    assert "settings.json.broken" in caplog.text


def test_of_an_old_file_what_still_fits_is_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"page": "run", "colour": "green", "geometry": 7, "pages": {"look": 3}}))
    with caplog.at_level(logging.WARNING):
        assert SettingsFile(path).values == Settings(page="run")
    assert all(key in caplog.text for key in ("colour", "geometry", "pages"))


def test_machine_files_are_listed_once_newest_first_and_not_for_ever(tmp_path: Path) -> None:
    settings = SettingsFile(tmp_path / "settings.json")
    for number in [*range(RECENT_FILES + 3), 5]:
        settings.used_machine(tmp_path / f"{number}.yaml")
    names = [Path(name).stem for name in settings.values.machine_files]
    assert names == ["5", "10", "9", "8", "7", "6", "4", "3"]


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    settings = SettingsFile(tmp_path / "settings.json")
    settings.save()
    before = settings.path.read_bytes()
    settings.path.with_suffix(".partial").mkdir()
    settings.change(page="plan")
    with pytest.raises(OSError, match="partial"):
        settings.save()
    assert settings.path.read_bytes() == before
