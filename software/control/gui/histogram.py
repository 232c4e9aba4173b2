"""The histogram of a channel with handles for black and white, and the panel of contrast around it."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from PyQt5.QtCore import QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PyQt5.QtWidgets import QCheckBox, QHBoxLayout, QPushButton, QSizePolicy, QWidget

from control.gui import theme
from control.gui.contrast import Contrast
from control.gui.grey_values import BINS, GreyStatistics, measure
from control.gui.painting import painting
from control.gui.parts import CountEdit, Section, faint_label, icon
from squid.models.geometry import Pixels

MEASURE_S = 0.1
"""Least time between two measurements."""

_GRIP_PX = 9


class Histogram(QWidget):
    """Paints counts, and two handles that can be dragged.

    Attributes
    ----------
    limits_dragged : pyqtSignal(int, int)
        Black and white, while a person drags.
    """

    limits_dragged = pyqtSignal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("histogram")
        self.setMinimumHeight(84)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip("Drag the left edge for black, the right one for white")
        self.setMouseTracking(True)
        self._statistics: GreyStatistics | None = None
        self._limits = (0, 255)
        self._colour = QColor("#FFFFFF")
        self._is_log = False
        self._dragged: int | None = None

    def show_statistics(self, statistics: GreyStatistics, colour: str) -> None:
        """Show counts in the channel's colour (``#RRGGBB``)."""
        self._statistics, self._colour = statistics, QColor(colour)
        self.update()

    def set_limits(self, black: int, white: int) -> None:
        """Put the handles there."""
        if (black, white) != self._limits:
            self._limits = (black, white)
            self.update()

    def set_log(self, is_log: bool) -> None:
        """Paint the logarithm of the counts, or the counts."""
        self._is_log = is_log
        self.update()

    def x_of(self, grey: float) -> float:
        """Return where a grey value is, in widget pixels."""
        return _GRIP_PX + grey / self._largest * (self.width() - 2 * _GRIP_PX)

    @property
    def _largest(self) -> int:
        return self._statistics.top if self._statistics is not None else 255

    def wanted_top(self) -> int:
        """Return how far the next counts must reach: so that a handle can be dragged on, and stays under the mouse."""
        return max(self._largest if self._dragged is not None else 0, self._limits[1] + 1)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a size for a start."""
        return QSize(300, 84)

    # --- mouse ------------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Take the nearer handle."""
        if event is not None and event.button() == Qt.MouseButton.LeftButton and self._statistics is not None:
            black, white = (abs(self.x_of(limit) - event.x()) for limit in self._limits)
            is_right = event.x() > self.x_of(sum(self._limits) / 2)
            self._dragged = int(is_right if black == white else white < black)
            self._drag(event.x())

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Drag, or show that something can be dragged."""
        if event is None:
            return
        if self._dragged is not None:
            self._drag(event.x())
        is_near = any(abs(self.x_of(limit) - event.x()) < _GRIP_PX for limit in self._limits)
        self.setCursor(Qt.CursorShape.SplitHCursor if is_near else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Let go."""
        self._dragged = None

    def _drag(self, x_px: int) -> None:
        grey = round((x_px - _GRIP_PX) / max(1, self.width() - 2 * _GRIP_PX) * self._largest)
        black, white = self._limits
        if self._dragged == 0:
            black = min(max(grey, 0), white - 1)
        else:
            white = max(min(grey, self._largest), black + 1)
        self.set_limits(black, white)
        self.limits_dragged.emit(black, white)

    # --- painting ---------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Paint counts and handles."""
        with painting(self, is_smooth=True) as painter:
            frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
            painter.setPen(QColor(theme.LINE))
            painter.setBrush(QColor("#121214"))
            painter.drawRoundedRect(frame, 4, 4)
            if self._statistics is None:
                return
            self._paint_counts(painter, self._statistics)
            for limit in self._limits:
                x = self.x_of(limit)
                painter.setPen(QPen(QColor(theme.TEXT), 1.5))
                painter.drawLine(QPointF(x, 4), QPointF(x, self.height() - 5))
                painter.setBrush(QColor(theme.TEXT))
                painter.drawRoundedRect(QRectF(x - 3, self.height() / 2 - 8, 6, 16), 2, 2)

    def _paint_counts(self, painter: QPainter, statistics: GreyStatistics) -> None:
        counts = statistics.counts.astype(float)
        heights = np.log1p(counts) if self._is_log else counts
        floor, top = self.height() - 4.0, 6.0
        # one full bin (all dark, all saturated) must not flatten the rest
        highest = max(1e-9, float(heights.max() if self._is_log else np.sort(heights)[-2]))
        shares = np.minimum(heights / highest, 1.0)
        step = (self.width() - 2 * _GRIP_PX) / BINS
        corners = [QPointF(_GRIP_PX, floor)]
        for index, share in enumerate(shares):
            y = floor - share * (floor - top)
            corners += [QPointF(_GRIP_PX + index * step, y), QPointF(_GRIP_PX + (index + 1) * step, y)]
        corners.append(QPointF(self.width() - _GRIP_PX, floor))
        fill = QColor(self._colour)
        fill.setAlpha(150)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawPolygon(QPolygonF(corners))


class HistogramPanel(Section):
    """Contrast of the channel that is shown: histogram, black and white, auto, full range.

    Parameters
    ----------
    contrast : Contrast
        Is read and written.
    clock : callable
        Seconds; `time.monotonic`.
    """

    def __init__(self, contrast: Contrast, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__("Contrast")
        self._contrast = contrast
        self._clock = clock
        self._measured_s = float("-inf")
        self._channel = ""
        self._statistics: GreyStatistics | None = None
        self.histogram = Histogram()
        self.histogram.limits_dragged.connect(self._choose)
        self.black = CountEdit("", 0, 65534, 0, tip="Grey value shown as black")
        self.white = CountEdit("", 1, 65535, 65535, tip="Grey value shown in full brightness")
        self.auto = _check("Auto", "autoContrast", "Black and white follow the image", self._set_auto)
        self.log = _check("Log", "logHistogram", "Show the logarithm of the counts", self.histogram.set_log)
        self.once = _button("auto-fix", "autoOnce", "Fit black and white to this image once", self.fit_once)
        self.full = _button("arrow-expand-horizontal", "fullRange", "Show the full range of grey values", self.reset)
        self.range = faint_label("No image yet")
        self._lay_out()
        contrast.changed.connect(self._contrast_changed)

    def _lay_out(self) -> None:
        self.black.setObjectName("blackEdit")
        self.white.setObjectName("whiteEdit")
        numbers = QHBoxLayout()
        for widget in (self.black, self.once, self.full, self.white):
            numbers.addWidget(widget, 1 if isinstance(widget, CountEdit) else 0)
        for edit in (self.black, self.white):
            edit.valueChanged.connect(self._typed)
        switches = QHBoxLayout()
        switches.addWidget(self.auto)
        switches.addWidget(self.log)
        switches.addWidget(self.range, 1)
        self.range.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.range.setWordWrap(False)
        self.body.addWidget(self.histogram)
        self.body.addLayout(numbers)
        self.body.addLayout(switches)

    def show_frame(self, channel: str, pixels: Pixels, significant_bits: int, colour: str) -> None:
        """Look at an image, at most ten times a second and at once when the channel changes.

        Parameters
        ----------
        channel : str
            Whose contrast is shown and changed.
        pixels : ndarray, shape (Y, X), uint8 or uint16
            The image.
        significant_bits : int
            The largest grey value is ``2**significant_bits - 1``.
        colour : str
            Of the counts, ``#RRGGBB``.
        """
        now_s = self._clock()
        if channel == self._channel and now_s - self._measured_s < MEASURE_S:
            return
        self._measured_s = now_s
        if channel != self._channel:
            self._channel = channel
            chosen = self._contrast.of(channel, significant_bits)
            self.histogram.set_limits(chosen.black, 0 if chosen.is_auto else chosen.white)
        self._statistics = statistics = measure(pixels, significant_bits, self.histogram.wanted_top())
        self.histogram.show_statistics(statistics, colour)
        self.range.setText(f"grey {statistics.least} to {statistics.most} of {2**significant_bits - 1}")
        self.range.setToolTip("Smallest and largest grey value of the image, and the largest possible one")
        if self._contrast.of(channel, significant_bits).is_auto:
            self._contrast.set(channel, statistics.low, statistics.high, is_auto=True)
        self._contrast_changed(channel)

    def fit_once(self) -> None:
        """Fit black and white to the last image, and leave them so."""
        if self._statistics is not None:
            self._contrast.set(self._channel, self._statistics.low, self._statistics.high)

    def reset(self) -> None:
        """Show the full range, and leave it so."""
        if self._statistics is not None:
            self._contrast.reset(self._channel, self._statistics.significant_bits)

    def _set_auto(self, is_auto: bool) -> None:
        if self._statistics is not None:
            self._contrast.set_auto(self._channel, is_auto, self._statistics.significant_bits)
            if is_auto:
                self._contrast.set(self._channel, self._statistics.low, self._statistics.high, is_auto=True)

    def _choose(self, black: int, white: int) -> None:
        self._contrast.set(self._channel, black, white)

    def _typed(self) -> None:
        black, white = self.black.value(), self.white.value()
        if self._statistics is None or black >= white:
            self.refuse(*(["black must be below white"] if black >= white else []))
            return
        self.refuse()
        self._choose(black, white)

    def _contrast_changed(self, channel: str) -> None:
        if channel != self._channel or self._statistics is None:
            return
        self.refuse()
        chosen = self._contrast.of(channel, self._statistics.significant_bits)
        self.histogram.set_limits(chosen.black, chosen.white)
        largest = 2**self._statistics.significant_bits - 1
        for edit, value, low, high in (
            (self.black, chosen.black, 0, largest - 1),
            (self.white, chosen.white, 1, largest),
        ):
            edit.blockSignals(True)
            edit.setRange(low, high)
            if not (edit.hasFocus() and chosen.is_auto):
                edit.setValue(value)
            edit.blockSignals(False)
        self.auto.blockSignals(True)
        self.auto.setChecked(chosen.is_auto)
        self.auto.blockSignals(False)


def _check(text: str, name: str, tip: str, on_toggled: Callable[[bool], None]) -> QCheckBox:
    box = QCheckBox(text)
    box.setObjectName(name)
    box.setToolTip(tip)
    box.toggled.connect(on_toggled)
    return box


def _button(image: str, name: str, tip: str, on_clicked: Callable[[], None]) -> QPushButton:
    button = QPushButton(icon(image), "")
    button.setObjectName(name)
    button.setToolTip(tip)
    button.clicked.connect(lambda _checked: on_clicked())
    return button
