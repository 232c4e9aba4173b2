"""Runs each native unit test of the portable core as a test of its own."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

SOURCES = sorted((Path(__file__).parent / "unit").glob("test_*.cpp"))
NAMES = [name for source in SOURCES for name in re.findall(r'^TEST\("([^"]+)"\)', source.read_text("utf-8"), re.M)]


@pytest.mark.parametrize("name", NAMES)
def test_core(unit_program, name):
    result = subprocess.run([unit_program, name], capture_output=True, text=True, timeout=30, check=False)

    assert result.stdout == f"passed {name}\n", result.stderr


def test_every_unit_test_is_run(unit_program):
    listed = subprocess.run([unit_program, "--list"], capture_output=True, text=True, timeout=30, check=True)

    assert sorted(listed.stdout.splitlines()) == sorted(NAMES)
    assert len(set(NAMES)) == len(NAMES)
