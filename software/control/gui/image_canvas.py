"""`ImageCanvas`: paints one image of 8 or 16 bits, sharp and fast, with scale bar, outlines and read-out.

::

    show_image(pixels, …) ─▶ kept ─▶ paint: sample what the screen shows ─▶ look-up table ─▶ QImage ─▶ overlays

The picture is made once per image, tone or view; overlays are painted over it. Knows no mouse: see `image_view`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PyQt5.QtCore import QPointF, QRectF, QSize, Qt
from PyQt5.QtGui import QColor, QImage, QPainter, QPaintEvent, QPolygonF, QResizeEvent
from PyQt5.QtWidgets import QSizePolicy, QWidget

from control.gui import image_overlays as overlays
from control.gui import theme
from control.gui.image_overlays import Outline
from control.gui.image_render import GREY_COLOUR, Rgb, Tone, look_up_table, render, sampling
from control.gui.image_tools import Point
from control.gui.painting import painting
from control.gui.view_transform import Placement, ViewTransform, image_of, stage_of
from squid.models.geometry import Pixels

_BACKGROUND = QColor("#121214")


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


class ImageCanvas(QWidget):
    """Shows an image.

    Attributes
    ----------
    empty_text : str
        Shown while there is no image.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 160)
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
            self.forget_drawing()
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
        x_um, y_um = self.stage_point(column, row) or (None, None)
        return CursorReading(int(row), int(column), int(self._pixels[int(row), int(column)]), x_um, y_um)

    def stage_point(self, column: float, row: float) -> tuple[float, float] | None:
        """Return the stage's x and y in µm of an image point; None when nobody said where the image lies."""
        if self._placement is None or self._pixels is None:
            return None
        height, width = self._pixels.shape
        return stage_of(self._placement, (height, width), column, row)

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
        with painting(self) as painter:
            painter.fillRect(self.rect(), _BACKGROUND)
            if self._pixels is None:
                painter.setPen(QColor(theme.FAINT))
                where = int(Qt.AlignmentFlag.AlignCenter) | Qt.TextFlag.TextWordWrap
                painter.drawText(self.rect(), where, self.empty_text)
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
            painter.save()
            painter.setClipRect(area)
            for outline, corners in zip(self._outlines, self._placed(placement, (height, width)), strict=True):
                overlays.paint_outline(painter, corners, outline)
            painter.restore()
        overlays.paint_drawing(painter, [self.to_widget(*point) for point in self.drawn_points()])
        seen = area.intersected(QRectF(self.rect()))
        if placement is not None:
            overlays.paint_scale_bar(painter, seen, placement.pixel_size_um / self._view.scale)
        reading = self.reading()
        if reading is not None:
            overlays.paint_note(painter, seen, str(reading))

    def _placed(self, placement: Placement, shape_px: tuple[int, int]) -> list[QPolygonF]:
        """Return the outlines in the widget; worked out when something has moved, not for each frame."""
        where = (placement, shape_px, self._view, self._outlines)
        if where != self._outlines_at:
            self._outlines_at = where
            self._corners = [
                QPolygonF([self.to_widget(*image_of(placement, shape_px, *point)) for point in outline.points_um])
                for outline in self._outlines
            ]
        return self._corners

    def _renew(self) -> None:
        self._picture = None
        self.update()
