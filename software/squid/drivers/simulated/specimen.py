"""What lies under the objective: the interface of all specimens, and the surface on which they are sharp."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from squid.drivers.simulated.optics import Bands, white_transmission
from squid.drivers.simulated.plate_map import PlateMap
from squid.drivers.simulated.scene import Dose, View

Field = npt.NDArray[np.float32]
"""Expected electrons per pixel: shape (Y, X), float32."""

AUTOFLUORESCENCE_E_S = 600.0
"""Electrons per second and reference pixel from the medium of a well, at full light."""
WHITE_E_S = 8e6
"""Electrons per second and reference pixel through an empty well, at full white light and no filter."""
WALL_TRANSMISSION = 0.3
"""White light that the plastic between wells lets through."""


@dataclass(frozen=True, slots=True)
class PlateSurface:
    """The height at which the specimen is sharp: a tilted plane with a bow.

    Attributes
    ----------
    x_um, y_um, z_um : float
        The middle of the plate.
    tilt_x_um_per_mm, tilt_y_um_per_mm : float
        Slopes.
    bow_um : float
        Height lost `_BOW_REACH_UM` from the middle.
    """

    x_um: float
    y_um: float
    z_um: float
    tilt_x_um_per_mm: float
    tilt_y_um_per_mm: float
    bow_um: float

    def focus_um(self, x_um: float, y_um: float) -> float:
        """Return the stage z that is in focus at a place."""
        return float(self.focuses_um(np.array([x_um]), np.array([y_um]))[0])

    def focuses_um(self, x_um: npt.NDArray[np.float64], y_um: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the stage z that is in focus at each of some places."""
        dx_mm, dy_mm = (x_um - self.x_um) / 1000, (y_um - self.y_um) / 1000
        plane = self.z_um + self.tilt_x_um_per_mm * dx_mm + self.tilt_y_um_per_mm * dy_mm
        return plane - self.bow_um * (dx_mm**2 + dy_mm**2) / _BOW_REACH_MM**2


_BOW_REACH_MM = 60.0  # half the diagonal of a plate's wells, about


@dataclass(frozen=True, slots=True)
class Vignette:
    """Light that reaches each pixel of some rows, as a fraction: the product of one factor per row and per column.

    Attributes
    ----------
    rows : ndarray, shape (rows, 1), float32
    columns : ndarray, shape (width,), float32
    """

    rows: Field
    columns: Field


class Picture(Protocol):
    """What one exposure sees of a specimen, on one grid."""

    @property
    def view(self) -> View:
        """The grid, as coarse as the blur allows."""

    def paint(self, strip: Field, first_row: int, vignette: Vignette) -> None:
        """Write the expected light of some rows of the grid.

        Parameters
        ----------
        strip : ndarray, shape (rows, width), float32
            Overwritten.
        first_row : int
            Row of the grid at which the strip begins.
        vignette : Vignette
            Of the strip.
        """


class Specimen(Protocol):
    """What lies on the stage."""

    @property
    def plate_map(self) -> PlateMap:
        """Where the wells are."""

    def on_plate(self, plate_map: PlateMap, surface: PlateSurface) -> Specimen:
        """Return the same on another plate; what was read from files is not read again."""

    def load(self) -> None:
        """Read what lies in files.

        Raises
        ------
        ConfigurationError
            They cannot be used.
        """

    def look(
        self, view: View, doses: Sequence[Dose], bands: Bands, scale: float, *, may_coarsen: bool = True
    ) -> Picture:
        """Return what a camera sees.

        Parameters
        ----------
        view : View
            The camera's grid.
        doses : sequence of Dose
            The light.
        bands : Bands
            The emission filter.
        scale : float
            What a pixel of the picture shows for one electron in a reference pixel (20x, NA 0.8, 0.325 µm).
        may_coarsen : bool
            The picture's grid may be coarser than `view`, where the blur allows it.
        """


def background_e(doses: Sequence[Dose], bands: Bands) -> tuple[float, float]:
    """Return the electrons of a reference pixel from an empty place inside a well, and outside wells."""
    inside = outside = 0.0
    for source, level_s in doses:
        if source.wavelength_nm is None:
            white = WHITE_E_S * white_transmission(bands) * level_s
            inside += white
            outside += white * WALL_TRANSMISSION
        else:
            inside += AUTOFLUORESCENCE_E_S * level_s
    return inside, outside
