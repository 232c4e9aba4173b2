"""The grey values of a channel as a histogram, with two handles: black and full brightness."""

from __future__ import annotations

import numpy as np
from PyQt5.QtCore import QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PyQt5.QtWidgets import QSizePolicy, QWidget

from control.core.grey_values import BARS, GreyCounts, Limits
from control.gui import theme
from control.gui.painting import painting

_GRIP_PX = 9
_HEIGHT_PX = 68
_KEY_STEPS = 200
"""So many key presses lead from one end to the other."""


class Histogram(QWidget):
    """Paints counts, and two handles: dragging moves the nearer one, the arrow keys the one moved last.

    Attributes
    ----------
    limits_moved : pyqtSignal(int, int)
        Grey values of black and of full brightness, while a person moves them.
    """

    limits_moved = pyqtSignal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("histogram")
        self.setMinimumHeight(_HEIGHT_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setToolTip("Drag the left line for black, the right one for full brightness; arrow keys move the last one")
        self._counts: GreyCounts | None = None
        self._top = 255
        self._limits: Limits = (0, 255)
        self._colour = QColor("#FFFFFF")
        self._is_log = False
        self._moved = 1
        self._is_dragging = False

    def show_counts(self, counts: GreyCounts, limits: Limits, colour: str) -> None:
        """Show how grey values are spread, in the channel's colour (``#RRGGBB``), and its limits.

        The histogram reaches beyond the upper handle, so that it can be dragged on, and stays under the mouse.
        """
        self._counts, self._limits, self._colour = counts, limits, QColor(colour)
        self._top = counts.top(max(self._top if self._is_dragging else 0, limits[1] + 1))
        self.update()

    def set_log(self, is_log: bool) -> None:
        """Paint the logarithm of the counts, or the counts."""
        self._is_log = is_log
        self.update()

    @property
    def limits(self) -> Limits:
        """Grey values of black and of full brightness."""
        return self._limits

    def x_of(self, grey: float) -> float:
        """Return where a grey value is, in widget pixels."""
        return _GRIP_PX + grey / self._top * (self.width() - 2 * _GRIP_PX)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a size for a start."""
        return QSize(240, _HEIGHT_PX)

    # --- mouse and keys ---------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Take the nearer handle."""
        if event is not None and event.button() == Qt.MouseButton.LeftButton and self._counts is not None:
            black, white = (abs(self.x_of(limit) - event.x()) for limit in self._limits)
            is_right = event.x() > self.x_of(sum(self._limits) / 2)
            self._moved = int(is_right if black == white else white < black)
            self._is_dragging = True
            self._drag(event.x())

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Drag, or show that something can be dragged."""
        if event is None:
            return
        if self._is_dragging:
            self._drag(event.x())
        is_near = any(abs(self.x_of(limit) - event.x()) < _GRIP_PX for limit in self._limits)
        self.setCursor(Qt.CursorShape.SplitHCursor if is_near else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Let go."""
        self._is_dragging = False

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Move the handle that was moved last."""
        if event is None:
            return
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if step is None or modifiers or self._counts is None:  # with Ctrl and Alt the arrows are other people's
            super().keyPressEvent(event)
        else:
            self._move(self._limits[self._moved] + step * max(1, self._top // _KEY_STEPS))

    def _drag(self, x_px: int) -> None:
        self._move(round((x_px - _GRIP_PX) / max(1, self.width() - 2 * _GRIP_PX) * self._top))

    def _move(self, grey: int) -> None:
        black, white = self._limits
        if self._moved:
            white = max(min(grey, self._top), black + 1)
        else:
            black = min(max(grey, 0), white - 1)
        if (black, white) != self._limits:
            self._limits = (black, white)
            self.update()
            self.limits_moved.emit(black, white)

    # --- painting ---------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Paint counts and handles."""
        with painting(self, is_smooth=True) as painter:
            frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
            painter.setPen(QColor(theme.LINE))
            painter.setBrush(QColor("#121214"))
            painter.drawRoundedRect(frame, 4, 4)
            if self._counts is None:
                return
            self._paint_counts(painter, self._counts)
            self._write_range(painter, self._counts)
            for number, limit in enumerate(self._limits):
                x = self.x_of(limit)
                colour = QColor(theme.ACCENT if self.hasFocus() and number == self._moved else theme.TEXT)
                painter.setPen(QPen(colour, 1.5))
                painter.drawLine(QPointF(x, 4), QPointF(x, self.height() - 5))
                painter.setBrush(colour)
                painter.drawRoundedRect(QRectF(x - 3, self.height() / 2 - 8, 6, 16), 2, 2)

    def _write_range(self, painter: QPainter, counts: GreyCounts) -> None:
        """Write the smallest and the largest grey value, and the largest possible one."""
        least, most = counts.seen()
        font = painter.font()
        font.setPointSizeF(font.pointSizeF() * 0.8)
        painter.setFont(font)
        painter.setPen(QColor(theme.FAINT))
        box = QRectF(self.rect()).adjusted(_GRIP_PX, 3, -_GRIP_PX - 4, -3)
        corner = int(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight)
        painter.drawText(box, corner, f"{least} to {most} of {counts.largest}")

    def _paint_counts(self, painter: QPainter, counts: GreyCounts) -> None:
        bars = counts.bars(self._top).astype(float)
        heights = np.log1p(bars) if self._is_log else bars
        floor, top = self.height() - 4.0, 6.0
        # one full bar (all dark, all saturated) must not flatten the rest
        highest = max(1e-9, float(heights.max() if self._is_log else np.sort(heights)[-2]))
        shares = np.minimum(heights / highest, 1.0)
        step = (self.width() - 2 * _GRIP_PX) / BARS
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
