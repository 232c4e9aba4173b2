"""The specimen "plate of cells": how many there are in a well, where, how stained, and how they look.

Cells are drawn lazily in tiles of 1 mm², each from the seed, the well and the tile alone, so that any well of any plate
costs the same and is the same in every process.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import Field as Option

from squid.drivers.simulated.ground import Ground
from squid.drivers.simulated.optics import Bands, blur_sigma_um, blur_sigmas_um, emission, excitation
from squid.drivers.simulated.plate_map import PlateMap, Well
from squid.drivers.simulated.scene import Dose, View
from squid.drivers.simulated.specimen import PlateSurface, background_e
from squid.drivers.simulated.sprites import LEVEL_RATIO, VARIANTS, SpriteCache, Structure, level_of
from squid.drivers.simulated.stamps import StampedPicture
from squid.models.base import FileModel

_TILE_UM = 1000.0
_TILES_KEPT = 1024  # about 220 cells of 60 bytes each: 14 MB
_CELL_REACH_UM = 22.0
_WHITE_ABSORBED = 0.25  # by the thickest part of a cell
_FAINT_E = 0.2  # a structure dimmer than this is not painted


class Stain(FileModel):
    """A dye.

    Attributes
    ----------
    structure : str
        What it stains: ``nucleus``, ``body``, ``mitochondria`` or ``membrane``.
    excitation_nm, emission_nm : float
        Peaks of its bands.
    brightness_e_s : float
        Electrons per second in a reference pixel (20x, NA 0.8, 0.325 µm) of the brightest part, at full light.
    spread : float
        Standard deviation of the brightness from cell to cell, as a fraction.
    """

    structure: str = Option(pattern="^(nucleus|body|mitochondria|membrane)$")
    excitation_nm: float = Option(gt=0)
    emission_nm: float = Option(gt=0)
    brightness_e_s: float = Option(default=25000.0, gt=0)
    spread: float = Option(default=0.3, ge=0, le=1)


def _usual_stains() -> dict[str, Stain]:
    return {
        "DNA": Stain(structure="nucleus", excitation_nm=395, emission_nm=455, brightness_e_s=40000, spread=0.15),
        "mitochondria": Stain(structure="mitochondria", excitation_nm=490, emission_nm=522),
        "cytoplasm": Stain(structure="body", excitation_nm=558, emission_nm=590),
        "membrane": Stain(structure="membrane", excitation_nm=645, emission_nm=690),
    }


class CellOptions(FileModel):
    """Options of the simulated cells.

    Attributes
    ----------
    cells_per_mm2 : float
        Mean density over the plate.
    well_spread : float
        How much wells differ, 0…1: densities are uniform within this fraction around the mean.
    stains : mapping of str to Stain
        The dyes.
    """

    cells_per_mm2: float = Option(default=220.0, ge=0, le=3000)
    well_spread: float = Option(default=0.7, ge=0, le=1)
    stains: dict[str, Stain] = Option(default_factory=_usual_stains)


@dataclass(frozen=True, slots=True)
class _Tile:
    """The cells of one tile: places in stage µm, variants, and their brightness in each stain, (cells, stains)."""

    x_um: npt.NDArray[np.float64]
    y_um: npt.NDArray[np.float64]
    variant: npt.NDArray[np.int64]
    stained: npt.NDArray[np.float64]


class CellSpecimen:
    """A plate of cells.

    Parameters
    ----------
    plate_map : PlateMap
        Where the wells are.
    surface : PlateSurface
        Where they are sharp.
    options : CellOptions
        How many cells, and their dyes.
    seed : int
        Decides every cell.
    sprites : SpriteCache, optional
        What was drawn already, from the same seed.
    """

    def __init__(
        self,
        plate_map: PlateMap,
        surface: PlateSurface,
        options: CellOptions,
        seed: int,
        sprites: SpriteCache | None = None,
    ) -> None:
        self._map = plate_map
        self._surface = surface
        self._options = options
        self._seed = seed
        self._stains = tuple(options.stains.values())
        self._sprites = sprites or SpriteCache(seed)
        self._tiles: OrderedDict[tuple[int, int, int, int], _Tile] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def plate_map(self) -> PlateMap:
        """Where the wells are."""
        return self._map

    def on_plate(self, plate_map: PlateMap, surface: PlateSurface) -> CellSpecimen:
        """Return the same on another plate."""
        return CellSpecimen(plate_map, surface, self._options, self._seed, self._sprites)

    def load(self) -> None:
        """Do nothing: cells are drawn when they are looked at."""

    def density_per_mm2(self, row: int, column: int) -> float:
        """Return the density of cells in a well."""
        spread = self._options.well_spread
        uniform = np.random.default_rng((self._seed, 1, row, column)).uniform(1 - spread, 1 + spread)
        return float(self._options.cells_per_mm2 * uniform)

    def look(
        self, view: View, doses: Sequence[Dose], bands: Bands, scale: float, *, may_coarsen: bool = True
    ) -> StampedPicture:
        """Return what a camera sees; see `Specimen.look`."""
        centre = view.centre
        defocus = centre.z_um - self._surface.focus_um(centre.x_um, centre.y_um)
        margin = _CELL_REACH_UM + 3 * blur_sigma_um(defocus, view.numerical_aperture)
        cells = self._cells_near(centre.x_um, centre.y_um, view.reach_um + margin)
        heights_um = centre.z_um - self._surface.focuses_um(cells.x_um, cells.y_um)
        sigma_um = blur_sigmas_um(heights_um, view.numerical_aperture)
        sharpest_um = float(sigma_um.min()) if len(sigma_um) else np.inf
        factor = _coarsening(view.pitch_um, sharpest_um) if may_coarsen else 1
        grid = view.coarsened(factor)
        inside, outside = background_e(doses, bands)
        ground = Ground(self._map, grid, inside * scale, outside * scale)
        picture = StampedPicture(grid, ground, self._sprites)
        for structure, amplitude in self._amplitudes(cells, doses, bands):
            picture.add(structure, cells.x_um, cells.y_um, cells.variant, level_of(sigma_um), amplitude * scale)
        return picture

    def _amplitudes(
        self, cells: _Tile, doses: Sequence[Dose], bands: Bands
    ) -> list[tuple[Structure, npt.NDArray[np.float64]]]:
        """Return the structures that show, with the electrons of every cell in a reference pixel."""
        found = []
        for number, stain in enumerate(self._stains):
            lit = sum(dose.level_s * excitation(dose.source.wavelength_nm, stain.excitation_nm) for dose in doses)
            electrons = stain.brightness_e_s * lit * emission(stain.emission_nm, bands)
            if electrons > _FAINT_E:
                found.append((Structure[stain.structure.upper()], cells.stained[:, number] * electrons))
        white = [dose for dose in doses if dose.source.wavelength_nm is None]
        if white:
            through, _ = background_e(white, bands)
            found.append((Structure.BODY, np.full(len(cells.x_um), -_WHITE_ABSORBED * through)))
        return found

    def _cells_near(self, x_um: float, y_um: float, reach_um: float) -> _Tile:
        tiles = [
            tile
            for well in self._map.wells_near(x_um, y_um, reach_um)
            for tile in self._tiles_near(well, x_um - well.x_um, y_um - well.y_um, reach_um)
        ]
        if not tiles:
            return self._draw_tile(Well(0, 0, 0.0, 0.0), 0, 0, density=0.0)
        x, y = np.concatenate([t.x_um for t in tiles]), np.concatenate([t.y_um for t in tiles])
        near = (np.abs(x - x_um) < reach_um) & (np.abs(y - y_um) < reach_um)
        variant = np.concatenate([t.variant for t in tiles])
        return _Tile(x[near], y[near], variant[near], np.concatenate([t.stained for t in tiles])[near])

    def _tiles_near(self, well: Well, dx_um: float, dy_um: float, reach_um: float) -> list[_Tile]:
        """Return the tiles of a well that touch a square around an offset from its centre."""
        wide = np.inf if self._map.endless else self._map.plate.well_size_mm * 750
        columns = _tile_range(max(dx_um - reach_um, -wide), min(dx_um + reach_um, wide))
        rows = _tile_range(max(dy_um - reach_um, -wide), min(dy_um + reach_um, wide))
        return [self._tile(well, column, row) for row in rows for column in columns]

    def _tile(self, well: Well, column: int, row: int) -> _Tile:
        key = (well.row, well.column, column, row)
        with self._lock:
            tile = self._tiles.get(key)
            if tile is None:
                density = self.density_per_mm2(well.row, well.column)
                tile = self._tiles[key] = self._draw_tile(well, column, row, density)
                if len(self._tiles) > _TILES_KEPT:
                    self._tiles.popitem(last=False)
            self._tiles.move_to_end(key)
            return tile

    def _draw_tile(self, well: Well, column: int, row: int, density: float) -> _Tile:
        # SeedSequence takes no negative numbers: tiles left of or above the centre are counted from a far corner
        rng = np.random.default_rng((self._seed, 2, well.row, well.column, column + 2**20, row + 2**20))
        number = rng.poisson(density * (_TILE_UM / 1000) ** 2)
        dx, dy = (column + rng.random(number)) * _TILE_UM, (row + rng.random(number)) * _TILE_UM
        variant = rng.integers(0, VARIANTS, number)
        spreads = [stain.spread for stain in self._stains]
        stained = np.clip(rng.normal(1.0, spreads, (number, len(spreads))), 0.05, None)
        inside = self._inside(dx, dy)
        return _Tile(well.x_um + dx[inside], well.y_um + dy[inside], variant[inside], stained[inside])

    def _inside(self, dx: npt.NDArray[np.float64], dy: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        if self._map.endless:
            return np.ones(len(dx), np.bool_)
        offsets = [self._map.in_well(x, y) for x, y in zip(dx.tolist(), dy.tolist(), strict=True)]
        along, across = np.array(offsets).reshape(-1, 2).T
        half = self._map.plate.well_size_mm * 500
        if self._map.plate.round_wells:
            return np.asarray(np.hypot(along, across) < half)
        return np.asarray(np.maximum(np.abs(along), np.abs(across)) < half)


def _coarsening(pitch_um: float, sharpest_um: float) -> int:
    """Return how many camera pixels one grid pixel may span: the grid stays as fine as the sharpest blur."""
    for factor in (8, 4, 2):
        if pitch_um * factor <= sharpest_um / LEVEL_RATIO:
            return factor
    return 1


def _tile_range(low_um: float, high_um: float) -> range:
    return range(int(np.floor(low_um / _TILE_UM)), int(np.floor(high_um / _TILE_UM)) + 1)
