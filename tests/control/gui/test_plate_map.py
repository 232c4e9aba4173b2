"""The plate map, pressed as a user presses it."""

from __future__ import annotations

import time

import pytest
from PyQt5.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PyQt5.QtGui import QColor, QMouseEvent, QPainter
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from control.gui import theme
from control.gui.plate_canvas import AT_ONCE
from control.gui.plate_layout import PlateLayout
from control.gui.plate_map import PlateMap
from squid.machine_file import read_plates
from squid.models.plate import PlateGeometry

PLATES = read_plates()
LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier
CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


def shown(qtbot: QtBot, plate: str = "96 well plate", selectable: bool = True) -> PlateMap:
    widget = PlateMap(PLATES[plate], selectable=selectable)
    qtbot.addWidget(widget)
    widget.resize(900, 560)
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def middle(rect: QRectF) -> QPoint:
    return rect.center().toPoint()


def click(widget: PlateMap, row: int, column: int, keys: Qt.KeyboardModifier = NONE) -> None:
    QTest.mouseClick(widget, LEFT, keys, middle(widget.well_rect(row, column)))


def drag(widget: PlateMap, first: tuple[int, int], last: tuple[int, int], keys: Qt.KeyboardModifier = NONE) -> None:
    QTest.mousePress(widget, LEFT, keys, middle(widget.well_rect(*first)))
    move(widget, middle(widget.well_rect(*last)), keys)
    QTest.mouseRelease(widget, LEFT, keys, middle(widget.well_rect(*last)))


def move(widget: PlateMap, to: QPoint, keys: Qt.KeyboardModifier = NONE) -> None:
    """What Qt sends while a button is held; QTest's own asks the window system for it."""
    event = QMouseEvent(QEvent.Type.MouseMove, QPointF(to), Qt.MouseButton.NoButton, LEFT, keys)
    QApplication.sendEvent(widget, event)


def block(rows: range, columns: range) -> set[tuple[int, int]]:
    return {(row, column) for row in rows for column in columns}


def test_click_drag_ctrl_and_shift(qtbot: QtBot) -> None:
    widget = shown(qtbot)
    click(widget, 1, 2)
    assert widget.selection == ((1, 2),)
    drag(widget, (3, 5), (1, 2))
    assert set(widget.selection) == block(range(1, 4), range(2, 6))
    click(widget, 2, 3, CTRL)
    assert set(widget.selection) == block(range(1, 4), range(2, 6)) - {(2, 3)}
    drag(widget, (6, 8), (7, 9), CTRL)
    assert {(6, 8), (7, 9), (1, 2)} <= set(widget.selection)
    drag(widget, (6, 8), (7, 9), CTRL)
    assert set(widget.selection) == block(range(1, 4), range(2, 6)) - {(2, 3)}
    click(widget, 0, 0)
    click(widget, 1, 1, SHIFT)
    assert set(widget.selection) == block(range(2), range(2))
    click(widget, 2, 0, SHIFT)
    assert set(widget.selection) == block(range(3), range(1))


def test_a_drag_is_one_change(qtbot: QtBot) -> None:
    widget = shown(qtbot)
    changes: list[int] = []
    widget.selection_changed.connect(lambda: changes.append(len(widget.selection)))
    drag(widget, (0, 0), (7, 11))
    assert changes == [96]


def test_a_move_without_the_button_chooses_nothing(qtbot: QtBot) -> None:
    widget = shown(qtbot)
    QTest.mousePress(widget, LEFT, NONE, middle(widget.well_rect(0, 0)))
    nothing = Qt.MouseButton.NoButton  # the button went up over another window
    event = QMouseEvent(QEvent.Type.MouseMove, widget.well_rect(5, 5).center(), nothing, nothing, NONE)
    QApplication.sendEvent(widget, event)
    assert widget.selection == ((0, 0),)


def test_headers_mean_rows_columns_and_all(qtbot: QtBot) -> None:
    widget = shown(qtbot)
    QTest.mouseClick(widget, LEFT, NONE, middle(widget.header_rect(row=2)))
    assert set(widget.selection) == block(range(2, 3), range(12))
    QTest.mouseClick(widget, LEFT, CTRL, middle(widget.header_rect(column=4)))
    assert set(widget.selection) == block(range(2, 3), range(12)) | block(range(8), range(4, 5))
    QTest.mouseClick(widget, LEFT, NONE, middle(widget.header_rect()))
    assert len(widget.selection) == 96
    QTest.mousePress(widget, LEFT, NONE, middle(widget.header_rect(column=0)))
    move(widget, middle(widget.header_rect(column=2)))
    QTest.mouseRelease(widget, LEFT, NONE, middle(widget.header_rect(column=2)))
    assert set(widget.selection) == block(range(8), range(3))


def test_keys(qtbot: QtBot) -> None:
    widget = shown(qtbot)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Space):
        QTest.keyClick(widget, key)
    assert widget.selection == ((1, 1),)
    QTest.keyClick(widget, Qt.Key.Key_Down, SHIFT)
    QTest.keyClick(widget, Qt.Key.Key_Right, SHIFT)
    assert set(widget.selection) == block(range(1, 3), range(1, 3))
    QTest.keyClick(widget, Qt.Key.Key_A, CTRL)
    assert len(widget.selection) == 96
    for _ in range(20):
        QTest.keyClick(widget, Qt.Key.Key_Left)
    QTest.keyClick(widget, Qt.Key.Key_Space)
    assert (2, 0) not in widget.selection


def test_double_click_goes_there_and_leaves_the_selection(qtbot: QtBot) -> None:
    widget = shown(qtbot)
    drag(widget, (0, 0), (2, 2))
    places: list[tuple[float, float]] = []
    widget.go_to_requested.connect(lambda x_um, y_um: places.append((x_um, y_um)))
    at = middle(widget.well_rect(4, 7))
    QTest.mouseClick(widget, LEFT, NONE, at)
    QTest.mouseDClick(widget, LEFT, NONE, at)
    x_um, y_um = PLATES["96 well plate"].well_centre_um(4, 7)
    assert places == [(pytest.approx(x_um, abs=300), pytest.approx(y_um, abs=300))]
    assert set(widget.selection) == block(range(3), range(3))
    QTest.keyClick(widget, Qt.Key.Key_Return)
    assert len(places) == 2


def test_all_leaves_out_the_skipped_border_and_invert_takes_it(qtbot: QtBot) -> None:
    widget = shown(qtbot, "384 well plate")
    widget.select_all()
    assert set(widget.selection) == block(range(1, 15), range(1, 23))
    widget.invert_selection()
    assert set(widget.selection) == block(range(16), range(24)) - block(range(1, 15), range(1, 23))
    widget.clear_selection()
    assert widget.selection == ()


def test_not_selectable_only_says_what_was_clicked(qtbot: QtBot) -> None:
    widget = shown(qtbot, selectable=False)
    clicked: list[tuple[int, int]] = []
    widget.well_clicked.connect(lambda row, column: clicked.append((row, column)))
    click(widget, 3, 4)
    QTest.keyClick(widget, Qt.Key.Key_Space)
    assert clicked == [(3, 4)]
    assert widget.selection == ()


def test_a_page_paints_into_wells_and_only_those_that_changed(qtbot: QtBot) -> None:
    widget = shown(qtbot)
    widget.grab()
    painted: list[tuple[int, int]] = []

    def paint(painter: QPainter, rect: QRectF, row: int, column: int) -> None:
        painted.append((row, column))
        painter.fillRect(rect, QColor("#123456"))

    widget.set_well_painter(paint)
    picture = widget.grab().toImage()
    assert len(painted) == 96
    assert picture.pixelColor(middle(widget.well_rect(2, 2))) == QColor("#123456")
    painted.clear()
    widget.update_wells([(1, 1), (7, 11)])
    assert painted == [(1, 1), (7, 11)]


def test_selection_is_seen(qtbot: QtBot) -> None:
    widget = shown(qtbot)
    widget.set_selection([(2, 3)])
    picture = widget.grab().toImage()
    assert picture.pixelColor(middle(widget.well_rect(2, 3))) == QColor(theme.ACCENT)
    assert picture.pixelColor(middle(widget.well_rect(2, 4))) != QColor(theme.ACCENT)


def test_fields_and_stage_are_drawn_where_they_are(qtbot: QtBot) -> None:
    widget = shown(qtbot)
    plate = PLATES["96 well plate"]
    before = widget.grab().toImage()
    widget.set_fields((1500.0, 1500.0), [plate.well_centre_um(1, 1)])
    widget.set_stage_position(*plate.well_centre_um(5, 5))
    after = widget.grab().toImage()
    at = middle(widget.well_rect(1, 1))
    assert before.pixelColor(at) != after.pixelColor(at)
    arm = middle(widget.well_rect(5, 5)) + QPoint(7, 0)
    assert after.pixelColor(arm).lightness() > before.pixelColor(arm).lightness() + 50
    widget.set_stage_position(None)
    assert widget.grab().toImage().pixelColor(arm) == before.pixelColor(arm)


def test_many_small_fields_are_drawn_where_few_are(qtbot: QtBot) -> None:
    widget = shown(qtbot)
    plate = PLATES["96 well plate"]
    places = [plate.well_centre_um(row, column) for row in range(8) for column in range(12)]
    widget.set_fields((700.0, 700.0), places * 11)
    picture = widget.grab().toImage()
    bare = middle(widget.well_rect(3, 3)) + QPoint(12, 0)
    for row, column in ((0, 0), (7, 11), (3, 3)):
        assert picture.pixelColor(middle(widget.well_rect(row, column))).lightness() > 180
    assert picture.pixelColor(bare).lightness() < 100


def test_the_tooltip_says_name_and_state(qtbot: QtBot) -> None:
    widget = shown(qtbot)
    widget.set_selection([(1, 2)])
    widget.set_well_text(lambda row, column: f"{row + column} fields")
    assert widget.text_of(1, 2) == "B3: chosen, 3 fields"
    assert widget.text_of(0, 0) == "A1: not chosen, 0 fields"


def test_another_plate(qtbot: QtBot) -> None:
    widget = shown(qtbot)
    widget.select_all()
    widget.set_plate(PLATES["6 well plate"])
    assert widget.selection == ()
    drag(widget, (0, 0), (1, 2))
    assert len(widget.selection) == 6
    widget.set_plate(PLATES["glass slide"])
    click(widget, 0, 0)
    assert widget.selection == ((0, 0),)


@pytest.mark.parametrize("name", PLATES)
@pytest.mark.parametrize("rotation_deg", [0.0, 3.0])
def test_places_go_to_the_screen_and_back(name: str, rotation_deg: float) -> None:
    plate = PLATES[name].model_copy(update={"rotation_deg": rotation_deg})
    layout = PlateLayout.fit(plate, 900, 560)
    for row, column in ((0, 0), (plate.rows - 1, plate.columns - 1)):
        x_um, y_um = plate.well_centre_um(row, column)
        at = layout.to_px(x_um, y_um)
        assert (at - layout.cell(row, column).center()).manhattanLength() < 0.01
        assert layout.to_um(at) == pytest.approx((x_um, y_um), abs=0.01)
        assert layout.well_at(at) == (row, column)
        assert layout.to_px_all([(x_um, y_um)])[0] == pytest.approx((at.x(), at.y()))


def test_the_largest_plate_fits_a_small_window_and_no_well_touches_its_neighbour() -> None:
    layout = PlateLayout.fit(PLATES["1536 well plate"], 500, 300)
    assert QRectF(0, 0, 500, 300).contains(layout.area)
    assert not layout.well(0, 0).intersects(layout.well(0, 1))
    assert layout.nearest(QPointF(-100, 9999)) == (31, 0)


def test_a_custom_plate_of_any_shape(qtbot: QtBot) -> None:
    plate = PlateGeometry(
        name="own", rows=1, columns=40, a1_x_mm=1, a1_y_mm=1, well_size_mm=2, well_spacing_mm=2, round_wells=False
    )
    widget = PlateMap(plate)
    qtbot.addWidget(widget)
    widget.resize(400, 300)
    widget.show()
    drag(widget, (0, 0), (0, 39))
    assert len(widget.selection) == 40


@pytest.mark.alone
def test_repainting_the_largest_plate_copies_a_picture(qtbot: QtBot) -> None:
    widget = shown(qtbot, "1536 well plate")
    calls: list[tuple[int, int]] = []
    widget.set_well_painter(lambda painter, rect, row, column: calls.append((row, column)))
    widget.repaint()
    assert len(calls) == AT_ONCE  # the event loop turns before the next ones
    qtbot.waitUntil(lambda: len(calls) >= 1536)
    assert sorted(calls) == [(row, column) for row in range(32) for column in range(48)]
    calls.clear()
    fastest_s = min(_seconds(widget) for _ in range(10))
    assert calls == []
    assert fastest_s < 0.1


def _seconds(widget: PlateMap) -> float:
    start = time.perf_counter()
    widget.repaint()
    return time.perf_counter() - start
