"""What an image says under the cursor: pixel, grey value of each channel, stage position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from control.core.rendering import Layer
from control.gui.image_tools import Point


@dataclass(frozen=True, slots=True)
class CursorReading:
    """What is under the cursor.

    Attributes
    ----------
    row, column : int
        Pixel of the image.
    values : tuple of (str, int)
        Name and grey value of each channel; the name is empty where there is only one.
    x_um, y_um : float or None
        Stage position; None when nobody said where the image lies.
    """

    row: int
    column: int
    values: tuple[tuple[str, int], ...]
    x_um: float | None
    y_um: float | None

    def __str__(self) -> str:
        place = f"x {self.x_um:.1f}  y {self.y_um:.1f} µm   " if self.x_um is not None else ""
        values = "   ".join(f"{name or 'value'} {value}" for name, value in self.values)
        return f"{place}pixel {self.column}, {self.row}   {values}"


def read_at(
    layers: Sequence[Layer], shape_px: tuple[int, int], point: Point, stage_um: tuple[float, float] | None
) -> CursorReading | None:
    """Return what is at an image point; None outside the image.

    Parameters
    ----------
    layers : sequence of Layer
        Channels; they may be smaller copies of the image.
    shape_px : (int, int)
        Height and width of the image.
    point : (float, float)
        Column and row; the middle of the first pixel is at (0.5, 0.5).
    stage_um : (float, float) or None
        Stage position of that point.
    """
    (height, width), (column, row) = shape_px, point
    if not (0 <= column < width and 0 <= row < height):
        return None
    values = []
    for layer in layers:
        rows, columns = layer.pixels.shape
        values.append((layer.name, int(layer.pixels[int(row * rows / height), int(column * columns / width)])))
    x_um, y_um = stage_um or (None, None)
    return CursorReading(int(row), int(column), tuple(values), x_um, y_um)
