"""Which channels the run's pictures show: all of them in their colours, or one in grey."""

from __future__ import annotations

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QComboBox, QHBoxLayout, QLabel, QToolButton, QWidget

from control.core.contrast import Contrast
from control.core.grey_values import Limits
from control.core.previews import Previews
from control.core.rendering import GREY_COLOUR
from control.gui import theme
from control.gui.parts import faint_label

ALL = "All channels"

Layers = tuple[tuple[int, Limits, str], ...]
"""Number of a channel, grey values shown as black and as full brightness, colour."""

CONTRAST_TOLERANCE = 0.04
"""Limits that moved by less than this part of their range stay: pictures need not be drawn anew."""


class ChannelPicker(QWidget):
    """Chooses what the plate and the mosaic show, with one contrast for the whole plate.

    Parameters
    ----------
    previews : Previews
        The run's channels, and the limits that fit the whole plate.
    contrast : Contrast
        What a person chose instead, on the pages Look or Review.

    Signals
    -------
    changed()
        Other channels, or another contrast.
    """

    changed = pyqtSignal()

    def __init__(self, previews: Previews, contrast: Contrast) -> None:
        super().__init__()
        self._previews = previews
        self._contrast = contrast
        self._run_number = 0
        self._limits: tuple[Limits, ...] = ()
        self._wanted = ALL
        self.box = QComboBox()
        self.box.setObjectName("channelBox")
        self.box.setToolTip("Channels that the plate and the current well show")
        self.box.setMinimumContentsLength(14)
        self.legend = QLabel()
        self.auto = QToolButton()
        self.auto.setText("Auto contrast")
        self.auto.setObjectName("runAutoContrast")
        self.auto.setToolTip("The contrast of these channels was set by hand; press to let it follow the images again")
        self.auto.hide()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GAP_PX)
        layout.addWidget(faint_label("Show"))
        layout.addWidget(self.box)
        layout.addWidget(self.legend)
        layout.addWidget(self.auto)
        self.box.currentIndexChanged.connect(self._chosen)
        self.auto.clicked.connect(self._follow)
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
        limits = self._limits_now()
        self.auto.setVisible(not all(self._contrast.is_auto(channel.name) for channel in self._previews.channels))
        if len(limits) != len(self._limits) or any(map(_differ, self._limits, limits)):
            self._limits = limits
            self.changed.emit()

    def layers(self) -> Layers:
        """Return what to draw."""
        chosen = self.box.currentIndex() - 1
        channels = self._previews.channels[: len(self._limits)]
        if 0 <= chosen < len(channels):
            return ((chosen, self._limits[chosen], GREY_COLOUR),)
        return tuple((n, self._limits[n], channel.preset.colour) for n, channel in enumerate(channels))

    def _limits_now(self) -> tuple[Limits, ...]:
        layout = self._previews.layout
        if layout is None:
            return ()
        return tuple(
            self._contrast.limits(channel.name, fitting, layout.significant_bits)
            for channel, fitting in zip(layout.channels, self._previews.contrasts(), strict=False)
        )

    def _follow(self) -> None:
        """Let the contrast of the run's channels follow the images."""
        for channel in self._previews.channels:
            self._contrast.follow(channel.name)
        self.refresh()

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


def _differ(old: Limits, new: Limits) -> bool:
    moved = max(abs(old[0] - new[0]), abs(old[1] - new[1]))
    return moved > CONTRAST_TOLERANCE * max(1, old[1] - old[0])
