"""The contrast of one channel, pressed, dragged and typed as a person does it."""

import numpy as np
import pytest
from PyQt5.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt5.QtGui import QMouseEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication

from control.core.contrast import Contrast
from control.core.grey_values import GreyCounts
from control.gui.contrast_control import ContrastControl


@pytest.fixture
def contrast():
    return Contrast()


@pytest.fixture
def control(qtbot, contrast):
    widget = ContrastControl(contrast)
    qtbot.addWidget(widget)
    widget.resize(340, 120)
    widget.show()
    return widget


def show(control, low, high, channel="DAPI"):
    pixels = np.linspace(low, high, 200 * 200).round().astype(np.uint16).reshape(200, 200)
    counts = GreyCounts.of(pixels, 12)
    control.show_counts(channel, counts, counts.limits(), "#3F7FFF")


def press(button):
    QTest.mouseClick(button, Qt.LeftButton)


def drag_handle(control, grey_from, grey_to):
    plot = control.histogram
    start, end = (QPointF(plot.x_of(grey), 40) for grey in (grey_from, grey_to))
    QTest.mousePress(plot, Qt.LeftButton, Qt.NoModifier, start.toPoint())
    move = QMouseEvent(QEvent.MouseMove, end, Qt.NoButton, Qt.MouseButtons(Qt.LeftButton), Qt.NoModifier)
    QApplication.sendEvent(plot, move)
    QTest.mouseRelease(plot, Qt.LeftButton, Qt.NoModifier, QPoint(round(end.x()), 40))


def test_before_the_first_image_nothing_can_be_set(control, contrast):
    assert not control.isEnabled()
    control.fit_once()
    control.reset()
    assert contrast.remember() == {}


def test_auto_follows_the_images(control):
    show(control, 100, 1000)
    assert control.auto.isChecked()
    assert control.limits == (pytest.approx(101, abs=2), pytest.approx(998, abs=2))
    show(control, 2000, 3000)
    assert control.limits[0] == control.black.value() == pytest.approx(2002, abs=2)


def test_auto_off_leaves_it_as_it_is_and_on_lets_it_follow(control, contrast, qtbot):
    show(control, 100, 1000)
    before = control.limits
    with qtbot.waitSignal(control.changed):
        press(control.auto)
    show(control, 2000, 3000)
    assert control.limits == before
    assert not control.auto.isChecked()
    with qtbot.waitSignal(control.changed):
        press(control.auto)
    assert control.limits[0] == pytest.approx(2002, abs=2)
    assert contrast.is_auto("DAPI")


def test_channels_keep_their_own_contrast(control, contrast):
    show(control, 100, 1000)
    press(control.full)
    show(control, 300, 400, "FITC")
    assert contrast.is_auto("FITC")
    assert control.auto.isChecked()
    show(control, 100, 1000)
    assert not control.auto.isChecked()
    assert (control.black.value(), control.white.value()) == control.limits == (0, 4095)


@pytest.mark.parametrize(("handle", "target"), [(0, 1000), (1, 2000)])
def test_handles_are_dragged_and_end_auto(control, contrast, handle, target):
    show(control, 100, 4000)
    before = control.limits
    drag_handle(control, before[handle], target)
    after = control.limits
    assert not contrast.is_auto("DAPI")
    assert after[handle] == pytest.approx(target, abs=15)
    assert after[1 - handle] == before[1 - handle]


def test_the_arrow_keys_move_the_handle_that_was_moved_last(control):
    show(control, 100, 4000)
    drag_handle(control, control.limits[0], 1000)
    black, white = control.limits
    QTest.keyClick(control.histogram, Qt.Key_Right)
    assert control.limits == (black + 4095 // 200, white)
    QTest.keyClick(control.histogram, Qt.Key_Right, Qt.AltModifier)  # moves the stage
    assert control.limits == (black + 4095 // 200, white)


def test_black_stays_below_white(control):
    show(control, 100, 4000)
    drag_handle(control, control.limits[0], 4095)
    assert control.limits[0] == control.limits[1] - 1


def test_the_upper_handle_can_be_dragged_beyond_the_image(control):
    show(control, 10, 100)
    assert control.histogram.x_of(255) == pytest.approx(control.histogram.width(), abs=12)
    drag_handle(control, control.limits[1], 255)
    assert control.limits[1] == 255
    assert control.histogram.x_of(511) == pytest.approx(control.histogram.width(), abs=12)


def test_numbers_can_be_typed_and_the_other_one_gives_way(control):
    show(control, 100, 4000)
    control.white.setValue(3000)
    control.black.setValue(500)
    assert control.limits == (500, 3000)
    control.black.setValue(3500)
    assert control.limits == (3500, 3501)
    control.white.setValue(20)
    assert control.limits == (control.black.value(), control.white.value()) == (19, 20)


def test_once_fits_and_stays(control):
    show(control, 100, 1000)
    press(control.once)
    fitted = control.limits
    show(control, 2000, 3000)
    assert control.limits == fitted


def test_log_changes_the_picture(control):
    values = (np.linspace(0, 300, 200 * 200).reshape(200, 200) ** 2 / 30).astype(np.uint16)
    counts = GreyCounts.of(values, 12)
    control.show_counts("DAPI", counts, counts.limits(), "#00FF00")
    plain = control.histogram.grab().toImage()
    press(control.log)
    assert control.is_log
    assert control.histogram.grab().toImage() != plain


def test_what_another_page_chose_is_shown(control, contrast):
    show(control, 100, 1000)
    contrast.choose("DAPI", 7, 9)
    control.refresh()
    assert (control.black.value(), control.white.value()) == control.histogram.limits == (7, 9)
