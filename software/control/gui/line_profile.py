"""The grey values along a line that a person drew, over µm.

Painted here and not by a plotting library: its import would hold the GUI thread for 0.7 s in the midst of live view.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from PyQt5.QtCore import QPointF, QRectF, QSize, Qt
from PyQt5.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PyQt5.QtWidgets import QSizePolicy, QWidget

from control.gui import theme
from control.gui.image_overlays import round_length_um
from control.gui.image_tools import Point
from control.gui.painting import painting
from squid.models.geometry import Pixels

WIDTH_PX = 5
"""So many pixels across the line are averaged."""

_LEFT_PX, _RIGHT_PX, _TOP_PX, _BOTTOM_PX = 52, 12, 22, 22


class LineProfile(QWidget):
    """A plot of grey value over distance."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("lineProfile")
        self.setMinimumHeight(130)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.line: tuple[Point, Point] | None = None
        self.distances_um: npt.NDArray[np.float64] = np.empty(0)
        self.values: npt.NDArray[np.float64] = np.empty(0)

    def set_line(self, line: tuple[Point, Point] | None) -> None:
        """Choose the line: two points (column, row) in image coordinates; None for none."""
        self.line = line
        self.distances_um = self.values = np.empty(0)
        self.update()

    def show_image(self, pixels: Pixels, pixel_size_um: float) -> None:
        """Show the profile through an image, shape (Y, X)."""
        if self.line is None:
            return
        distances_px, values = profile(pixels, *self.line, WIDTH_PX)
        seen = ~np.isnan(values)
        self.distances_um, self.values = distances_px[seen] * pixel_size_um, values[seen]
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a size for a start."""
        return QSize(400, 130)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Paint axes and line."""
        with painting(self) as painter:
            painter.fillRect(self.rect(), QColor("#121214"))
            painter.setPen(QColor(theme.FAINT))
            if len(self.values) < 2:
                text = "Drag a line on the image" if self.line is None else "No image under the line"
                painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, text)
                return
            plot = QRectF(self.rect()).adjusted(_LEFT_PX, _TOP_PX, -_RIGHT_PX, -_BOTTOM_PX)
            low, high = float(self.values.min()), float(self.values.max())
            high = max(high, low + 1.0)
            title = f"Line profile: {low:.0f} to {high:.0f}, mean {self.values.mean():.1f}, {WIDTH_PX} px wide"
            painter.drawText(QRectF(_LEFT_PX, 2, plot.width(), _TOP_PX - 4), Qt.AlignmentFlag.AlignLeft, title)
            self._paint_axes(painter, plot, low, high)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(theme.WAITING), 1.5))
            x = plot.left() + self.distances_um / self.distances_um[-1] * plot.width()
            y = plot.bottom() - (self.values - low) / (high - low) * plot.height()
            painter.drawPolyline(QPolygonF([QPointF(*point) for point in zip(x, y, strict=True)]))

    def _paint_axes(self, painter: QPainter, plot: QRectF, low: float, high: float) -> None:
        painter.setPen(QColor(theme.LINE))
        painter.drawRect(plot)
        painter.setPen(QColor(theme.FAINT))
        for value, y in ((low, plot.bottom()), (high, plot.top())):
            box = QRectF(0, y - 8, _LEFT_PX - 6, 16)
            painter.drawText(box, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), f"{value:.0f}")
        longest_um = float(self.distances_um[-1])
        step_um = round_length_um(longest_um / 3)
        for number in range(int(longest_um / step_um * (1 + 1e-9)) + 1):
            x = plot.left() + number * step_um / longest_um * plot.width()
            painter.drawLine(QPointF(x, plot.bottom()), QPointF(x, plot.bottom() + 4))
            is_last = (number + 1) * step_um > longest_um
            text = f"{number * step_um:g} µm" if is_last else f"{number * step_um:g}"
            box = QRectF(x - 40, plot.bottom() + 4, 80, 16)
            painter.drawText(box.intersected(QRectF(self.rect())), Qt.AlignmentFlag.AlignCenter, text)


def profile(
    pixels: Pixels, start: tuple[float, float], end: tuple[float, float], width_px: int = 5
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return distance from the start in pixels, and the mean grey value across the line, about one point per pixel.

    Parameters
    ----------
    pixels : ndarray, shape (Y, X), uint8 or uint16
        The image.
    start, end : (float, float)
        Image coordinates (column, row); the middle of the first pixel is at (0.5, 0.5). Points outside give NaN.
    width_px : int
        So many parallel lines, one pixel apart, are averaged.
    """
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = math.hypot(dx, dy)
    distances = np.linspace(0.0, length, max(2, round(length) + 1))
    along_x, along_y = (dx / length, dy / length) if length else (1.0, 0.0)
    across = np.arange(width_px) - (width_px - 1) / 2
    columns = np.floor(start[0] + np.add.outer(across * -along_y, distances * along_x)).astype(np.intp)
    rows = np.floor(start[1] + np.add.outer(across * along_x, distances * along_y)).astype(np.intp)
    height, width = pixels.shape
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    values = pixels[rows.clip(0, height - 1), columns.clip(0, width - 1)] * inside
    counted = inside.sum(axis=0)
    means = np.full(len(distances), np.nan)
    np.divide(values.sum(axis=0), counted, out=means, where=counted > 0)
    return distances, means
