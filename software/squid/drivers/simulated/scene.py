"""What a camera looks at during one exposure: place, light and optics. Frozen data between world and renderer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from squid.abc.illumination import LightSource
from squid.drivers.simulated.optics import Bands
from squid.models.geometry import StagePosition
from squid.models.objective import Objective


class Dose(NamedTuple):
    """One source's light during an exposure: mean level (power × fraction) × seconds of exposure."""

    source: LightSource
    level_s: float


@dataclass(frozen=True, slots=True)
class Scene:
    """The light path during one exposure.

    Attributes
    ----------
    positions : tuple of StagePosition
        One when the stage stood still, else several instants of its way, equally weighted.
    doses : tuple of Dose
        Every source that gave light; empty: dark.
    bands : Bands or None
        The emission filter's pass bands; None: the wheel turned, nothing passes.
    objective : Objective or None
        None: the turret turned, nothing passes.
    tube_lens_mm : float
        Focal length of the tube lens in the light path.
    """

    positions: tuple[StagePosition, ...]
    doses: tuple[Dose, ...]
    bands: Bands | None
    objective: Objective | None
    tube_lens_mm: float


@dataclass(frozen=True, slots=True)
class View:
    """A grid of square pixels laid over the specimen.

    Attributes
    ----------
    centre : StagePosition
        Where the optical axis meets the specimen, and the focal plane.
    pitch_um : float
        Distance of grid pixels at the sample.
    left_px, top_px : float
        Centre of the first column and row, in grid pixels from the optical axis.
    width_px, height_px : int
        Size of the grid.
    turn : ((int, int), (int, int))
        Rows of the matrix that takes an offset (x, y) at the sample to one (right, down) on the sensor.
    numerical_aperture : float
        Of the objective.
    vignetting_per_px2 : float
        Light falls with the distance r from the axis as exp(-this r²); r in grid pixels.
    coarseness : int
        Camera pixels that one grid pixel spans, along each side.
    """

    centre: StagePosition
    pitch_um: float
    left_px: float
    top_px: float
    width_px: int
    height_px: int
    turn: tuple[tuple[int, int], tuple[int, int]]
    numerical_aperture: float
    vignetting_per_px2: float
    coarseness: int = 1

    @property
    def reach_um(self) -> float:
        """Distance from the optical axis to the farthest corner."""
        across = max(abs(self.left_px), abs(self.left_px + self.width_px))
        down = max(abs(self.top_px), abs(self.top_px + self.height_px))
        return float((across**2 + down**2) ** 0.5 * self.pitch_um)

    def coarsened(self, factor: int) -> View:
        """Return a grid of `factor` times wider pixels that covers this one."""
        return View(
            centre=self.centre,
            pitch_um=self.pitch_um * factor,
            left_px=(self.left_px + (factor - 1) / 2) / factor,
            top_px=(self.top_px + (factor - 1) / 2) / factor,
            width_px=-(-self.width_px // factor),
            height_px=-(-self.height_px // factor),
            turn=self.turn,
            numerical_aperture=self.numerical_aperture,
            vignetting_per_px2=self.vignetting_per_px2 * factor**2,
            coarseness=self.coarseness * factor,
        )
