"""Grey values and colours of channels into one picture for the screen. Owns nothing; for use in tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from squid.models.geometry import Pixels

Rgb32 = npt.NDArray[np.uint8]
"""A picture as Qt's Format_RGB32 has it: shape (Y, X, 4), blue, green, red, 255."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One channel of a picture.

    Attributes
    ----------
    pixels : ndarray, shape (Y, X), uint8 or uint16
        Grey values.
    limits : (int, int)
        Grey values shown as black and as full brightness; the second is the greater one.
    colour : str
        ``#RRGGBB``.
    """

    pixels: Pixels
    limits: tuple[int, int]
    colour: str


class Renderer:
    """Draws pictures; keeps the table of each colour until its limits change. One thread at a time."""

    def __init__(self) -> None:
        self._tables: dict[tuple[str, str], tuple[tuple[int, int], Rgb32]] = {}

    def render(self, layers: Sequence[Layer], shape_px: tuple[int, int]) -> Rgb32:
        """Return the sum of the layers in their colours; black without layers. 5 ms per layer of 1024 x 1024."""
        picture: npt.NDArray[Any] = np.zeros((*shape_px, 4), np.uint8)
        for number, layer in enumerate(layers):
            coloured = np.take(self._table(layer), layer.pixels, axis=0)
            picture = cv2.add(picture, coloured) if number else coloured
        picture[..., 3] = 255
        return picture

    def _table(self, layer: Layer) -> Rgb32:
        key = (layer.colour, layer.pixels.dtype.name)
        limits, table = self._tables.get(key, (None, None))
        if table is None or limits != layer.limits:
            table = _table(layer)
            self._tables[key] = (layer.limits, table)
        return table


def _table(layer: Layer) -> Rgb32:
    """Return the colour of every grey value, shape (256 or 65536, 4)."""
    low, high = layer.limits
    grey = np.arange(np.iinfo(layer.pixels.dtype).max + 1, dtype=np.float32)
    brightness = np.clip((grey - low) / (high - low), 0.0, 1.0)
    red, green, blue = (int(layer.colour[at : at + 2], 16) for at in (1, 3, 5))
    table: Rgb32 = (brightness[:, None] * np.array([blue, green, red, 0], np.float32)).astype(np.uint8)
    return table
