"""The channels of a stored run: which are shown, and between which grey values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QCheckBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from control.core.review.viewing import Limits, histogram
from control.gui import theme
from control.gui.contrast_bar import ContrastBar
from control.gui.parts import CountEdit
from squid.models.channel import ChannelLayout
from squid.models.geometry import Pixels


class ChannelRow(QWidget):
    """One channel: shown or not, lower and upper grey value, automatic contrast.

    Attributes
    ----------
    toggled : pyqtSignal()
        Shown or not any more.
    limits_chosen : pyqtSignal()
        A person moved a limit.
    auto_asked : pyqtSignal()
        Contrast from the plane that is shown.
    """

    toggled = pyqtSignal()
    limits_chosen = pyqtSignal()
    auto_asked = pyqtSignal()

    def __init__(self, c: int, channel: ChannelLayout, highest: int) -> None:
        super().__init__()
        self.shown = QCheckBox(channel.name)
        self.shown.setObjectName(f"channel{c}")
        self.shown.setChecked(c == 0)
        self.shown.setStyleSheet(f"QCheckBox {{ color: {channel.preset.colour}; font-weight: 600; }}")
        self.shown.setToolTip(f"Show {channel.name}: {channel.preset.source}, {channel.preset.exposure_ms:g} ms")
        self.low = CountEdit("", 0, highest - 1, 0, tip="Grey value shown as black")
        self.high = CountEdit("", 1, highest, highest, tip="Grey value shown as full brightness")
        self.bar = ContrastBar(channel.preset.colour, highest)
        self.bar.setObjectName(f"contrast{c}")
        self.auto = QPushButton("Auto")
        self.auto.setToolTip("Set the contrast from the plane that is shown")
        self._put_together()
        self.shown.toggled.connect(self.toggled)
        self.auto.clicked.connect(self.auto_asked)
        self.bar.limits_moved.connect(self._on_bar)
        self.low.valueChanged.connect(self._on_numbers)
        self.high.valueChanged.connect(self._on_numbers)

    @property
    def limits(self) -> Limits:
        """Grey values of black and of full brightness."""
        return self.low.value(), max(self.high.value(), self.low.value() + 1)

    def set_limits(self, limits: Limits) -> None:
        """Show limits, without a signal."""
        self.bar.set_limits(limits)
        for number, value in zip((self.low, self.high), limits, strict=True):
            number.blockSignals(True)
            number.setValue(value)
            number.blockSignals(False)

    def _on_bar(self, limits: Limits) -> None:
        self.set_limits(limits)
        self.limits_chosen.emit()

    def _on_numbers(self) -> None:
        self.set_limits(self.limits)
        self.limits_chosen.emit()

    def _put_together(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, theme.GAP_PX)
        layout.setSpacing(2)
        head = QHBoxLayout()
        head.addWidget(self.shown, 1)
        head.addWidget(self.auto)
        layout.addLayout(head)
        layout.addWidget(self.bar)
        numbers = QHBoxLayout()
        numbers.addWidget(self.low)
        numbers.addStretch(1)
        numbers.addWidget(self.high)
        layout.addLayout(numbers)


class ChannelRows(QWidget):
    """All channels of a run; one alone, or several on top of one another.

    Attributes
    ----------
    changed : pyqtSignal()
        Other channels, or other limits.
    auto_asked : pyqtSignal(int)
        Contrast of a channel from the plane that is shown.
    """

    changed = pyqtSignal()
    auto_asked = pyqtSignal(int)

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[ChannelRow] = []
        self._chosen: dict[int, Limits] = {}
        self._by_hand: dict[str, Limits] = {}
        self._single = QCheckBox("One channel at a time")
        self._single.setObjectName("singleChannel")
        self._single.setToolTip("Show one channel in grey; otherwise channels lie on top of one another in colour")
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(2)
        self._layout.addWidget(self._single)
        self._single.toggled.connect(self._on_single)

    def set_channels(self, channels: Sequence[ChannelLayout], significant_bits: int) -> None:
        """Show the channels of another run: all on top of one another, with the contrast that a person gave them."""
        for row in self.rows:
            self._layout.removeWidget(row)
            row.deleteLater()
        self._chosen.clear()
        self.rows = []
        for c, channel in enumerate(channels):
            highest = (1 << significant_bits) - 1
            self._add(c, ChannelRow(c, channel, highest))
            kept = self._by_hand.get(channel.name)
            if kept is not None and kept[0] < kept[1] <= highest:
                self.set_limits(c, kept)
        self._single.setVisible(len(channels) > 1)

    @property
    def shown(self) -> tuple[int, ...]:
        """Channels that are shown."""
        return tuple(c for c, row in enumerate(self.rows) if row.shown.isChecked())

    @property
    def chosen_limits(self) -> dict[int, Limits]:
        """Limits of the channels for which a person or `set_limits` chose them."""
        return dict(self._chosen)

    def set_limits(self, c: int, limits: Limits) -> None:
        """Choose the limits of a channel."""
        self._chosen[c] = limits
        self.rows[c].set_limits(limits)

    def remember(self) -> dict[str, Any]:
        """Return the contrast that a person gave channels, by name, as JSON values."""
        return {name: list(limits) for name, limits in self._by_hand.items()}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take what `remember` gave, for the next run; what makes no sense is left out."""
        for name, limits in kept.items():
            match limits:
                case [int(low), int(high)] if 0 <= low < high:
                    self._by_hand[name] = (low, high)

    def show_histogram(self, c: int, plane: Pixels) -> None:
        """Show the grey values of a channel's plane."""
        self.rows[c].bar.show_counts(*histogram(plane))

    def show_only(self, c: int) -> None:
        """Show one channel alone."""
        for number, row in enumerate(self.rows):
            row.shown.setChecked(number == c)

    def _add(self, c: int, row: ChannelRow) -> None:
        row.shown.setChecked(c == 0 or not self._single.isChecked())
        row.toggled.connect(lambda: self._on_toggled(c))
        row.auto_asked.connect(lambda: self._on_auto(c))
        row.limits_chosen.connect(lambda: self._on_limits(c))
        self._layout.addWidget(row)
        self.rows.append(row)

    def _on_limits(self, c: int) -> None:
        self._chosen[c] = self._by_hand[self.rows[c].shown.text()] = self.rows[c].limits
        self.changed.emit()

    def _on_auto(self, c: int) -> None:
        self._by_hand.pop(self.rows[c].shown.text(), None)
        self.auto_asked.emit(c)

    def _on_toggled(self, c: int) -> None:
        """With one channel at a time: the one that comes takes the place of the other, and one always stays."""
        if self._single.isChecked():
            if self.rows[c].shown.isChecked():
                self.show_only(c)
            elif not self.shown:
                self.rows[c].shown.setChecked(True)
        self.changed.emit()

    def _on_single(self, single: bool) -> None:
        if single:
            self.show_only(next(iter(self.shown), 0))
        else:
            for row in self.rows:
                row.shown.setChecked(True)
