"""The pyramid of an image: each level half the size of the one before, by the mean of 2 x 2 pixels.

Also puts a turned view of a frame into plain memory order, which is what writers and OpenCV want.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from squid.models.geometry import Pixels

SMALLEST_PX = 256
"""Levels are added until the longer side is at most this."""


def level_shapes(shape_px: tuple[int, int]) -> list[tuple[int, int]]:
    """Return (height, width) of every level, the frame's own first; an odd last row or column is left out."""
    height, width = shape_px
    shapes = [(height, width)]
    while max(height, width) > SMALLEST_PX and min(height, width) > 1:
        height, width = height // 2, width // 2
        shapes.append((height, width))
    return shapes


def levels(pixels: Pixels, count: int) -> list[Pixels]:
    """Return `count` levels of a contiguous frame, itself first; values are rounded means."""
    result = [pixels]
    while len(result) < count:
        above = result[-1]
        height, width = above.shape[0] // 2, above.shape[1] // 2
        even = above[: height * 2, : width * 2]
        result.append(cast(Pixels, cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)))
    return result


def contiguous(pixels: Pixels) -> Pixels:
    """Return the frame in C order; a frame that is so already is not copied.

    A view turned by 90 degrees is copied several times faster by OpenCV than by numpy.
    """
    if pixels.flags.c_contiguous:
        return pixels
    rows, columns = (-1 if step < 0 else 1 for step in pixels.strides)
    forward = pixels[::rows, ::columns]
    if not forward.T.flags.c_contiguous:
        return cast(Pixels, np.ascontiguousarray(pixels))
    turned = cv2.transpose(forward.T)
    flip = {(-1, -1): -1, (-1, 1): 0, (1, -1): 1}.get((rows, columns))
    return cast(Pixels, turned if flip is None else cv2.flip(turned, flip))
