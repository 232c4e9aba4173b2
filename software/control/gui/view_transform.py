"""Where an image lies in a widget: zoom and pan as plain arithmetic, without any widget.

Image coordinates are (column, row) with the middle of the first pixel at (0.5, 0.5); widget coordinates are Qt's
logical pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

MIN_SCALE = 1 / 64
MAX_SCALE = 64.0

ZOOM_STEP = 1.25
"""Factor of one notch of the wheel."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an image lies on the stage.

    Attributes
    ----------
    centre_x_um, centre_y_um : float
        Stage position of the middle of the image; +x right, +y down.
    pixel_size_um : float
        Of this image's pixels.
    """

    centre_x_um: float
    centre_y_um: float
    pixel_size_um: float


@dataclass(frozen=True, slots=True)
class ViewTransform:
    """What of an image is shown where.

    Attributes
    ----------
    scale : float
        Widget pixels per image pixel.
    column, row : float
        Image coordinates shown in the middle of the widget.
    size : (float, float)
        Width and height of the widget.
    """

    scale: float
    column: float
    row: float
    size: tuple[float, float]

    @classmethod
    def fit(cls, shape_px: tuple[int, int], size: tuple[float, float]) -> ViewTransform:
        """Show the whole image of that (height, width)."""
        height, width = shape_px
        scale = min(size[0] / max(1, width), size[1] / max(1, height))
        return cls(min(max(scale, MIN_SCALE), MAX_SCALE), width / 2, height / 2, size)

    def level(self, density: float) -> int:
        """Return the smallest copy of the image that still has a pixel for each of the screen's.

        Parameters
        ----------
        density : float
            Pixels of the screen per widget pixel.

        Returns
        -------
        int
            So many times both sides are halved; 0 is the image itself.
        """
        return max(0, math.floor(-math.log2(self.scale * density)))

    def centred(self, column: float, row: float) -> ViewTransform:
        """Show an image point in the middle."""
        return replace(self, column=column, row=row)

    def to_widget(self, column: float, row: float) -> tuple[float, float]:
        """Return the widget's x and y of an image point."""
        return (
            self.size[0] / 2 + (column - self.column) * self.scale,
            self.size[1] / 2 + (row - self.row) * self.scale,
        )

    def to_image(self, x: float, y: float) -> tuple[float, float]:
        """Return (column, row) under a point of the widget."""
        return self.column + (x - self.size[0] / 2) / self.scale, self.row + (y - self.size[1] / 2) / self.scale

    def zoomed(self, factor: float, x: float, y: float) -> ViewTransform:
        """Zoom so that what is under (x, y) stays there."""
        scale = min(max(self.scale * factor, MIN_SCALE), MAX_SCALE)
        column, row = self.to_image(x, y)
        return replace(
            self,
            scale=scale,
            column=column - (x - self.size[0] / 2) / scale,
            row=row - (y - self.size[1] / 2) / scale,
        )

    def panned(self, dx: float, dy: float, shape_px: tuple[int, int]) -> ViewTransform:
        """Move the image by so many widget pixels; its middle part stays in reach."""
        height, width = shape_px
        column = min(max(self.column - dx / self.scale, 0.0), float(width))
        row = min(max(self.row - dy / self.scale, 0.0), float(height))
        return replace(self, column=column, row=row)


def stage_of(placement: Placement, shape_px: tuple[int, int], column: float, row: float) -> tuple[float, float]:
    """Return the stage's x and y in µm of an image point."""
    height, width = shape_px
    return (
        placement.centre_x_um + (column - width / 2) * placement.pixel_size_um,
        placement.centre_y_um + (row - height / 2) * placement.pixel_size_um,
    )


def image_of(placement: Placement, shape_px: tuple[int, int], x_um: float, y_um: float) -> tuple[float, float]:
    """Return (column, row) of a stage position."""
    height, width = shape_px
    return (
        width / 2 + (x_um - placement.centre_x_um) / placement.pixel_size_um,
        height / 2 + (y_um - placement.centre_y_um) / placement.pixel_size_um,
    )
