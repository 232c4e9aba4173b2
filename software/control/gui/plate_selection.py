"""Choosing wells by click, drag and keys: which wells are chosen after each of them. Numbers only, draws nothing.

::

    press ──drag…──▶ release          plain: replaces; toggle: takes in or out; extend: from the anchor to here
"""

from __future__ import annotations

from collections.abc import Iterable

from control.gui.plate_layout import Well, block


class PlateSelection:
    """The wells that are chosen on a plate, and how the next gesture changes them.

    Each method that may change them returns the wells whose state is another.

    Parameters
    ----------
    rows, columns : int
        Size of the plate.

    Attributes
    ----------
    wells : frozenset of (int, int)
        Chosen wells.
    cursor : (int, int)
        Where the keys are.
    is_dragging : bool
        Between `press` and `release`.
    """

    def __init__(self, rows: int, columns: int) -> None:
        self._rows, self._columns = rows, columns
        self.wells: frozenset[Well] = frozenset()
        self.cursor: Well = (0, 0)
        self.is_dragging = False
        self._anchor: tuple[Well, Well] = ((0, 0), (0, 0))
        self._before: frozenset[Well] = frozenset()
        self._takes_out = False
        self._before_press: frozenset[Well] = frozenset()

    def replace(self, wells: Iterable[Well]) -> frozenset[Well]:
        """Choose exactly these."""
        wells = frozenset(wells)
        self._before = wells
        self._takes_out = False
        self.is_dragging = False
        return self._set(wells)

    def press(self, first: Well, last: Well, *, toggle: bool = False, extend: bool = False) -> frozenset[Well]:
        """Begin a gesture on a well (`first` is `last`), a row, a column or all."""
        self._before_press = self.wells
        self.is_dragging = True
        if extend:
            return self._stretch_to(first, last)
        self._before = self.wells if toggle else frozenset()
        self._takes_out = toggle and block(first, last) <= self.wells
        self._anchor = (first, last)
        return self._stretch_to(first, last)

    def drag(self, well: Well) -> frozenset[Well]:
        """Go on with a gesture: from its beginning to this well, whole rows or columns where it began on a header."""
        (top, left), (bottom, right) = self._anchor
        whole_rows = (left, right) == (0, self._columns - 1) and self._columns > 1
        whole_columns = (top, bottom) == (0, self._rows - 1) and self._rows > 1
        first = (0 if whole_columns else well[0], 0 if whole_rows else well[1])
        last = (self._rows - 1 if whole_columns else well[0], self._columns - 1 if whole_rows else well[1])
        return self._stretch_to(first, last)

    def release(self) -> bool:
        """End a gesture; whether there was one."""
        was_dragging, self.is_dragging = self.is_dragging, False
        return was_dragging

    def undo_click(self) -> frozenset[Well]:
        """Choose what was chosen before the last press (it was the first half of a double click)."""
        return self.replace(self._before_press)

    def move(self, step: Well, *, extend: bool) -> frozenset[Well]:
        """Move the cursor; with `extend` choose from the anchor to it."""
        row, column = self.cursor[0] + step[0], self.cursor[1] + step[1]
        target = (min(max(row, 0), self._rows - 1), min(max(column, 0), self._columns - 1))
        if extend:
            return self._stretch_to(target, target)
        self.cursor = target
        self._anchor = (target, target)
        self._before, self._takes_out = self.wells, False
        return frozenset()

    def toggle_cursor(self) -> frozenset[Well]:
        """Take the well of the cursor in or out."""
        changed = self.press(self.cursor, self.cursor, toggle=True)
        self.release()
        return changed

    def _stretch_to(self, first: Well, last: Well) -> frozenset[Well]:
        """Choose from the anchor to here, on top of what was chosen before the gesture."""
        corners = (*self._anchor, first, last)
        top_left = (min(row for row, _ in corners), min(column for _, column in corners))
        bottom_right = (max(row for row, _ in corners), max(column for _, column in corners))
        self.cursor = first
        wells = block(top_left, bottom_right)
        return self._set(self._before - wells if self._takes_out else self._before | wells)

    def _set(self, wells: frozenset[Well]) -> frozenset[Well]:
        changed = self.wells ^ wells
        self.wells = wells
        return changed
