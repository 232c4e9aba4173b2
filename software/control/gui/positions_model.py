"""The list of free positions as a table: name, x, y (mm), z (µm), edited in place."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from PyQt5.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, pyqtSignal

from control.core.planning import FreePosition

COLUMNS = ("Name", "x (mm)", "y (mm)", "z (µm)")
_VALUES = ("name", "x_um", "y_um", "z_um")
_MM = 1000.0
_TIPS = (
    "Name of the position: names its image (double-click to change)",
    "Stage x in mm (double-click to change)",
    "Stage y in mm (double-click to change)",
    "Stage z in µm; empty: the z of the plan",
)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


class PositionsModel(QAbstractTableModel):
    """Positions, one a row.

    Attributes
    ----------
    edited : pyqtSignal()
        A person changed a cell.
    refused : pyqtSignal(str)
        A cell was not changed, and why; empty: it was.
    """

    edited = pyqtSignal()
    refused = pyqtSignal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._positions: list[FreePosition] = []

    @property
    def positions(self) -> tuple[FreePosition, ...]:
        """All positions, in order."""
        return tuple(self._positions)

    def set_positions(self, positions: Iterable[FreePosition]) -> None:
        """Show other positions."""
        self.beginResetModel()
        self._positions = list(positions)
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        """Return the number of positions."""
        return 0 if parent is not None and parent.isValid() else len(self._positions)

    def columnCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        """Return the number of columns."""
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    def headerData(  # noqa: N802 - Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return the name of a column, or the number of a row from 1."""
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section] if orientation == Qt.Orientation.Horizontal else section + 1
        is_tip = role == Qt.ItemDataRole.ToolTipRole and orientation == Qt.Orientation.Horizontal
        return _TIPS[section] if is_tip else None

    def flags(self, index: QModelIndex) -> Qt.ItemFlags:
        """Return that every cell can be chosen and edited."""
        return super().flags(index) | Qt.ItemFlag.ItemIsEditable

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows, or offers for editing."""
        position, column = self._positions[index.row()], index.column()
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if column else None
        if role == Qt.ItemDataRole.ToolTipRole:
            return _TIPS[column]
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return None
        is_shown = role == Qt.ItemDataRole.DisplayRole
        if column == 0:
            return position.name or (f"position_{index.row()}" if is_shown else "")
        return _text(getattr(position, _VALUES[column]), column, is_shown=is_shown)

    def setData(  # noqa: N802 - Qt's name
        self, index: QModelIndex, value: Any, role: int = Qt.ItemDataRole.EditRole
    ) -> bool:
        """Change a cell, if what was typed makes sense; else say what would."""
        position, column, text = self._positions[index.row()], index.column(), str(value).strip()
        try:
            value = self._name(text, index.row()) if column == 0 else _coordinate(text, column)
        except ValueError as e:
            self.refused.emit(str(e))
            return False
        self.refused.emit("")
        changed = replace(position, **{_VALUES[column]: value})
        if changed != position:
            self._positions[index.row()] = changed
            self.dataChanged.emit(index, index)
            self.edited.emit()
        return True

    def _name(self, text: str, row: int) -> str:
        if not text:
            raise ValueError("a position needs a name")
        if text.casefold() in {p.name.casefold() for n, p in enumerate(self._positions) if n != row}:
            raise ValueError(f"'{text}' is the name of another position")
        return text


def _coordinate(text: str, column: int) -> float | None:
    """Return µm, or None for an empty z; `ValueError` says what is allowed."""
    if not text and column == 3:
        return None
    unit = "µm" if column == 3 else "mm"
    try:
        value = float(text.removesuffix(unit).strip())
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        example = "3021.5" if column == 3 else "11.31"
        empty = ", or empty for the plan's z" if column == 3 else ""
        raise ValueError(f"'{text}' is no {COLUMNS[column][0]} (allowed: a number in {unit} such as {example}{empty})")
    return round(value * (1.0 if column == 3 else _MM), 6)


def _text(um: float | None, column: int, *, is_shown: bool) -> str:
    if um is None:
        return ("plan's z" if column == 3 else "here") if is_shown else ""
    if column == 3:
        return f"{um:.2f}" if is_shown else f"{um:.10g}"
    return f"{um / _MM:.4f}" if is_shown else f"{um / _MM:.10g}"
