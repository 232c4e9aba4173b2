"""Making an image smaller by averaging, as cheaply as it can be done. Owns nothing."""

from __future__ import annotations

from typing import cast

import cv2

from control.core.sinks.pyramid import contiguous
from squid.models.geometry import Pixels


def shrunk(pixels: Pixels, height_px: int, width_px: int) -> Pixels:
    """Return an image of another size in which each pixel is a mean of what it covers.

    Halves as long as that is possible, then interpolates: ten times as fast as one step of an odd ratio, 0.5 to 1 ms
    for 2048 x 2048 pixels to any side. An image that is to become larger is enlarged.

    Parameters
    ----------
    pixels : ndarray, shape (Y, X), uint8 or uint16
        A turned or mirrored view is as cheap as the frame itself.
    height_px, width_px : int
        At least 1.
    """
    while pixels.shape[0] >= 2 * height_px and pixels.shape[1] >= 2 * width_px:
        pixels = _halved(pixels)
    pixels = contiguous(pixels)
    if pixels.shape == (height_px, width_px):
        return pixels
    return cast(Pixels, cv2.resize(pixels, (width_px, height_px), interpolation=cv2.INTER_LINEAR))


def _halved(pixels: Pixels) -> Pixels:
    """Average blocks of 2 x 2 in the order in which they lie in memory; an odd last row or column is left out."""
    flip_y, flip_x = (-1 if stride < 0 else 1 for stride in pixels.strides)
    straight = pixels[::flip_y, ::flip_x]
    is_turned = straight.strides[0] < straight.strides[1]
    straight = straight.T if is_turned else straight
    height, width = straight.shape[0] // 2, straight.shape[1] // 2
    even = straight[: 2 * height, : 2 * width]
    half = cast(Pixels, cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA))
    half = half.T if is_turned else half
    return half[::flip_y, ::flip_x]
