"""A slider over planes or time points, counted from 1, with steps back and forth and a film."""

from __future__ import annotations

from PyQt5.QtCore import QSize, Qt, pyqtSignal
from PyQt5.QtWidgets import QAction, QHBoxLayout, QLabel, QToolButton, QWidget
from superqt import QLabeledSlider

from control.gui.parts import icon


class AxisSlider(QWidget):
    """One axis of an image.

    Parameters
    ----------
    name : str
        Of the axis, as people read it.
    play : QAction
        Checkable: starts and stops the film.

    Attributes
    ----------
    value_changed : pyqtSignal(int)
        Index, from 0.
    """

    value_changed = pyqtSignal(int)

    def __init__(self, name: str, play: QAction) -> None:
        super().__init__()
        self.slider = QLabeledSlider(Qt.Orientation.Horizontal)
        self.slider.setObjectName(f"{name.split()[0].lower()}Slider")
        self.slider.setToolTip(f"{name}; arrow keys step")
        self._of = QLabel("of 1")
        self._of.setProperty("role", "faint")
        self._play = QToolButton()
        self._play.setDefaultAction(play)
        self._play.setIconSize(QSize(18, 18))
        self._play.setAutoRaise(True)
        play.toggled.connect(lambda on: self._play.setIcon(icon("pause" if on else "play")))
        label = QLabel(name)
        label.setMinimumWidth(76)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(label)
        layout.addWidget(self._play)
        layout.addWidget(self.slider, 1)
        layout.addWidget(self._of)
        self.slider.valueChanged.connect(lambda value: self.value_changed.emit(int(value) - 1))
        self.set_count(1)

    @property
    def index(self) -> int:
        """Index, from 0."""
        return int(self.slider.value()) - 1

    @property
    def count(self) -> int:
        """Number of planes or time points."""
        return int(self.slider.maximum())

    def set_count(self, count: int) -> None:
        """Set how many there are; with one the axis is not shown."""
        self.slider.setRange(1, max(1, count))
        self._of.setText(f"of {count}")
        self.setVisible(count > 1)

    def set_index(self, index: int) -> None:
        """Go to an index; out of range means the nearest."""
        self.slider.setValue(min(max(index, 0), self.count - 1) + 1)

    def step(self) -> None:
        """Go to the next, after the last to the first."""
        self.set_index((self.index + 1) % self.count)
