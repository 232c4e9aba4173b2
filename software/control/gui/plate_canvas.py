"""The picture of a plate that changes seldom: headers, wells, who is chosen, what a page paints into the wells.

Kept as one pixmap in which single wells are painted anew, so that showing a plate of 1536 wells is one copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt
from PyQt5.QtCore import QPointF, QRectF, Qt
from PyQt5.QtGui import QColor, QFont, QImage, QPainter, QPen, QPixmap

from control.gui import theme
from control.gui.painting import painting
from control.gui.plate_layout import PlateLayout, Well
from squid.models.wells import row_name

WellPainter = Callable[[QPainter, QRectF, int, int], None]
"""Paints into one well: painter, square around the well in pixels, row, column. Must restore what it sets."""

AT_ONCE = 384
"""So many wells a page paints into in one go: 5 to 15 ms. Of a larger plate the rest comes in the next turns of the
event loop, so that it never stops for a whole plate."""

_EMPTY = QColor("#34363A")
_SKIPPED = QColor("#2A2B2E")
_RIM = QColor("#55585D")
_CHOSEN = QColor(theme.ACCENT)
_CHOSEN_LARGE = QColor("#33486A")
_LARGE_PX = 70
_FIELD = QColor(255, 255, 255, 190)
_MANY, _SMALL_PX2 = 1000, 150


class PlateCanvas:
    """Paints a plate into a pixmap.

    Parameters
    ----------
    layout : PlateLayout
        Where the wells are.
    width_px, height_px : int
        Of the widget.
    pixel_ratio : float
        Device pixels per pixel of the widget.
    """

    def __init__(self, layout: PlateLayout, width_px: int, height_px: int, pixel_ratio: float) -> None:
        self._layout = layout
        self._ratio = pixel_ratio
        self.pixmap = _blank(width_px, height_px, pixel_ratio)
        self._stamps: dict[tuple[bool, bool], QPixmap] = {}
        self._due: dict[Well, None] = {}

    def paint_all(self, chosen: frozenset[Well], paint_well: WellPainter | None) -> None:
        """Paint everything; what the page paints into wells beyond the first `AT_ONCE` is due."""
        plate = self._layout.plate
        self.pixmap.fill(Qt.GlobalColor.transparent)
        with painting(self.pixmap, is_smooth=True) as painter:
            self._paint_outline(painter)
            self._paint_headers(painter)
        every = [(row, column) for row in range(plate.rows) for column in range(plate.columns)]
        self._paint(every, chosen, None)
        if paint_well is not None:
            self.paint_wells(every, chosen, paint_well)

    def paint_wells(self, wells: Iterable[Well], chosen: frozenset[Well], paint_well: WellPainter | None) -> None:
        """Paint some wells anew; those beyond the first `AT_ONCE` are due if a page paints into them."""
        if paint_well is None:
            self._paint(wells, chosen, None)
            return
        self._due.update(dict.fromkeys(wells))
        self.paint_due(chosen, paint_well)

    def paint_due(self, chosen: frozenset[Well], paint_well: WellPainter) -> None:
        """Paint the next `AT_ONCE` of the wells that are due."""
        now = list(islice(self._due, AT_ONCE))
        for well in now:
            del self._due[well]
        self._paint(now, chosen, paint_well)

    @property
    def is_due(self) -> bool:
        """Whether wells wait to be painted by the page."""
        return bool(self._due)

    def _paint(self, wells: Iterable[Well], chosen: frozenset[Well], paint_well: WellPainter | None) -> None:
        first, well_rect = self._layout.cell(0, 0), self._layout.well(0, 0)
        left, top, width, height = (int(edge) for edge in (first.x(), first.y(), first.width(), first.height()))
        with painting(self.pixmap, is_smooth=True) as painter:
            for well in wells:
                row, column = well
                painter.drawPixmap(left + column * width, top + row * height, self._stamp_of(well, well in chosen))
                if paint_well is not None:
                    paint_well(painter, well_rect.translated(column * width, row * height), row, column)

    def _stamp_of(self, well: Well, is_chosen: bool) -> QPixmap:
        """Return the picture of a well's cell; made once, since antialiased circles are slow."""
        plate, skip = self._layout.plate, self._layout.plate.skip
        is_inside = skip <= well[0] < plate.rows - skip and skip <= well[1] < plate.columns - skip
        look = (is_chosen, not is_inside)
        stamp = self._stamps.get(look)
        if stamp is None:
            stamp = self._stamps[look] = self._make_stamp(*look)
        return stamp

    def _make_stamp(self, is_chosen: bool, is_skipped: bool) -> QPixmap:
        layout = self._layout
        cell = layout.cell(0, 0)
        stamp = _blank(int(cell.width()), int(cell.height()), self._ratio)
        stamp.fill(QColor(theme.BACKGROUND))
        shape = layout.well(0, 0).translated(-cell.topLeft())
        with painting(stamp, is_smooth=True) as painter:
            chosen = _CHOSEN if shape.width() < _LARGE_PX else _CHOSEN_LARGE  # a whole screen of blue dazzles
            fill = chosen if is_chosen else _SKIPPED if is_skipped else _EMPTY
            is_small = shape.width() < 6
            painter.setPen(Qt.PenStyle.NoPen if is_small else QPen(_CHOSEN, 2) if is_chosen else QPen(_RIM, 1))
            painter.setBrush(fill)
            if not is_small:
                shape = shape.adjusted(0.5, 0.5, -0.5, -0.5)
            if layout.plate.round_wells and layout.plate.well_size_mm and not is_small:
                painter.drawEllipse(shape)
            else:
                painter.drawRoundedRect(shape, min(3.0, shape.width() / 6), min(3.0, shape.width() / 6))
        return stamp

    def _paint_outline(self, painter: QPainter) -> None:
        painter.setPen(QPen(QColor(theme.LINE), 1))
        painter.setBrush(QColor(theme.BACKGROUND))
        painter.drawRoundedRect(self._layout.area.adjusted(-3.5, -3.5, 3.5, 3.5), 5, 5)

    def _paint_headers(self, painter: QPainter) -> None:
        layout, plate = self._layout, self._layout.plate
        font = QFont(painter.font())
        font.setPixelSize(max(8, min(13, round(min(layout.cell_height_px * 0.8, layout.header_px * 0.65)))))
        painter.setFont(font)
        painter.setPen(QColor(theme.FAINT))
        metrics = painter.fontMetrics()
        every_row = _step(metrics.height() * 0.85, layout.cell_height_px)
        every_column = _step(metrics.horizontalAdvance("00") + 4, layout.cell_width_px)
        centre = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextDontClip)
        for row in range(0, plate.rows, every_row):
            painter.drawText(layout.row_header(row).translated(-4, 0), centre, row_name(row))
        for column in range(0, plate.columns, every_column):
            painter.drawText(layout.column_header(column).translated(0, -4), centre, str(column + 1))


def _blank(width_px: int, height_px: int, pixel_ratio: float) -> QPixmap:
    pixmap = QPixmap(max(1, round(width_px * pixel_ratio)), max(1, round(height_px * pixel_ratio)))
    pixmap.setDevicePixelRatio(pixel_ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    return pixmap


def _step(needed_px: float, cell_px: float) -> int:
    """Return every which header has room."""
    return next(step for step in (1, 2, 5, 10, 20, 50, 1000) if step * cell_px >= needed_px)


def fields_layer(
    layout: PlateLayout,
    size_px: tuple[int, int],
    pixel_ratio: float,
    fov_um: tuple[float, float],
    places_um: Sequence[tuple[float, float]],
) -> QPixmap:
    """Return a layer of fields to lay over the plate: width and height of a field, and their centres, all in µm."""
    width, height = (max(2.0, um / 1000 * layout.px_per_mm) for um in fov_um)
    corners = layout.to_px_all(places_um) - [width / 2, height / 2]
    if len(corners) > _MANY and width * height * pixel_ratio**2 <= _SMALL_PX2:
        return _dots(np.rint(corners * pixel_ratio), size_px, (width, height), pixel_ratio)
    layer = _blank(*size_px, pixel_ratio)
    with painting(layer) as painter:
        painter.setPen(QPen(QColor(theme.BACKGROUND), 1) if min(width, height) >= 6 else Qt.PenStyle.NoPen)
        painter.setBrush(_FIELD)
        painter.drawRects(*(QRectF(x, y, width, height) for x, y in corners.tolist()))
    return layer


def _dots(
    corners: npt.NDArray[np.float64], size_px: tuple[int, int], field_px: tuple[float, float], pixel_ratio: float
) -> QPixmap:
    """Return a layer of many small fields: set pixel by pixel, since 20 000 rectangles take 100 ms.

    Parameters
    ----------
    corners : ndarray, shape (fields, 2)
        x and y of upper left corners, in device pixels.
    size_px, field_px : (int, int), (float, float)
        Width and height of the layer and of a field, in pixels of the widget.
    pixel_ratio : float
        Device pixels per pixel of the widget.
    """
    width, height = (max(1, round(side * pixel_ratio)) for side in size_px)
    image = np.zeros((height, width), np.uint32)
    columns, rows = corners.astype(np.int64).T
    for down in range(max(1, round(field_px[1] * pixel_ratio) - 1)):
        for right in range(max(1, round(field_px[0] * pixel_ratio) - 1)):
            y, x = rows + down, columns + right
            inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
            image[y[inside], x[inside]] = _FIELD.rgba()
    picture = QImage(image.tobytes(), width, height, 4 * width, QImage.Format.Format_ARGB32)
    layer = QPixmap.fromImage(picture)
    layer.setDevicePixelRatio(pixel_ratio)
    return layer


def paint_marker(painter: QPainter, at: QPointF) -> None:
    """Paint where the stage stands: a cross with a dark edge, seen on any ground."""
    for colour, width in ((QColor(0, 0, 0, 160), 4), (QColor(theme.WAITING), 2)):
        painter.setPen(QPen(colour, width))
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            painter.drawLine(at + QPointF(4 * dx, 4 * dy), at + QPointF(10 * dx, 10 * dy))
