"""The grey values of a plane as a histogram, with two lines to drag: black and full brightness."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from PyQt5.QtCore import QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QColor, QKeyEvent, QMouseEvent, QPainterPath, QPaintEvent, QPen
from PyQt5.QtWidgets import QSizePolicy, QWidget

from control.core.review.viewing import Limits
from control.gui import theme
from control.gui.painting import painting

_MARGIN_PX = 6.0


class ContrastBar(QWidget):
    """Two limits on a histogram; dragging moves the nearer one, the arrow keys the one moved last.

    Parameters
    ----------
    colour : str
        Of the channel.
    highest : int
        Greatest grey value there can be.

    Attributes
    ----------
    limits_moved : pyqtSignal(object)
        Limits that a person has set.
    """

    limits_moved = pyqtSignal(object)

    def __init__(self, colour: str, highest: int) -> None:
        super().__init__()
        self._colour = QColor(colour)
        self._highest = highest
        self._limits: Limits = (0, highest)
        self._counts: npt.NDArray[np.float64] = np.zeros(0)
        self._counted: Limits = (0, highest)
        self._span: Limits = (0, highest)
        self._moved = 1
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.SplitHCursor)
        self.setToolTip("Grey values of the plane; drag the lines: black and full brightness")

    @property
    def limits(self) -> Limits:
        """Grey values of black and of full brightness."""
        return self._limits

    def set_limits(self, limits: Limits) -> None:
        """Show limits; emits nothing."""
        self._limits = limits
        self._widen()

    def show_counts(self, counts: npt.NDArray[np.int64], span: Limits) -> None:
        """Show a histogram: pixels in equal classes, shape (bins,), over a span of grey values."""
        self._counts, self._counted = np.log1p(counts.astype(np.float64)), span
        self._widen()

    def _widen(self) -> None:
        """Show both the histogram and the limits."""
        low, high = self._counted if self._counts.size else (0, self._highest)
        self._span = (min(low, self._limits[0]), min(self._highest, max(high, self._limits[1])))
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a comfortable size."""
        return QSize(200, 52)

    def x_of(self, grey: float) -> float:
        """Return where a grey value is, in pixels of this widget."""
        low, high = self._span
        return _MARGIN_PX + (grey - low) / max(1, high - low) * (self.width() - 2 * _MARGIN_PX)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Take the nearer line."""
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            distances = [abs(event.localPos().x() - self.x_of(grey)) for grey in self._limits]
            self._moved = int(distances[1] <= distances[0])
            self._move(self._grey_at(event.localPos()))

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Drag it."""
        if event is not None and event.buttons() & Qt.MouseButton.LeftButton:
            self._move(self._grey_at(event.localPos()))

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Move the line that was moved last."""
        if event is None:
            return
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is None or event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().keyPressEvent(event)
        else:
            self._move(self._limits[self._moved] + step * max(1, (self._span[1] - self._span[0]) // 200))

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Draw histogram and lines."""
        with painting(self, is_smooth=True) as painter:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.SURFACE))
            painter.drawRoundedRect(QRectF(self.rect()), 3, 3)
            fill = QColor(self._colour)
            fill.setAlpha(130)
            painter.fillPath(self._outline(), fill)
            for number, grey in enumerate(self._limits):
                is_moved = self.hasFocus() and number == self._moved
                painter.setPen(QPen(QColor(theme.ACCENT if is_moved else theme.TEXT), 2))
                x = self.x_of(grey)
                painter.drawLine(QPointF(x, 2), QPointF(x, self.height() - 2))

    def _outline(self) -> QPainterPath:
        path = QPainterPath()
        if not self._counts.size or not self._counts.max():
            return path
        height, (low, high) = self.height() - 6.0, self._counted
        path.moveTo(self.x_of(low), self.height())
        for number, share in enumerate(self._counts / self._counts.max()):
            grey = low + (number + 0.5) / len(self._counts) * (high - low)
            path.lineTo(self.x_of(grey), self.height() - share * height)
        path.lineTo(self.x_of(high), self.height())
        path.closeSubpath()
        return path

    def _grey_at(self, at: QPointF) -> int:
        low, high = self._span
        share = (at.x() - _MARGIN_PX) / max(1.0, self.width() - 2 * _MARGIN_PX)
        return math.floor(low + share * (high - low) + 0.5)

    def _move(self, grey: int) -> None:
        low, high = self._limits
        if self._moved:
            high = min(max(grey, low + 1), self._highest)
        else:
            low = max(0, min(grey, high - 1))
        if (low, high) != self._limits:
            self._limits = (low, high)
            self.update()
            self.limits_moved.emit(self._limits)
