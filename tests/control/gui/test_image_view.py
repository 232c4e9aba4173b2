import numpy as np
import pytest
from PyQt5.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt5.QtGui import QMouseEvent, QWheelEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication

from control.core.rendering import Layer
from control.gui.image_overlays import Outline, circle, round_length_um, scale_text
from control.gui.image_tools import Tool
from control.gui.image_view import ImageView, Pace
from control.gui.view_transform import Placement

PLACE = Placement(1000.0, 2000.0, 0.5)


@pytest.fixture
def view(qtbot):
    widget = ImageView(has_stage=True)
    qtbot.addWidget(widget)
    widget.resize(400, 400)
    show(widget, np.arange(200 * 200, dtype=np.uint16).reshape(200, 200) % 4096)
    widget.show()
    return widget


@pytest.fixture
def stored(qtbot):
    """A view as on the pages without a stage: two smaller copies of an image of 200 x 200."""
    widget = ImageView()
    qtbot.addWidget(widget)
    widget.resize(400, 400)
    copy = np.arange(100 * 100, dtype=np.uint16).reshape(100, 100) % 4096
    widget.show_image(
        [Layer(copy, (0, 4095), "#FF0000", "DAPI"), Layer(copy, (0, 4095), "#00FF00", "FITC")], 12, PLACE, (200, 200)
    )
    widget.show()
    return widget


def show(view, pixels, limits=(0, 4095), colour="#FFFFFF", bits=12, place=PLACE):
    view.show_image([Layer(pixels, limits, colour)], bits, place)


def heard(signal):
    calls = []
    signal.connect(lambda *args: calls.append(args[0] if len(args) == 1 else args))
    return calls


def wheel(view, notches, keys=Qt.NoModifier, at=(100, 100), sideways=False):
    delta = QPoint(120 * notches, 0) if sideways else QPoint(0, round(120 * notches))
    point = QPointF(*at)
    event = QWheelEvent(point, point, QPoint(), delta, Qt.NoButton, keys, Qt.NoScrollPhase, False)
    QApplication.sendEvent(view, event)


def colour_at(view, x, y):
    return view.grab().toImage().pixelColor(x, y).getRgb()[:3]


def move(view, x, y, button=Qt.NoButton):
    held = Qt.MouseButtons(button)
    QApplication.sendEvent(view, QMouseEvent(QEvent.MouseMove, QPointF(x, y), Qt.NoButton, held, Qt.NoModifier))


def drag(view, start, end, button=Qt.LeftButton):
    QTest.mousePress(view, button, Qt.NoModifier, QPoint(*start))
    move(view, *end, button)
    QTest.mouseRelease(view, button, Qt.NoModifier, QPoint(*end))


@pytest.mark.parametrize(
    ("keys", "pace"), [(Qt.NoModifier, Pace.PLAIN), (Qt.ControlModifier, Pace.FINE), (Qt.ShiftModifier, Pace.COARSE)]
)
def test_the_wheel_focuses(view, keys, pace):
    asked = heard(view.focus_requested)
    wheel(view, 1, keys)
    wheel(view, -2, keys)
    assert asked == [(1, pace), (-2, pace)]
    assert view.scale == 2.0


def test_parts_of_a_notch_add_up(view):
    asked = heard(view.focus_requested)
    for _ in range(4):
        wheel(view, 0.25)
    assert asked == [(1, Pace.PLAIN)]


@pytest.mark.parametrize("sideways", [False, True])  # with Alt, X11 turns the wheel sideways
def test_alt_and_wheel_zoom_around_the_cursor(view, sideways, qtbot):
    asked = heard(view.focus_requested)
    before = view._view.to_image(100.0, 100.0)
    wheel(view, 2, Qt.AltModifier, sideways=sideways)
    assert view.scale == pytest.approx(2.0 * 1.25**2)
    assert view._view.to_image(100.0, 100.0) == pytest.approx(before)
    assert asked == []


def test_where_there_is_no_focus_the_wheel_zooms(stored):
    asked = heard(stored.focus_requested)
    wheel(stored, 1)
    assert stored.scale == pytest.approx(2.5)
    stored.wheel_focuses = True
    wheel(stored, 1)
    assert asked == [(1, Pace.PLAIN)]
    assert stored.scale == pytest.approx(2.5)


def test_where_there_is_no_stage_a_double_click_moves_the_view(stored):
    asked = heard(stored.centre_requested)
    before = stored._view.to_image(100.0, 40.0)
    QTest.mouseDClick(stored, Qt.LeftButton, Qt.NoModifier, QPoint(100, 40))
    assert stored._view.to_image(200.0, 200.0) == pytest.approx(before)
    assert asked == []


def test_smaller_copies_take_the_place_of_the_image(stored):
    assert stored.scale == 2.0
    move(stored, 101, 41)
    assert str(stored.reading()).endswith("pixel 50, 20   DAPI 1025   FITC 1025")
    stored.clear()
    assert stored.reading() is None
    stored.zoom(3.0)
    show(stored, np.zeros((200, 200), np.uint16))
    assert stored.scale == 6.0, "an image that was missing in between does not change the zoom"


def test_colours_of_two_channels_add_up(stored):
    red, green, blue = colour_at(stored, 399, 399)
    assert red == green == pytest.approx(1807 / 4095 * 255, abs=2)
    assert blue == 0


def test_another_size_on_the_screen_is_told(stored):
    told = heard(stored.scale_changed)
    drag(stored, (200, 200), (230, 190))
    assert told == []
    assert stored.level == 0
    stored.zoom(0.1)
    stored.zoom_to_fit()
    stored.set_shape((1600, 1600))
    assert len(told) == 3
    assert stored.level == 2


def test_a_message_is_written_over_the_image(stored):
    plain = stored.grab().toImage()
    stored.set_message("FITC: missing")
    assert stored.message == "FITC: missing"
    assert stored.grab().toImage() != plain


def test_fit_and_one_to_one(view):
    view.zoom_to_pixels()
    assert view.scale == pytest.approx(1.0 / view.devicePixelRatioF())
    view.resize(300, 300)
    assert view.scale == pytest.approx(1.0 / view.devicePixelRatioF())
    view.zoom_to_fit()
    assert view.scale == pytest.approx(1.5)
    view.resize(500, 500)
    QApplication.processEvents()
    assert view.scale == pytest.approx(2.5)


@pytest.mark.parametrize("button", [Qt.LeftButton, Qt.MiddleButton])
def test_dragging_pans(view, button):
    before = view.to_widget(100, 100)
    drag(view, (200, 200), (230, 190), button)
    moved = view.to_widget(100, 100) - before
    assert (moved.x(), moved.y()) == pytest.approx((30, -10))


def test_double_click_asks_for_this_pixel_in_the_middle(view):
    asked = heard(view.centre_requested)
    QTest.mouseDClick(view, Qt.LeftButton, Qt.NoModifier, QPoint(101, 41))  # 2 widget pixels per pixel
    assert asked == [(20.0, 50.0)]


def test_the_cursor_reads_pixel_value_and_stage(view):
    move(view, 101, 41)
    reading = view.reading()
    assert (reading.row, reading.column) == (20, 50)
    assert reading.values == (("", view.layers[0].pixels[20, 50]),)
    assert (reading.x_um, reading.y_um) == pytest.approx((1000 + (50.5 - 100) * 0.5, 2000 + (20.5 - 100) * 0.5))
    assert "pixel 50, 20" in str(reading)
    assert "1960.2 µm" in str(reading)


def test_beside_the_image_nothing_is_read(view):
    view.resize(600, 400)
    move(view, 5, 200)
    assert view.reading() is None


def test_the_picture_shows_black_white_colour_and_marks(view):
    pixels = np.zeros((200, 200), np.uint16)
    pixels[:, 50:100], pixels[:, 100:150], pixels[:, 150:] = 2048, 4094, 4095
    show(view, pixels, (0, 4094), "#00FF00", place=None)
    assert [colour_at(view, x, 200) for x in (50, 250, 350)] == [(0, 0, 0), (0, 255, 0), (0, 255, 0)]
    assert colour_at(view, 150, 200)[1] == pytest.approx(128, abs=2)
    view.mark_saturated(True)
    assert [colour_at(view, x, 200) for x in (250, 350)] == [(0, 255, 0), (255, 0, 255)]


def test_eight_bits_are_shown_too(view):
    show(view, np.full((100, 100), 255, np.uint8), (0, 255), bits=8)
    assert colour_at(view, 200, 200) == (255, 255, 255)


def test_high_density_screens_get_their_own_pixels(view, monkeypatch):
    monkeypatch.setattr(view, "devicePixelRatioF", lambda: 2.0)
    view.zoom_to_fit()
    view.grab()
    assert (view._picture.width(), view._picture.height()) == (800, 800)
    assert view._picture.devicePixelRatio() == 2.0


def test_another_shape_is_fitted_but_the_next_image_keeps_the_zoom(view):
    view.zoom(3.0)
    show(view, np.zeros((200, 200), np.uint16))
    assert view.scale == 6.0
    show(view, np.zeros((100, 100), np.uint16))
    assert view.scale == 4.0


def test_a_line_is_drawn(view):
    lines = heard(view.line_drawn)
    view.set_tool(Tool.LINE)
    drag(view, (100, 100), (300, 140))
    assert lines == [[(50.0, 50.0), (150.0, 70.0)]]
    assert view.tool is Tool.LINE


def test_before_the_first_image_nothing_is_drawn(qtbot):
    empty = ImageView()
    qtbot.addWidget(empty)
    lines = heard(empty.line_drawn)
    empty.set_tool(Tool.LINE)
    drag(empty, (10, 10), (50, 60))
    assert lines == []
    assert empty.drawn_points() == []


def test_a_polygon_is_drawn_in_stage_coordinates(view):
    shapes = heard(view.polygon_drawn)
    view.set_tool(Tool.POLYGON)
    for point in ((100, 100), (300, 100), (390, 390), (300, 300)):
        QTest.mouseClick(view, Qt.LeftButton, Qt.NoModifier, QPoint(*point))
        if point == (390, 390):
            QTest.keyClick(view, Qt.Key_Backspace)
    QTest.keyClick(view, Qt.Key_Return)
    assert shapes == [[(975.0, 1975.0), (1025.0, 1975.0), (1025.0, 2025.0)]]
    assert view.tool is Tool.PAN


def test_two_corners_are_no_polygon_and_escape_leaves_it(view):
    shapes = heard(view.polygon_drawn)
    view.set_tool(Tool.POLYGON)
    for point in ((100, 100), (300, 100)):
        QTest.mouseClick(view, Qt.LeftButton, Qt.NoModifier, QPoint(*point))
    QTest.keyClick(view, Qt.Key_Return)
    assert shapes == []
    assert view.tool is Tool.POLYGON
    QTest.keyClick(view, Qt.Key_Escape)
    assert view.tool is Tool.PAN


def test_an_outline_is_drawn_where_the_well_is(view):
    show(view, np.zeros((200, 200), np.uint16))
    square = ((975.0, 1975.0), (1025.0, 1975.0), (1025.0, 2025.0), (975.0, 2025.0))
    view.set_outlines([Outline(square, colour="#00FF00")])
    red, green, blue = colour_at(view, 100, 200)
    assert green > 100
    assert (red, blue) == (0, 0)


def test_an_empty_view_says_what_to_do(view):
    view.clear()
    assert view.reading() is None
    plain = view.grab().toImage()
    view.set_message("Start live (F2)")
    assert view.grab().toImage() != plain


@pytest.mark.parametrize(
    ("longest_um", "length_um", "text"),
    [
        (123.0, 100.0, "100 µm"),
        (99.9, 50.0, "50 µm"),
        (4999.0, 2000.0, "2 mm"),
        (0.3, 0.2, "200 nm"),
        (5.0, 5.0, "5 µm"),
    ],
)
def test_the_scale_bar_has_a_round_length(longest_um, length_um, text):
    assert round_length_um(longest_um) == pytest.approx(length_um)
    assert scale_text(length_um) == text


def test_a_circle_is_round():
    distances = [np.hypot(x - 10, y - 20) for x, y in circle(10.0, 20.0, 6.0).points_um]
    assert distances == pytest.approx([3.0] * len(distances))
