"""Black and full brightness of each channel: what a person chose, and otherwise what fits the images.

::

                 choose(limits)
    auto ─────────────────────────▶ by hand      limits() = those chosen
      ▲                                │
      └──────────── follow() ──────────┘         limits() = those that fit the images (`grey_values`)

One model for live view, runs and review: a channel looks the same on each page. Which images auto contrast fits is the
page's business. Knows no widget and no file. Not for several threads: it belongs to the window's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from control.core.grey_values import Limits


class Contrast:
    """The contrast that a person gave channels, by name."""

    def __init__(self) -> None:
        self._chosen: dict[str, Limits] = {}

    def is_auto(self, channel: str) -> bool:
        """Return whether a channel's contrast follows its images."""
        return channel not in self._chosen

    def limits(self, channel: str, fitting: Limits, significant_bits: int) -> Limits:
        """Return the grey values of black and of full brightness.

        Parameters
        ----------
        channel : str
            Its name.
        fitting : (int, int)
            What fits the images; is returned unless a person chose otherwise.
        significant_bits : int
            Of the images; what was chosen for larger grey values ends at the largest of these.
        """
        black, white = self._chosen.get(channel, fitting)
        largest = 2**significant_bits - 1
        return min(black, largest - 1), min(white, largest)

    def choose(self, channel: str, black: int, white: int) -> None:
        """Show these grey values as black and as full brightness; `ValueError` unless ``0 <= black < white``."""
        if not 0 <= black < white:
            raise ValueError(f"black {black} must be at least 0 and below white {white}")
        self._chosen[channel] = (black, white)

    def follow(self, channel: str) -> None:
        """Let the contrast follow the images again."""
        self._chosen.pop(channel, None)

    def remember(self) -> dict[str, Any]:
        """Return what was chosen by hand, as JSON values."""
        return {channel: list(limits) for channel, limits in self._chosen.items()}

    def restore(self, remembered: Mapping[str, Any]) -> None:
        """Take what `remember` gave; an entry that makes no sense is left out."""
        for channel, values in remembered.items():
            match values:
                case [int(black), int(white)] if 0 <= black < white:
                    self.choose(channel, black, white)
