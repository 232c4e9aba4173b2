"""The line above an image: its buttons and keys."""

import numpy as np
import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QToolButton, QVBoxLayout, QWidget

from control.core.rendering import SATURATED, Layer
from control.gui.image_view import ImageView
from control.gui.view_tools import ViewTools


@pytest.fixture
def view():
    view = ImageView()
    view.show_image([Layer(np.full((200, 200), 255, np.uint8), (0, 255))], 8)
    return view


@pytest.fixture
def page(qtbot):
    page = QWidget()
    qtbot.addWidget(page)
    return page


@pytest.fixture
def tools(page, view):
    tools = ViewTools(view)
    layout = QVBoxLayout(page)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(tools)
    layout.addWidget(view)
    view.setFixedSize(400, 400)
    page.show()
    page.activateWindow()
    return tools


@pytest.mark.parametrize(("key", "scale"), [(Qt.Key_Plus, 2.5), (Qt.Key_Minus, 1.6), (Qt.Key_9, 1.0), (Qt.Key_0, 2.0)])
def test_keys_zoom(tools, view, key, scale):
    QTest.keyClick(tools.window(), key, Qt.ControlModifier)
    assert view.scale == pytest.approx(scale)


def test_saturated_pixels_are_marked(tools, view):
    def colour():
        return view.grab().toImage().pixel(100, 100)

    button = next(b for b in tools.findChildren(QToolButton) if b.defaultAction() is tools.saturation_action)
    QTest.mouseClick(button, Qt.LeftButton)
    assert colour() == SATURATED
    QTest.mouseClick(button, Qt.LeftButton)
    assert colour() == 0xFFFFFFFF


def test_the_menu_has_what_the_line_has(tools):
    shown = [button.defaultAction() for button in tools.findChildren(QToolButton)]
    listed = [action for action in tools.menu_actions() if action is not None]
    assert [*listed[0].menu().actions(), *listed[1:]] == shown
    assert all(action.shortcut().toString() in action.toolTip() for action in shown)
