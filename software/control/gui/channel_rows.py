"""The channels of a stored run: which are shown, and the contrast of each."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from control.core.contrast import Contrast
from control.core.grey_values import GreyCounts, Limits
from control.gui import theme
from control.gui.contrast_control import ContrastControl
from squid.models.channel import ChannelLayout


class ChannelRow(QWidget):
    """One channel: shown or not, and its contrast.

    Parameters
    ----------
    c : int
        Number of the channel.
    channel : ChannelLayout
        The channel.
    contrast : Contrast
        Is read and written.
    """

    def __init__(self, c: int, channel: ChannelLayout, contrast: Contrast) -> None:
        super().__init__()
        self.channel = channel
        self.shown = QCheckBox(channel.name)
        self.shown.setObjectName(f"channel{c}")
        self.shown.setStyleSheet(f"QCheckBox {{ color: {channel.preset.colour}; font-weight: 600; }}")
        self.shown.setToolTip(f"Show {channel.name}: {channel.preset.source}, {channel.preset.exposure_ms:g} ms")
        self.control = ContrastControl(contrast)
        self.control.setObjectName(f"contrast{c}")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, theme.GAP_PX)
        layout.setSpacing(2)
        layout.addWidget(self.shown)
        layout.addWidget(self.control)


class ChannelRows(QWidget):
    """All channels of a run; one alone, or several on top of one another.

    Parameters
    ----------
    contrast : Contrast
        Of the channels, by name.

    Attributes
    ----------
    chosen : pyqtSignal()
        Other channels are to be shown.
    contrast_changed : pyqtSignal()
        A person gave a channel another contrast.
    """

    chosen = pyqtSignal()
    contrast_changed = pyqtSignal()

    def __init__(self, contrast: Contrast) -> None:
        super().__init__()
        self.rows: list[ChannelRow] = []
        self._contrast = contrast
        self._single = QCheckBox("One channel at a time")
        self._single.setObjectName("singleChannel")
        self._single.setToolTip("Show one channel in grey; otherwise channels lie on top of one another in colour")
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(2)
        self._layout.addWidget(self._single)
        self._single.toggled.connect(self._on_single)

    def set_channels(self, channels: Sequence[ChannelLayout]) -> None:
        """Show the channels of another run: all on top of one another, or the first alone."""
        for row in self.rows:
            self._layout.removeWidget(row)
            row.deleteLater()
        self.rows = []
        for c, channel in enumerate(channels):
            self._add(c, ChannelRow(c, channel, self._contrast))
        self._single.setVisible(len(channels) > 1)

    @property
    def shown(self) -> tuple[int, ...]:
        """Channels that are shown."""
        return tuple(c for c, row in enumerate(self.rows) if row.shown.isChecked())

    def show_counts(self, c: int, counts: GreyCounts, fitting: Limits) -> None:
        """Show how the grey values of a channel's plane are spread, and what auto contrast makes of the run."""
        channel = self.rows[c].channel
        self.rows[c].control.show_counts(channel.name, counts, fitting, channel.preset.colour)

    def limits(self, c: int) -> Limits:
        """Return the grey values of black and of full brightness of a channel that was counted."""
        return self.rows[c].control.limits

    def show_only(self, c: int) -> None:
        """Show one channel alone."""
        for number, row in enumerate(self.rows):
            row.shown.setChecked(number == c)

    def refresh(self) -> None:
        """Show contrasts as they are now: other pages change them, too."""
        for row in self.rows:
            row.control.refresh()

    def _add(self, c: int, row: ChannelRow) -> None:
        row.shown.setChecked(c == 0 or not self._single.isChecked())
        row.shown.toggled.connect(lambda: self._on_toggled(c))
        row.control.changed.connect(self.contrast_changed)
        self._layout.addWidget(row)
        self.rows.append(row)

    def _on_toggled(self, c: int) -> None:
        """With one channel at a time: the one that comes takes the place of the other, and one always stays."""
        if self._single.isChecked():
            if self.rows[c].shown.isChecked():
                self.show_only(c)
            elif not self.shown:
                self.rows[c].shown.setChecked(True)
        self.chosen.emit()

    def _on_single(self, single: bool) -> None:
        if single:
            self.show_only(next(iter(self.shown), 0))
        else:
            for row in self.rows:
                row.shown.setChecked(True)
