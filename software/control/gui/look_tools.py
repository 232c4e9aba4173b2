"""The line above the live image: what every image has (`view_tools`), a line profile, a region for the plan, colour."""

from __future__ import annotations

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QAction, QHBoxLayout, QLabel, QWidget

from control.gui.image_tools import Tool
from control.gui.image_view import ImageView
from control.gui.view_tools import ViewTools, make_switch

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
        self.line_action = self._switch("Line &profile", "Ctrl+L", "Drag a line: grey values along it", "chart-line")
        self.region_action = self._switch(
            "Draw &region", "Ctrl+D", "Draw a polygon: it becomes a region of the plan", "vector-polygon"
        )
        self.colour_action = self._switch("Channel &colour", "Ctrl+K", "Show the channel's colour, or grey", "palette")
        self._line = ViewTools(view, [self.line_action, self.region_action], [self.colour_action])
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._line)
        self._tools = {Tool.LINE: self.line_action, Tool.POLYGON: self.region_action}
        for tool, action in self._tools.items():
            action.toggled.connect(lambda on, tool=tool: self._choose(tool, on))
        view.tool_changed.connect(self._follow)

    @property
    def message(self) -> QLabel:
        """The line above the image."""
        return self._line.message

    @property
    def saturation_action(self) -> QAction:
        """Marks saturated pixels."""
        return self._line.saturation_action

    def menu_actions(self) -> list[QAction | None]:
        """Return the actions in menu order; None separates."""
        return self._line.menu_actions()

    def say(self, text: str, *, is_bad: bool = False) -> None:
        """Show a line above the image; the whole text is in its tooltip."""
        self._line.say(text, is_bad=is_bad)

    def _switch(self, text: str, shortcut: str, tip: str, image: str) -> QAction:
        return make_switch(self, text, shortcut, tip, image, self.switched.emit)

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
