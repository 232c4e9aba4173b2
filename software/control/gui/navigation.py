"""The line at the top: the way from look over plan and run to review, and the emergency stop at its end."""

from __future__ import annotations

from PyQt5.QtCore import QSize, Qt, pyqtSignal
from PyQt5.QtWidgets import QAction, QActionGroup, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from control.gui import theme
from control.gui.parts import button_for, make_action

PAGES = {
    "look": ("Look", "microscope", "Live view, stage and channels"),
    "plan": ("Plan", "grid-large", "Which wells, fields, channels, planes and times"),
    "run": ("Run", "play-circle-outline", "Watch and steer the run"),
    "review": ("Review", "image-multiple-outline", "Look at a stored plate"),
}
"""Title, icon and purpose of each page, in the order of the work."""

_STYLE = f"""
QToolButton {{ border: none; border-bottom: 3px solid transparent; border-radius: 0; padding: 6px 18px;
               font-size: 15px; font-weight: 600; color: {theme.FAINT}; background: transparent; }}
QToolButton:hover {{ color: {theme.TEXT}; background: {theme.SURFACE}; }}
QToolButton:checked {{ color: {theme.TEXT}; border-bottom: 3px solid {theme.ACCENT}; }}
QToolButton:disabled {{ color: {theme.LINE}; }}
"""


class Navigation(QWidget):
    """One button per page, and the emergency stop.

    Parameters
    ----------
    emergency : QAction
        What the red button triggers.

    Attributes
    ----------
    page_chosen : pyqtSignal(str)
        Name of the page.
    actions_of_pages : list of QAction
        For the menu.
    """

    page_chosen = pyqtSignal(str)

    def __init__(self, emergency: QAction) -> None:
        super().__init__()
        self.setObjectName("navigation")
        self.actions_of_pages: list[QAction] = []
        self._group = QActionGroup(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.GAP_PX, 0, theme.GAP_PX, 0)
        layout.setSpacing(0)
        for number, name in enumerate(PAGES, 1):
            layout.addWidget(self._button(number, name))
        layout.addStretch(1)
        self.note = QLabel()
        self.note.setObjectName("navigationNote")
        self.note.setProperty("role", "faint")
        layout.addWidget(self.note)
        layout.addSpacing(2 * theme.GAP_PX)
        self.emergency = self._emergency(emergency)
        layout.addWidget(self.emergency)

    def show_page(self, name: str) -> None:
        """Mark the page that is shown."""
        self.actions_of_pages[list(PAGES).index(name)].setChecked(True)

    def set_pages_enabled(self, enabled: bool) -> None:
        """Let pages be chosen, or not yet."""
        self._group.setEnabled(enabled)

    def _button(self, number: int, name: str) -> QToolButton:
        title, image, purpose = PAGES[name]
        action = make_action(
            self, title, lambda: self.page_chosen.emit(name), shortcut=f"Ctrl+{number}", tip=purpose, image=image
        )
        action.setCheckable(True)
        self._group.addAction(action)
        self.actions_of_pages.append(action)
        button = QToolButton()
        button.setObjectName(f"{name}Tab")
        button.setDefaultAction(action)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setIconSize(QSize(20, 20))
        button.setStyleSheet(_STYLE)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return button

    def _emergency(self, action: QAction) -> QPushButton:
        button = button_for(action, "stop")
        button.setObjectName("emergencyButton")
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the space bar must not stop the microscope
        return button
