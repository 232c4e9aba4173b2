import numpy as np
import pytest

from control.core.rendering import SATURATED, Layer, colour_table
from control.gui.image_reading import read_at
from control.gui.image_render import compose, render, sampling
from control.gui.image_render import image_of as picture_of
from control.gui.image_tools import Drawing, Tool
from control.gui.view_transform import Placement, ViewTransform, image_of, stage_of
from squid.models.geometry import Orientation

ONE = (1.0, 1.0)


def test_black_is_black_white_is_the_colour_and_between_is_a_share():
    table = colour_table((100, 300), "#00FF80")
    assert [hex(table[g]) for g in (0, 100, 300, 65535)] == ["0xff000000", "0xff000000", "0xff00ff80", "0xff00ff80"]
    assert table[200] == 0xFF008040


def test_saturated_pixels_are_marked_from_the_largest_value_on():
    table = colour_table((0, 4095), "#FFFFFF", saturated=4095)
    assert table[4094] != SATURATED
    assert table[4095] == table[65535] == SATURATED


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("turned", [0, 90, 180, 270])
@pytest.mark.parametrize("flipped", [False, True])
def test_at_one_to_one_each_pixel_is_itself(dtype, turned, flipped):
    pixels = Orientation(rotate_deg=turned, flip_x=flipped).apply(np.arange(6 * 5, dtype=dtype).reshape(6, 5))
    shape = pixels.shape
    shown = render(pixels, sampling(shape, shape, ONE, (0.0, 0.0)), np.arange(65536, dtype=np.uint32))
    assert shown.flags.c_contiguous
    assert shown.shape == shape
    assert (shown == pixels).all()


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_a_turned_view_is_sampled_like_its_copy(turned):
    pixels = Orientation(rotate_deg=turned).apply(np.arange(60 * 47, dtype=np.uint16).reshape(60, 47))
    chosen = sampling(pixels.shape, (31, 33), (0.7, 0.7), (-3.0, 2.0))
    table = np.arange(65536, dtype=np.uint32)
    assert (render(pixels, chosen, table) == render(pixels.copy(), chosen, table)).all()


def test_the_last_of_all_colours_is_found():
    pixels = np.array([[65535, 0], [4095, 1]], np.uint16)
    table = np.arange(65536, dtype=np.uint32) | np.uint32(0xFF000000)
    shown = render(pixels, sampling((2, 2), (2, 2), ONE, (0.0, 0.0)), table)
    assert shown.tolist() == [[0xFF00FFFF, 0xFF000000], [0xFF000FFF, 0xFF000001]]


def test_zoomed_in_each_pixel_is_a_square():
    pixels = np.array([[1, 2], [3, 4]], np.uint16)
    chosen = sampling((2, 2), (8, 8), (3.0, 3.0), (1.0, -2.0))
    shown = render(pixels, chosen, np.arange(65536, dtype=np.uint32))
    assert (chosen.top_px, chosen.left_px) == (1, 0)
    assert shown.tolist() == [[1, 2, 2, 2]] * 3 + [[3, 4, 4, 4]] * 3


def test_an_image_out_of_sight_shows_nothing():
    chosen = sampling((10, 10), (20, 20), ONE, (100.0, 0.0))
    assert len(chosen.rows) == 0
    assert render(np.zeros((10, 10), np.uint16), chosen, np.zeros(65536, np.uint32)).size == 0


@pytest.mark.parametrize("is_marked", [False, True])
def test_layers_add_up_and_a_mark_in_one_of_them_stays(is_marked):
    layers = [
        Layer(np.array([[0, 200, 255]], np.uint8), (0, 255), "#FF0000"),
        Layer(np.array([[255, 200, 255]], np.uint8), (0, 200), "#00FF00"),
    ]
    tables = [colour_table(each.limits, each.colour, 255 if is_marked else None) for each in layers]
    shown = compose(layers, tables, sampling((1, 3), (1, 3), ONE, (0.0, 0.0)), is_marked=is_marked)
    mark = SATURATED if is_marked else None
    assert shown.tolist() == [[mark or 0xFF00FF00, 0xFFC8FF00, mark or 0xFFFFFF00]]
    assert picture_of(shown).pixel(1, 0) == 0xFFC8FF00


def test_a_smaller_copy_takes_the_place_of_the_image():
    copy = Layer(np.array([[1, 2], [3, 4]], np.uint16), (0, 9), name="DAPI")
    reading = read_at([copy], (5, 4), (3.5, 2.4), (10.0, 20.0))
    assert str(reading) == "x 10.0  y 20.0 µm   pixel 3, 2   DAPI 2"
    assert read_at([copy], (5, 4), (3.5, 2.6), None).values == (("DAPI", 4),)
    assert read_at([copy], (5, 4), (4.0, 2.0), None) is None


@pytest.mark.parametrize(("scale", "density", "level"), [(1.0, 1.0, 0), (0.51, 1.0, 0), (0.5, 1.0, 1), (0.1, 2.0, 2)])
def test_the_smallest_copy_with_a_pixel_for_each_of_the_screen(scale, density, level):
    assert ViewTransform(scale, 0.0, 0.0, (100.0, 100.0)).level(density) == level


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
