"""What is painted over an image: scale bar, read-out at the cursor, messages, outlines of wells, drawn shapes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PyQt5.QtCore import QPointF, QRectF, Qt
from PyQt5.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from control.gui import theme
from control.gui.lengths import length_text

_MARGIN_PX = 10
_SHADE = QColor(0, 0, 0, 150)
_LARGEST_BAR = 0.25


@dataclass(frozen=True, slots=True)
class Outline:
    """A closed line on the stage, drawn over the image.

    Attributes
    ----------
    points_um : tuple of (float, float)
        Corners: stage x and y.
    label : str
        Written beside the first corner; empty for none.
    colour : str
        ``#RRGGBB``.
    """

    points_um: tuple[tuple[float, float], ...]
    label: str = ""
    colour: str = theme.ACCENT


def circle(x_um: float, y_um: float, diameter_um: float, label: str = "", colour: str = theme.ACCENT) -> Outline:
    """Return the outline of a round well."""
    angles = (2 * math.pi * n / 180 for n in range(180))
    r = diameter_um / 2
    return Outline(tuple((x_um + r * math.cos(a), y_um + r * math.sin(a)) for a in angles), label, colour)


def round_length_um(longest_um: float) -> float:
    """Return the greatest of 1, 2, 5 times a power of ten that is not longer."""
    power = 10.0 ** math.floor(math.log10(longest_um))
    return next(step * power for step in (5.0, 2.0, 1.0) if step * power <= longest_um * (1 + 1e-9))


def scale_text(length_um: float) -> str:
    """Return the length of a scale bar with its unit: ``50 µm``, ``2 mm``, ``200 nm``."""
    return length_text(length_um) if length_um >= 1 else f"{length_um * 1000:g} nm"


def paint_scale_bar(painter: QPainter, area: QRectF, um_per_px: float) -> None:
    """Paint a bar of a round length at the lower right.

    Parameters
    ----------
    painter : QPainter
        Of the widget.
    area : QRectF
        What the bar belongs to.
    um_per_px : float
        µm per widget pixel.
    """
    longest_px = min(200.0, area.width() * _LARGEST_BAR)
    if longest_px < 20:
        return
    length_um = round_length_um(longest_px * um_per_px)
    length_px = length_um / um_per_px
    right, bottom = area.right() - 2 * _MARGIN_PX, area.bottom() - 2 * _MARGIN_PX
    shade = QRectF(right - longest_px - _MARGIN_PX, bottom - 24, longest_px + 2 * _MARGIN_PX, 34)
    painter.fillRect(shade, _SHADE)
    painter.fillRect(QRectF(shade.center().x() - length_px / 2, bottom, length_px, 3), QColor(theme.TEXT))
    painter.setPen(QColor(theme.TEXT))
    painter.drawText(shade.adjusted(0, 2, 0, -12), Qt.AlignmentFlag.AlignCenter, scale_text(length_um))


def paint_note(painter: QPainter, area: QRectF, text: str) -> None:
    """Paint a line of text on a shade at the lower left; at the upper left where it would meet the scale bar."""
    painter.setPen(QColor(theme.TEXT))
    metrics = painter.fontMetrics()
    is_beside = metrics.horizontalAdvance(text) + 16 < area.width() * (1 - _LARGEST_BAR) - 5 * _MARGIN_PX
    shade = QRectF(
        area.left() + _MARGIN_PX,
        (area.bottom() if is_beside else area.top() + 2 * _MARGIN_PX + metrics.height() + 8)
        - _MARGIN_PX
        - metrics.height()
        - 8,
        metrics.horizontalAdvance(text) + 16,
        metrics.height() + 8,
    )
    painter.fillRect(shade, _SHADE)
    painter.drawText(shade, Qt.AlignmentFlag.AlignCenter, text)


def paint_outline(painter: QPainter, corners: QPolygonF, outline: Outline) -> None:
    """Paint an outline whose corners are at these widget points."""
    painter.setPen(QPen(QColor(outline.colour), 1.5))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolygon(corners)
    if outline.label:
        painter.drawText(corners.at(0) + QPointF(4, -4), outline.label)


def paint_drawing(painter: QPainter, points: Sequence[QPointF]) -> None:
    """Paint a shape in the making: a line that is seen on bright and on dark, with its corners."""
    if not points:
        return
    for colour, width in (("#000000", 3.0), (theme.WAITING, 1.5)):
        painter.setPen(QPen(QColor(colour), width))
        painter.drawPolyline(QPolygonF(list(points)))
    painter.setBrush(QColor(theme.WAITING))
    for point in points:
        painter.drawEllipse(point, 3, 3)


def paint_middle(painter: QPainter, area: QRectF) -> None:
    """Paint a small cross where the optical axis is."""
    middle = area.center()
    painter.setPen(QPen(QColor(theme.ACCENT), 1))
    painter.drawLine(middle - QPointF(9, 0), middle + QPointF(9, 0))
    painter.drawLine(middle - QPointF(0, 9), middle + QPointF(0, 9))


def paint_message(painter: QPainter, area: QRectF, text: str, *, has_image: bool) -> None:
    """Write a message in the middle where there is no image, else on a shade along its upper edge."""
    side = Qt.AlignmentFlag.AlignTop if has_image else Qt.AlignmentFlag.AlignVCenter
    flags = int(Qt.AlignmentFlag.AlignHCenter | side) | int(Qt.TextFlag.TextWordWrap)
    box = area.adjusted(24, 16, -24, -16)
    if has_image:
        words = QFontMetricsF(painter.font()).boundingRect(box, flags, text)
        painter.fillRect(words.adjusted(-8, -4, 8, 4), _SHADE)
    painter.setPen(QColor(theme.WAITING if has_image else theme.FAINT))
    painter.drawText(box, flags, text)
