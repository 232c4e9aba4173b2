"""How grey values are spread over images: counts for a histogram, and the limits in which the images look good.

One count serves one image (live view, a stored plane) or all of a plate (`add` them): auto contrast is the same sum
everywhere. Knows no channel, no choice of a person's and no Qt.
"""

from __future__ import annotations

from typing import Self

import numpy as np
import numpy.typing as npt

from squid.models.geometry import Pixels

Limits = tuple[int, int]
"""Grey values shown as black and as full brightness; the second is the greater one."""

BARS = 256

LOW_PCT = 0.1
HIGH_PCT = 99.8
"""Percentiles that auto contrast shows as black and as full brightness."""

SAMPLES_PER_SIDE = 256

_LEAST_SPAN = 1 / 256
"""Auto contrast never spreads less of the range than this: noise of a dark image stays dark."""


class GreyCounts:
    """Pixels per grey value, from a sample of each image.

    Parameters
    ----------
    significant_bits : int
        Of the images: the largest grey value is ``2**significant_bits - 1``; greater ones are counted as this.
    """

    def __init__(self, significant_bits: int) -> None:
        self.significant_bits = significant_bits
        self._counts = np.zeros(1 << significant_bits, np.int64)
        self._limits: Limits | None = (0, 1)

    @classmethod
    def of(cls, pixels: Pixels, significant_bits: int) -> Self:
        """Count one image; below 2 ms whatever its size."""
        counts = cls(significant_bits)
        counts.add(pixels)
        return counts

    def add(self, pixels: Pixels, samples_per_side: int = SAMPLES_PER_SIDE) -> None:
        """Take in an image, shape (Y, X), uint8 or uint16; at most ``samples_per_side**2`` of its pixels are seen."""
        height, width = pixels.shape
        sample = pixels[:: -(-height // samples_per_side), :: -(-width // samples_per_side)].ravel()
        self._counts += np.bincount(np.minimum(sample, self.largest), minlength=len(self._counts))
        self._limits = None

    @property
    def largest(self) -> int:
        """The largest grey value there can be."""
        return len(self._counts) - 1

    def seen(self) -> tuple[int, int]:
        """Return the smallest and the largest grey value of the samples; (0, 0) before the first image."""
        found = np.flatnonzero(self._counts)
        return (int(found[0]), int(found[-1])) if len(found) else (0, 0)

    def limits(self) -> Limits:
        """Return the grey values of the low and the high percentile; (0, 1) before the first image."""
        if self._limits is None:
            self._limits = self._percentiles()
        return self._limits

    def top(self, at_least: int = 0) -> int:
        """Return where the bars end: a power of two less one, so that a dark image is not a line at the left.

        Parameters
        ----------
        at_least : int
            Reach so far, too; never beyond the largest grey value.
        """
        bits = max(8, self.seen()[1].bit_length(), at_least.bit_length())
        return (1 << min(self.significant_bits, bits)) - 1

    def bars(self, top: int) -> npt.NDArray[np.int64]:
        """Return the counts in equal classes from 0 to `top` (of `top`), shape (256,)."""
        bars: npt.NDArray[np.int64] = self._counts[: top + 1].reshape(BARS, -1).sum(axis=1)
        return bars

    def _percentiles(self) -> Limits:
        sums = np.cumsum(self._counts)
        low, high = (int(v) for v in np.searchsorted(sums, (LOW_PCT / 100 * sums[-1], HIGH_PCT / 100 * sums[-1])))
        span = max(1, int(self.largest * _LEAST_SPAN))
        high = min(self.largest, max(high, low + span))
        return min(low, high - 1), high
