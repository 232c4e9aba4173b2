"""Places and rectangles: stage positions, travel limits, camera ROI and orientation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import model_validator

from squid.models.base import FileModel

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
"""One image: shape (Y, X), uint8 or uint16."""


class StagePosition(NamedTuple):
    """A stage position in µm, in stage coordinates."""

    x_um: float
    y_um: float
    z_um: float


class AxisRange(FileModel):
    """Travel of one axis, both ends included."""

    min_um: float
    max_um: float

    @model_validator(mode="after")
    def _ordered(self) -> AxisRange:
        if self.min_um >= self.max_um:
            raise ValueError(f"min_um {self.min_um} must be below max_um {self.max_um}")
        return self

    def __contains__(self, value_um: object) -> bool:
        return isinstance(value_um, (int, float)) and self.min_um <= value_um <= self.max_um

    def narrowed(self, other: AxisRange) -> AxisRange:
        """Return the range common to both; `ValueError` when there is none."""
        return AxisRange(min_um=max(self.min_um, other.min_um), max_um=min(self.max_um, other.max_um))

    def __str__(self) -> str:
        return f"{self.min_um:g} to {self.max_um:g} µm"


class StageLimits(FileModel):
    """Where the stage may go, in µm of stage coordinates."""

    x: AxisRange
    y: AxisRange
    z: AxisRange

    def narrowed(self, other: StageLimits) -> StageLimits:
        """Return the travel that both limits allow; `ValueError` when an axis has none."""
        return StageLimits(x=self.x.narrowed(other.x), y=self.y.narrowed(other.y), z=self.z.narrowed(other.z))


@dataclass(frozen=True, slots=True)
class Roi:
    """Region of interest on the sensor, in binned pixels from its upper left corner."""

    x_px: int
    y_px: int
    width_px: int
    height_px: int


class Orientation(FileModel):
    """How a camera frame is turned so that stage +x points right and +y points down in the stored image.

    Attributes
    ----------
    rotate_deg : int
        Clockwise rotation applied first: 0, 90, 180 or 270.
    flip_x, flip_y : bool
        Mirror left-right, top-bottom, applied after the rotation.
    """

    rotate_deg: Literal[0, 90, 180, 270] = 0
    flip_x: bool = False
    flip_y: bool = False

    def apply(self, pixels: Pixels) -> Pixels:
        """Turn a frame; shape (Y, X), or (X, Y) for 90 and 270 degrees. Returns a view."""
        turned: Pixels = np.rot90(pixels, k=-self.rotate_deg // 90) if self.rotate_deg else pixels
        return turned[:: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1]

    def shape(self, shape_px: tuple[int, int]) -> tuple[int, int]:
        """Return the (height, width) that a frame of `shape_px` has after `apply`."""
        height, width = shape_px
        return (width, height) if self.rotate_deg in (90, 270) else (height, width)
