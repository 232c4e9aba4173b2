"""The line above the live image: zoom, what the left button draws, how the image is shown, and what was done."""

from __future__ import annotations

from PyQt5.QtCore import QSize, Qt, pyqtSignal
from PyQt5.QtWidgets import QAction, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from control.gui import theme
from control.gui.image_view import ImageView, Tool
from control.gui.parts import make_action, submenu

_HINTS = {
    Tool.PAN: "",
    Tool.LINE: "Drag a line on the image; Esc leaves",
    Tool.RECTANGLE: "Drag the part to read; Esc leaves",
    Tool.POLYGON: "Click corners; double-click ends; Esc leaves",
}


class LookTools(QWidget):
    """Tools of the live image, as switches.

    Parameters
    ----------
    view : ImageView
        Draws and shows.

    Attributes
    ----------
    switched : pyqtSignal()
        One of the switches says something else now.
    """

    switched = pyqtSignal()

    def __init__(self, view: ImageView) -> None:
        super().__init__()
        self._view = view
        self._hint = ""
        self.message = QLabel()
        self.line_action = self._switch("Line &profile", "Ctrl+L", "Drag a line: grey values along it", "chart-line")
        self.region_action = self._switch(
            "Draw &region", "Ctrl+D", "Draw a polygon: it becomes a region of the plan", "vector-polygon"
        )
        self.colour_action = self._switch("Channel &colour", "Ctrl+K", "Show the channel's colour, or grey", "palette")
        self.saturation_action = self._switch(
            "Mark &saturated pixels", "Ctrl+J", "Show pixels at the largest grey value in magenta", "flare"
        )
        self.cross_action = self._switch("Cross in the &middle", "Ctrl+M", "Show the middle of the image", "crosshairs")
        self._lay_out()
        self._tools = {Tool.LINE: self.line_action, Tool.POLYGON: self.region_action}
        for tool, action in self._tools.items():
            action.toggled.connect(lambda on, tool=tool: self._choose(tool, on))
        view.tool_changed.connect(self._follow)

    def menu_actions(self) -> list[QAction | None]:
        """Return the actions in menu order; None separates."""
        zoom = submenu(self, "&Zoom", self._view.zoom_actions)
        shows = [self.colour_action, self.saturation_action, self.cross_action]
        return [zoom, None, self.line_action, self.region_action, None, *shows]

    def say(self, text: str, *, is_bad: bool = False) -> None:
        """Show a line above the image; the whole text is in its tooltip."""
        self.message.setStyleSheet(f"color: {theme.BAD if is_bad else theme.FAINT}")
        self.message.setText(text)
        self.message.setToolTip(text)

    def _switch(self, text: str, shortcut: str, tip: str, image: str) -> QAction:
        action = make_action(self, text, self.switched.emit, shortcut=shortcut, tip=tip, image=image)
        action.setCheckable(True)
        return action

    def _lay_out(self) -> None:
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(2)
        shows = [self.colour_action, self.saturation_action, self.cross_action]
        for action in (*self._view.zoom_actions, None, self.line_action, self.region_action, None, *shows):
            if action is None:
                line.addSpacing(theme.GAP_PX)
                continue
            button = QToolButton()
            button.setDefaultAction(action)
            button.setAutoRaise(True)
            button.setIconSize(QSize(20, 20))
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            line.addWidget(button)
        self.message.setObjectName("lookMessage")
        self.message.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.message.setAlignment(Qt.Alignment(Qt.AlignmentFlag.AlignRight) | Qt.AlignmentFlag.AlignVCenter)
        line.addWidget(self.message, 1)

    def _choose(self, tool: Tool, on: bool) -> None:
        """Take a tool, or put it away; one at a time."""
        if on:
            self._view.set_tool(tool)
        elif self._view.tool is tool:
            self._view.set_tool(Tool.PAN)

    def _follow(self, tool: Tool) -> None:
        """Show which tool the view has: a shape that is finished, and Esc, end it."""
        for own, action in self._tools.items():
            action.setChecked(own is tool)
        before, self._hint = self._hint, _HINTS[tool]
        if self._hint or self.message.text() == before:
            self.say(self._hint)
        self.switched.emit()
