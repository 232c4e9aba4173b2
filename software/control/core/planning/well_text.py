"""From chosen wells to the text that names them: the inverse of `squid.models.wells.select_wells`."""

from __future__ import annotations

from collections.abc import Iterable

from squid.models.wells import well_name


def wells_text(wells: Iterable[tuple[int, int]]) -> str:
    """Return the shortest simple selection of these wells, ``A1:C6, H12``; empty for none.

    Parameters
    ----------
    wells : iterable of (int, int)
        Zero-based (row, column), in any order.

    Returns
    -------
    str
        Rectangles and single wells from top to bottom; selects the same wells, each rectangle row by row.
    """
    return ", ".join(_named(*block) for block in _blocks(wells))


def _blocks(wells: Iterable[tuple[int, int]]) -> list[tuple[int, int, int, int]]:
    """Return rectangles (first row, first column, last row, last column) that hold exactly these wells."""
    by_row: dict[int, list[int]] = {}
    for row, column in sorted(set(wells)):
        by_row.setdefault(row, []).append(column)
    open_blocks: dict[tuple[int, int], int] = {}
    found: list[tuple[int, int, int, int]] = []
    last_row = -2
    for row, columns in by_row.items():
        runs = _runs(columns) if row == last_row + 1 else []
        ended = [run for run in open_blocks if run not in runs]
        found += [(open_blocks.pop(run), run[0], last_row, run[1]) for run in ended]
        for run in runs or _runs(columns):
            open_blocks.setdefault(run, row)
        last_row = row
    found += [(first, run[0], last_row, run[1]) for run, first in open_blocks.items()]
    return sorted(found)


def _runs(columns: list[int]) -> list[tuple[int, int]]:
    """Return (first, last) of each series of neighbouring columns."""
    starts = [n for n, column in enumerate(columns) if n == 0 or columns[n - 1] != column - 1]
    ends = [*(start - 1 for start in starts[1:]), len(columns) - 1]
    return [(columns[start], columns[end]) for start, end in zip(starts, ends, strict=True)]


def _named(first_row: int, first_column: int, last_row: int, last_column: int) -> str:
    first, last = well_name(first_row, first_column), well_name(last_row, last_column)
    return first if first == last else f"{first}:{last}"
