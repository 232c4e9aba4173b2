"""Channels as colours on the screen."""

from __future__ import annotations

import numpy as np

from control.core.rendering import Layer, Renderer
from squid.models.geometry import Pixels


def _row(*values: int) -> Pixels:
    return np.array([values], np.uint16)


def test_a_channel_has_its_colour_between_its_limits() -> None:
    picture = Renderer().render([Layer(_row(0, 100, 150, 200, 65535), (100, 200), "#FF8000")], (1, 5))
    assert picture[0, :, :3].tolist() == [[0, 0, 0], [0, 0, 0], [0, 64, 127], [0, 128, 255], [0, 128, 255]]
    assert (picture[..., 3] == 255).all()


def test_channels_add_up_and_do_not_run_over() -> None:
    layers = [Layer(_row(200), (100, 200), "#FF8000"), Layer(_row(200), (100, 200), "#80FF00")]
    assert Renderer().render(layers, (1, 1))[0, 0].tolist() == [0, 255, 255, 255]


def test_other_limits_are_seen_at_once() -> None:
    renderer = Renderer()
    dark = renderer.render([Layer(_row(50), (0, 100), "#FFFFFF")], (1, 1))
    bright = renderer.render([Layer(_row(50), (0, 50), "#FFFFFF")], (1, 1))
    assert (dark[0, 0, 0], bright[0, 0, 0]) == (127, 255)


def test_nothing_is_black() -> None:
    assert Renderer().render([], (2, 3))[..., :3].sum() == 0


def test_eight_bit_frames_are_drawn_too() -> None:
    layer = Layer(np.array([[255]], np.uint8), (0, 255), "#00FF00")
    assert Renderer().render([layer], (1, 1))[0, 0].tolist() == [0, 255, 0, 255]
