"""The channels of a stored run: which are shown, and between which grey values."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QButtonGroup, QCheckBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget
from superqt import QRangeSlider

from control.core.review.viewing import Limits
from control.gui import theme
from control.gui.parts import CountEdit
from squid.models.channel import ChannelLayout


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
        self.slider = QRangeSlider(Qt.Orientation.Horizontal)  # type: ignore[no-untyped-call]
        self.slider.setObjectName(f"contrast{c}")
        self.slider.setRange(0, highest)
        self.slider.setToolTip("Contrast: black and full brightness, in grey values")
        self.auto = QPushButton("Auto")
        self.auto.setToolTip("Set the contrast from the plane that is shown")
        self._put_together()
        self.shown.toggled.connect(self.toggled)
        self.auto.clicked.connect(self.auto_asked)
        self.slider.valueChanged.connect(self._on_slider)
        self.low.valueChanged.connect(self._on_numbers)
        self.high.valueChanged.connect(self._on_numbers)

    @property
    def limits(self) -> Limits:
        """Grey values of black and of full brightness."""
        return self.low.value(), max(self.high.value(), self.low.value() + 1)

    def set_limits(self, limits: Limits) -> None:
        """Show limits, without a signal."""
        for widget in (self.slider, self.low, self.high):
            widget.blockSignals(True)
        reach = min(self.high.maximum(), max(4 * limits[1], 255))  # fine steps where the grey values are
        self.slider.setRange(0, max(reach, self.slider.maximum() if self.slider.isSliderDown() else 0))
        self.slider.setValue(limits)
        self.low.setValue(limits[0])
        self.high.setValue(limits[1])
        for widget in (self.slider, self.low, self.high):
            widget.blockSignals(False)

    def _on_slider(self, values: tuple[int, int]) -> None:
        for number, value in zip((self.low, self.high), values, strict=True):
            number.blockSignals(True)
            number.setValue(int(value))
            number.blockSignals(False)
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
        layout.addWidget(self.slider)
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
        self._single = QCheckBox("One channel at a time")
        self._single.setObjectName("singleChannel")
        self._single.setToolTip("Show one channel in grey; otherwise channels lie on top of one another in colour")
        self._group = QButtonGroup(self)
        self._group.setExclusive(False)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(2)
        self._layout.addWidget(self._single)
        self._single.toggled.connect(self._on_single)

    def set_channels(self, channels: Sequence[ChannelLayout], significant_bits: int) -> None:
        """Show the channels of another run: all on top of one another, contrast not chosen."""
        for row in self.rows:
            self._group.removeButton(row.shown)
            self._layout.removeWidget(row)
            row.deleteLater()
        self._chosen.clear()
        self.rows = []
        for c, channel in enumerate(channels):
            self._add(c, ChannelRow(c, channel, (1 << significant_bits) - 1))
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

    def show_only(self, c: int) -> None:
        """Show one channel alone."""
        for number, row in enumerate(self.rows):
            row.shown.setChecked(number == c)

    def _add(self, c: int, row: ChannelRow) -> None:
        row.shown.setChecked(c == 0 or not self._single.isChecked())
        row.toggled.connect(self.changed)
        row.auto_asked.connect(lambda: self.auto_asked.emit(c))
        row.limits_chosen.connect(lambda: self._on_limits(c))
        self._group.addButton(row.shown)
        self._layout.addWidget(row)
        self.rows.append(row)

    def _on_limits(self, c: int) -> None:
        self._chosen[c] = self.rows[c].limits
        self.changed.emit()

    def _on_single(self, single: bool) -> None:
        keep = next(iter(self.shown), 0)
        if single:
            self.show_only(keep)
        self._group.setExclusive(single)
        if not single:
            for row in self.rows:
                row.shown.setChecked(True)
