"""From a scene to pixels: expected electrons, shot and read noise, conversion, saturation.

Noise is made in variance-stabilised space (Anscombe; F. J. Anscombe, Biometrika 35:246, 1948): with a = √(s + c) and
standard normal n, the square (a + n/2)² has mean s + c + 1/4 and variance s + c + 1/8. So c = r² - 1/8 gives exactly
the variance s + r² of Poisson and read noise, and the constant c + 1/4 is taken off with the offset. The normal
numbers come from one large tile, read at places that the seed and the index in the plan decide.

Works in strips of rows: what a frame needs at once stays in the processor's cache and small for any sensor.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from squid.drivers.simulated.frame_memory import FrameMemory
from squid.drivers.simulated.optics import collection
from squid.drivers.simulated.scene import Scene, View
from squid.drivers.simulated.specimen import Picture, Specimen, Vignette
from squid.models.geometry import Orientation, Pixels, Roi

_STRIP_PX = 2**20  # pixels per strip: 4 MB of light
_TILE_ROWS = 1024
_SCRATCHES_KEPT = 5  # one per coarseness of the grid, and the camera's own
_TILE_SPARE_COLUMNS = 1024
_UNITS = 30000.0  # most integer units of √electrons: with noise, still below the 32767 of int16
_HEADROOM = 1.05  # electrons, relative to saturation, that give the most units


@dataclass(frozen=True, slots=True)
class SensorSettings:
    """What the camera was set to for one exposure.

    Attributes
    ----------
    roi : Roi
        In binned pixels.
    binning : int
        Charges of binning × binning pixels are summed after read-out.
    bits : int
        Of the converter: 8, 12 or 16.
    gain : float
        Factor on the conversion.
    """

    roi: Roi
    binning: int
    bits: int
    gain: float


@dataclass(frozen=True, slots=True)
class SensorPhysics:
    """The sensor and its mounting.

    Attributes
    ----------
    shape_px : (int, int)
        Height and width, unbinned.
    pixel_um : float
        Pixel pitch.
    full_well_e : float
        Electrons that give the highest count at gain 1 and no binning.
    read_noise_e : float
        Standard deviation per unbinned pixel.
    offset_fraction : float
        Counts without light, as a fraction of the highest count.
    vignetting : float
        Light lost at the corners of the sensor, as a fraction.
    mounting : Orientation
        How the camera sits: its frame is the upright scene, rotated clockwise, then mirrored.
    """

    shape_px: tuple[int, int]
    pixel_um: float
    full_well_e: float
    read_noise_e: float
    offset_fraction: float
    vignetting: float
    mounting: Orientation


class Sensor:
    """Takes pictures of scenes; one thread at a time.

    Parameters
    ----------
    physics : SensorPhysics
        The sensor.
    seed : int
        Decides the noise.
    """

    def __init__(self, physics: SensorPhysics, seed: int) -> None:
        self._physics = physics
        self._seed = seed
        self._scratches = _Scratches()
        self._memory = FrameMemory()
        self._normal: npt.NDArray[np.float32] | None = None
        self._tile: npt.NDArray[np.int16] | None = None
        self._tile_units = 0.0

    def expose(self, specimen: Specimen, scene: Scene, settings: SensorSettings, plan_index: int) -> Pixels:
        """Return the frame of a scene: shape (Y, X) of the ROI; uint8 for 8 bits, else uint16."""
        conversion = _Conversion.of(self._physics, settings)
        pictures = self._pictures(specimen, scene, settings, conversion)
        frame = self._memory.frame(settings.roi.height_px, settings.roi.width_px)
        noise = self._noise_tile(conversion.units_per_root_e)
        rng = np.random.default_rng((self._seed, 3, plan_index))
        stabilised = self._stabilised(pictures, settings, conversion)
        rows = _strip_rows(settings.roi.width_px)
        scratch = self._scratches.of(rows, settings.roi.width_px)
        for top in range(0, settings.roi.height_px, rows):
            out = frame[top : top + rows]
            height, width = out.shape
            down = int(rng.integers(0, noise.shape[0] - height + 1))
            right = int(rng.integers(0, noise.shape[1] - width + 1))
            strip = stabilised(top, height)
            # |a - n| is as good as a + n, since only its square matters, and it is unsigned
            units = scratch.noisy[:height]
            cv2.absdiff(strip, noise[down : down + height, right : right + width], dst=units.view(np.int16))
            cv2.threshold(units, conversion.saturation_units, 0, cv2.THRESH_TRUNC, dst=units)
            cv2.multiply(units, units, dst=out, scale=conversion.counts_per_unit2)
            np.add(out, conversion.pedestal, out=out)
        return frame.astype(np.uint8) if settings.bits == 8 else frame

    def _pictures(
        self, specimen: Specimen, scene: Scene, settings: SensorSettings, conversion: _Conversion
    ) -> Sequence[Picture]:
        """Return one picture, in squared units of √electrons, for each place of the stage; none in the dark."""
        if scene.objective is None or scene.bands is None or not scene.doses:
            return ()
        pitch_um = scene.objective.pixel_size_um(self._physics.pixel_um, settings.binning, scene.tube_lens_mm)
        scale = collection(scene.objective.numerical_aperture, pitch_um) * conversion.units_per_root_e**2
        height, width = (side / settings.binning for side in self._physics.shape_px)
        looks = []
        for position in scene.positions:
            view = View(
                centre=position,
                pitch_um=pitch_um,
                left_px=settings.roi.x_px + 0.5 - width / 2,
                top_px=settings.roi.y_px + 0.5 - height / 2,
                width_px=settings.roi.width_px,
                height_px=settings.roi.height_px,
                turn=_turn(self._physics.mounting),
                numerical_aperture=scene.objective.numerical_aperture,
                vignetting_per_px2=-math.log(1 - self._physics.vignetting) / (width**2 / 4 + height**2 / 4),
            )
            still = len(scene.positions) == 1
            looks.append(specimen.look(view, scene.doses, scene.bands, scale, may_coarsen=still))
        return looks

    def _stabilised(
        self, pictures: Sequence[Picture], settings: SensorSettings, conversion: _Conversion
    ) -> _Strips | _DarkStrips:
        """Return a function that gives rows of √(electrons + c) as int16 units."""
        if not pictures:
            return _DarkStrips(settings.roi.width_px, conversion)
        return _Strips(pictures, settings.roi, conversion, self._scratches)

    def _noise_tile(self, units_per_root_e: float) -> npt.NDArray[np.int16]:
        """Return normal numbers of standard deviation 1/2, in units of √electrons."""
        if self._normal is None:
            columns = self._physics.shape_px[1] + _TILE_SPARE_COLUMNS
            rng = np.random.default_rng((self._seed, 4))
            self._normal = rng.standard_normal((_TILE_ROWS, columns), dtype=np.float32)
        if self._tile is None or self._tile_units != units_per_root_e:
            self._tile = np.rint(self._normal * np.float32(units_per_root_e / 2)).astype(np.int16)
            self._tile_units = units_per_root_e
        return self._tile


@dataclass(frozen=True, slots=True)
class _Conversion:
    """Constants between electrons, integer units of √electrons, and counts."""

    constant_e: float
    units_per_root_e: float
    counts_per_unit2: float
    saturation_units: int
    pedestal: np.uint16

    @classmethod
    def of(cls, physics: SensorPhysics, settings: SensorSettings) -> _Conversion:
        """Return the constants for some settings."""
        highest = 2**settings.bits - 1
        counts_per_e = highest * (1 - physics.offset_fraction) / physics.full_well_e * settings.gain
        constant_e = (physics.read_noise_e * settings.binning) ** 2 - 1 / 8
        pedestal = max(0, round(highest * physics.offset_fraction - (constant_e + 1 / 4) * counts_per_e))
        saturation_e = (highest - pedestal) / counts_per_e
        units = _UNITS / math.sqrt(saturation_e * _HEADROOM + constant_e)
        return cls(
            constant_e=constant_e,
            units_per_root_e=units,
            counts_per_unit2=counts_per_e / units**2,
            saturation_units=int(math.sqrt(saturation_e) * units),
            pedestal=np.uint16(pedestal),
        )


class _DarkStrips:
    """The sensor in the dark: nothing but read noise."""

    def __init__(self, width: int, conversion: _Conversion) -> None:
        level = round(math.sqrt(conversion.constant_e) * conversion.units_per_root_e)
        self._row = np.full((_strip_rows(width), width), level, np.int16)

    def __call__(self, top: int, height: int) -> npt.NDArray[np.int16]:
        return self._row[:height]


class _Strips:
    """The sensor in the light: strips of the mean of some pictures."""

    def __init__(self, pictures: Sequence[Picture], roi: Roi, conversion: _Conversion, scratches: _Scratches) -> None:
        self._pictures = pictures
        self._roi = roi
        self._constant = np.float32(conversion.constant_e * conversion.units_per_root_e**2)
        view = pictures[0].view
        self._vignette = _vignette(view)
        self._whole: npt.NDArray[np.int16] | None = None
        if view.coarseness > 1:
            self._whole = self._upsampled(scratches.of(view.height_px, view.width_px))
        else:
            self._scratch = scratches.of(_strip_rows(roi.width_px), view.width_px)

    def __call__(self, top: int, height: int) -> npt.NDArray[np.int16]:
        if self._whole is not None:
            return self._whole[top : top + height]
        return self._strip(self._scratch, top, height)

    def _upsampled(self, scratch: _Scratch) -> npt.NDArray[np.int16]:
        """Paint on the coarse grid, and spread each pixel over those of the camera."""
        view = self._pictures[0].view
        coarse = self._strip(scratch, 0, view.height_px)
        size = (view.width_px * view.coarseness, view.height_px * view.coarseness)
        fine = scratch.fine_of(size)
        cv2.resize(coarse, size, dst=fine, interpolation=cv2.INTER_LINEAR)
        return fine[: self._roi.height_px, : self._roi.width_px]

    def _strip(self, scratch: _Scratch, top: int, height: int) -> npt.NDArray[np.int16]:
        light, other, units = scratch.light[:height], scratch.other[:height], scratch.units[:height]
        vignette = Vignette(self._vignette.rows[top : top + height], self._vignette.columns)
        self._pictures[0].paint(light, top, vignette)
        for picture in self._pictures[1:]:
            picture.paint(other, top, vignette)
            np.add(light, other, out=light)
        if len(self._pictures) > 1:
            np.multiply(light, np.float32(1 / len(self._pictures)), out=light)
        np.add(light, self._constant, out=light)
        cv2.threshold(light, _UNITS**2, 0, cv2.THRESH_TRUNC, dst=light)  # six times faster than np.minimum
        cv2.sqrt(light, dst=light)
        np.copyto(units, light, casting="unsafe")
        return units


class _Scratches:
    """Scratch arrays of the last few shapes: fresh memory costs more at its first touch than the painting."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int], _Scratch] = {}

    def of(self, rows: int, columns: int) -> _Scratch:
        found = self._kept.pop((rows, columns), None) or _Scratch(rows, columns)
        self._kept[rows, columns] = found
        if len(self._kept) > _SCRATCHES_KEPT:
            del self._kept[next(iter(self._kept))]
        return found


class _Scratch:
    """Arrays of one strip, reused for the next."""

    def __init__(self, rows: int, columns: int) -> None:
        self.light = np.empty((rows, columns), np.float32)
        self.other = np.empty((rows, columns), np.float32)  # no memory is touched before the first use
        self.units = np.empty((rows, columns), np.int16)
        self.noisy = np.empty((rows, columns), np.uint16)
        self._fine = np.empty((0, 0), np.int16)

    def fine_of(self, size: tuple[int, int]) -> npt.NDArray[np.int16]:
        """Return an array for the strip spread over a finer grid of `size` (width, height)."""
        if self._fine.shape != size[::-1]:
            self._fine = np.empty(size[::-1], np.int16)
        return self._fine


def _vignette(view: View) -> Vignette:
    """Return the fall of light exp(-k r²) over the grid."""
    across = view.left_px + np.arange(view.width_px)
    down = view.top_px + np.arange(view.height_px)
    columns = np.exp(-view.vignetting_per_px2 * across**2).astype(np.float32)
    rows = np.exp(-view.vignetting_per_px2 * down**2).astype(np.float32)
    return Vignette(rows[:, None], columns)


def _turn(mounting: Orientation) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the matrix of a mounting: clockwise rotation (x, y) -> (-y, x) per 90°, then mirrors."""
    (a, b), (c, d) = ((1, 0), (0, 1))
    for _ in range(mounting.rotate_deg // 90):
        (a, b), (c, d) = (-c, -d), (a, b)
    across, down = -1 if mounting.flip_x else 1, -1 if mounting.flip_y else 1
    return (across * a, across * b), (down * c, down * d)


def _strip_rows(width: int) -> int:
    return max(16, min(_TILE_ROWS // 2, _STRIP_PX // max(1, width)))
