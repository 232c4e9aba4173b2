"""The specimen "folder of images": real pictures lie in the wells that their file names say.

A file name gives well, field and channel through a regular expression; each channel is lit by one source. Field 0 lies
at the well's centre, further fields in growing squares around it.
"""

from __future__ import annotations

import logging
import math
import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from pydantic import Field as Option
from pydantic import field_validator

from squid.drivers.simulated.ground import Ground
from squid.drivers.simulated.optics import Bands, blur_sigma_um, emission
from squid.drivers.simulated.plate_map import PlateMap
from squid.drivers.simulated.scene import Dose, View
from squid.drivers.simulated.specimen import Field, PlateSurface, Vignette, background_e
from squid.drivers.simulated.sprites import LEVEL_RATIO
from squid.errors import ConfigurationError
from squid.models.base import FileModel

_log = logging.getLogger(__name__)
_BLURRED_BYTES = 64 * 2**20
_STOKES_NM = 45.0  # a dye emits about this much above the light that excites it


class ImageOptions(FileModel):
    """Options of the specimen made of images.

    Attributes
    ----------
    images : Path
        Folder; relative to the working directory.
    pattern : str
        Regular expression, searched in file names, with the groups ``well``, ``field`` and ``channel``
        (``well`` and ``field`` may be missing). Other files are ignored.
    pixel_um : float
        Pixel size of the images at the sample.
    channels : mapping of str to str
        Light source that shows each channel of the file names. Empty: channels in alphabetical order belong to the
        sources 405, 488, 561, 638.
    brightness_e_s : float
        Electrons per second in a reference pixel at full light and a white pixel of the image.
    everywhere : bool
        Every well shows the images, not only those that they are from.
    """

    images: Path
    pattern: str = r"(?P<well>[A-Z]{1,2}\d{1,2})f(?P<field>\d+)d(?P<channel>\d+)\.tiff?$"
    pixel_um: float = Option(default=0.645, gt=0)
    channels: dict[str, str] = Option(default_factory=dict)
    brightness_e_s: float = Option(default=40000.0, gt=0)
    everywhere: bool = False

    @field_validator("pattern")
    @classmethod
    def _usable(cls, pattern: str) -> str:
        try:
            groups = re.compile(pattern).groupindex
        except re.error as e:
            raise ValueError(f"is no regular expression: {e}") from e
        if "channel" not in groups:
            raise ValueError("has no group (?P<channel>…)")
        return pattern


@dataclass(frozen=True, slots=True)
class _Image:
    """One file: the source that shows it, its pixels as fractions 0…1, its centre relative to the well's."""

    source: str
    pixels: Field
    dx_um: float
    dy_um: float


class ImageSpecimen:
    """Images in wells; the folder is read by `load`.

    Parameters
    ----------
    plate_map : PlateMap
        Where the wells are.
    surface : PlateSurface
        Where they are sharp.
    options : ImageOptions
        Which images, and how large.
    """

    def __init__(self, plate_map: PlateMap, surface: PlateSurface, options: ImageOptions) -> None:
        self._map = plate_map
        self._surface = surface
        self._options = options
        self._wells: dict[tuple[int, int] | None, list[_Image]] | None = None
        self._blurred: OrderedDict[tuple[int, int], Field] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def plate_map(self) -> PlateMap:
        """Where the wells are."""
        return self._map

    def on_plate(self, plate_map: PlateMap, surface: PlateSurface) -> ImageSpecimen:
        """Return the same images on another plate."""
        other = ImageSpecimen(plate_map, surface, self._options)
        other._wells = self._wells
        return other

    def load(self) -> None:
        """Read the folder.

        Raises
        ------
        ConfigurationError
            It is missing, no file name fits the pattern, or a file cannot be read.
        """
        with self._lock:
            if self._wells is None:
                self._wells = _read(self._options)

    def look(
        self, view: View, doses: Sequence[Dose], bands: Bands, scale: float, *, may_coarsen: bool = True
    ) -> ImagePicture:
        """Return what a camera sees; see `Specimen.look`."""
        centre = view.centre
        defocus = centre.z_um - self._surface.focus_um(centre.x_um, centre.y_um)
        sigma_um = blur_sigma_um(defocus, view.numerical_aperture)
        inside, outside = background_e(doses, bands)
        picture = ImagePicture(view, Ground(self._map, view, inside * scale, outside * scale))
        for well in self._map.wells_near(centre.x_um, centre.y_um, view.reach_um):
            for image in self._images_of(well.row, well.column):
                electrons = self._electrons(image, doses, bands) * scale
                if electrons > 0:
                    pixels = self._blur(image, sigma_um)
                    picture.add(pixels, electrons, well.x_um + image.dx_um, well.y_um + image.dy_um, self._options)
        return picture

    def _images_of(self, row: int, column: int) -> list[_Image]:
        assert self._wells is not None
        if self._options.everywhere:
            names = sorted(self._wells, key=str)
            return self._wells[names[(row * self._map.plate.columns + column) % len(names)]]
        return self._wells.get((row, column), []) + self._wells.get(None, [])

    def _electrons(self, image: _Image, doses: Sequence[Dose], bands: Bands) -> float:
        return sum(
            self._options.brightness_e_s * dose.level_s * emission(dose.source.wavelength_nm + _STOKES_NM, bands)
            for dose in doses
            if dose.source.name == image.source and dose.source.wavelength_nm is not None
        )

    def _blur(self, image: _Image, sigma_um: float) -> Field:
        """Return the image blurred; blur below a third of its pixel is none, and steps are of a few percent."""
        sigma_px = sigma_um / self._options.pixel_um
        if sigma_px < 1 / 3:
            return image.pixels
        level = round(math.log(sigma_px) / math.log(LEVEL_RATIO))
        key = (id(image), level)
        with self._lock:
            found = self._blurred.get(key)
            if found is None:
                blur_px = LEVEL_RATIO**level
                blurred = cv2.GaussianBlur(image.pixels, (0, 0), blur_px, borderType=cv2.BORDER_REPLICATE)
                found = self._blurred[key] = np.asarray(blurred, np.float32)
                while sum(kept.nbytes for kept in self._blurred.values()) > _BLURRED_BYTES and len(self._blurred) > 1:
                    self._blurred.popitem(last=False)
            self._blurred.move_to_end(key)
            return found


class ImagePicture:
    """Images laid on a grid.

    Parameters
    ----------
    view : View
        The grid: the camera's own.
    ground : Ground
        Painted first.
    """

    def __init__(self, view: View, ground: Ground) -> None:
        self.view = view
        self._ground = ground
        self._layers: list[tuple[Field, float, np.ndarray]] = []  # pixels, electrons, grid -> image pixels

    def add(self, pixels: Field, electrons: float, x_um: float, y_um: float, options: ImageOptions) -> None:
        """Lay an image with its centre at a place of the specimen."""
        view = self.view
        back = np.array(view.turn, np.float64).T * (view.pitch_um / options.pixel_um)
        away = np.array([view.centre.x_um - x_um, view.centre.y_um - y_um]) / options.pixel_um
        middle = (np.array([pixels.shape[1], pixels.shape[0]]) - 1) / 2
        origin = middle + away + back @ np.array([view.left_px, view.top_px])
        self._layers.append((pixels, electrons, np.hstack([back, origin[:, None]])))

    def paint(self, strip: Field, first_row: int, vignette: Vignette) -> None:
        """Write some rows; see `Picture.paint`."""
        self._ground.paint(strip, first_row, vignette)
        height, width = strip.shape
        for pixels, brightness, matrix in self._layers:
            shifted = matrix.copy()
            shifted[:, 2] += matrix[:, 1] * first_row
            if _misses(shifted, width, height, pixels.shape):
                continue
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            layer = cv2.warpAffine(pixels, shifted, (width, height), flags=flags, borderMode=cv2.BORDER_CONSTANT)
            np.multiply(layer, vignette.rows * np.float32(brightness), out=layer)
            np.multiply(layer, vignette.columns, out=layer)
            np.add(strip, layer, out=strip)


def _misses(matrix: np.ndarray, width: int, height: int, shape: tuple[int, ...]) -> bool:
    """Return whether a strip shows nothing of an image."""
    corners = matrix @ np.array([[-1, width, -1, width], [-1, -1, height, height], [1, 1, 1, 1]], np.float64)
    low, high = corners.min(axis=1), corners.max(axis=1)
    return bool(high[0] < -1 or high[1] < -1 or low[0] > shape[1] or low[1] > shape[0])


def _read(options: ImageOptions) -> dict[tuple[int, int] | None, list[_Image]]:
    folder = options.images.expanduser()
    if not folder.is_dir():
        raise ConfigurationError(
            f"no folder '{folder.absolute()}'", key="specimen.images", allowed="a folder of images"
        )
    pattern = re.compile(options.pattern)
    matches = [(path, match) for path in sorted(folder.iterdir()) if (match := pattern.search(path.name))]
    if not matches:
        raise ConfigurationError(
            f"no file of '{folder.absolute()}' fits {options.pattern}", key="specimen.pattern", allowed="at least one"
        )
    sources = options.channels or dict(
        zip(sorted({match["channel"] for _, match in matches}), ("405", "488", "561", "638"), strict=False)
    )
    wells: dict[tuple[int, int] | None, list[_Image]] = {}
    fields = sorted({_group(match, "field") for _, match in matches})
    for path, match in matches:
        if match["channel"] not in sources:
            _log.info("%s: channel %s belongs to no light source and stays dark", path, match["channel"])
            continue
        pixels = _pixels(path)
        step_um = max(pixels.shape) * options.pixel_um
        column, row = _spiral(fields.index(_group(match, "field")))
        well = _well(_group(match, "well"))
        image = _Image(sources[match["channel"]], pixels, column * step_um, row * step_um)
        wells.setdefault(well, []).append(image)
    return wells


def _pixels(path: Path) -> Field:
    raw = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if raw is None:
        raise ConfigurationError(f"'{path}' is no image that can be read", key="specimen.images")
    if raw.ndim == 3:
        raw = cv2.cvtColor(raw, cv2.COLOR_BGR2GRAY)
    full = {"uint8": 255.0, "uint16": 65535.0}.get(raw.dtype.name) or max(float(raw.max()), 1e-6)
    return np.ascontiguousarray(raw.astype(np.float32) / np.float32(full))


def _group(match: re.Match[str], name: str) -> str:
    return (match.groupdict().get(name) or "").upper()


def _well(name: str) -> tuple[int, int] | None:
    """Return zero-based row and column of a well name (``D03``, ``AA12``); None for no name."""
    if not name:
        return None
    letters = "".join(character for character in name if character.isalpha())
    row = 0
    for letter in letters:
        row = row * 26 + ord(letter) - ord("A") + 1
    return row - 1, int(name.removeprefix(letters)) - 1


def _spiral(number: int) -> tuple[int, int]:
    """Return column and row of a field: 0 in the middle, further ones in growing squares around it."""
    if number == 0:
        return 0, 0
    ring = (math.isqrt(number) + 1) // 2
    side, along = divmod(number - (2 * ring - 1) ** 2, 2 * ring)
    corner = along - ring + 1
    return ((ring, corner), (-corner, ring), (-ring, -corner), (corner, -ring))[side]
