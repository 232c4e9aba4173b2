"""What each device says of itself: a tree of states, read once a second from the newest snapshot of the monitor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PyQt5.QtCore import QTimer
from PyQt5.QtGui import QColor, QHideEvent, QShowEvent
from PyQt5.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from control.gui import theme
from control.gui.parts import faint_label

_PERIOD_MS = 1000
_WIDTH_PX = 280
_UNITS = {
    "ms": "ms",
    "s": "s",
    "um": "µm",
    "mm": "mm",
    "px": "px",
    "pct": "%",
    "c": "°C",
    "nm": "nm",
    "hz": "Hz",
    "mb": "MB",
}


class DevicesPanel(QWidget):
    """A tree: device, and under it each key with its value.

    Parameters
    ----------
    monitor : Monitor
        Its newest snapshot is shown.
    """

    def __init__(self, monitor: Any) -> None:
        super().__init__()
        self.setObjectName("devicesPanel")
        self.setMinimumWidth(_WIDTH_PX)
        self._monitor = monitor
        self._items: dict[tuple[str, str], QTreeWidgetItem] = {}
        self._tree = QTreeWidget()
        self._tree.setObjectName("devicesTree")
        self._tree.setHeaderLabels(["Device", "State"])
        self._tree.setAlternatingRowColors(True)
        self._tree.setIndentation(12)
        header = self._tree.header()
        assert header is not None  # every tree has one
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self._trouble = faint_label()
        self._trouble.setProperty("role", "refusal")
        self._trouble.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.GAP_PX, theme.GAP_PX, theme.GAP_PX, theme.GAP_PX)
        layout.addWidget(self._trouble)
        layout.addWidget(self._tree, 1)
        self._timer = QTimer(self)
        self._timer.setInterval(_PERIOD_MS)
        self._timer.timeout.connect(self.refresh)

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Follow the monitor."""
        super().showEvent(event)
        self.refresh()
        self._timer.start()

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802 - Qt's name
        """Rest."""
        super().hideEvent(event)
        self._timer.stop()

    def refresh(self) -> None:
        """Show the newest snapshot; only what changed is touched."""
        state = self._monitor.newest
        if state is None:
            return
        self._trouble.setVisible(bool(state.trouble))
        self._trouble.setText(state.trouble or "")
        for label, values in state.devices.items():
            self._show_device(label, state.drivers.get(label, ""), values)

    def _show_device(self, label: str, driver: str, values: Mapping[str, Any]) -> None:
        root = self._item((label, ""), label, None)
        _set(root, driver)
        for key, value in values.items():
            name, unit = _unit_of(key)
            _set(self._item((label, key), name, root), f"{_words(value)} {unit}".strip())
        is_open = values.get("open", True)
        root.setForeground(0, QColor(theme.TEXT if is_open else theme.BAD))

    def _item(self, path: tuple[str, str], text: str, root: QTreeWidgetItem | None) -> QTreeWidgetItem:
        item = self._items.get(path)
        if item is None:
            item = self._items[path] = QTreeWidgetItem([text, ""])
            if root is None:
                self._tree.addTopLevelItem(item)
                item.setExpanded(True)
            else:
                item.setForeground(0, QColor(theme.FAINT))
                root.addChild(item)
        return item


def _unit_of(key: str) -> tuple[str, str]:
    """Return name and unit of a key such as ``exposure_ms``; the unit is empty when there is none."""
    name, _, last = key.rpartition("_")
    unit = _UNITS.get(last)
    return (name.replace("_", " "), unit) if name and unit else (key.replace("_", " "), "")


def _set(item: QTreeWidgetItem, text: str) -> None:
    if item.text(1) != text:
        item.setText(1, text)
        item.setToolTip(1, text)


def _words(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
