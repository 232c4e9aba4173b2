"""Which channels the run's pictures show: all of them in their colours, or one in grey."""

from __future__ import annotations

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QComboBox, QHBoxLayout, QLabel, QWidget

from control.core.previews import Previews
from control.gui import theme
from control.gui.parts import faint_label

GREY = "#FFFFFF"
ALL = "All channels"

Layers = tuple[tuple[int, tuple[int, int], str], ...]
"""Number of a channel, grey values shown as black and as full brightness, colour."""

CONTRAST_TOLERANCE = 0.04
"""Limits that moved by less than this part of their range stay: pictures need not be drawn anew."""


class ChannelPicker(QWidget):
    """Chooses what the plate and the mosaic show, with one contrast for the whole plate.

    Signals
    -------
    changed()
        Other channels, or another contrast.
    """

    changed = pyqtSignal()

    def __init__(self, previews: Previews, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._previews = previews
        self._run_number = 0
        self._limits: tuple[tuple[int, int], ...] = ()
        self._wanted = ALL
        self.box = QComboBox()
        self.box.setObjectName("channelBox")
        self.box.setToolTip("Channels that the plate and the current well show")
        self.box.setMinimumContentsLength(14)
        self.legend = QLabel()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GAP_PX)
        layout.addWidget(faint_label("Show"))
        layout.addWidget(self.box)
        layout.addWidget(self.legend)
        self.box.currentIndexChanged.connect(self._chosen)
        self.box.addItem(ALL)

    @property
    def wanted(self) -> str:
        """What a person wants to see, in every run that has it: a channel's name, or all of them."""
        return self._wanted

    def want(self, name: str) -> None:
        """Show this channel in every run that has it."""
        self._wanted = name
        self.box.setCurrentIndex(max(0, self.box.findText(name)))

    def refresh(self) -> None:
        """Follow the run: its channels, and its contrast as far as that has moved visibly."""
        if self._previews.run_number != self._run_number:
            self._run_number = self._previews.run_number
            self._fill()
        limits = self._previews.contrasts()
        if len(limits) != len(self._limits) or any(map(_differ, self._limits, limits)):
            self._limits = limits
            self.changed.emit()

    def layers(self) -> Layers:
        """Return what to draw."""
        chosen = self.box.currentIndex() - 1
        channels = self._previews.channels[: len(self._limits)]
        if 0 <= chosen < len(channels):
            return ((chosen, self._limits[chosen], GREY),)
        return tuple((n, self._limits[n], channel.preset.colour) for n, channel in enumerate(channels))

    def _fill(self) -> None:
        channels = self._previews.channels
        self.box.blockSignals(True)
        self.box.clear()
        self.box.addItems([ALL, *(channel.name for channel in channels)])
        self.box.setCurrentIndex(max(0, self.box.findText(self._wanted)))
        self.box.blockSignals(False)
        self.legend.setText(
            "&nbsp;&nbsp;".join(f'<span style="color:{c.preset.colour}">■</span> {c.name}' for c in channels)
        )
        self._limits = ()
        self._show_legend()

    def _chosen(self) -> None:
        if self.box.currentIndex() > 0 or self._wanted in (self.box.itemText(n) for n in range(self.box.count())):
            self._wanted = self.box.currentText()
        self._show_legend()
        self.changed.emit()

    def _show_legend(self) -> None:
        self.legend.setVisible(self.box.currentIndex() <= 0)


def _differ(old: tuple[int, int], new: tuple[int, int]) -> bool:
    moved = max(abs(old[0] - new[0]), abs(old[1] - new[1]))
    return moved > CONTRAST_TOLERANCE * max(1, old[1] - old[0])
