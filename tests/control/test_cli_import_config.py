from __future__ import annotations

from pathlib import Path

import pytest

from control.cli import main
from squid.machine_file import read_machine_file

INI = """[GENERAL]
camera_type = Default
controller_version = Teensy
favourite_colour = "green"
"""


def test_an_existing_configuration_becomes_a_machine_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ini = tmp_path / "configuration_mine.ini"
    ini.write_text(INI, encoding="utf-8")
    assert main(["import-config", str(ini)]) == 0
    said = capsys.readouterr()
    assert 'not understood: GENERAL.favourite_colour = "green"' in said.err
    machine = tmp_path / "machine.yaml"
    machine.write_text(said.out, encoding="utf-8")
    assert read_machine_file(machine).devices


def test_a_file_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import-config", str(tmp_path / "nothing.ini")]) == 2
    assert "nothing.ini" in capsys.readouterr().err
