# ruff: noqa: E501  (the table of lists has a line for each)
"""Lists of positions as CSV: ours and Squid's, there and back, and what is wrong by line, column and value."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from control.core.planning import FreePosition, read_positions, write_positions
from squid.errors import PlanError, StorageError

_um = st.floats(-1e6, 1e6, allow_nan=False).map(lambda um: round(um, 6))
_names = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=9)
_lists = st.lists(
    st.builds(FreePosition, _names.map(str.strip).filter(bool), _um, _um, st.none() | _um),
    min_size=1,
    max_size=6,
    unique_by=lambda position: position.name.casefold(),
)


def read(tmp_path: Path, text: str, name: str = "list.csv") -> tuple[FreePosition, ...]:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return read_positions(tmp_path / name)


@settings(max_examples=100, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(_lists)
def test_what_was_written_is_read_again(tmp_path: Path, positions: list[FreePosition]) -> None:
    write_positions(tmp_path / "list.csv", positions)
    assert read_positions(tmp_path / "list.csv") == tuple(positions)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x_um,y_um,z_um,name\n1.5,2,3,a\n", (FreePosition("a", 1.5, 2.0, 3.0),)),
        ("x (mm),y (mm),z (mm),ID,i,j,k\n11.31,10.75,3.0215,A1,0,0,0\n", (FreePosition("A1", 11310.0, 10750.0, 3021.5),)),
        ("region,x (mm),y (mm)\nR,1,2\nR,1.1,2\n", (FreePosition("R", 1000.0, 2000.0), FreePosition("R-2", 1100.0, 2000.0))),
        ("region,fov,z_level,x (mm),y (mm),z (um),time\nB2,0,0,1,2,3000,now\n", (FreePosition("B2", 1000.0, 2000.0, 3000.0),)),
        ("\ufeffx_mm;y_mm\r\n0.29;1e-3\r\n\r\n", (FreePosition("list-1", 290.0, 1.0),)),
        ("name\tx (µm)\ty (µm)\nb\t1\t2\n\t3\t4\n", (FreePosition("b", 1.0, 2.0), FreePosition("list-2", 3.0, 4.0))),
        ('x_um,y_um,name,z_um\n1,2,"a, b"\n', (FreePosition("a, b", 1.0, 2.0),)),
    ],
    ids=["ours", "squid", "regions", "run", "spreadsheet", "tabs", "short line"],
)  # fmt: skip
def test_lists_of_others_are_read(tmp_path: Path, text: str, found: tuple[FreePosition, ...]) -> None:
    assert read(tmp_path, text) == found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x_um,y_um\n1,2\n1,two\n", ("line 3, column 'y_um': 'two' is no number",)),
        ("x (mm),y (mm),ID\n1,2,a\n3,,b\n", ("line 3, column 'y (mm)': is empty",)),
        ("x_um,y_um\n1,nan\n", ("line 2, column 'y_um': 'nan' is no number",)),
        ('x_um,y_um\n"1,5",2\n', ("line 2", "'1,5' is no number", "decimal point")),
        ("x,y\n1,2\n", ("line 1 has no column for x with its unit: x, y", "x (mm)")),
        ("x_um,x (mm),y_um\n1,2,3\n", ("'x_um' and 'x (mm)' both give x",)),
        ("", ("line 1 has no column for x", "nothing")),
        ("x_um,y_um\n", ("holds no position",)),
        ('x_um,y_um\n"1,2\n', ("line 2",)),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(PlanError) as raised:
        read(tmp_path, text)
    assert raised.value.file == tmp_path / "list.csv"
    assert all(word in str(raised.value) for word in words), str(raised.value)


def test_files_that_are_no_lists(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="cannot be read"):
        read_positions(tmp_path / "none.csv")
    (tmp_path / "picture.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(PlanError, match="is no text file"):
        read_positions(tmp_path / "picture.csv")
    with (tmp_path / "large.csv").open("wb") as file:
        file.truncate(30_000_000)
    with pytest.raises(PlanError, match="30 MB"):
        read_positions(tmp_path / "large.csv")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="could not be written"):
        write_positions(tmp_path / "not there" / "list.csv", [FreePosition("a", 1.0, 2.0)])
