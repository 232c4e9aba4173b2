"""`ImageView`: an image with a person's mouse on it: zoom, pan, focus, centre, and shapes that are drawn.

Serves every page: it knows neither live view nor files, only the image, where it lies on the stage, and the mouse.
What is painted, and how: `image_canvas`.

::

    wheel          focus (`focus_requested`) where there is one, else zoom;  Alt and wheel: zoom
    drag           pan (left button without a drawing tool, or the middle one)
    double click   that point to the middle: with the stage (`centre_requested`) where there is one, else in the view

Keys and buttons that zoom: `view_tools`.
"""

from __future__ import annotations

from enum import StrEnum

from PyQt5.QtCore import QEvent, QPointF, Qt, pyqtSignal
from PyQt5.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from PyQt5.QtWidgets import QWidget

from control.gui.image_canvas import ImageCanvas
from control.gui.image_tools import Drawing, Point, Tool
from control.gui.view_transform import ZOOM_STEP

_NOTCH = 120


class Pace(StrEnum):
    """How far a notch of the wheel moves the focus: alone, with Ctrl, with Shift."""

    PLAIN = "plain"
    FINE = "fine"
    COARSE = "coarse"


class ImageView(ImageCanvas):
    """Shows an image.

    Parameters
    ----------
    has_stage : bool
        Whether a double click is for the stage; else the view itself brings the point to its middle.
    parent : QWidget, optional
        As Qt has it.

    Attributes
    ----------
    wheel_focuses : bool
        Whether there is a focus for the wheel; at first as `has_stage`.
    centre_requested : pyqtSignal(float, float)
        Row and column, in pixels of the image, that were double-clicked; the middle of the first pixel is (0, 0).
    focus_requested : pyqtSignal(int, object)
        Notches of the wheel, away from the person: up; and their `Pace`.
    line_drawn : pyqtSignal(object)
        Two points (column, row), image coordinates.
    rectangle_drawn : pyqtSignal(object)
        Two corners (column, row), image coordinates.
    polygon_drawn : pyqtSignal(object)
        List of (x_um, y_um) on the stage, at least three.
    tool_changed : pyqtSignal(object)
        The `Tool` in use.
    """

    centre_requested = pyqtSignal(float, float)
    focus_requested = pyqtSignal(int, object)
    line_drawn = pyqtSignal(object)
    rectangle_drawn = pyqtSignal(object)
    polygon_drawn = pyqtSignal(object)
    tool_changed = pyqtSignal(object)

    def __init__(self, *, has_stage: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("imageView")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._has_stage = self.wheel_focuses = has_stage
        self._pan_from: QPointF | None = None
        self._tool = Tool.PAN
        self._drawing: Drawing | None = None
        self._is_down = False
        self._notches = 0

    # --- drawing ----------------------------------------------------------------------------------------------------

    @property
    def tool(self) -> Tool:
        """What the left button does."""
        return self._tool

    def set_tool(self, tool: Tool) -> None:
        """Choose what the left button does; what was drawn disappears."""
        self._drawing = None if tool is Tool.PAN else Drawing(tool)
        if tool is not self._tool:
            self._tool = tool
            self.setCursor(Qt.CursorShape.ArrowCursor if tool is Tool.PAN else Qt.CursorShape.CrossCursor)
            self.tool_changed.emit(tool)
        self.update()

    def drawn_points(self) -> list[Point]:
        """Return the corners (column, row) of the shape in the making."""
        return self._drawing.outline() if self._drawing is not None else []

    def forget_drawing(self) -> None:
        """Begin a shape anew: the image it was drawn on is gone."""
        self._drawing = None if self._tool is Tool.PAN else Drawing(self._tool)

    def _finish_drawing(self) -> None:
        points = self._drawing.closed() if self._drawing is not None else None
        if points is None:
            return
        if self._tool is Tool.LINE:
            self.line_drawn.emit(points)
            return
        if self._tool is Tool.RECTANGLE:
            self.rectangle_drawn.emit(points)
        else:
            corners = [self.stage_point(*point) for point in points]
            if None not in corners:
                self.polygon_drawn.emit(corners)
        self.set_tool(Tool.PAN)

    # --- mouse, wheel, keys -----------------------------------------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802 - Qt's name
        """Focus or zoom, by whole notches."""
        if event is None:
            return
        delta = event.angleDelta()
        self._notches += delta.y() or delta.x()  # with Alt Qt turns the wheel sideways
        notches, self._notches = int(self._notches / _NOTCH), int(_rest(self._notches))
        keys = event.modifiers()
        event.accept()
        if not notches:
            return
        if not self.wheel_focuses or keys & Qt.KeyboardModifier.AltModifier:
            self.zoom(ZOOM_STEP**notches, event.position())
        else:
            is_ctrl, is_shift = keys & Qt.KeyboardModifier.ControlModifier, keys & Qt.KeyboardModifier.ShiftModifier
            self.focus_requested.emit(notches, Pace.FINE if is_ctrl else Pace.COARSE if is_shift else Pace.PLAIN)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Pan, or draw."""
        if event is None or not self._layers:
            return
        is_left = event.button() == Qt.MouseButton.LeftButton
        if event.button() == Qt.MouseButton.MiddleButton or (is_left and self._drawing is None):
            self._pan_from = event.localPos()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif is_left and self._drawing is not None:
            self._is_down = True
            self._drawing.press(self._image_point(event))
        elif event.button() == Qt.MouseButton.RightButton and self._tool is Tool.POLYGON:
            self._finish_drawing()
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Pan, draw, or read what is under the cursor."""
        if event is None:
            return
        self._cursor = event.localPos()
        if self._pan_from is not None:
            by = event.localPos() - self._pan_from
            self._pan_from = event.localPos()
            self.pan(by.x(), by.y())
        elif self._drawing is not None:
            is_straight = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._drawing.move(self._image_point(event), self._is_down, is_straight)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """End panning, or a line or rectangle."""
        if event is None:
            return
        if self._pan_from is not None:
            self._pan_from = None
            self.setCursor(Qt.CursorShape.ArrowCursor if self._drawing is None else Qt.CursorShape.CrossCursor)
        elif event.button() == Qt.MouseButton.LeftButton and self._is_down:
            self._is_down = False
            if self._tool is not Tool.POLYGON:
                self._finish_drawing()

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Centre here, or close the polygon."""
        if event is None or event.button() != Qt.MouseButton.LeftButton:
            return
        if self._tool is Tool.POLYGON:
            self._finish_drawing()
        elif self._tool is Tool.PAN and self._layers:
            column, row = self._image_point(event)
            height, width = self._shape_px
            if 0 <= column < width and 0 <= row < height:
                self._bring_to_middle(column, row)

    def _bring_to_middle(self, column: float, row: float) -> None:
        if self._has_stage:
            self.centre_requested.emit(row - 0.5, column - 0.5)
        else:
            self.centre(column, row)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Esc leaves a drawing tool, Return closes a polygon, Backspace takes back its last corner."""
        if event is None:
            return
        if event.key() == Qt.Key.Key_Escape and self._drawing is not None:
            self.set_tool(Tool.PAN)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._tool is Tool.POLYGON:
            self._finish_drawing()
        elif event.key() == Qt.Key.Key_Backspace and self._tool is Tool.POLYGON and self._drawing is not None:
            self._drawing.undo()
            self.update()
        else:
            super().keyPressEvent(event)

    def leaveEvent(self, event: QEvent | None) -> None:  # noqa: N802 - Qt's name
        """Nothing is under the cursor any more."""
        self._cursor = None
        self.update()

    def _image_point(self, event: QMouseEvent) -> Point:
        return self._view.to_image(event.localPos().x(), event.localPos().y())


def _rest(angle: int) -> float:
    return angle - int(angle / _NOTCH) * _NOTCH
