"""Where the wells of a plate are, from stage coordinates. Knows nothing of cells or light."""

from __future__ import annotations

import math
from typing import NamedTuple

from squid.models.plate import PlateGeometry


class Well(NamedTuple):
    """A well: its place on the plate and its centre in µm of stage coordinates."""

    row: int
    column: int
    x_um: float
    y_um: float


class PlateMap:
    """Finds wells.

    Parameters
    ----------
    plate : PlateGeometry
        With ``well_size_mm`` 0 (a slide), the one "well" is everywhere.
    """

    def __init__(self, plate: PlateGeometry) -> None:
        self.plate = plate
        turn = math.radians(plate.rotation_deg)
        self._cos, self._sin = math.cos(turn), math.sin(turn)

    @property
    def endless(self) -> bool:
        """Whether the specimen has no walls."""
        return self.plate.well_size_mm == 0

    @property
    def centre_um(self) -> tuple[float, float]:
        """The middle of the plate."""
        first, last = self.well(0, 0), self.well(self.plate.rows - 1, self.plate.columns - 1)
        return (first.x_um + last.x_um) / 2, (first.y_um + last.y_um) / 2

    def well(self, row: int, column: int) -> Well:
        """Return the well at zero-based `row` and `column`."""
        along_x, along_y = column * self.plate.well_spacing_mm, row * self.plate.well_spacing_mm
        x_mm = self.plate.a1_x_mm + along_x * self._cos - along_y * self._sin
        y_mm = self.plate.a1_y_mm + along_x * self._sin + along_y * self._cos
        return Well(row, column, x_mm * 1000, y_mm * 1000)

    def wells_near(self, x_um: float, y_um: float, reach_um: float) -> tuple[Well, ...]:
        """Return the wells that may show in a circle of radius `reach_um`, in order of rows."""
        if self.endless or self.plate.well_spacing_mm == 0:
            return (self.well(0, 0),)
        dx, dy = x_um / 1000 - self.plate.a1_x_mm, y_um / 1000 - self.plate.a1_y_mm
        column = (dx * self._cos + dy * self._sin) / self.plate.well_spacing_mm
        row = (dy * self._cos - dx * self._sin) / self.plate.well_spacing_mm
        # a turned square reaches farther than its side
        reach = (reach_um / 1000 + self.plate.well_size_mm * 0.75) / self.plate.well_spacing_mm
        rows = range(max(0, math.ceil(row - reach)), min(self.plate.rows - 1, math.floor(row + reach)) + 1)
        columns = range(max(0, math.ceil(column - reach)), min(self.plate.columns - 1, math.floor(column + reach)) + 1)
        return tuple(self.well(r, c) for r in rows for c in columns)

    def in_well(self, dx_um: float, dy_um: float) -> tuple[float, float]:
        """Return an offset from a well's centre along the plate's own axes."""
        return dx_um * self._cos + dy_um * self._sin, dy_um * self._cos - dx_um * self._sin

    def corners_um(self, well: Well) -> tuple[tuple[float, float], ...]:
        """Return the corners of a square well in stage coordinates."""
        half = self.plate.well_size_mm * 500
        signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
        return tuple(
            (
                well.x_um + half * (i * self._cos - j * self._sin),
                well.y_um + half * (i * self._sin + j * self._cos),
            )
            for i, j in signs
        )
