"""`ImageCanvas`: paints channels of 8 or 16 bits on top of one another, sharp and fast, with scale bar and read-out.

::

    show_image(layers, …) ─▶ kept ─▶ paint: sample what the screen shows ─▶ look-up tables ─▶ QImage ─▶ overlays

The picture is made once per image, contrast or view; overlays are painted over it. Knows no mouse: see `image_view`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PyQt5.QtCore import QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QColor, QImage, QPainter, QPaintEvent, QPolygonF, QResizeEvent
from PyQt5.QtWidgets import QSizePolicy, QWidget

from control.core.rendering import ColourTables, Layer, Rgb32
from control.gui import image_overlays as overlays
from control.gui.image_overlays import Outline
from control.gui.image_reading import CursorReading, read_at
from control.gui.image_render import compose, sampling
from control.gui.image_tools import Point
from control.gui.painting import painting
from control.gui.view_transform import ZOOM_STEP, Placement, ViewTransform, image_of, stage_of

_BACKGROUND = QColor("#121214")


class ImageCanvas(QWidget):
    """Shows an image.

    Attributes
    ----------
    scale_changed : pyqtSignal()
        The image is shown larger or smaller: another copy of it may suit better.
    """

    scale_changed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 160)
        self._layers: tuple[Layer, ...] = ()
        self._shape_px = (1, 1)
        self._bits = 8
        self._placement: Placement | None = None
        self._tables = ColourTables()
        self._is_marking = False
        self._is_fitted = True
        self._view = ViewTransform.fit((1, 1), (1.0, 1.0))
        self._picture: QImage | None = None
        self._picture_at = QPointF()
        self._colours: Rgb32 | None = None
        self._message = ""
        self._cursor: QPointF | None = None
        self._outlines: tuple[Outline, ...] = ()
        self._outlines_at: tuple[object, ...] = ()
        self._corners: list[QPolygonF] = []
        self._has_cross = False

    def drawn_points(self) -> list[Point]:
        """Return the corners (column, row) of a shape in the making; a view with tools overrides it."""
        return []

    def forget_drawing(self) -> None:
        """Hear that the image has another shape now; a view with tools overrides it."""

    # --- what is shown ----------------------------------------------------------------------------------------------

    def show_image(
        self,
        layers: Sequence[Layer],
        significant_bits: int,
        placement: Placement | None = None,
        shape_px: tuple[int, int] | None = None,
    ) -> None:
        """Show channels on top of one another; returns at once, they are painted when Qt gets to it.

        Parameters
        ----------
        layers : sequence of Layer
            Of the same shape. Pixels are kept, not copied.
        significant_bits : int
            The largest grey value is ``2**significant_bits - 1``.
        placement : Placement, optional
            Where the image lies on the stage; None: no scale bar, no stage position.
        shape_px : (int, int), optional
            Height and width of the image, of which the layers are smaller copies; None: of the layers.
        """
        self._layers, self._bits, self._placement = tuple(layers), significant_bits, placement
        if layers:
            height, width = shape_px or layers[0].pixels.shape
            self.set_shape((height, width))
        self._renew()

    def set_shape(self, shape_px: tuple[int, int]) -> None:
        """Say how high and wide the next images are; zoom and place stay while that does."""
        if shape_px != self._shape_px:
            self._shape_px = shape_px
            self.forget_drawing()
            self.zoom_to_fit()

    def clear(self) -> None:
        """Show no image."""
        self._layers, self._placement = (), None
        self._renew()

    def set_message(self, message: str) -> None:
        """Write something over the image, or in the middle where there is none."""
        if message != self._message:
            self._message = message
            self.update()

    @property
    def message(self) -> str:
        """What is written over the image."""
        return self._message

    @property
    def layers(self) -> tuple[Layer, ...]:
        """What is shown."""
        return self._layers

    def mark_saturated(self, is_marking: bool) -> None:
        """Show pixels of the largest grey value in magenta, or as they are."""
        self._is_marking = is_marking
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

    @property
    def level(self) -> int:
        """The smallest copy of the image, halved so many times, that has a pixel for each pixel of the screen."""
        return self._view.level(self.devicePixelRatioF())

    def zoom_to_fit(self) -> None:
        """Show the whole image, also when the widget changes its size."""
        self._is_fitted = True
        self._set_view(self._fitted())

    def zoom_to_pixels(self) -> None:
        """Show one image pixel as one pixel of the screen."""
        self.zoom(1 / (self._view.scale * self.devicePixelRatioF()))

    def zoom_in(self) -> None:
        """Show the image one step larger."""
        self.zoom(ZOOM_STEP)

    def zoom_out(self) -> None:
        """Show the image one step smaller."""
        self.zoom(1 / ZOOM_STEP)

    def zoom(self, factor: float, at: QPointF | None = None) -> None:
        """Zoom around a point of the widget; None: its middle."""
        point = at or QPointF(self.width() / 2, self.height() / 2)
        self._is_fitted = False
        self._set_view(self._view.zoomed(factor, point.x(), point.y()))

    def pan(self, dx: float, dy: float) -> None:
        """Move the image by so many widget pixels."""
        self._is_fitted = False
        self._set_view(self._view.panned(dx, dy, self._shape_px))

    def centre(self, column: float, row: float) -> None:
        """Show an image point in the middle of the widget."""
        self._is_fitted = False
        self._set_view(self._view.centred(column, row))

    def _fitted(self) -> ViewTransform:
        return ViewTransform.fit(self._shape_px, (float(self.width()), float(self.height())))

    def _set_view(self, view: ViewTransform) -> None:
        before, self._view = self._view.scale, view
        self._renew()
        if view.scale != before:
            self.scale_changed.emit()

    # --- coordinates ------------------------------------------------------------------------------------------------

    def to_widget(self, column: float, row: float) -> QPointF:
        """Return where an image point (column, row) is in the widget."""
        return QPointF(*self._view.to_widget(column, row))

    def reading(self) -> CursorReading | None:
        """Return what is under the cursor; None outside the image."""
        if self._cursor is None or not self._layers:
            return None
        point = self._view.to_image(self._cursor.x(), self._cursor.y())
        return read_at(self._layers, self._shape_px, point, self.stage_point(*point))

    def stage_point(self, column: float, row: float) -> tuple[float, float] | None:
        """Return the stage's x and y in µm of an image point; None when nobody said where the image lies."""
        return stage_of(self._placement, self._shape_px, column, row) if self._placement is not None else None

    # --- painting ---------------------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a size for a start; takes what there is."""
        return QSize(600, 600)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Keep the whole image, or the same place, in sight."""
        size = (float(self.width()), float(self.height()))
        self._set_view(self._fitted() if self._is_fitted else replace(self._view, size=size))

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Paint the image and what lies over it."""
        with painting(self) as painter:
            painter.fillRect(self.rect(), _BACKGROUND)
            if self._layers:
                if self._picture is None:
                    self._make_picture()
                if self._picture is not None:
                    painter.drawImage(self._picture_at, self._picture)
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                self._paint_overlays(painter)
            if self._message:
                overlays.paint_message(painter, QRectF(self.rect()), self._message, has_image=bool(self._layers))

    def _make_picture(self) -> None:
        ratio = self.devicePixelRatioF()
        saturated = 2**self._bits - 1 if self._is_marking else None
        rows, columns = self._layers[0].pixels.shape
        height, width = self._shape_px
        scale = self._view.scale * ratio
        left, top = self._view.to_widget(0.0, 0.0)
        screen_px = (round(self.height() * ratio), round(self.width() * ratio))
        scales = (scale * height / rows, scale * width / columns)
        chosen = sampling((rows, columns), screen_px, scales, (top * ratio, left * ratio))
        if not len(chosen.rows) or not len(chosen.columns):
            return
        tables = [self._tables.of(layer, saturated) for layer in self._layers]
        colours = compose(self._layers, tables, chosen, is_marked=self._is_marking)
        self._colours = colours  # QImage does not keep what it shows
        rows, columns = colours.shape
        self._picture = QImage(colours.data, columns, rows, 4 * columns, QImage.Format.Format_RGB32)  # type: ignore[call-overload]
        self._picture.setDevicePixelRatio(ratio)
        self._picture_at = QPointF(chosen.left_px / ratio, chosen.top_px / ratio)

    def _paint_overlays(self, painter: QPainter) -> None:
        height, width = self._shape_px
        area = QRectF(self.to_widget(0, 0), self.to_widget(width, height))
        if self._has_cross:
            overlays.paint_middle(painter, area)
        placement = self._placement
        if placement is not None:
            painter.save()
            painter.setClipRect(area)
            for outline, corners in zip(self._outlines, self._placed(placement), strict=True):
                overlays.paint_outline(painter, corners, outline)
            painter.restore()
        overlays.paint_drawing(painter, [self.to_widget(*point) for point in self.drawn_points()])
        seen = area.intersected(QRectF(self.rect()))
        if placement is not None:
            overlays.paint_scale_bar(painter, seen, placement.pixel_size_um / self._view.scale)
        reading = self.reading()
        if reading is not None:
            overlays.paint_note(painter, seen, str(reading))

    def _placed(self, placement: Placement) -> list[QPolygonF]:
        """Return the outlines in the widget; worked out when something has moved, not for each frame."""
        where = (placement, self._shape_px, self._view, self._outlines)
        if where != self._outlines_at:
            self._outlines_at = where
            self._corners = [
                QPolygonF([self.to_widget(*image_of(placement, self._shape_px, *point)) for point in outline.points_um])
                for outline in self._outlines
            ]
        return self._corners

    def _renew(self) -> None:
        self._picture = None
        self.update()
