"""What the controller has told of itself: its newest frame, those before, and the pages of firmware 2.0."""

from __future__ import annotations

import time
from collections import deque
from typing import Final

from squid.drivers.controller.packets import StatusFrame
from squid.drivers.controller.protocol_table import AxisCode, Page

PAGES: Final = (Page.AXES, Page.W_POSITION, Page.W2_POSITION, Page.SEQUENCE, Page.LIGHTS, Page.FAULT)
"""Pages that firmware 2.0 is asked to show in turn."""

_PAST_FRAMES: Final = 100


class Reports:
    """Keeps frames; written by the link's thread, read by any.

    Attributes
    ----------
    newest : StatusFrame or None
        The newest frame.
    axes : StatusFrame or None
        The newest that tells of the axes; None on stock firmware.
    """

    def __init__(self) -> None:
        self.newest: StatusFrame | None = None
        self.axes: StatusFrame | None = None
        self._past: deque[tuple[float, StatusFrame]] = deque(maxlen=_PAST_FRAMES)
        self._wheels: dict[Page, int] = {}

    @property
    def past(self) -> tuple[tuple[float, StatusFrame], ...]:
        """The last frames, each with the instant (`time.monotonic`) at which it came."""
        return tuple(self._past)

    def take(self, frame: StatusFrame) -> StatusFrame | None:
        """Keep a frame; return the one before it."""
        before, self.newest = self.newest, frame
        self._past.append((time.monotonic(), frame))
        if frame.page is Page.AXES:
            self.axes = frame
        elif frame.page in (Page.W_POSITION, Page.W2_POSITION):
            self._wheels[frame.page] = frame.page_data - (frame.page_data >> 31 << 32)
        return before

    def is_homed(self, axis: AxisCode) -> bool:
        """Whether firmware 2.0 says that an axis is homed; False on stock firmware, which never says so."""
        return self.axes is not None and self.axes.axis_bits(axis).is_homed

    def wheel_usteps(self, page: Page) -> int | None:
        """Return the position of a filter wheel as firmware 2.0 reports it; None on stock firmware."""
        return self._wheels.get(page)

    def forget(self) -> None:
        """Void what was told: another program, or nobody, may have been there meanwhile."""
        self.newest = self.axes = None
