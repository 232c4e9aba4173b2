"""`ImageView`: shows one image of 8 or 16 bits, sharp and fast, with zoom, pan, scale bar, read-out and drawing.

::

    show_image(pixels, …) ─▶ kept ─▶ paint: sample what the screen shows ─▶ look-up table ─▶ QImage ─▶ overlays

Serves every page: it knows neither live view nor files, only an image, where it lies on the stage, and a person's
mouse. The picture is made once per image, tone or view; overlays are painted over it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from PyQt5.QtCore import QEvent, QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PyQt5.QtWidgets import QAction, QSizePolicy, QWidget

from control.gui import image_overlays as overlays
from control.gui.image_overlays import Outline
from control.gui.image_render import GREY_COLOUR, Rgb, Tone, look_up_table, render, sampling
from control.gui.image_tools import Drawing, Point, Tool
from control.gui.parts import make_action
from control.gui.view_transform import ZOOM_STEP, Placement, ViewTransform, image_of, stage_of
from squid.models.geometry import Pixels

__all__ = ["CursorReading", "FocusSteps", "ImageView", "Outline", "Placement", "Tool"]

_NOTCH = 120
_BACKGROUND = QColor("#121214")


@dataclass(frozen=True, slots=True)
class FocusSteps:
    """How far one notch of the wheel moves the focus, in µm: alone, with Ctrl, with Shift."""

    plain_um: float = 5.0
    ctrl_um: float = 1.0
    shift_um: float = 40.0


@dataclass(frozen=True, slots=True)
class CursorReading:
    """What is under the cursor.

    Attributes
    ----------
    row, column : int
        Pixel of the image.
    value : int
        Its grey value.
    x_um, y_um : float or None
        Stage position; None when nobody said where the image lies.
    """

    row: int
    column: int
    value: int
    x_um: float | None
    y_um: float | None

    def __str__(self) -> str:
        place = f"x {self.x_um:.1f}  y {self.y_um:.1f} µm   " if self.x_um is not None else ""
        return f"{place}pixel {self.column}, {self.row}   value {self.value}"


class ImageView(QWidget):
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
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 160)
        self.focus_steps = focus_steps
        self.empty_text = ""
        self._pixels: Pixels | None = None
        self._bits = 8
        self._placement: Placement | None = None
        self._tone = Tone(0, 255)
        self._table: Rgb | None = None
        self._is_marking = False
        self._is_fitted = True
        self._view = ViewTransform.fit((1, 1), (1.0, 1.0))
        self._picture: QImage | None = None
        self._picture_at = QPointF()
        self._colours: Rgb | None = None
        self._cursor: QPointF | None = None
        self._pan_from: QPointF | None = None
        self._tool = Tool.PAN
        self._drawing: Drawing | None = None
        self._outlines: tuple[Outline, ...] = ()
        self._has_cross = False
        self._notches = 0
        self.zoom_actions = self._make_actions()

    # --- what is shown ----------------------------------------------------------------------------------------------

    def show_image(self, pixels: Pixels, significant_bits: int, placement: Placement | None = None) -> None:
        """Show an image; returns at once, it is painted when Qt gets to it.

        Parameters
        ----------
        pixels : ndarray, shape (Y, X), uint8 or uint16
            Is kept, not copied: nobody may write to it any more.
        significant_bits : int
            The largest grey value is ``2**significant_bits - 1``.
        placement : Placement, optional
            Where it lies on the stage; None: no scale bar, no stage position.
        """
        is_other_shape = self._pixels is None or self._pixels.shape != pixels.shape
        if significant_bits != self._bits:
            self._bits = significant_bits
            self._table = None
        self._pixels, self._placement = pixels, placement
        if is_other_shape:
            self._is_fitted = True
            self._drawing = None if self._tool is Tool.PAN else Drawing(self._tool)
        if self._is_fitted:
            self._view = self._fitted()
        self._renew()

    def clear(self) -> None:
        """Show no image."""
        self._pixels = self._placement = None
        self._renew()

    @property
    def pixels(self) -> Pixels | None:
        """The image that is shown."""
        return self._pixels

    def set_tone(self, black: int, white: int, colour: str = GREY_COLOUR) -> None:
        """Choose the grey values shown as black and in full colour (``#RRGGBB``)."""
        tone = Tone(black, white, colour)
        if tone != self._tone:
            self._tone, self._table = tone, None
            self._renew()

    def mark_saturated(self, is_marking: bool) -> None:
        """Show pixels of the largest grey value in magenta, or as they are."""
        self._is_marking, self._table = is_marking, None
        self._renew()

    def set_outlines(self, outlines: Sequence[Outline]) -> None:
        """Draw closed lines on the stage over the image; needs a placement."""
        if self._outlines != tuple(outlines):
            self._outlines = tuple(outlines)
            self.update()

    def show_cross(self, has_cross: bool) -> None:
        """Show a small cross in the middle of the image, or none."""
        self._has_cross = has_cross
        self.update()

    # --- zoom -------------------------------------------------------------------------------------------------------

    @property
    def scale(self) -> float:
        """Widget pixels per image pixel."""
        return self._view.scale

    def zoom_to_fit(self) -> None:
        """Show the whole image, also when the widget changes its size."""
        self._is_fitted = True
        self._set_view(self._fitted())

    def zoom_to_pixels(self) -> None:
        """Show one image pixel as one pixel of the screen."""
        self.zoom(1 / (self._view.scale * self.devicePixelRatioF()))

    def zoom(self, factor: float, at: QPointF | None = None) -> None:
        """Zoom around a point of the widget; None: its middle."""
        point = at or QPointF(self.width() / 2, self.height() / 2)
        self._is_fitted = False
        self._set_view(self._view.zoomed(factor, point.x(), point.y()))

    def _fitted(self) -> ViewTransform:
        shape = self._pixels.shape if self._pixels is not None else (1, 1)
        return ViewTransform.fit((shape[0], shape[1]), (float(self.width()), float(self.height())))

    def _set_view(self, view: ViewTransform) -> None:
        self._view = view
        self._renew()

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

    # --- coordinates ------------------------------------------------------------------------------------------------

    def to_widget(self, column: float, row: float) -> QPointF:
        """Return where an image point (column, row) is in the widget."""
        return QPointF(*self._view.to_widget(column, row))

    def reading(self) -> CursorReading | None:
        """Return what is under the cursor; None outside the image."""
        if self._cursor is None or self._pixels is None:
            return None
        column, row = self._view.to_image(self._cursor.x(), self._cursor.y())
        height, width = self._pixels.shape
        if not (0 <= column < width and 0 <= row < height):
            return None
        x_um, y_um = self._stage(column, row) or (None, None)
        return CursorReading(int(row), int(column), int(self._pixels[int(row), int(column)]), x_um, y_um)

    def _stage(self, column: float, row: float) -> tuple[float, float] | None:
        if self._placement is None or self._pixels is None:
            return None
        height, width = self._pixels.shape
        return stage_of(self._placement, (height, width), column, row)

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
            corners = [self._stage(*point) for point in points]
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
        if event is None:
            return
        is_left = event.button() == Qt.MouseButton.LeftButton
        if event.button() == Qt.MouseButton.MiddleButton or (is_left and self._drawing is None):
            self._pan_from = event.localPos()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif is_left and self._drawing is not None:
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
            is_down = bool(event.buttons() & Qt.MouseButton.LeftButton)
            is_straight = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._drawing.move(self._image_point(event), is_down, is_straight)
        self.cursor_moved.emit(self.reading())
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """End panning, or a line or rectangle."""
        if event is None:
            return
        if self._pan_from is not None:
            self._pan_from = None
            self.setCursor(Qt.CursorShape.ArrowCursor if self._drawing is None else Qt.CursorShape.CrossCursor)
        elif event.button() == Qt.MouseButton.LeftButton and self._tool in (Tool.LINE, Tool.RECTANGLE):
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

    # --- painting ---------------------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a size for a start; takes what there is."""
        return QSize(600, 600)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Keep the whole image, or the same place, in sight."""
        size = (float(self.width()), float(self.height()))
        self._view = self._fitted() if self._is_fitted else replace(self._view, size=size)
        self._renew()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Paint the image and what lies over it."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), _BACKGROUND)
        if self._pixels is None:
            painter.setPen(QColor("#9AA0A6"))
            painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter) | Qt.TextFlag.TextWordWrap, self.empty_text)
            return
        if self._picture is None:
            self._make_picture(self._pixels)
        if self._picture is not None:
            painter.drawImage(self._picture_at, self._picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_overlays(painter, self._pixels)

    def _make_picture(self, pixels: Pixels) -> None:
        ratio = self.devicePixelRatioF()
        if self._table is None:
            saturated = 2**self._bits - 1 if self._is_marking else None
            self._table = look_up_table(replace(self._tone, saturated=saturated))
        height, width = pixels.shape
        left, top = self._view.to_widget(0.0, 0.0)
        screen_px = (round(self.height() * ratio), round(self.width() * ratio))
        chosen = sampling((height, width), screen_px, self._view.scale * ratio, (top * ratio, left * ratio))
        if not len(chosen.rows) or not len(chosen.columns):
            return
        colours = self._colours = render(pixels, chosen, self._table)  # QImage does not keep what it shows
        rows, columns = colours.shape
        self._picture = QImage(colours.data, columns, rows, 4 * columns, QImage.Format.Format_RGB32)  # type: ignore[call-overload]
        self._picture.setDevicePixelRatio(ratio)
        self._picture_at = QPointF(chosen.left_px / ratio, chosen.top_px / ratio)

    def _paint_overlays(self, painter: QPainter, pixels: Pixels) -> None:
        height, width = pixels.shape
        area = QRectF(self.to_widget(0, 0), self.to_widget(width, height))
        if self._has_cross:
            overlays.paint_middle(painter, area)
        placement = self._placement
        if placement is not None:
            for outline in self._outlines:
                corners = (image_of(placement, (height, width), x, y) for x, y in outline.points_um)
                overlays.paint_outline(painter, [self.to_widget(*corner) for corner in corners], outline)
        if self._drawing is not None:
            overlays.paint_drawing(painter, [self.to_widget(*point) for point in self._drawing.outline()])
        seen = area.intersected(QRectF(self.rect()))
        if placement is not None:
            overlays.paint_scale_bar(painter, seen, placement.pixel_size_um / self._view.scale)
        reading = self.reading()
        if reading is not None:
            overlays.paint_note(painter, seen, str(reading))

    def _renew(self) -> None:
        self._picture = None
        self.update()


def _rest(angle: int) -> float:
    return angle - int(angle / _NOTCH) * _NOTCH
