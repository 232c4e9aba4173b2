"""The list of channels in the dialog of presets: colour, name, and what is one's own or not saved."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QColor, QIcon, QPixmap
from PyQt5.QtWidgets import QListWidget, QListWidgetItem

_SWATCH_PX = 14


class PresetList(QListWidget):
    """Channels, one a row.

    Attributes
    ----------
    chosen : pyqtSignal(str)
        Name of the channel that a person wants to see.
    """

    chosen = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("presetList")
        self.currentItemChanged.connect(self._tell)

    def show_names(self, names: Sequence[str], chosen: str) -> str:
        """List channels; returns the one that is chosen now: the same as before, where it is still there."""
        self.blockSignals(True)
        self.clear()
        for name in names:
            item = QListWidgetItem()
            item.setData(Qt.ItemDataRole.UserRole, name)
            self.addItem(item)
        row = names.index(chosen) if chosen in names else 0
        self.setCurrentRow(row)
        self.blockSignals(False)
        return names[row]

    def choose(self, name: str) -> None:
        """Show a channel, if it is listed."""
        for item in self._items():
            if _name_of(item) == name:
                self.setCurrentItem(item)

    def names(self) -> list[str]:
        """Return the channels, in order."""
        return [_name_of(item) for item in self._items()]

    def mark(self, name: str, colour: str, *, is_changed: bool, is_own: bool) -> None:
        """Show of a channel its colour, whether it has changes that are not saved, and whether a person has made it."""
        for item in self._items():
            if _name_of(item) == name:
                item.setText(f"{name}{' •' if is_changed else ''}{' (yours)' if is_own else ''}")
                item.setToolTip("• has changes that are not saved" if is_changed else "")
                item.setIcon(_swatch(colour))

    def _items(self) -> list[QListWidgetItem]:
        found = (self.item(row) for row in range(self.count()))
        return [item for item in found if item is not None]

    def _tell(self, item: QListWidgetItem | None, _: QListWidgetItem | None) -> None:
        if item is not None:
            self.chosen.emit(_name_of(item))


def _name_of(item: QListWidgetItem) -> str:
    return str(item.data(Qt.ItemDataRole.UserRole))


def _swatch(colour: str) -> QIcon:
    picture = QPixmap(_SWATCH_PX, _SWATCH_PX)
    picture.fill(QColor(colour))
    return QIcon(picture)
