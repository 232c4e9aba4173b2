"""Stamps of cell structures: small images, blurred and sampled for one optics, kept as long as memory allows.

Owns shapes and their cache; knows nothing of light or wells.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from enum import IntEnum
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from squid.drivers.simulated.specimen import Field

VARIANTS = 6
"""Different cells that there are."""
LEVEL_RATIO = 1.07
"""Two neighbouring blur levels differ by this factor."""

_MASTER_PITCH_UM = 0.2
_BOX_UM = {0: 22.0, 1: 44.0, 2: 44.0, 3: 44.0}
_DARK = 1e-3  # of the brightest pixel: what is less is cut off at the border
_DARK_SIGMAS = 3.1  # beyond a sharp edge, its blur has faded to that
_CACHE_BYTES = 48 * 2**20
_BLURRED_KEPT = 4 * VARIANTS  # of the levels that are being drawn: each serves four sprites


class Structure(IntEnum):
    """A part of the cell that a dye stains."""

    NUCLEUS = 0
    BODY = 1
    MITOCHONDRIA = 2
    MEMBRANE = 3


class SpriteKey(NamedTuple):
    """Which sprite: structure, variant, half pixel of its place, pixel size, blur level, sensor turn."""

    structure: int
    variant: int
    right_half: bool
    lower_half: bool
    pitch_um: float
    level: int
    turn: tuple[tuple[int, int], tuple[int, int]]


class _Blurred(NamedTuple):
    """A structure blurred to one level: the image, its pixel size, and how far from the middle it is not dark."""

    image: Field
    pitch_um: float
    reach_um: float


def level_of(sigma_um: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the blur levels nearest to Gaussian widths in µm."""
    levels: npt.NDArray[np.int64] = np.rint(np.log(sigma_um) / math.log(LEVEL_RATIO)).astype(np.int64)
    return levels


class SpriteCache:
    """Draws sprites and keeps the last used within a limit of memory.

    Parameters
    ----------
    seed : int
        Decides the shapes.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._masters: dict[tuple[int, int], Field] = {}
        self._reaches: dict[tuple[int, int], float] = {}
        self._blurred: OrderedDict[tuple[int, int, float, int], _Blurred] = OrderedDict()
        self._sprites: OrderedDict[SpriteKey, Field] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def sprite(self, key: SpriteKey) -> Field:
        """Return a square sprite of odd side; the cell lies at its middle pixel plus a quarter or three quarters."""
        with self._lock:
            found = self._sprites.get(key)
            if found is not None:
                self._sprites.move_to_end(key)
                return found
            drawn = self._draw(key)
            self._sprites[key] = drawn
            self._bytes += drawn.nbytes
            while self._bytes > _CACHE_BYTES:
                self._bytes -= self._sprites.popitem(last=False)[1].nbytes
            return drawn

    def _draw(self, key: SpriteKey) -> Field:
        blurred = self._blurred_for(key)
        half = math.ceil(blurred.reach_um / key.pitch_um) + 1
        side = 2 * half + 1
        step = key.pitch_um / blurred.pitch_um
        back = np.array(key.turn, np.float64).T * step  # from pixels of the sprite to pixels of the master
        cell = np.array([half + (0.75 if key.right_half else 0.25), half + (0.75 if key.lower_half else 0.25)])
        middle = (np.array([blurred.image.shape[1], blurred.image.shape[0]]) - 1) / 2
        matrix = np.hstack([back, (middle - back @ cell)[:, None]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        drawn = cv2.warpAffine(blurred.image, matrix, (side, side), flags=flags, borderMode=cv2.BORDER_CONSTANT)
        return np.asarray(drawn, np.float32)

    def _blurred_for(self, key: SpriteKey) -> _Blurred:
        of = (key.structure, key.variant, key.pitch_um, key.level)
        found = self._blurred.get(of)
        if found is None:
            found = self._blurred[of] = self._blur(key)
            if len(self._blurred) > _BLURRED_KEPT:
                self._blurred.popitem(last=False)
        return found

    def _blur(self, key: SpriteKey) -> _Blurred:
        """Blur a structure; its pixels are the coarser the more it is blurred."""
        sigma_um = math.hypot(LEVEL_RATIO**key.level, key.pitch_um / math.sqrt(12))  # the pixel blurs as well
        master = self._master(key.structure, key.variant)
        pitch_um = _MASTER_PITCH_UM
        while pitch_um * 4 < sigma_um:
            half = (master.shape[1] // 2, master.shape[0] // 2)
            master = np.asarray(cv2.resize(master, half, interpolation=cv2.INTER_AREA), np.float32)
            pitch_um *= 2
        border = math.ceil(4 * sigma_um / pitch_um) + 1
        padded = cv2.copyMakeBorder(master, border, border, border, border, cv2.BORDER_CONSTANT)
        image = np.asarray(cv2.GaussianBlur(padded, (0, 0), sigma_um / pitch_um), np.float32)
        return _Blurred(image, pitch_um, self._reaches[key.structure, key.variant] + _DARK_SIGMAS * sigma_um)

    def _master(self, structure: int, variant: int) -> Field:
        found = self._masters.get((structure, variant))
        if found is None:
            found = self._masters[structure, variant] = _shape(structure, self._seed, variant)
            self._reaches[structure, variant] = _reach_um(found)
        return found


def _reach_um(master: Field) -> float:
    """Return how far from the middle, along either side, a sharp structure is not dark."""
    bright = master > _DARK * float(master.max())
    lit = np.nonzero(bright.any(axis=0) | bright.any(axis=1))[0]
    return float(np.abs(lit - (len(master) - 1) / 2).max()) * _MASTER_PITCH_UM


def _shape(structure: int, seed: int, variant: int) -> Field:
    """Draw one structure, sharp, about 0…1; a multiple of 64 pixels wide, so that it can be halved."""
    rng = np.random.default_rng((seed, 7, variant))
    side = math.ceil(_BOX_UM[structure] / _MASTER_PITCH_UM / 64) * 64
    axis = ((np.arange(side) - (side - 1) / 2) * _MASTER_PITCH_UM).astype(np.float64)
    x, y = np.meshgrid(axis, axis)
    outline = _outline_um(rng, np.arctan2(y, x))
    radius = np.hypot(x, y)
    nucleus = _nucleus(rng, x, y)
    if structure == Structure.NUCLEUS:
        shape = nucleus * (0.85 + 0.4 * _spots(rng, axis, 14, 4.5, 0.7))
    elif structure == Structure.BODY:
        shape = _edge(outline - radius) * np.clip(1.1 - 0.6 * radius / outline, 0, 1) * (1 - 0.4 * nucleus)
    elif structure == Structure.MITOCHONDRIA:
        shape = _edge(outline - radius) * (1 - 0.9 * nucleus) * (0.15 + _spots(rng, axis, 60, 11.0, 0.6))
    else:
        shape = np.exp(-(((radius - outline * 0.93) / 0.8) ** 2)) + 0.15 * _edge(outline - radius)
    return np.ascontiguousarray(shape, dtype=np.float32)


def _outline_um(rng: np.random.Generator, angle: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the distance of the cell's edge from its middle, by angle."""
    outline = np.full_like(angle, 12.0)
    for lobes in (2, 3, 4, 5):
        outline += rng.uniform(0.3, 1.6) * np.cos(lobes * angle + rng.uniform(0, 2 * math.pi))
    return outline


def _nucleus(
    rng: np.random.Generator, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    long_um, short_um, turn = rng.uniform(5.5, 7.5), rng.uniform(4.2, 5.4), rng.uniform(0, math.pi)
    along, across = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
    return _edge((1 - np.hypot(along / long_um, across / short_um)) * short_um)


def _spots(
    rng: np.random.Generator, axis: npt.NDArray[np.float64], number: int, reach_um: float, width_um: float
) -> npt.NDArray[np.float64]:
    """Return round spots, scattered within `reach_um` of the middle; square, sampled at `axis` both ways."""
    distance, angle = reach_um * np.sqrt(rng.random(number)), rng.uniform(0, 2 * math.pi, number)
    across = np.exp(-((axis - (distance * np.cos(angle))[:, None]) ** 2) / (2 * width_um**2))
    down = np.exp(-((axis - (distance * np.sin(angle))[:, None]) ** 2) / (2 * width_um**2))
    return np.asarray(np.einsum("ni,nj->ij", down, across), np.float64)


def _edge(inward_um: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return 0 outside to 1 inside, over about half a micrometre."""
    return np.clip(inward_um / 0.5 + 0.5, 0, 1)
