"""Lengths as people type them: ``250``, ``250 µm``, ``0.25 mm``, ``0,25 mm``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QWheelEvent
from PyQt5.QtWidgets import QComboBox, QSizePolicy

_LENGTH = re.compile(r"\s*(\d+(?:[.,]\d*)?|[.,]\d+)\s*(mm|µm|μm|um|)\s*", re.IGNORECASE)


def parse_length_um(text: str) -> float | None:
    """Return a length in µm; a number without a unit is µm; None for what is no length."""
    match = _LENGTH.fullmatch(text)
    if match is None:
        return None
    value = float(match[1].replace(",", "."))
    return value * 1000 if match[2].lower() == "mm" else value


def length_text(length_um: float) -> str:
    """Return a length as people say it: mm from 1 mm on, else µm."""
    return f"{length_um / 1000:g} mm" if length_um >= 1000 else f"{length_um:g} µm"


class LengthBox(QComboBox):
    """A length to choose or to type; what is no length, or out of range, gives way to the last one that was.

    Parameters
    ----------
    offered_um : sequence of float
        What the list offers, in µm.
    value_um : float
        At first.
    low_um, high_um : float
        Allowed, both included.
    tip : str
        What it is, in a few words.
    """

    def __init__(
        self, offered_um: Sequence[float], value_um: float, *, low_um: float, high_um: float, tip: str
    ) -> None:
        super().__init__()
        self._range_um = (low_um, high_um)
        self._value_um = value_um
        self.setEditable(True)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.addItems([length_text(length_um) for length_um in offered_um])
        self.setCurrentText(length_text(value_um))
        self.setToolTip(f"{tip} ({length_text(low_um)} to {length_text(high_um)})")
        self.activated.connect(lambda _: self._take())
        edit = self.lineEdit()
        if edit is not None:
            edit.editingFinished.connect(self._take)

    @property
    def value_um(self) -> float:
        """The length in µm."""
        self._take()
        return self._value_um

    def _take(self) -> None:
        typed_um = parse_length_um(self.currentText())
        low_um, high_um = self._range_um
        if typed_um is not None and low_um <= typed_um <= high_um:
            self._value_um = typed_um
        self.setCurrentText(length_text(self._value_um))

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802 - Qt's name
        """Leave the wheel to the scrolling panel."""
        if event is not None:
            event.ignore()
