"""A picture made of stamps: many small sprites added onto a ground, strip by strip."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from squid.drivers.simulated.ground import Ground
from squid.drivers.simulated.scene import View
from squid.drivers.simulated.specimen import Field, Vignette
from squid.drivers.simulated.sprites import SpriteCache, SpriteKey, Structure

_LEVELS = 2**12  # more blur levels than there are, either side of zero


class _Stamp(NamedTuple):
    """One sprite in its place: first column and row of the grid, those after its last, factor, pixels."""

    left: int
    top: int
    right: int
    bottom: int
    amount: float
    sprite: Field


class StampedPicture:
    """Cells on a grid: the ground, and a list of stamps. Follows `Picture`.

    Parameters
    ----------
    view : View
        The grid.
    ground : Ground
        Painted first.
    sprites : SpriteCache
        Gives the stamps.
    """

    def __init__(self, view: View, ground: Ground, sprites: SpriteCache) -> None:
        self.view = view
        self._ground = ground
        self._sprites = sprites
        self._stamps: list[_Stamp] = []
        self._absorbs = False

    def add(
        self,
        structure: Structure,
        x_um: npt.NDArray[np.float64],
        y_um: npt.NDArray[np.float64],
        variant: npt.NDArray[np.int64],
        level: npt.NDArray[np.int64],
        amplitude: npt.NDArray[np.float64],
    ) -> None:
        """Add one structure of every cell.

        Parameters
        ----------
        structure : Structure
            Which.
        x_um, y_um : ndarray of float64
            Where the cells are.
        variant, level : ndarray of int64
            Their shapes, and their blur levels.
        amplitude : ndarray of float64
            Their light without vignetting; negative: what they absorb.
        """
        view = self.view
        (a, b), (c, d) = view.turn
        dx, dy = x_um - view.centre.x_um, y_um - view.centre.y_um
        across, down = (a * dx + b * dy) / view.pitch_um, (c * dx + d * dy) / view.pitch_um
        amounts = amplitude * np.exp(-view.vignetting_per_px2 * (across**2 + down**2))
        self._absorbs |= bool((amounts < 0).any())
        u, v = across - view.left_px, down - view.top_px
        columns, rows = np.floor(u).astype(np.int64), np.floor(v).astype(np.int64)
        code = ((variant * 2 + (u - columns >= 0.5)) * 2 + (v - rows >= 0.5)) * _LEVELS + level + _LEVELS // 2
        codes, which = np.unique(code, return_inverse=True)
        sprites = [self._sprite(structure, int(number)) for number in codes]
        sides = np.array([len(sprite) for sprite in sprites], np.int64)[which]
        left, top = columns - sides // 2, rows - sides // 2
        right, bottom = left + sides, top + sides
        seen = (left < view.width_px) & (top < view.height_px) & (right > 0) & (bottom > 0)
        lists = [array[seen].tolist() for array in (left, top, right, bottom, amounts)]
        stamped = [sprites[number] for number in which[seen].tolist()]
        self._stamps.extend(map(_Stamp, *lists, stamped))

    def paint(self, strip: Field, first_row: int, vignette: Vignette) -> None:
        """Write some rows; see `Picture.paint`."""
        self._ground.paint(strip, first_row, vignette)
        height, width = strip.shape
        for left, top, right, bottom, amount, sprite in self._stamps:
            top, bottom = top - first_row, bottom - first_row
            if top >= height or bottom <= 0:
                continue
            if top < 0 or left < 0 or bottom > height or right > width:
                sprite = sprite[max(0, -top) : height - top, max(0, -left) : width - left]
                top, left = max(0, top), max(0, left)
            target = strip[top:bottom, left:right]
            cv2.scaleAdd(sprite, amount, target, dst=target)
        if self._absorbs:  # cells upon cells leave no less than nothing
            cv2.threshold(strip, 0, 0, cv2.THRESH_TOZERO, dst=strip)

    def _sprite(self, structure: Structure, code: int) -> Field:
        rest, level = divmod(code, _LEVELS)
        rest, lower = divmod(rest, 2)
        variant, right = divmod(rest, 2)
        level -= _LEVELS // 2
        view = self.view
        return self._sprites.sprite(
            SpriteKey(structure, variant, bool(right), bool(lower), view.pitch_um, level, view.turn)
        )
