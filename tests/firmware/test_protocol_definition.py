"""The definition of the serial link, and the two files generated from it."""

from __future__ import annotations

import copy

import pytest
from firmware.protocol import generate

from squid.drivers.controller import protocol_table


def test_generated_files_agree_with_the_definition():
    assert generate.outdated(generate.load()) == []


def test_a_changed_definition_makes_both_files_outdated():
    definition = copy.deepcopy(generate.load())
    definition["command"][0]["code"] = 99

    assert generate.outdated(definition) == [generate.HEADER, generate.TABLE]


def test_check_mode_says_which_file_is_outdated(tmp_path, monkeypatch, capsys):
    stale = tmp_path / "protocol.h"
    stale.write_text("// of last year\n", encoding="utf-8")
    monkeypatch.setattr(generate, "HEADER", stale)

    assert generate.main(["--check"]) == 1
    assert "protocol.h differs" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ('code = 1\nname = "MOVE_Y"', "code used twice: 0"),
        ('name = "MOVE_Y"', "name used twice: MOVE_X"),
        ('fields = [["source", 2, "u8"], ["intensity", 3, "u16"]]', "SET_ILLUMINATION.intensity at 2 overlaps"),
    ],
)
def test_a_contradictory_definition_is_refused(tmp_path, change, message):
    wrong = {
        'code = 1\nname = "MOVE_Y"': 'code = 0\nname = "MOVE_Y"',
        'name = "MOVE_Y"': 'name = "MOVE_X"',
    }.get(change, 'fields = [["source", 2, "u8"], ["intensity", 2, "u16"]]')
    text = generate.DEFINITION.read_text(encoding="utf-8")
    assert text.count(change) == 1
    broken = tmp_path / "protocol.toml"
    broken.write_text(text.replace(change, wrong), encoding="utf-8")

    with pytest.raises(ValueError, match=message):
        generate.load(broken)


def test_table_knows_every_command_once():
    table = protocol_table.COMMANDS
    assert set(table) == set(protocol_table.Code)
    assert all(spec.code == code for code, spec in table.items())


def test_relative_moves_and_runs_are_not_repeatable():
    once = {code.name for code, spec in protocol_table.COMMANDS.items() if not spec.is_repeatable}
    assert {"MOVE_X", "MOVE_Y", "MOVE_Z", "MOVE_W", "MOVE_W2", "SEND_HARDWARE_TRIGGER", "SEQUENCE_RUN"} <= once
    assert not once & {"MOVETO_X", "MOVETO_Z", "SET_LIM", "SEQUENCE_ADD", "HEARTBEAT"}
