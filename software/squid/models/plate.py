"""The geometry of a well plate in stage coordinates."""

from __future__ import annotations

import math

from pydantic import Field

from squid.models.base import FileModel
from squid.models.wells import select_wells, well_name


class PlateGeometry(FileModel):
    """A plate; lengths in mm, in stage coordinates (rows run along +y, columns along +x).

    Attributes
    ----------
    name : str
        As a plan names it.
    rows, columns : int
        Number of wells.
    a1_x_mm, a1_y_mm : float
        Centre of well A1.
    well_size_mm : float
        Diameter (round) or side (square) of a well; 0 for a slide.
    well_spacing_mm : float
        Distance of neighbouring centres.
    round_wells : bool
        Round or square.
    skip : int
        Border rows and columns that are left out when a plan asks for all wells.
    rotation_deg : float
        How the plate lies on the stage, clockwise as seen in stage coordinates, about A1.
    """

    name: str
    rows: int = Field(gt=0, le=32 * 4)
    columns: int = Field(gt=0, le=48 * 4)
    a1_x_mm: float
    a1_y_mm: float
    well_size_mm: float = Field(ge=0)
    well_spacing_mm: float = Field(ge=0)
    round_wells: bool = True
    skip: int = Field(default=0, ge=0)
    rotation_deg: float = 0.0

    def well_centre_um(self, row: int, column: int) -> tuple[float, float]:
        """Return the stage x and y of a well's centre in µm; row and column are zero-based."""
        along_x, along_y = column * self.well_spacing_mm, row * self.well_spacing_mm
        cos, sin = math.cos(math.radians(self.rotation_deg)), math.sin(math.radians(self.rotation_deg))
        x_mm = self.a1_x_mm + cos * along_x - sin * along_y
        y_mm = self.a1_y_mm + sin * along_x + cos * along_y
        return 1000 * x_mm, 1000 * y_mm

    def well_at(self, x_um: float, y_um: float) -> tuple[int, int] | None:
        """Return (row, column) of the well that holds a stage position; None between wells and off the plate."""
        x_mm, y_mm = x_um / 1000 - self.a1_x_mm, y_um / 1000 - self.a1_y_mm
        cos, sin = math.cos(math.radians(self.rotation_deg)), math.sin(math.radians(self.rotation_deg))
        pitch = self.well_spacing_mm or 1.0
        row = min(max(round((cos * y_mm - sin * x_mm) / pitch), 0), self.rows - 1)
        column = min(max(round((cos * x_mm + sin * y_mm) / pitch), 0), self.columns - 1)
        centre_x_um, centre_y_um = self.well_centre_um(row, column)
        return (row, column) if self.is_inside_well(x_um - centre_x_um, y_um - centre_y_um) else None

    def is_inside_well(self, dx_um: float, dy_um: float) -> bool:
        """Return whether a point lies in a well, from its distance to the well's centre; a slide has no walls."""
        radius_um = 500 * self.well_size_mm
        if radius_um == 0:
            return True
        if self.round_wells:
            return math.hypot(dx_um, dy_um) <= radius_um
        cos, sin = math.cos(math.radians(self.rotation_deg)), math.sin(math.radians(self.rotation_deg))
        return max(abs(cos * dx_um + sin * dy_um), abs(cos * dy_um - sin * dx_um)) <= radius_um

    def well_name(self, row: int, column: int) -> str:
        """Return the name of a well, zero-based: (1, 2) is ``B3``."""
        return well_name(row, column)

    def select(self, selection: str | tuple[str, ...]) -> tuple[tuple[int, int], ...]:
        """Return (row, column) of the selected wells, see `select_wells`; ``all`` leaves out the skipped border."""
        return select_wells(selection, self.rows, self.columns, skip=self.skip)
