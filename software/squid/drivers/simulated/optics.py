"""Light: what sources, filters and objectives let through, and how far they blur. Pure functions.

Formulas: Rayleigh-like Gaussian width 0.21 λ/NA of an in-focus point (B. Zhang et al., Appl. Opt. 46:1819, 2007,
doi 10.1364/AO.46.001819, widefield non-paraxial about 0.21 to 0.225); a defocused point is a disc of radius
|dz| tan(asin(NA/n)), whose standard deviation per axis is half its radius.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Bands = tuple[tuple[float, float], ...]
"""Pass bands of a filter: (shortest, longest) wavelength in nm."""

VISIBLE: Bands = ((400.0, 750.0),)
"""What the camera sees without an emission filter."""

_BLUR_WAVELENGTH_UM = 0.55
_LARGEST_BLUR_UM = 100.0  # beyond, a cell is a haze: further blur would only cost time
_SPECTRUM_SIGMA_NM = 20.0  # a dye's bands, about 47 nm full width at half maximum


def blur_sigma_um(defocus_um: float, numerical_aperture: float) -> float:
    """Return the Gaussian width of a point seen `defocus_um` out of focus, at the sample."""
    return float(blur_sigmas_um(np.array([defocus_um]), numerical_aperture)[0])


def blur_sigmas_um(defocus_um: npt.NDArray[np.float64], numerical_aperture: float) -> npt.NDArray[np.float64]:
    """Return the Gaussian widths of points seen out of focus, at the sample; same shape as `defocus_um`."""
    index = 1.0 if numerical_aperture < 1 else 1.515
    tangent = math.tan(math.asin(numerical_aperture / index))
    in_focus = 0.21 * _BLUR_WAVELENGTH_UM / numerical_aperture
    return np.minimum(np.hypot(in_focus, defocus_um * (tangent / 2)), _LARGEST_BLUR_UM)


def collection(numerical_aperture: float, pitch_um: float) -> float:
    """Return the light that one pixel collects, relative to NA 0.8 and 0.325 µm per pixel: NA² times pixel area."""
    return (numerical_aperture / 0.8) ** 2 * (pitch_um / 0.325) ** 2


def excitation(source_nm: float | None, dye_nm: float) -> float:
    """Return how well a source excites a dye, 0…1; white light is taken as transmitted and excites nothing."""
    if source_nm is None:
        return 0.0
    return math.exp(-(((source_nm - dye_nm) / _SPECTRUM_SIGMA_NM) ** 2) / 2)


def emission(dye_nm: float, bands: Sequence[tuple[float, float]]) -> float:
    """Return the fraction of a dye's emission that a filter passes."""
    scale = _SPECTRUM_SIGMA_NM * math.sqrt(2)
    return sum((math.erf((high - dye_nm) / scale) - math.erf((low - dye_nm) / scale)) / 2 for low, high in bands)


def white_transmission(bands: Sequence[tuple[float, float]]) -> float:
    """Return the fraction of white light, flat over the visible range, that a filter passes."""
    low_end, high_end = VISIBLE[0]
    passed = sum(max(0.0, min(high, high_end) - max(low, low_end)) for low, high in bands)
    return passed / (high_end - low_end)
