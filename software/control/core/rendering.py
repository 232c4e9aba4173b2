"""Grey values and colours of channels into colours of the screen. Owns nothing but tables; knows no Qt."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from control.core.grey_values import Limits
from squid.models.geometry import Pixels

GREY_COLOUR = "#FFFFFF"

SATURATED = 0xFFFF00FF
"""How saturated pixels are marked: magenta, which no channel is shown in."""

Rgb32 = npt.NDArray[np.uint32]
"""Shape (Y, X), 0xFFRRGGBB: what Qt calls Format_RGB32."""

_TABLES = 16


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One channel of a picture.

    Attributes
    ----------
    pixels : ndarray, shape (Y, X), uint8 or uint16
        Grey values; nobody may write to them any more.
    limits : (int, int)
        Grey values shown as black and as full brightness; the second is the greater one.
    colour : str
        ``#RRGGBB`` of full brightness.
    name : str
        Of the channel; empty where there is only one.
    """

    pixels: Pixels
    limits: Limits
    colour: str = GREY_COLOUR
    name: str = ""


def colour_table(limits: Limits, colour: str, saturated: int | None = None) -> Rgb32:
    """Return the colour of each grey value, shape (65536,).

    Parameters
    ----------
    limits : (int, int)
        Grey values shown as black and as full brightness.
    colour : str
        ``#RRGGBB``.
    saturated : int, optional
        From this grey value on pixels are marked; None: they are not.
    """
    low, high = limits
    share = np.clip((np.arange(65536, dtype=np.float32) - low) / max(1, high - low), 0.0, 1.0)
    table = np.full(65536, 0xFF000000, np.uint32)
    for shift, first in ((16, 1), (8, 3), (0, 5)):
        full = int(colour[first : first + 2], 16)
        if full:
            table |= np.rint(share * full).astype(np.uint32) << np.uint32(shift)
    if saturated is not None:
        table[saturated:] = SATURATED
    return table


class ColourTables:
    """The tables used last: contrast changes seldom, images often."""

    def __init__(self) -> None:
        self._tables: OrderedDict[tuple[Limits, str, int | None], Rgb32] = OrderedDict()

    def of(self, layer: Layer, saturated: int | None = None) -> Rgb32:
        """Return `colour_table` of a layer."""
        key = (layer.limits, layer.colour, saturated)
        table = self._tables.get(key)
        if table is None:
            table = self._tables[key] = colour_table(*key)
            while len(self._tables) > _TABLES:
                self._tables.popitem(last=False)
        self._tables.move_to_end(key)
        return table


def coloured(pixels: Pixels, table: Rgb32) -> Rgb32:
    """Return the colours of contiguous pixels; OpenCV looks them up four times as fast as numpy."""
    colours = cv2.LUT(pixels, table[: np.iinfo(pixels.dtype).max + 1].view(np.int32))  # it knows no unsigned 32 bits
    return cast(Rgb32, colours).view(np.uint32)


def add_to(picture: Rgb32, other: Rgb32, *, is_marked: bool = False) -> None:
    """Put another picture on top of one, in its place: their colours add up.

    Parameters
    ----------
    picture, other : ndarray, shape (Y, X)
        Of the same shape.
    is_marked : bool
        Whether saturated pixels are marked: a mark in either stays one.
    """
    marked = (picture == SATURATED) | (other == SATURATED) if is_marked else None
    total = picture.view(np.uint8)
    cv2.add(total, other.view(np.uint8), dst=total)
    if marked is not None:
        picture[marked] = SATURATED


class Renderer:
    """Draws whole pictures, for tasks; keeps its tables. One thread at a time."""

    def __init__(self) -> None:
        self._tables = ColourTables()

    def render(self, layers: Sequence[Layer], shape_px: tuple[int, int]) -> Rgb32:
        """Return the sum of the layers in their colours; black without layers."""
        picture: Rgb32 | None = None
        for layer in layers:
            pixels = cast(Pixels, np.ascontiguousarray(layer.pixels))
            colours = coloured(pixels, self._tables.of(layer))
            if picture is None:
                picture = colours
            else:
                add_to(picture, colours)
        return np.full(shape_px, 0xFF000000, np.uint32) if picture is None else picture
