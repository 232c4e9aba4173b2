"""The geometry of a well plate in stage coordinates."""

from __future__ import annotations

from pydantic import Field

from squid.models.base import FileModel


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
