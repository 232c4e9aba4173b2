"""Memory for frames that is used again once nobody has the frame any more, like the ring of buffers of a real camera.

Frames are let go by other threads than the one that makes them, so that the allocator gives their pages back to the
system each time; getting them again, cleared, costs a fifth of a frame's rendering.
"""

from __future__ import annotations

import sys

import numpy as np

from squid.models.geometry import Pixels

_KEPT_BYTES = 192 * 2**20  # as many as may wait for the disk (`FrameWriter`), and a few more
_KEPT = 32
_OWN_REFERENCES = 3  # to a frame that nobody else has: the list's, the loop variable's, the question's


class FrameMemory:
    """Hands out frames; for one thread."""

    def __init__(self) -> None:
        self._frames: list[Pixels] = []

    def frame(self, height_px: int, width_px: int) -> Pixels:
        """Return an array of shape (height_px, width_px) of uint16 that nobody else has, its content undefined."""
        for frame in self._frames:
            if frame.shape == (height_px, width_px) and sys.getrefcount(frame) == _OWN_REFERENCES:
                return frame
        frame = np.empty((height_px, width_px), np.uint16)
        self._frames.append(frame)
        while len(self._frames) > _KEPT or sum(kept.nbytes for kept in self._frames) > _KEPT_BYTES:
            del self._frames[0]
        return frame
