"""`ImageView`: an image with a person's mouse on it: zoom, pan, focus, centre, and shapes that are drawn.

Serves every page: it knows neither live view nor files, only the image, where it lies on the stage, and the mouse.
What is painted, and how: `image_canvas`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from PyQt5.QtCore import QEvent, QPointF, Qt, pyqtSignal
from PyQt5.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from PyQt5.QtWidgets import QAction, QWidget

from control.gui.image_canvas import CursorReading, ImageCanvas
from control.gui.image_overlays import Outline
from control.gui.image_tools import Drawing, Point, Tool
from control.gui.parts import make_action
from control.gui.view_transform import ZOOM_STEP, Placement

__all__ = ["CursorReading", "FocusSteps", "ImageView", "Outline", "Placement", "Tool"]

_NOTCH = 120


@dataclass(frozen=True, slots=True)
class FocusSteps:
    """How far one notch of the wheel moves the focus, in µm: alone, with Ctrl, with Shift."""

    plain_um: float = 5.0
    ctrl_um: float = 1.0
    shift_um: float = 40.0


class ImageView(ImageCanvas):
    """Shows an image.

    Wheel: focus (`focus_requested`) when `focus_steps` are given, else zoom; Alt and wheel: zoom always. Middle
    button, or the left one without a drawing tool: pan. Double click: `centre_requested`.

    Parameters
    ----------
    focus_steps : FocusSteps or None
        None: the wheel zooms.
    parent : QWidget, optional
        As Qt has it.

    Attributes
    ----------
    centre_requested : pyqtSignal(float, float)
        Row and column, in pixels of the image, that were double-clicked; the middle of the first pixel is (0, 0).
    focus_requested : pyqtSignal(float)
        Distance in µm; wheel away from the person: up.
    line_drawn : pyqtSignal(object)
        Two points (column, row), image coordinates.
    rectangle_drawn : pyqtSignal(object)
        Two corners (column, row), image coordinates.
    polygon_drawn : pyqtSignal(object)
        List of (x_um, y_um) on the stage, at least three.
    cursor_moved : pyqtSignal(object)
        CursorReading, or None when the cursor has left the image.
    tool_changed : pyqtSignal(object)
        The `Tool` in use.
    """

    centre_requested = pyqtSignal(float, float)
    focus_requested = pyqtSignal(float)
    line_drawn = pyqtSignal(object)
    rectangle_drawn = pyqtSignal(object)
    polygon_drawn = pyqtSignal(object)
    cursor_moved = pyqtSignal(object)
    tool_changed = pyqtSignal(object)

    def __init__(self, focus_steps: FocusSteps | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("imageView")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.focus_steps = focus_steps
        self._pan_from: QPointF | None = None
        self._tool = Tool.PAN
        self._drawing: Drawing | None = None
        self._is_down = False
        self._notches = 0
        self.zoom_actions = self._make_actions()

    def _make_actions(self) -> list[QAction]:
        wanted = (
            ("Zoom &in", "Ctrl++", "Zoom in; also Alt and the wheel", "magnify-plus-outline", ZOOM_STEP),
            ("Zoom &out", "Ctrl+-", "Zoom out; also Alt and the wheel", "magnify-minus-outline", 1 / ZOOM_STEP),
        )
        actions = [
            make_action(self, text, partial(self.zoom, factor), shortcut=keys, tip=tip, image=image)
            for text, keys, tip, image, factor in wanted
        ]
        whole = "Show the whole image"
        actions.append(
            make_action(self, "&Fit", self.zoom_to_fit, shortcut="Ctrl+0", tip=whole, image="fit-to-page-outline")
        )
        true = "Show one pixel of the image as one pixel of the screen"
        actions.append(
            make_action(self, "&1:1", self.zoom_to_pixels, shortcut="Ctrl+9", tip=true, image="numeric-1-box-outline")
        )
        for action in actions:  # several views in one window: the keys belong to the one with the focus
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        return actions

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
        if self.focus_steps is None or keys & Qt.KeyboardModifier.AltModifier:
            self.zoom(ZOOM_STEP**notches, event.position())
        else:
            steps = self.focus_steps
            is_ctrl, is_shift = keys & Qt.KeyboardModifier.ControlModifier, keys & Qt.KeyboardModifier.ShiftModifier
            step_um = steps.ctrl_um if is_ctrl else steps.shift_um if is_shift else steps.plain_um
            self.focus_requested.emit(notches * step_um)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Pan, or draw."""
        if event is None or self._pixels is None:
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
        if self._pan_from is not None and self._pixels is not None:
            by = event.localPos() - self._pan_from
            self._pan_from = event.localPos()
            self._is_fitted = False
            height, width = self._pixels.shape
            self._set_view(self._view.panned(by.x(), by.y(), (height, width)))
        elif self._drawing is not None:
            is_straight = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._drawing.move(self._image_point(event), self._is_down, is_straight)
        self.cursor_moved.emit(self.reading())
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
        elif self._tool is Tool.PAN and self._pixels is not None:
            column, row = self._image_point(event)
            height, width = self._pixels.shape
            if 0 <= column < width and 0 <= row < height:
                self.centre_requested.emit(row - 0.5, column - 0.5)

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
        self.cursor_moved.emit(None)
        self.update()

    def _image_point(self, event: QMouseEvent) -> Point:
        return self._view.to_image(event.localPos().x(), event.localPos().y())


def _rest(angle: int) -> float:
    return angle - int(angle / _NOTCH) * _NOTCH
