import numpy as np
import pytest
from PyQt5.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt5.QtGui import QMouseEvent, QWheelEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication

from control.gui.image_overlays import Outline, circle, round_length_um, scale_text
from control.gui.image_view import FocusSteps, ImageView, Placement, Tool

PLACE = Placement(1000.0, 2000.0, 0.5)


@pytest.fixture
def view(qtbot):
    widget = ImageView(FocusSteps())
    qtbot.addWidget(widget)
    widget.resize(400, 400)
    pixels = np.arange(200 * 200, dtype=np.uint16).reshape(200, 200) % 4096
    widget.show_image(pixels, 12, PLACE)
    widget.set_tone(0, 4095)
    widget.show()
    return widget


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
    ("keys", "distance_um"), [(Qt.NoModifier, 5.0), (Qt.ControlModifier, 1.0), (Qt.ShiftModifier, 40.0)]
)
def test_the_wheel_focuses(view, keys, distance_um):
    asked = heard(view.focus_requested)
    wheel(view, 1, keys)
    wheel(view, -2, keys)
    assert asked == [distance_um, -2 * distance_um]
    assert view.scale == 2.0


def test_parts_of_a_notch_add_up(view):
    asked = heard(view.focus_requested)
    for _ in range(4):
        wheel(view, 0.25)
    assert asked == [5.0]


def test_focus_steps_can_be_chosen(view):
    view.focus_steps = FocusSteps(2.0, 0.2, 10.0)
    asked = heard(view.focus_requested)
    wheel(view, 1)
    assert asked == [2.0]


@pytest.mark.parametrize("sideways", [False, True])  # with Alt, X11 turns the wheel sideways
def test_alt_and_wheel_zoom_around_the_cursor(view, sideways, qtbot):
    asked = heard(view.focus_requested)
    before = view._view.to_image(100.0, 100.0)
    wheel(view, 2, Qt.AltModifier, sideways=sideways)
    assert view.scale == pytest.approx(2.0 * 1.25**2)
    assert view._view.to_image(100.0, 100.0) == pytest.approx(before)
    assert asked == []


def test_without_focus_steps_the_wheel_zooms(view):
    view.focus_steps = None
    wheel(view, 1)
    assert view.scale == pytest.approx(2.5)


def test_fit_and_one_to_one(view):
    fit, true = view.zoom_actions[2], view.zoom_actions[3]
    true.trigger()
    assert view.scale == pytest.approx(1.0 / view.devicePixelRatioF())
    view.resize(300, 300)
    assert view.scale == pytest.approx(1.0 / view.devicePixelRatioF())
    fit.trigger()
    assert view.scale == pytest.approx(1.5)
    view.resize(500, 500)
    QApplication.processEvents()
    assert view.scale == pytest.approx(2.5)


def test_keys_zoom_when_the_view_has_the_focus(view, qtbot):
    view.activateWindow()
    view.setFocus()
    qtbot.waitUntil(view.hasFocus)
    QTest.keyClick(view, Qt.Key_Plus, Qt.ControlModifier)
    assert view.scale == pytest.approx(2.5)
    QTest.keyClick(view, Qt.Key_0, Qt.ControlModifier)
    assert view.scale == 2.0


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
    assert reading.value == view.pixels[20, 50]
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
    view.show_image(pixels, 12)
    view.set_tone(0, 4094, "#00FF00")
    assert [colour_at(view, x, 200) for x in (50, 250, 350)] == [(0, 0, 0), (0, 255, 0), (0, 255, 0)]
    assert colour_at(view, 150, 200)[1] == pytest.approx(128, abs=2)
    view.mark_saturated(True)
    assert [colour_at(view, x, 200) for x in (250, 350)] == [(0, 255, 0), (255, 0, 255)]


def test_eight_bits_are_shown_too(view):
    view.show_image(np.full((100, 100), 255, np.uint8), 8)
    view.set_tone(0, 255)
    assert colour_at(view, 200, 200) == (255, 255, 255)


def test_high_density_screens_get_their_own_pixels(view, monkeypatch):
    monkeypatch.setattr(view, "devicePixelRatioF", lambda: 2.0)
    view.zoom_to_fit()
    view.grab()
    assert (view._picture.width(), view._picture.height()) == (800, 800)
    assert view._picture.devicePixelRatio() == 2.0


def test_another_shape_is_fitted_but_the_next_image_keeps_the_zoom(view):
    view.zoom(3.0)
    view.show_image(view.pixels.copy(), 12, PLACE)
    assert view.scale == 6.0
    view.show_image(np.zeros((100, 100), np.uint16), 12, PLACE)
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
    view.show_image(np.zeros((200, 200), np.uint16), 12, PLACE)
    square = ((975.0, 1975.0), (1025.0, 1975.0), (1025.0, 2025.0), (975.0, 2025.0))
    view.set_outlines([Outline(square, colour="#00FF00")])
    red, green, blue = colour_at(view, 100, 200)
    assert green > 100
    assert (red, blue) == (0, 0)


def test_an_empty_view_says_what_to_do(view):
    view.clear()
    view.empty_text = "nothing"
    assert view.reading() is None
    assert not view.grab().isNull()


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
