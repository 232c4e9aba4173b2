"""Small parts that every panel is made of: numbers with units, sections with their refusals, actions, icons.

So that a number looks and behaves the same everywhere: its unit beside it, its range in the tooltip, and the wheel
never changes it by accident while a person scrolls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import qtawesome
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QIcon, QWheelEvent
from PyQt5.QtWidgets import (
    QAbstractButton,
    QAction,
    QDoubleSpinBox,
    QLabel,
    QMenu,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from control.gui import theme

_IMAGE = "image"
_ON_ROLE = {"main": theme.BACKGROUND, "stop": "white"}
"""Colours of text and icon on buttons that have a colour of their own."""


class NumberEdit(QDoubleSpinBox):
    """A real number with its unit.

    Parameters
    ----------
    unit : str
        Shown after the number; empty for a plain factor.
    low, high : float
        Both allowed; shown in the tooltip.
    value : float
        At first.
    step : float
        Of the arrows.
    decimals : int
        Shown and kept.
    tip : str
        What the number is, in a few words.
    """

    def __init__(
        self, unit: str, low: float, high: float, value: float, *, step: float = 1.0, decimals: int = 1, tip: str = ""
    ) -> None:
        super().__init__()
        self._tip = tip
        self._unit = unit
        self.setDecimals(decimals)
        self.setSingleStep(step)
        self.setSuffix(f" {unit}" if unit else "")
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.set_limits(low, high)
        self.setValue(value)

    def set_limits(self, low: float, high: float) -> None:
        """Set what is allowed, and say so in the tooltip."""
        self.setRange(low, high)
        limits = f"{low:g} to {high:g} {self._unit}".strip()
        self.setToolTip(f"{self._tip} ({limits})" if self._tip else limits)

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802 - Qt's name
        """Leave the wheel to the scrolling panel unless the number is being edited."""
        _wheel(self, event)


class CountEdit(QSpinBox):
    """A whole number with its unit; parameters as in `NumberEdit`."""

    def __init__(self, unit: str, low: int, high: int, value: int, *, tip: str = "") -> None:
        super().__init__()
        self.setSuffix(f" {unit}" if unit else "")
        self.setRange(low, high)
        self.setValue(value)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        limits = f"{low} to {high} {unit}".strip()
        self.setToolTip(f"{tip} ({limits})" if tip else limits)

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802 - Qt's name
        """Leave the wheel to the scrolling panel unless the number is being edited."""
        _wheel(self, event)


def _wheel(edit: QSpinBox | QDoubleSpinBox, event: QWheelEvent | None) -> None:
    if event is None:
        return
    if edit.hasFocus():
        type(edit).__mro__[1].wheelEvent(edit, event)  # type: ignore[attr-defined]
    else:
        event.ignore()


class Section(QWidget):
    """A titled part of a panel that shows, under its title, what was refused in it.

    Fill `body`.
    """

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = QLabel(title)
        self.title.setProperty("role", "title")
        self.refusal = QLabel()
        self.refusal.setProperty("role", "refusal")
        self.refusal.setWordWrap(True)
        self.refusal.hide()
        self.body = QVBoxLayout()
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(theme.GAP_PX)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, theme.GAP_PX)
        layout.setSpacing(theme.GAP_PX // 2)
        layout.addWidget(self.title)
        layout.addWidget(self.refusal)
        layout.addLayout(self.body)

    def refuse(self, *reasons: str) -> None:
        """Show why this part cannot be carried out; without reasons nothing is shown."""
        self.refusal.setText("\n".join(reasons))
        self.refusal.setVisible(bool(reasons))


def faint_label(text: str = "") -> QLabel:
    """Return a label for what explains, not what matters."""
    label = QLabel(text)
    label.setProperty("role", "faint")
    label.setWordWrap(True)
    return label


def icon(name: str, colour: str = theme.TEXT, disabled: str = theme.DISABLED) -> QIcon:
    """Return an icon of the Material Design set by name, for example ``play``."""
    found: QIcon = qtawesome.icon(f"mdi6.{name}", color=colour, color_disabled=disabled)
    return found


def set_image(action: QAction, name: str) -> None:
    """Give an action an icon by name; its buttons draw it in the colour of their text."""
    action.setProperty(_IMAGE, name)
    action.setIcon(icon(name))


def make_action(
    parent: QWidget,
    text: str,
    on_triggered: Callable[[], object],
    *,
    shortcut: str = "",
    tip: str = "",
    image: str = "",
) -> QAction:
    """Return an action that has a name, a tooltip with its shortcut, and an icon.

    Parameters
    ----------
    parent : QWidget
        Where the shortcut works (its window).
    text : str
        As the menu shows it.
    on_triggered : callable
        Called without arguments.
    shortcut : str
        For example ``Ctrl+R``.
    tip : str
        What it does, in a few words.
    image : str
        Name for `icon`; empty for none.
    """
    action = QAction(text, parent)
    if image:
        set_image(action, image)
    if shortcut:
        action.setShortcut(shortcut)
    keys = f" ({shortcut})" if shortcut else ""
    action.setToolTip(f"{tip or text.replace('&', '')}{keys}")

    def run() -> None:  # Qt hands over whether the action is checked: no business of the caller's
        on_triggered()

    action.triggered.connect(run)
    parent.addAction(action)
    return action


def when_clicked(button: QPushButton, action: Callable[[], object]) -> None:
    """Call `action`, without anything, when a button is clicked."""

    def run() -> None:  # Qt hands over whether the button is checked
        action()

    button.clicked.connect(run)


def press_action(button: QAbstractButton, text: str, shortcut: str, image: str = "") -> QAction:
    """Return an action that presses a button which is seen: for a menu, from which its key comes, too.

    Parameters
    ----------
    button : QAbstractButton
        Has its tooltip, and gets the key in it.
    text : str
        As the menu shows it.
    shortcut : str
        For example ``Ctrl+G``.
    image : str
        Name for `icon`; empty for none.
    """

    def press() -> None:
        if button.isVisible():  # on another page its key presses nothing
            button.click()

    action = make_action(button, text, press, shortcut=shortcut, tip=button.toolTip(), image=image)
    button.removeAction(action)  # with it a tool button would draw the arrow of a menu
    button.setToolTip(action.toolTip())
    return action


def tab_through(place: QWidget, widgets: Sequence[QWidget]) -> None:
    """Let Tab come to widgets that were made later where `place` stands, in their order; else they would come last."""
    before = place.previousInFocusChain()
    while before is not None and before is not place and (_takes_no_focus(before) or before in widgets):
        before = before.previousInFocusChain()
    if before is not None:  # Qt knows only places of widgets that take the focus
        for one, following in pairwise((before, *widgets)):
            QWidget.setTabOrder(one, following)


def _takes_no_focus(widget: QWidget) -> bool:
    return widget.focusPolicy() == Qt.FocusPolicy.NoFocus or widget.focusProxy() is not None


def submenu(parent: QWidget, title: str, actions: Iterable[QAction | None]) -> QAction:
    """Return an entry for a menu that opens actions of its own; None separates them."""
    menu = QMenu(title, parent)
    menu.setToolTipsVisible(True)
    for action in actions:
        if action is None:
            menu.addSeparator()
        else:
            menu.addAction(action)
    entry = menu.menuAction()
    assert entry is not None  # every menu has one
    return entry


def button_for(action: QAction, role: str = "", text: str = "") -> QPushButton:
    """Return a push button that follows an action: text, icon, tooltip, enabled.

    Parameters
    ----------
    action : QAction
        Is triggered by the button.
    role : str
        ``main`` for the one step that comes next, ``stop`` for what ends something, else empty.
    text : str
        Shorter than the action's, where the place of the button says the rest; empty: the action's.
    """
    button = QPushButton()
    button.setProperty("role", role)

    def follow() -> None:
        button.setText(text or action.text().replace("&", "").rstrip("…."))
        name = action.property(_IMAGE)
        if name and role and name != button.property(_IMAGE):
            button.setProperty(_IMAGE, name)
            button.setIcon(icon(name, _ON_ROLE[role], theme.FAINT))
        elif not (name and role):
            button.setIcon(action.icon())
        button.setToolTip(action.toolTip())
        button.setEnabled(action.isEnabled())
        button.setCheckable(action.isCheckable())
        button.setChecked(action.isChecked())

    action.changed.connect(follow)
    button.clicked.connect(action.trigger)
    follow()
    return button
