import numpy as np
import pytest

from control.gui.line_profile import LineProfile, profile


@pytest.fixture
def plot(qtbot):
    widget = LineProfile()
    qtbot.addWidget(widget)
    widget.resize(500, 130)
    widget.show()
    return widget


def test_distances_are_in_um(plot):
    plot.set_line(((10.5, 20.5), (60.5, 20.5)))
    plot.show_image(np.tile(np.arange(100, dtype=np.uint16), (50, 1)), 0.5)
    assert plot.distances_um[-1] == 25.0
    assert plot.values[-1] == 60.0


def test_a_profile_is_painted_and_goes_away(plot):
    empty = plot.grab().toImage()
    plot.set_line(((10.5, 20.5), (60.5, 20.5)))
    plot.show_image(np.tile(np.arange(100, dtype=np.uint16), (50, 1)), 0.5)
    assert plot.grab().toImage() != empty
    plot.set_line(None)
    assert plot.grab().toImage() == empty


def test_a_line_beside_the_image_says_so(plot):
    plot.set_line(((200.0, 200.0), (300.0, 300.0)))
    plot.show_image(np.zeros((50, 50), np.uint16), 0.5)
    assert len(plot.values) == 0
    assert not plot.grab().isNull()


def test_the_profile_reads_along_the_line():
    pixels = np.tile(np.arange(100, dtype=np.uint16), (50, 1))
    distances, values = profile(pixels, (10.5, 20.5), (60.5, 20.5))
    assert distances.tolist() == list(range(51))
    assert values == pytest.approx(np.arange(10, 61))


def test_the_profile_is_averaged_across_the_line_and_ends_at_the_edge():
    pixels = np.zeros((50, 50), np.uint16)
    pixels[18:23] = 100
    _, values = profile(pixels, (10.5, 20.5), (59.5, 20.5), width_px=5)
    assert values[:40] == pytest.approx(100.0)
    assert np.isnan(values[-5:]).all()
    _, across = profile(pixels, (10.5, 10.5), (10.5, 30.5), width_px=5)
    assert across.max() == 100.0
    assert across.min() == 0.0
