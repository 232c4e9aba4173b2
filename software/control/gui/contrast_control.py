"""The control of one channel's contrast, the same on each page: histogram, numbers, auto, fit once, full range."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PyQt5.QtCore import QSize, pyqtSignal
from PyQt5.QtWidgets import QAction, QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from control.core.contrast import Contrast
from control.core.grey_values import GreyCounts, Limits
from control.core.rendering import GREY_COLOUR
from control.gui import theme
from control.gui.histogram import Histogram
from control.gui.parts import CountEdit, icon, press_action


class ContrastControl(QWidget):
    """Shows and changes the contrast of one channel.

    Parameters
    ----------
    contrast : Contrast
        Is read and written.

    Attributes
    ----------
    changed : pyqtSignal()
        A person gave the channel another contrast.
    """

    changed = pyqtSignal()

    def __init__(self, contrast: Contrast) -> None:
        super().__init__()
        self._contrast = contrast
        self._channel = ""
        self._colour = GREY_COLOUR
        self._counts: GreyCounts | None = None
        self._fitting: Limits = (0, 1)
        self.histogram = Histogram()
        self.black = CountEdit("", 0, 65534, 0, tip="Grey value shown as black")
        self.white = CountEdit("", 1, 65535, 65535, tip="Grey value shown in full brightness")
        self.auto = QPushButton("Auto")
        self.auto.setObjectName("autoContrast")
        self.auto.setToolTip("Black and white follow the images")
        self.auto.clicked.connect(lambda _checked: self._set_auto())
        self.once = _button(
            "fitOnce", "Fit black and white to this image, and leave them so", self.fit_once, "auto-fix"
        )
        self.full = _button(
            "fullRange", "Show the full range of grey values, and leave it so", self.reset, "arrow-expand-horizontal"
        )
        self.log = _button("logHistogram", "Show the logarithm of the counts", self._show_log, "math-log")
        self.auto.setCheckable(True)
        self.log.setCheckable(True)
        self._lay_out()
        self.histogram.limits_moved.connect(self._choose)
        for edit in (self.black, self.white):
            edit.setButtonSymbols(CountEdit.ButtonSymbols.NoButtons)  # five digits fit; the arrow keys step
            edit.valueChanged.connect(partial(self._value_changed, edit))
        self.setEnabled(False)

    def _lay_out(self) -> None:
        self.black.setObjectName("blackEdit")
        self.white.setObjectName("whiteEdit")
        line = QHBoxLayout()
        line.setSpacing(2)
        line.addWidget(self.black, 1)
        for button in (self.auto, self.once, self.full, self.log):
            line.addWidget(button)
        line.addWidget(self.white, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GAP_PX // 2)
        layout.addWidget(self.histogram)
        layout.addLayout(line)

    # --- what is shown ----------------------------------------------------------------------------------------------

    def show_counts(self, channel: str, counts: GreyCounts, fitting: Limits, colour: str) -> None:
        """Show a channel's image.

        Parameters
        ----------
        channel : str
            Whose contrast is shown and changed.
        counts : GreyCounts
            Grey values of the image that is shown.
        fitting : (int, int)
            What auto contrast shows as black and as full brightness.
        colour : str
            Of the bars, ``#RRGGBB``.
        """
        self._channel, self._counts, self._fitting, self._colour = channel, counts, fitting, colour
        self.setEnabled(True)
        self.refresh()

    def make_actions(self) -> list[QAction]:
        """Return entries of a menu, with keys, for the buttons of the one control that a page has."""
        return [
            press_action(self.auto, "&Auto contrast", "Ctrl+Shift+C"),
            press_action(self.once, "&Fit contrast once", "Ctrl+Shift+O", "auto-fix"),
            press_action(self.full, "Full &range of grey values", "Ctrl+Shift+X", "arrow-expand-horizontal"),
            press_action(self.log, "&Logarithm of the histogram", "Ctrl+Shift+G", "math-log"),
        ]

    @property
    def limits(self) -> Limits:
        """Grey values of black and of full brightness, as they are to be shown."""
        bits = self._counts.significant_bits if self._counts is not None else 8
        return self._contrast.limits(self._channel, self._fitting, bits)

    @property
    def is_log(self) -> bool:
        """Whether the logarithm of the counts is shown."""
        return self.log.isChecked()

    def set_log(self, is_log: bool) -> None:
        """Show the logarithm of the counts, or the counts."""
        self.log.setChecked(is_log)
        self._show_log()

    def refresh(self) -> None:
        """Show the contrast as it is now."""
        counts = self._counts
        if counts is None:
            return
        limits, is_auto = self.limits, self._contrast.is_auto(self._channel)
        self.histogram.show_counts(counts, limits, self._colour)
        for edit, value, low, high in (
            (self.black, limits[0], 0, counts.largest - 1),
            (self.white, limits[1], 1, counts.largest),
        ):
            edit.blockSignals(True)
            edit.setRange(low, high)
            if not (edit.hasFocus() and is_auto):  # somebody types
                edit.setValue(value)
            edit.blockSignals(False)
        self.auto.setChecked(is_auto)

    # --- what a person does -----------------------------------------------------------------------------------------

    def fit_once(self) -> None:
        """Fit black and white to the image that is shown, and leave them so."""
        if self._counts is not None:
            self._choose(*self._counts.limits())

    def reset(self) -> None:
        """Show the full range of grey values, and leave it so."""
        if self._counts is not None:
            self._choose(0, self._counts.largest)

    def _set_auto(self) -> None:
        if self._contrast.is_auto(self._channel):
            self._choose(*self.limits)
        else:
            self._contrast.follow(self._channel)
            self._tell()

    def _show_log(self) -> None:
        self.histogram.set_log(self.is_log)

    def _choose(self, black: int, white: int) -> None:
        self._contrast.choose(self._channel, black, white)
        self._tell()

    def _tell(self) -> None:
        self.refresh()
        self.changed.emit()

    def _value_changed(self, edit: CountEdit, _: int) -> None:
        """Take a number; where black would not be below white, the other one gives way."""
        black, white = self.black.value(), self.white.value()
        if black >= white:
            black, white = (black, black + 1) if edit is self.black else (white - 1, white)
        self._choose(black, white)


def _button(name: str, tip: str, on_clicked: Callable[[], None], image: str) -> QToolButton:
    button = QToolButton()
    button.setIcon(icon(image))
    button.setIconSize(QSize(18, 18))
    button.setObjectName(name)
    button.setToolTip(tip)
    button.clicked.connect(lambda _checked: on_clicked())
    return button
