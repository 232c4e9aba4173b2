"""Channels as colours on the screen."""

from __future__ import annotations

import numpy as np

from control.core.rendering import Layer, Renderer, Rgb32
from squid.models.geometry import Pixels


def _row(*values: int) -> Pixels:
    return np.array([values], np.uint16)


def _parts(picture: Rgb32) -> list[list[int]]:
    """Blue, green, red and 255 of each pixel of the first row."""
    parts: list[list[int]] = picture.view(np.uint8).reshape(*picture.shape, 4)[0].tolist()
    return parts


def test_a_channel_has_its_colour_between_its_limits() -> None:
    picture = Renderer().render([Layer(_row(0, 100, 150, 200, 65535), (100, 200), "#FF8000")], (1, 5))
    colours = [[0, 0, 0], [0, 0, 0], [0, 64, 128], [0, 128, 255], [0, 128, 255]]
    assert _parts(picture) == [[*colour, 255] for colour in colours]


def test_channels_add_up_and_do_not_run_over() -> None:
    layers = [Layer(_row(200), (100, 200), "#FF8000"), Layer(_row(200), (100, 200), "#80FF00")]
    assert _parts(Renderer().render(layers, (1, 1))) == [[0, 255, 255, 255]]


def test_other_limits_are_seen_at_once() -> None:
    renderer = Renderer()
    dark = renderer.render([Layer(_row(50), (0, 100), "#FFFFFF")], (1, 1))
    bright = renderer.render([Layer(_row(50), (0, 50), "#FFFFFF")], (1, 1))
    assert (_parts(dark)[0][0], _parts(bright)[0][0]) == (128, 255)


def test_nothing_is_black() -> None:
    assert Renderer().render([], (2, 3)).tolist() == [[0xFF000000] * 3] * 2


def test_magenta_that_is_no_mark_adds_up_like_any_colour() -> None:
    layers = [Layer(_row(200), (100, 200), "#FF00FF"), Layer(_row(200), (100, 200), "#00FF00")]
    assert _parts(Renderer().render(layers, (1, 1))) == [[255, 255, 255, 255]]


def test_eight_bit_frames_are_drawn_too() -> None:
    layer = Layer(np.array([[255]], np.uint8), (0, 255), "#00FF00")
    assert _parts(Renderer().render([layer], (1, 1))) == [[0, 255, 0, 255]]
