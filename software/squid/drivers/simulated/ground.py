"""The ground of a picture: light from wells without anything in them, dark between wells."""

from __future__ import annotations

import math

import cv2
import numpy as np

from squid.drivers.simulated.plate_map import PlateMap, Well
from squid.drivers.simulated.scene import View
from squid.drivers.simulated.specimen import Field, Vignette

_SHIFT = 4  # fractional bits of cv2's drawing coordinates


class Ground:
    """Paints the ground.

    Parameters
    ----------
    plate_map : PlateMap
        Where the wells are.
    view : View
        The grid.
    inside, outside : float
        Light per pixel of the grid, in and between wells, without vignetting.
    """

    def __init__(self, plate_map: PlateMap, view: View, inside: float, outside: float) -> None:
        self._map = plate_map
        self._view = view
        self._inside = inside
        self._outside = outside
        reach = view.reach_um
        self._wells = plate_map.wells_near(view.centre.x_um, view.centre.y_um, reach)
        self._uniform = plate_map.endless or any(self._covers(well, reach) for well in self._wells)

    def paint(self, strip: Field, first_row: int, vignette: Vignette) -> None:
        """Overwrite some rows of the grid; see `Picture.paint`."""
        if self._uniform or self._inside == self._outside:
            np.multiply(vignette.rows * np.float32(self._inside), vignette.columns, out=strip)
            return
        mask = np.zeros(strip.shape, np.uint8)
        for well in self._wells:
            self._draw(mask, well, first_row)
        levels = np.array([self._outside, self._inside], np.float32)
        np.multiply(levels[mask], vignette.rows, out=strip)
        np.multiply(strip, vignette.columns, out=strip)

    def _covers(self, well: Well, reach_um: float) -> bool:
        """Return whether the whole view lies in the well."""
        along, across = self._map.in_well(self._view.centre.x_um - well.x_um, self._view.centre.y_um - well.y_um)
        half = self._map.plate.well_size_mm * 500
        if self._map.plate.round_wells:
            return math.hypot(along, across) + reach_um <= half
        return max(abs(along), abs(across)) + reach_um <= half

    def _draw(self, mask: np.ndarray, well: Well, first_row: int) -> None:
        if self._map.plate.round_wells:
            u, v = self._pixel(well.x_um, well.y_um, first_row)
            radius = self._map.plate.well_size_mm * 500 / self._view.pitch_um
            centre = (round(u * 2**_SHIFT), round(v * 2**_SHIFT))
            cv2.circle(mask, centre, round(radius * 2**_SHIFT), 1, cv2.FILLED, cv2.LINE_8, _SHIFT)
        else:
            corners = [self._pixel(x, y, first_row) for x, y in self._map.corners_um(well)]
            outline = np.round(np.array(corners) * 2**_SHIFT).astype(np.int32)
            cv2.fillPoly(mask, [outline], 1, cv2.LINE_8, _SHIFT)

    def _pixel(self, x_um: float, y_um: float, first_row: int) -> tuple[float, float]:
        """Return column and row, within the strip, of a place on the specimen."""
        view = self._view
        dx, dy = x_um - view.centre.x_um, y_um - view.centre.y_um
        (a, b), (c, d) = view.turn
        u = (a * dx + b * dy) / view.pitch_um - view.left_px
        v = (c * dx + d * dy) / view.pitch_um - view.top_px
        return u, v - first_row
