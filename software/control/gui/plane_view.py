"""Shows one picture of a stored run: fitted or zoomed, with scale bar, and tells which pixel is under the cursor.

Pictures come rendered (`control.core.review.viewing`), so that several channels lie on top of one another; a picture of
a smaller level of the pyramid takes the same place as the full one.
"""

from __future__ import annotations

from PyQt5 import sip
from PyQt5.QtCore import QEvent, QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt5.QtGui import (
    QColor,
    QFontMetricsF,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PyQt5.QtWidgets import QSizePolicy, QWidget

from control.core.rendering import Rgb32
from control.gui import theme
from control.gui.image_overlays import paint_scale_bar
from control.gui.painting import painting

_MOST_ZOOM = 16.0
_LEAST_ZOOM = 0.02
_STEP = 1.25


class PlaneView(QWidget):
    """A picture with zoom and pan.

    The wheel zooms about the cursor, dragging moves, a double click fits the picture again.

    Attributes
    ----------
    hovered : pyqtSignal(object)
        (row, column) of the full picture under the cursor, or None.
    zoomed : pyqtSignal()
        Another level of the pyramid may suit better.
    """

    hovered = pyqtSignal(object)
    zoomed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("planeView")
        self.setMouseTracking(True)
        self.setMinimumSize(240, 200)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._rgb: Rgb32 | None = None
        self._image = QImage()
        self._shape_px = (1, 1)
        self._pixel_size_um = 1.0
        self._message = ""
        self._zoom: float | None = None
        self._centre = QPointF(0.5, 0.5)
        self._dragged_from: QPointF | None = None

    # --- what it shows ----------------------------------------------------------------------------------------------

    def set_scale(self, shape_px: tuple[int, int], pixel_size_um: float) -> None:
        """Set height and width of full pictures, and the size of their pixels; zoom and place are kept if they fit."""
        if shape_px != self._shape_px:
            self.fit()
        self._shape_px, self._pixel_size_um = shape_px, pixel_size_um

    def show_picture(self, rgb: Rgb32 | None, message: str = "") -> None:
        """Show a picture (None: none), and a message over it."""
        self._rgb = rgb  # QImage does not keep it alive
        if rgb is None:
            self._image = QImage()
        else:
            height, width = rgb.shape[:2]
            self._image = QImage(
                sip.voidptr(rgb.ctypes.data), width, height, rgb.strides[0], QImage.Format.Format_RGB32
            )
        self._message = message
        self.update()

    @property
    def message(self) -> str:
        """What is written over the picture."""
        return self._message

    @property
    def has_picture(self) -> bool:
        """Whether there is a picture."""
        return self._rgb is not None

    @property
    def zoom(self) -> float:
        """Pixels of the screen per pixel of the full picture."""
        if self._zoom is not None:
            return self._zoom
        height, width = self._shape_px
        return max(1e-3, min(self.width() / width, self.height() / height))

    @property
    def level(self) -> int:
        """The smallest level of the pyramid that still has a pixel for each pixel of the screen."""
        ratio, level = self.zoom * self.devicePixelRatioF(), 0
        while ratio <= 0.5 and level < 16:
            ratio, level = ratio * 2, level + 1
        return level

    def fit(self) -> None:
        """Show the whole picture."""
        self._zoom, self._centre = None, QPointF(0.5, 0.5)
        self.zoomed.emit()
        self.update()

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        """Zoom, about a point of the widget (None: its middle)."""
        at = at if at is not None else QPointF(self.rect().center())
        before = self._to_picture(at)
        self._zoom = min(max(self.zoom * factor, _LEAST_ZOOM), _MOST_ZOOM)
        self._centre += before - self._to_picture(at)
        self.zoomed.emit()
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a comfortable size."""
        return QSize(640, 560)

    # --- mouse ------------------------------------------------------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802 - Qt's name
        """Zoom about the cursor."""
        if event is not None:
            self.zoom_by(_STEP ** (event.angleDelta().y() / 120), event.position())
            event.accept()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Begin to move."""
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self._dragged_from = event.localPos()

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Move, or tell what is under the cursor."""
        if event is None:
            return
        if self._dragged_from is not None:
            self._zoom = self.zoom
            self._centre -= self._to_picture(event.localPos()) - self._to_picture(self._dragged_from)
            self._dragged_from = event.localPos()
            self.update()
        self.hovered.emit(self._pixel(event.localPos()))

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """End moving."""
        self._dragged_from = None

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Fit the picture."""
        self.fit()

    def leaveEvent(self, event: QEvent | None) -> None:  # noqa: N802 - Qt's name
        """Nothing is under the cursor."""
        self.hovered.emit(None)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Another level may suit."""
        self.zoomed.emit()

    # --- painting ---------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Draw picture, scale bar and message."""
        with painting(self) as painter:
            painter.fillRect(self.rect(), QColor("black"))
            if not self._image.isNull():
                painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self.zoom < 1)
                painter.drawImage(self._picture_rect(), self._image, QRectF(self._image.rect()))
                paint_scale_bar(painter, QRectF(self.rect()), self._pixel_size_um / self.zoom)
            if self._message:
                self._draw_message(painter)

    def _picture_rect(self) -> QRectF:
        height, width = (side * self.zoom for side in self._shape_px)
        return QRectF(
            self.width() / 2 - self._centre.x() * width, self.height() / 2 - self._centre.y() * height, width, height
        )

    def _to_picture(self, at: QPointF) -> QPointF:
        """Return a point of the widget as fractions of the picture."""
        rect = self._picture_rect()
        return QPointF((at.x() - rect.x()) / rect.width(), (at.y() - rect.y()) / rect.height())

    def _pixel(self, at: QPointF) -> tuple[int, int] | None:
        place = self._to_picture(at)
        if not (0 <= place.x() < 1 and 0 <= place.y() < 1):
            return None
        return int(place.y() * self._shape_px[0]), int(place.x() * self._shape_px[1])

    def _draw_message(self, painter: QPainter) -> None:
        """Write in the middle where there is no picture, else along its upper edge."""
        side = Qt.AlignmentFlag.AlignTop if self.has_picture else Qt.AlignmentFlag.AlignVCenter
        flags = int(Qt.AlignmentFlag.AlignHCenter | side) | int(Qt.TextFlag.TextWordWrap)
        box = self.rect().adjusted(24, 16, -24, -16)
        if self.has_picture:
            words = QFontMetricsF(self.font()).boundingRect(QRectF(box), flags, self._message)
            painter.fillRect(words.adjusted(-8, -4, 8, 4), QColor(0, 0, 0, 150))
        painter.setPen(QColor(theme.WAITING if self.has_picture else theme.FAINT))
        painter.drawText(QRectF(box), flags, self._message)
