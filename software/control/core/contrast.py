"""Contrast for a whole plate: percentiles of everything seen so far, so that wells can be compared by eye."""

from __future__ import annotations

import numpy as np

from squid.models.geometry import Pixels

LOW_PCT = 1.0
HIGH_PCT = 99.7
"""Shown as black and as full brightness."""

_BITS = 14
_SAMPLES_PER_SIDE = 128


class RunningContrast:
    """Percentiles of a channel, from a sample of each image.

    Parameters
    ----------
    significant_bits : int
        Of the images.
    """

    def __init__(self, significant_bits: int) -> None:
        self._shift = max(0, significant_bits - _BITS)
        self._counts = np.zeros(1 << min(significant_bits, _BITS), np.int64)
        self._limits: tuple[int, int] | None = (0, 1)

    def add(self, pixels: Pixels) -> None:
        """Take in an image, shape (Y, X); at most 128 x 128 of its pixels are looked at."""
        height, width = pixels.shape
        sample = pixels[:: -(-height // _SAMPLES_PER_SIDE), :: -(-width // _SAMPLES_PER_SIDE)]
        values = np.minimum(sample.ravel() >> self._shift, len(self._counts) - 1)
        self._counts += np.bincount(values, minlength=len(self._counts))
        self._limits = None

    def limits(self) -> tuple[int, int]:
        """Return the grey values of the low and the high percentile; (0, 1) before the first image."""
        if self._limits is None:
            self._limits = self._percentiles()
        return self._limits

    def _percentiles(self) -> tuple[int, int]:
        sums = np.cumsum(self._counts)
        low, high = np.searchsorted(sums, (LOW_PCT / 100 * sums[-1], HIGH_PCT / 100 * sums[-1]))
        low_grey = int(low) << self._shift
        return low_grey, max(low_grey + 1, int(high) << self._shift)
