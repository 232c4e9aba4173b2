"""Well names as people write them: ``B3``, and selections such as ``A1:C6, H12``, ``B``, ``7`` or ``all``.

Knows names and numbers only; where a well is, is the plate's business (`squid.models.plate`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_WELL = re.compile(r"([A-Za-z]{1,2})([0-9]{1,3})")
_ROW = re.compile(r"[A-Za-z]{1,2}")
_COLUMN = re.compile(r"[0-9]{1,3}")

HOW_TO = "names such as A1, rectangles such as A1:C6, rows such as B, columns such as 7, or all"
"""What a selection may hold, for error messages."""


def row_name(row: int) -> str:
    """Return the letters of a zero-based row: ``A`` … ``Z``, ``AA`` and so on."""
    letters = ""
    row += 1
    while row:
        row, digit = divmod(row - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters


def well_name(row: int, column: int) -> str:
    """Return the name of a well, zero-based: (1, 2) is ``B3``."""
    return f"{row_name(row)}{column + 1}"


def row_number(letters: str) -> int:
    """Return the zero-based row that `letters` name."""
    number = 0
    for letter in letters.upper():
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1


def select_wells(
    selection: str | Iterable[str], rows: int, columns: int, *, skip: int = 0
) -> tuple[tuple[int, int], ...]:
    """Return the wells of a selection as zero-based (row, column), in the order written, each once.

    Parameters
    ----------
    selection : str or iterable of str
        Items separated by commas or blanks: a well (``B3``), a rectangle (``A1:C6``), a row (``B``), a column
        (``7``), or ``all``. A rectangle runs row by row from its first corner.
    rows, columns : int
        Size of the plate.
    skip : int
        Border rows and columns that ``all`` leaves out.

    Raises
    ------
    ValueError
        An item is no such name, or is not on the plate; the message names it.
    """
    text = selection if isinstance(selection, str) else ",".join(str(item) for item in selection)
    items = re.sub(r"\s*[:-]\s*", ":", text).replace(",", " ").split()
    if not items:
        raise ValueError(f"names no well (allowed: {HOW_TO})")
    wells: dict[tuple[int, int], None] = {}
    for item in items:
        wells.update(dict.fromkeys(_item(item, rows, columns, skip)))
    return tuple(wells)


def _item(item: str, rows: int, columns: int, skip: int) -> list[tuple[int, int]]:
    if item.lower() == "all":
        return _block((skip, skip), (rows - 1 - skip, columns - 1 - skip))
    ends = item.split(":")
    first, last = _corner(ends[0], (0, 0), rows, columns), _corner(ends[-1], (rows - 1, columns - 1), rows, columns)
    if len(ends) > 2 or first is None or last is None:
        raise ValueError(f"'{item}' is no well (allowed: {HOW_TO})")
    for row, column in (first, last):
        if row >= rows or column >= columns:
            corner = well_name(rows - 1, columns - 1)
            raise ValueError(f"'{item}' is not on a plate of {rows} x {columns} wells (allowed: A1 to {corner})")
    return _block(first, last)


def _corner(text: str, default: tuple[int, int], rows: int, columns: int) -> tuple[int, int] | None:
    """Return the well that `text` names; a row or column alone takes the other number from `default`."""
    if match := _WELL.fullmatch(text):
        row, column = row_number(match[1]), int(match[2]) - 1
    elif _ROW.fullmatch(text):
        row, column = row_number(text), default[1]
    elif _COLUMN.fullmatch(text):
        row, column = default[0], int(text) - 1
    else:
        return None
    return (row, column) if column >= 0 else None


def _block(first: tuple[int, int], last: tuple[int, int]) -> list[tuple[int, int]]:
    """Return all wells from corner to corner, row by row; backwards where `last` lies before `first`."""

    def along(start: int, stop: int) -> range:
        return range(start, stop + 1) if stop >= start else range(start, stop - 1, -1)

    return [(row, column) for row in along(first[0], last[0]) for column in along(first[1], last[1])]
