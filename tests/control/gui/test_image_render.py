import numpy as np
import pytest

from control.gui.image_render import SATURATED, Tone, look_up_table, render, sampling
from control.gui.image_tools import Drawing, Tool
from control.gui.view_transform import Placement, ViewTransform, image_of, stage_of


def test_black_is_black_white_is_the_colour_and_between_is_a_share():
    table = look_up_table(Tone(100, 300, "#00FF80"))
    assert [hex(table[g]) for g in (0, 100, 300, 65535)] == ["0xff000000", "0xff000000", "0xff00ff80", "0xff00ff80"]
    assert table[200] == 0xFF008040


def test_saturated_pixels_are_marked_from_the_largest_value_on():
    table = look_up_table(Tone(0, 4095, saturated=4095))
    assert table[4094] != SATURATED
    assert table[4095] == table[65535] == SATURATED


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("turned", [False, True])
def test_at_one_to_one_each_pixel_is_itself(dtype, turned):
    pixels = np.arange(6 * 5, dtype=dtype).reshape(6, 5)
    pixels = pixels[::-1, ::-1] if turned else pixels
    table = np.arange(65536, dtype=np.uint32)
    chosen = sampling((6, 5), (6, 5), 1.0, (0.0, 0.0))
    assert (render(pixels, chosen, table) == pixels).all()


def test_zoomed_in_each_pixel_is_a_square():
    pixels = np.array([[1, 2], [3, 4]], np.uint16)
    chosen = sampling((2, 2), (8, 8), 3.0, (1.0, -2.0))
    shown = render(pixels, chosen, np.arange(65536, dtype=np.uint32))
    assert (chosen.top_px, chosen.left_px) == (1, 0)
    assert shown.tolist() == [[1, 2, 2, 2]] * 3 + [[3, 4, 4, 4]] * 3


def test_an_image_out_of_sight_shows_nothing():
    chosen = sampling((10, 10), (20, 20), 1.0, (100.0, 0.0))
    assert len(chosen.rows) == 0
    assert render(np.zeros((10, 10), np.uint16), chosen, np.zeros(65536, np.uint32)).size == 0


def test_zooming_keeps_what_is_under_the_cursor():
    view = ViewTransform.fit((100, 200), (400.0, 400.0))
    assert view.scale == 2.0
    before = view.to_image(130.0, 250.0)
    assert view.zoomed(1.7, 130.0, 250.0).to_image(130.0, 250.0) == pytest.approx(before)


def test_panning_does_not_lose_the_image():
    view = ViewTransform.fit((100, 200), (400.0, 400.0)).panned(-1e6, 1e6, (100, 200))
    assert (view.column, view.row) == (200.0, 0.0)


def test_the_middle_of_an_image_is_where_it_was_placed_and_back():
    place = Placement(1000.0, -2000.0, 0.5)
    assert stage_of(place, (100, 200), 100.0, 50.0) == (1000.0, -2000.0)
    assert stage_of(place, (100, 200), 200.0, 0.0) == (1050.0, -2025.0)
    assert image_of(place, (100, 200), 1050.0, -2025.0) == (200.0, 0.0)


def test_shift_keeps_a_line_straight():
    drawing = Drawing(Tool.LINE)
    drawing.press((10.0, 10.0))
    drawing.move((50.0, 13.0), is_down=True, straight=True)
    assert drawing.closed() == [(10.0, 10.0), (50.0, pytest.approx(10.0))]


def test_a_click_is_no_line():
    drawing = Drawing(Tool.LINE)
    drawing.press((10.0, 10.0))
    assert drawing.closed() is None
