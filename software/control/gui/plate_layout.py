"""Where each well of a plate stands on the screen, and which well or header a point of the screen means.

Numbers only: from a plate and the size of a widget to pixels and back. Draws nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PyQt5.QtCore import QPointF, QRectF

from squid.models.plate import PlateGeometry

Well = tuple[int, int]
"""Row and column, zero-based."""

SLIDE_MM = (75.0, 25.0)
"""Width and height of a microscope slide (ISO 8037-1), drawn for a plate without walls, around its A1."""

_HEADER_PX = 22
_SMALL_HEADER_PX = 16
_FILLED = 0.94
"""Part of a cell that its well may take: neighbours never touch."""


@dataclass(frozen=True)
class PlateLayout:
    """A plate in a widget of a given size; cells are whole pixels wide, so that all wells look alike.

    Attributes
    ----------
    plate : PlateGeometry
        What is drawn.
    left_px, top_px : float
        Upper left corner of the first cell.
    cell_width_px, cell_height_px : float
        Of one well and its share of the gaps.
    px_per_mm : float
        Scale.
    header_px : int
        Width of the row headers, height of the column headers.
    """

    plate: PlateGeometry
    left_px: float
    top_px: float
    cell_width_px: float
    cell_height_px: float
    px_per_mm: float
    header_px: int

    @classmethod
    def fit(cls, plate: PlateGeometry, width_px: int, height_px: int) -> PlateLayout:
        """Return the largest layout that fits, centred."""
        header = _HEADER_PX if plate.rows * plate.columns <= 384 else _SMALL_HEADER_PX
        room_x, room_y = max(1, width_px - 2 * header), max(1, height_px - 2 * header)
        cell_x_mm, cell_y_mm = _cell_mm(plate)
        scale = min(room_x / (plate.columns * cell_x_mm), room_y / (plate.rows * cell_y_mm))
        cell_x, cell_y = max(1.0, math.floor(scale * cell_x_mm)), max(1.0, math.floor(scale * cell_y_mm))
        scale = min(cell_x / cell_x_mm, cell_y / cell_y_mm)
        left = header + max(0, (width_px - 2 * header - plate.columns * cell_x) // 2)
        top = header + max(0, (height_px - 2 * header - plate.rows * cell_y) // 2)
        return cls(plate, left, top, cell_x, cell_y, scale, header)

    @property
    def well_px(self) -> float:
        """Diameter or side of a well on the screen (a slide: its shorter side)."""
        size = self.plate.well_size_mm * self.px_per_mm
        cell = min(self.cell_width_px, self.cell_height_px)
        return max(2.0, min(size, _FILLED * cell)) if size else cell

    @property
    def area(self) -> QRectF:
        """All cells together."""
        width, height = self.plate.columns * self.cell_width_px, self.plate.rows * self.cell_height_px
        return QRectF(self.left_px, self.top_px, width, height)

    def cell(self, row: int, column: int) -> QRectF:
        """Return the cell of a well: all that belongs to it on the screen."""
        x, y = self.left_px + column * self.cell_width_px, self.top_px + row * self.cell_height_px
        return QRectF(x, y, self.cell_width_px, self.cell_height_px)

    def well(self, row: int, column: int) -> QRectF:
        """Return the well itself: the square around it, or the whole slide."""
        cell = self.cell(row, column)
        if self.plate.well_size_mm == 0:
            return cell.adjusted(2, 2, -2, -2)
        side = self.well_px
        return QRectF(cell.center().x() - side / 2, cell.center().y() - side / 2, side, side)

    def row_header(self, row: int) -> QRectF:
        """Return where the letters of a row stand."""
        y = self.top_px + row * self.cell_height_px
        return QRectF(self.left_px - self.header_px, y, self.header_px, self.cell_height_px)

    def column_header(self, column: int) -> QRectF:
        """Return where the number of a column stands."""
        x = self.left_px + column * self.cell_width_px
        return QRectF(x, self.top_px - self.header_px, self.cell_width_px, self.header_px)

    def nearest(self, point: QPointF) -> Well:
        """Return the well whose cell is nearest to a point."""
        row = math.floor((point.y() - self.top_px) / self.cell_height_px)
        column = math.floor((point.x() - self.left_px) / self.cell_width_px)
        return min(max(row, 0), self.plate.rows - 1), min(max(column, 0), self.plate.columns - 1)

    def well_at(self, point: QPointF) -> Well | None:
        """Return the well in whose cell a point lies."""
        return self.nearest(point) if self.area.contains(point) else None

    def block_at(self, point: QPointF) -> tuple[Well, Well] | None:
        """Return the first and last well of what a point means: a well, a row, a column, all; None: outside."""
        last_row, last_column = self.plate.rows - 1, self.plate.columns - 1
        in_rows = point.y() >= self.top_px
        in_columns = point.x() >= self.left_px
        if not self.area.adjusted(-self.header_px, -self.header_px, 0, 0).contains(point):
            return None
        row, column = self.nearest(point)
        first = (row if in_rows else 0, column if in_columns else 0)
        return first, (row if in_rows else last_row, column if in_columns else last_column)

    def to_px(self, x_um: float, y_um: float) -> QPointF:
        """Return where a place of the stage is on the screen."""
        x_mm, y_mm = x_um / 1000 - self.plate.a1_x_mm, y_um / 1000 - self.plate.a1_y_mm
        cos, sin = _turn(self.plate)
        centre = self.cell(0, 0).center()
        along_x, along_y = cos * x_mm + sin * y_mm, cos * y_mm - sin * x_mm
        return QPointF(centre.x() + along_x * self._scale_x, centre.y() + along_y * self._scale_y)

    def to_px_all(self, places_um: Sequence[tuple[float, float]]) -> npt.NDArray[np.float64]:
        """Return where many places of the stage are on the screen, shape (places, 2): x, y in pixels."""
        origin, along_x, along_y = (self.to_px(*place) for place in ((0.0, 0.0), (1000.0, 0.0), (0.0, 1000.0)))
        steps = [[p.x() - origin.x(), p.y() - origin.y()] for p in (along_x, along_y)]
        places = np.asarray(places_um, np.float64).reshape(-1, 2)
        found: npt.NDArray[np.float64] = places / 1000 @ np.asarray(steps) + [origin.x(), origin.y()]
        return found

    def to_um(self, point: QPointF) -> tuple[float, float]:
        """Return stage x and y, in µm, of a point on the screen."""
        centre = self.cell(0, 0).center()
        along_x, along_y = (point.x() - centre.x()) / self._scale_x, (point.y() - centre.y()) / self._scale_y
        cos, sin = _turn(self.plate)
        x_mm = self.plate.a1_x_mm + cos * along_x - sin * along_y
        y_mm = self.plate.a1_y_mm + sin * along_x + cos * along_y
        return 1000 * x_mm, 1000 * y_mm

    @property
    def _scale_x(self) -> float:
        return self.cell_width_px / _cell_mm(self.plate)[0]

    @property
    def _scale_y(self) -> float:
        return self.cell_height_px / _cell_mm(self.plate)[1]


def block(first: Well, last: Well) -> frozenset[Well]:
    """Return all wells of the rectangle between two corners."""
    rows = range(min(first[0], last[0]), max(first[0], last[0]) + 1)
    columns = range(min(first[1], last[1]), max(first[1], last[1]) + 1)
    return frozenset((row, column) for row in rows for column in columns)


def _cell_mm(plate: PlateGeometry) -> tuple[float, float]:
    if plate.well_size_mm == 0 and plate.rows == plate.columns == 1:
        return SLIDE_MM
    side = max(plate.well_spacing_mm, plate.well_size_mm) or SLIDE_MM[1]
    return side, side


def _turn(plate: PlateGeometry) -> tuple[float, float]:
    angle = math.radians(plate.rotation_deg)
    return math.cos(angle), math.sin(angle)
