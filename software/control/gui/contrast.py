"""Black and white of each channel: one model that every page reads and writes.

Owns the choice; knows no widget and no file. Who shows images listens to `changed`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from PyQt5.QtCore import QObject, pyqtSignal


@dataclass(frozen=True, slots=True)
class ChannelContrast:
    """How the grey values of one channel are shown.

    Attributes
    ----------
    black, white : int
        Grey values shown as black and as full brightness; ``black < white``.
    is_auto : bool
        Whether both follow the image.
    """

    black: int
    white: int
    is_auto: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.black < self.white:
            raise ValueError(f"black {self.black} must be at least 0 and below white {self.white}")


class Contrast(QObject):
    """The contrast of every channel, by name; of the GUI thread.

    Attributes
    ----------
    changed : pyqtSignal(str)
        Name of the channel whose contrast is another now.
    """

    changed = pyqtSignal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._channels: dict[str, ChannelContrast] = {}

    def of(self, channel: str, significant_bits: int) -> ChannelContrast:
        """Return a channel's contrast, inside the range of such pixels; at first all of it, following the image."""
        white = 2**significant_bits - 1
        chosen = self._channels.get(channel)
        if chosen is None:
            return ChannelContrast(0, white)
        return replace(chosen, black=min(chosen.black, white - 1), white=min(chosen.white, white))

    def set(self, channel: str, black: int, white: int, *, is_auto: bool = False) -> None:
        """Choose black and white; `ValueError` unless ``0 <= black < white``."""
        self._put(channel, ChannelContrast(black, white, is_auto))

    def set_auto(self, channel: str, is_auto: bool, significant_bits: int) -> None:
        """Let both follow the image, or stay as they are."""
        self._put(channel, replace(self.of(channel, significant_bits), is_auto=is_auto))

    def reset(self, channel: str, significant_bits: int) -> None:
        """Show the full range, and leave it so."""
        self._put(channel, ChannelContrast(0, 2**significant_bits - 1, is_auto=False))

    def remember(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {name: [c.black, c.white, c.is_auto] for name, c in self._channels.items()}

    def restore(self, remembered: Mapping[str, Any]) -> None:
        """Take what `remember` gave; an entry that makes no sense is left out."""
        for channel, values in remembered.items():
            match values:
                case [int(black), int(white), bool(is_auto)] if 0 <= black < white:
                    self.set(channel, black, white, is_auto=is_auto)
                case _:
                    continue

    def _put(self, channel: str, contrast: ChannelContrast) -> None:
        if self._channels.get(channel) != contrast:
            self._channels[channel] = contrast
            self.changed.emit(channel)
