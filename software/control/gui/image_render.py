"""From layers of grey values to screen pixels: which image pixel each screen pixel shows, and their colours added up.

Each screen pixel takes one image pixel (the one under its middle), so that the work grows with the screen, not with
the camera, and zooming in shows true pixels. Knows no widget.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PyQt5.QtGui import QImage

from control.core.rendering import Layer, Rgb32, add_to, coloured
from squid.models.geometry import Pixels


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which image pixels are shown, and where on the screen.

    Attributes
    ----------
    rows, columns : ndarray of int
        The image row (column) of each screen row (column) that shows the image.
    left_px, top_px : int
        Screen pixel of the first of them.
    """

    rows: npt.NDArray[np.intp]
    columns: npt.NDArray[np.intp]
    left_px: int
    top_px: int


def sampling(
    shape_px: tuple[int, int],
    screen_px: tuple[int, int],
    scales: tuple[float, float],
    origin_px: tuple[float, float],
) -> Sampling:
    """Return what each screen pixel shows.

    Parameters
    ----------
    shape_px : (int, int)
        Height and width of the image.
    screen_px : (int, int)
        Height and width of the screen's part.
    scales : (float, float)
        Screen pixels per image pixel, down and across: a smaller copy of an odd size has not quite the same of both.
    origin_px : (float, float)
        Row and column, in screen pixels, where the upper left corner of the image lies; may be outside.
    """
    rows, top_px = _along(shape_px[0], screen_px[0], scales[0], origin_px[0])
    columns, left_px = _along(shape_px[1], screen_px[1], scales[1], origin_px[1])
    return Sampling(rows, columns, left_px, top_px)


def _along(size: int, screen: int, scale: float, origin: float) -> tuple[npt.NDArray[np.intp], int]:
    shown = np.floor((np.arange(screen) + 0.5 - origin) / scale).astype(np.intp)
    first, end = np.searchsorted(shown, (0, size))
    return shown[first:end], int(first)


def compose(layers: Sequence[Layer], tables: Sequence[Rgb32], chosen: Sampling, *, is_marked: bool) -> Rgb32:
    """Return the sum of the sampled layers in the colours of their tables, shape (rows, columns), contiguous.

    Parameters
    ----------
    layers : sequence of Layer
        At least one; all of the same shape.
    tables : sequence of ndarray
        See `control.core.rendering.colour_table`.
    chosen : Sampling
        Which pixels.
    is_marked : bool
        Whether the tables mark saturated pixels.
    """
    picture = render(layers[0].pixels, chosen, tables[0])
    for layer, table in zip(layers[1:], tables[1:], strict=True):
        add_to(picture, render(layer.pixels, chosen, table), is_marked=is_marked)
    return picture


def render(pixels: Pixels, chosen: Sampling, table: Rgb32) -> Rgb32:
    """Return the colours of the sampled pixels, shape (rows, columns), contiguous.

    About 0.5 ms for 900 x 900, also of a turned or mirrored view: pixels are taken in the order in which they lie in
    memory, since numpy would copy the whole view first.
    """
    if not len(chosen.rows) or not len(chosen.columns):
        return np.zeros((len(chosen.rows), len(chosen.columns)), np.uint32)
    down, right = pixels.strides
    rows = chosen.rows if down > 0 else pixels.shape[0] - 1 - chosen.rows
    columns = chosen.columns if right > 0 else pixels.shape[1] - 1 - chosen.columns
    straight = pixels[:: 1 if down > 0 else -1, :: 1 if right > 0 else -1]
    if abs(down) < abs(right):
        return np.ascontiguousarray(_coloured(straight.T, columns, rows, table).T)
    return _coloured(straight, rows, columns, table)


def _coloured(pixels: Pixels, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp], table: Rgb32) -> Rgb32:
    """Sample the axis first that leaves less."""
    height, width = pixels.shape
    if len(rows) * width <= len(columns) * height:
        grey = pixels.take(rows, axis=0).take(columns, axis=1)
    else:
        grey = pixels.take(columns, axis=1).take(rows, axis=0)
    return coloured(grey, table)


def image_of(picture: Rgb32) -> QImage:
    """Return a picture as Qt has it, with memory of its own."""
    height, width = picture.shape
    return QImage(picture.tobytes(), width, height, 4 * width, QImage.Format.Format_RGB32).copy()
