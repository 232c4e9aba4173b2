"""The channels of an objective as buttons, one of them pressed; the first nine have keys."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QColor, QIcon, QPixmap
from PyQt5.QtWidgets import QAction, QButtonGroup, QGridLayout, QPushButton, QWidget

from control.gui import theme
from control.gui.painting import painting
from control.gui.parts import make_action, tab_through

_NAME_PX = 62
"""Three channels stand in a row when no name is longer, else two."""

_NUMBERED = 9


class ChannelButtons(QWidget):
    """Chooses a channel.

    Attributes
    ----------
    chosen : pyqtSignal(str)
        Name of the channel that a person pressed.
    """

    chosen = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__()
        self.buttons: dict[str, QPushButton] = {}
        self.actions_of_channels = [self._action(number) for number in range(_NUMBERED)]
        self._group = QButtonGroup(self)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(theme.GAP_PX // 2)

    def set_channels(self, colours: Mapping[str, str]) -> None:
        """Offer these channels: ``#RRGGBB`` by name."""
        for button in self.buttons.values():
            self._group.removeButton(button)
            button.deleteLater()
        self.buttons = {}
        widest = max((self.fontMetrics().horizontalAdvance(name) for name in colours), default=0)
        per_row = 3 if widest <= _NAME_PX else 2
        for number, (name, colour) in enumerate(colours.items()):
            button = self._button(number, name, colour)
            self._grid.addWidget(button, number // per_row, number % per_row)
            self.buttons[name] = button
        tab_through(self, list(self.buttons.values()))
        for action in self.actions_of_channels[len(colours) :]:
            action.setVisible(False)
        for number, (action, name) in enumerate(zip(self.actions_of_channels, colours, strict=False)):
            action.setVisible(True)
            action.setText(f"Channel {name}")
            action.setToolTip(f"Show {name} with its preset (Alt+{number + 1})")

    def show_chosen(self, name: str) -> None:
        """Show which channel is in use."""
        if name in self.buttons:
            self.buttons[name].setChecked(True)

    def _button(self, number: int, name: str, colour: str) -> QPushButton:
        keys = f" (Alt+{number + 1})" if number < _NUMBERED else ""
        button = QPushButton(chip(colour), name)
        button.setCheckable(True)
        button.setObjectName(f"channel_{name}")
        button.setToolTip(f"Show {name} with its preset{keys}")
        button.clicked.connect(lambda _checked: self.chosen.emit(name))
        self._group.addButton(button)
        return button

    def _action(self, number: int) -> QAction:
        action = make_action(
            self,
            f"Channel {number + 1}",
            partial(self._choose_number, number),
            shortcut=f"Alt+{number + 1}",
            tip="Show this channel with its preset",
        )
        action.setVisible(False)
        return action

    def _choose_number(self, number: int) -> None:
        self.chosen.emit(list(self.buttons)[number])


def chip(colour: str) -> QIcon:
    """Return a small disc of a channel's colour (``#RRGGBB``)."""
    picture = QPixmap(32, 32)
    picture.fill(Qt.GlobalColor.transparent)
    with painting(picture, is_smooth=True) as painter:
        painter.setPen(QColor(theme.LINE))
        painter.setBrush(QColor(colour))
        painter.drawEllipse(5, 5, 22, 22)
    return QIcon(picture)
