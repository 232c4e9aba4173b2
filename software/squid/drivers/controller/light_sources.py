"""The controller's light sources: their options, the intensity that reaches the sample, their colours. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, PlainValidator, model_validator

from squid.drivers.controller.protocol_table import LightSource as SourceCode
from squid.models.base import FileModel

FULL_SCALE: Final = 65535

PORTS: Final = {"D1": 0, "D2": 1, "D3": 2, "D4": 3, "D5": 4}
PORT_CODES: Final = {name: SourceCode[name] for name in PORTS}
PATTERNS: Final = {
    "full": SourceCode.MATRIX_FULL,
    "left_half": SourceCode.MATRIX_LEFT_HALF,
    "right_half": SourceCode.MATRIX_RIGHT_HALF,
    "left_blue_right_red": SourceCode.MATRIX_LEFT_BLUE_RIGHT_RED,
    "low_na": SourceCode.MATRIX_LOW_NA,
    "left_dot": SourceCode.MATRIX_LEFT_DOT,
    "right_dot": SourceCode.MATRIX_RIGHT_DOT,
    "top_half": SourceCode.MATRIX_TOP_HALF,
    "bottom_half": SourceCode.MATRIX_BOTTOM_HALF,
}
"""LED patterns by the names that a machine file uses (section 6.2)."""

PatternName = Literal[
    "full",
    "left_half",
    "right_half",
    "left_blue_right_red",
    "low_na",
    "left_dot",
    "right_dot",
    "top_half",
    "bottom_half",
]


class PortSource(FileModel):
    """A laser or LED on one of the ports D1 to D5.

    Attributes
    ----------
    port : str
        D1 to D5.
    wavelength_nm : float or None
        Of its line; None for white light.
    calibration : tuple of (float, float)
        Wanted fraction of the power -> fraction of the control voltage, ascending, (0, 0) and (1, 1) included when
        left out; empty: proportional.
    """

    port: Literal["D1", "D2", "D3", "D4", "D5"]
    wavelength_nm: float | None = Field(default=None, gt=0)
    calibration: tuple[tuple[float, float], ...] = ()

    @model_validator(mode="after")
    def _ascending(self) -> PortSource:
        for (a, b), (c, d) in zip(self.calibration, self.calibration[1:], strict=False):
            if not (a < c and b <= d):
                raise ValueError(f"calibration must ascend: ({c}, {d}) follows ({a}, {b})")
        if any(not (0 <= value <= 1) for pair in self.calibration for value in pair):
            raise ValueError("calibration holds fractions from 0 to 1")
        return self

    def level(self, intensity: float) -> int:
        """Return the 16-bit level for a fraction 0…1 of the power."""
        return int(interpolate(self.calibration, intensity) * FULL_SCALE)

    def intensity(self, level: float) -> float:
        """Return the fraction of the power at a level 0…1: the inverse of `level`."""
        return interpolate(tuple((y, x) for x, y in self.calibration), min(1.0, level))


class MatrixSource(FileModel):
    """A pattern of the LED matrix.

    Attributes
    ----------
    pattern : str
        Which LEDs.
    colour : (float, float, float)
        Red, green and blue at full intensity, 0…1.
    wavelength_nm : float or None
        None for white light.
    """

    pattern: PatternName
    colour: tuple[float, float, float] = (1.0, 1.0, 1.0)
    wavelength_nm: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _fractions(self) -> MatrixSource:
        if any(not 0 <= part <= 1 for part in self.colour):
            raise ValueError("colour holds fractions from 0 to 1")
        return self

    def colour_fields(self, intensity: float) -> dict[str, int]:
        """Return the fields of SET_ILLUMINATION_LED_MATRIX for a fraction 0…1."""
        red, green, blue = (int(part * intensity * 255) for part in self.colour)
        return {"source": PATTERNS[self.pattern], "red": red, "green": green, "blue": blue}


def _source(given: Any) -> PortSource | MatrixSource:
    """Read a source as the kind that its keys mean, so that an error speaks of that one only."""
    if isinstance(given, PortSource | MatrixSource):
        return given
    is_matrix = isinstance(given, Mapping) and "pattern" in given
    return MatrixSource.model_validate(given) if is_matrix else PortSource.model_validate(given)


Source = Annotated[PortSource | MatrixSource, PlainValidator(_source)]
"""A source as a machine file describes it: with the key `pattern` one of the matrix, else one of a port."""


def interpolate(points: tuple[tuple[float, float], ...], x: float) -> float:
    """Return y at x on the polygon through (0, 0), the points, and (1, 1)."""
    if not points:
        return x
    polygon: list[tuple[float, float]] = [
        *(() if points[0][0] == 0 else ((0.0, 0.0),)),
        *points,
        *(() if points[-1][0] == 1 else ((1.0, 1.0),)),
    ]
    after = max(1, bisect_left([px for px, _ in polygon], x))
    (x0, y0), (x1, y1) = polygon[after - 1], polygon[after]
    return float(y0 + (y1 - y0) * (x - x0) / (x1 - x0)) if x1 > x0 else float(y1)
