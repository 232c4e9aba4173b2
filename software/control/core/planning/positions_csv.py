"""Lists of positions as CSV files, ours and Squid's.

::

    x_um,y_um,z_um,name             what we write
    x (mm),y (mm),z (mm),ID         what Squid writes; also with z (um), region in place of ID, other columns ignored

Each coordinate's unit stands in its column's name; z and name may be missing or empty.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from pathlib import Path

from control.core.planning.parts import FreePosition
from control.core.whole_file import whole_file
from squid.errors import PlanError
from squid.utils.task import stop_if_cancelled, tell_progress

_AXIS = re.compile(r"([xyz])\s*[_ ]?\s*[(\[]?\s*(um|µm|μm|mm)\s*[)\]]?", re.IGNORECASE)
_NAMES = ("name", "id", "region", "label", "position")
COLUMNS = "x_um, y_um, z_um, name; or x (mm), y (mm), z (mm), ID"
MOST_BYTES = 20_000_000
"""A larger file is no list of positions."""

_LOOK_EVERY = 1000
"""Lines between two looks whether a person has cancelled."""


def read_positions(path: Path) -> tuple[FreePosition, ...]:
    """Read a list of positions. From a task: a file may be large.

    Names are made unique (``A1``, ``A1-2`` …); rows without one are called after the file.

    Raises
    ------
    PlanError
        Names file, line, column, value and what is allowed.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            message = f"has {path.stat().st_size / 1e6:.0f} MB"
            raise PlanError(message, file=path, allowed=f"a list of up to {MOST_BYTES / 1e6:g} MB")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as e:
        raise PlanError(f"cannot be read: {e.strerror or e}", file=path) from e
    except UnicodeDecodeError as e:
        raise PlanError("is no text file", file=path, allowed="a CSV file (UTF-8)") from e
    return parse_positions(text, path)


def parse_positions(text: str, path: Path) -> tuple[FreePosition, ...]:
    """Return the positions of a CSV text; `path` is named in errors, else as `read_positions`."""
    header, *rows = _rows(text, path) or [(1, [])]
    columns = _columns(header[1], path)
    found = []
    for number, (line, row) in enumerate(rows):
        if number % _LOOK_EVERY == 0:
            tell_progress(0.3 + 0.6 * number / len(rows), f"line {line}")
        found.append(_position(line, row, columns, path))
    if not found:
        raise PlanError("holds no position", file=path, allowed="one line for each position below the header")
    return unique_names(found, path.stem)


def _rows(text: str, path: Path) -> list[tuple[int, list[str]]]:
    """Return the lines that hold something, with their numbers in the file."""
    first = text.lstrip().splitlines()[0] if text.strip() else ""
    separator = max(",;\t", key=first.count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
    rows = []
    try:
        for row in reader:
            if reader.line_num % _LOOK_EVERY == 0:
                stop_if_cancelled()
            if any(cell.strip() for cell in row):
                rows.append((reader.line_num, row))
    except csv.Error as e:
        raise PlanError(f"line {reader.line_num}: {e}", file=path, allowed="a CSV file") from e
    return rows


Column = tuple[int, str, float]
"""Place in the row, name in the header, µm in one of its units."""


def _columns(header: Sequence[str], path: Path) -> dict[str, Column]:
    """Return the columns that we read: x, y, z and name."""
    found: dict[str, Column] = {}
    for place, cell in enumerate(header):
        match = _AXIS.fullmatch(cell.strip())
        if match is None:
            continue
        axis = match[1].lower()
        if axis in found:
            message = f"line 1: columns '{found[axis][1].strip()}' and '{cell.strip()}' both give {axis}"
            raise PlanError(message, file=path, allowed="one of the two")
        found[axis] = (place, cell.strip(), 1000.0 if match[2].lower() == "mm" else 1.0)
    for axis in "xy":
        if axis not in found:
            names = ", ".join(cell.strip() for cell in header) or "nothing"
            raise PlanError(f"line 1 has no column for {axis} with its unit: {names}", file=path, allowed=COLUMNS)
    named = {cell.strip().lower(): place for place, cell in reversed(list(enumerate(header)))}
    name = next((wanted for wanted in _NAMES if wanted in named), None)
    if name is not None:
        found["name"] = (named[name], name, 1.0)
    return found


def _position(line: int, row: Sequence[str], columns: dict[str, Column], path: Path) -> FreePosition:
    x_um, y_um = (_number(line, row, columns[axis], path) for axis in "xy")
    for axis, value in (("x", x_um), ("y", y_um)):
        if value is None:
            message = f"line {line}, column '{columns[axis][1]}': is empty"
            raise PlanError(message, file=path, allowed="a number")
    z_um = _number(line, row, columns["z"], path) if "z" in columns else None
    place = columns["name"][0] if "name" in columns else len(row)
    return FreePosition(row[place].strip() if place < len(row) else "", x_um, y_um, z_um)


def _number(line: int, row: Sequence[str], column: Column, path: Path) -> float | None:
    place, name, unit_um = column
    text = row[place].strip() if place < len(row) else ""
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        message = f"line {line}, column '{name}': {text!r} is no number"
        raise PlanError(message, file=path, allowed="a number such as 12.5, with a decimal point")
    return round(value * unit_um, 6)  # 10^-6 µm: what multiplying by 1000 has added is not in the file


def unique_names(positions: Iterable[FreePosition], stem: str) -> tuple[FreePosition, ...]:
    """Return positions with names that differ, also where a file system tells no capitals: ``A1``, ``A1-2``."""
    taken: set[str] = set()
    candidates: dict[str, Iterator[str]] = {}  # those before were taken: ten thousand of one name are no long search

    def named(position: FreePosition, number: int) -> FreePosition:
        if number % _LOOK_EVERY == 0:
            stop_if_cancelled()
        wanted = position.name or f"{stem}-{number}"
        untried = candidates.setdefault(wanted, _candidates(wanted))
        name = next(candidate for candidate in untried if candidate.casefold() not in taken)
        taken.add(name.casefold())
        return FreePosition(name, position.x_um, position.y_um, position.z_um, position.origin)

    return tuple(named(position, number) for number, position in enumerate(positions, 1))


def _candidates(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name}-{number}"
        number += 1


def write_positions(path: Path, positions: Iterable[FreePosition]) -> None:
    """Write a list of positions, whole or not at all; `read_positions` gives the same again.

    Raises
    ------
    StorageError
        The file could not be written; an old one is as it was.
    TaskCancelledError
        The task was cancelled; an old file is as it was.
    """
    with whole_file(path) as beside:
        beside.write_text(positions_text(positions), encoding="utf-8")


def positions_text(positions: Iterable[FreePosition]) -> str:
    """Return a list of positions as CSV."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("x_um", "y_um", "z_um", "name"))
    for number, p in enumerate(positions):
        if number % _LOOK_EVERY == 0:
            stop_if_cancelled()
        writer.writerow((*("" if um is None else repr(float(um)) for um in (p.x_um, p.y_um, p.z_um)), p.name))
    return text.getvalue()
