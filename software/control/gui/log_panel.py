"""The log in the window: the last 5,000 lines, by level and by search, without ever holding up who logs.

::

    any thread ─▶ LogBuffer (a handler: bounded, never waits for the window) ─timer, 5 Hz─▶ LogPanel

Owns what is shown; the files are written by others.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import NamedTuple

from PyQt5.QtCore import QTimer
from PyQt5.QtGui import QColor, QHideEvent, QShowEvent, QTextCharFormat, QTextCursor
from PyQt5.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from control.core.words import counted
from control.gui import theme
from control.gui.parts import faint_label

LINES = 5000
"""Lines that are kept and shown."""

_PERIOD_MS = 200
_MOST_AT_ONCE = 500
_LEVELS = {
    "Information": logging.INFO,
    "Warnings": logging.WARNING,
    "Errors": logging.ERROR,
}
_COLOURS = {logging.WARNING: theme.WAITING, logging.ERROR: theme.BAD, logging.CRITICAL: theme.BAD}


class Line(NamedTuple):
    """One record, formatted."""

    number: int
    level: int
    text: str


class LogBuffer(logging.Handler):
    """Keeps the newest `LINES` records; may be filled from any thread, at any rate."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(asctime)s  %(levelname)-7s  %(name)s: %(message)s", "%H:%M:%S"))
        self._lines: deque[Line] = deque(maxlen=LINES)
        self._guard = threading.Lock()
        self._count = 0
        self.warnings = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        text = self.format(record)
        with self._guard:
            self._count += 1
            self.warnings += record.levelno >= logging.WARNING
            self._lines.append(Line(self._count, record.levelno, text))

    @property
    def newest(self) -> int:
        """Number of the newest line."""
        return self._count

    def since(self, number: int) -> list[Line]:
        """Return the lines after line `number` that are still kept, oldest first."""
        with self._guard:
            new = min(len(self._lines), self._count - number)
            return [self._lines[at] for at in range(len(self._lines) - new, len(self._lines))]


class LogPanel(QWidget):
    """Shows a `LogBuffer`.

    Parameters
    ----------
    buffer : LogBuffer
        Is read five times a second while the panel is visible.
    """

    def __init__(self, buffer: LogBuffer) -> None:
        super().__init__()
        self.setObjectName("logPanel")
        self._buffer = buffer
        self._shown = 0
        self._text = QPlainTextEdit()
        self._text.setObjectName("logText")
        self._text.setReadOnly(True)
        self._text.setMaximumBlockCount(LINES)
        self._text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._text.setStyleSheet("font-family: 'DejaVu Sans Mono', Consolas, monospace; font-size: 12px;")
        self._level, self._search, self._follow = QComboBox(), QLineEdit(), QCheckBox("Follow")
        self._note = faint_label()
        self._timer = QTimer(self)
        self._timer.setInterval(_PERIOD_MS)
        self._timer.timeout.connect(self.refresh)
        self._lay_out()

    def _lay_out(self) -> None:
        self._level.setObjectName("logLevel")
        self._level.addItems(list(_LEVELS))
        self._level.setCurrentText("Information")
        self._level.setToolTip("Show this level and those above")
        self._level.currentTextChanged.connect(self._start_again)
        self._search.setObjectName("logSearch")
        self._search.setPlaceholderText("Search")
        self._search.setToolTip("Show only lines with this text")
        self._search.setClearButtonEnabled(True)
        self._search.textChanged.connect(self._start_again)
        self._follow.setChecked(True)
        self._follow.setToolTip("Keep the newest line in sight")
        clear = QPushButton("Clear")
        clear.setToolTip("Empty the view; the log file keeps everything")
        clear.clicked.connect(self._clear)
        row = QHBoxLayout()
        for widget in (self._level, self._search, self._follow, clear):
            row.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.GAP_PX, theme.GAP_PX // 2, theme.GAP_PX, theme.GAP_PX // 2)
        layout.addLayout(row)
        layout.addWidget(self._text, 1)
        layout.addWidget(self._note)
        self._note.hide()

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Catch up and follow."""
        super().showEvent(event)
        self.refresh()
        self._timer.start()

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802 - Qt's name
        """Rest."""
        super().hideEvent(event)
        self._timer.stop()

    def refresh(self) -> None:
        """Append what is new, at most `_MOST_AT_ONCE` lines, so that a flood never blocks the window."""
        if self._buffer.newest == self._shown:
            return
        lines = self._buffer.since(self._shown)
        left_out = len(lines) - _MOST_AT_ONCE
        self._shown = lines[-1].number
        self._note.setVisible(left_out > 0)
        self._note.setText(f"{counted(left_out, 'more line')} came faster than can be shown; the log file has all")
        self._append([line for line in lines[-_MOST_AT_ONCE:] if self._is_wanted(line)])

    def _append(self, lines: list[Line]) -> None:
        document = self._text.document()
        bar = self._text.verticalScrollBar()
        if not lines or document is None or bar is None:
            return
        cursor = QTextCursor(document)
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.beginEditBlock()
        for line in lines:
            form = QTextCharFormat()
            form.setForeground(QColor(_COLOURS.get(line.level, theme.TEXT)))
            if not document.isEmpty():
                cursor.insertBlock()
            cursor.insertText(line.text.replace("\n", "\u2028"), form)
        cursor.endEditBlock()
        if self._follow.isChecked():
            bar.setValue(bar.maximum())

    def _is_wanted(self, line: Line) -> bool:
        return line.level >= _LEVELS[self._level.currentText()] and self._search.text().lower() in line.text.lower()

    def _start_again(self) -> None:
        self._text.clear()
        self._shown = 0
        self._note.hide()
        lines = [line for line in self._buffer.since(0) if self._is_wanted(line)]
        self._shown = self._buffer.newest
        self._append(lines[-_MOST_AT_ONCE:])

    def _clear(self) -> None:
        self._text.clear()
        self._shown = self._buffer.newest
