"""A sheet over the plate map on which a person draws a region, corner by corner."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QObject, QPointF, Qt, pyqtSignal
from PyQt5.QtGui import QColor, QKeyEvent, QMouseEvent, QPaintEvent, QPen, QPolygonF
from PyQt5.QtWidgets import QWidget

from control.gui import theme
from control.gui.image_tools import Drawing, Tool
from control.gui.painting import painting
from control.gui.plate_map import PlateMap

_CORNER_PX = 4


class RegionOverlay(QWidget):
    """Takes the mouse from a plate map while a region is drawn.

    Parameters
    ----------
    plate_map : PlateMap
        Lies under it; knows where on the stage a point is.

    Attributes
    ----------
    drawn : pyqtSignal(object)
        Corners (x, y) in µm of the stage.
    ended : pyqtSignal()
        Drawn, or given up.
    """

    drawn = pyqtSignal(object)
    ended = pyqtSignal()

    def __init__(self, plate_map: PlateMap) -> None:
        super().__init__(plate_map)
        self.setObjectName("regionOverlay")
        self._map = plate_map
        self._drawing = Drawing(Tool.POLYGON)
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        plate_map.installEventFilter(self)
        self.hide()

    def begin(self) -> None:
        """Let a person draw."""
        self._drawing = Drawing(Tool.POLYGON)
        self.setGeometry(self._map.rect())
        self.show()
        self.raise_()
        self.setFocus()

    def end(self) -> None:
        """Give up what was begun."""
        if self.isVisibleTo(self._map):
            self.hide()
            self.ended.emit()

    def eventFilter(self, _: QObject | None, event: QEvent | None) -> bool:  # noqa: N802 - Qt's name
        """Corners lie elsewhere once the map has another size: begin anew."""
        if event is not None and event.type() == QEvent.Type.Resize:
            self.end()
        return False

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Set a corner; the right button closes the region."""
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self._drawing.press((event.localPos().x(), event.localPos().y()))
        elif event is not None and event.button() == Qt.MouseButton.RightButton:
            self._close()
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Lead the line to the mouse."""
        if event is not None:
            self._drawing.move((event.localPos().x(), event.localPos().y()), is_down=False)
            self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Close the region."""
        self._close()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Return closes the region, Backspace takes back a corner, Esc gives up."""
        key = event.key() if event is not None else None
        if key == Qt.Key.Key_Escape:
            self.end()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._close()
        elif key == Qt.Key.Key_Backspace:
            self._drawing.undo()
            self.update()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Paint what is drawn so far."""
        points = [QPointF(*point) for point in self._drawing.outline()]
        with painting(self) as painter:
            painter.setPen(QPen(QColor(theme.WAITING), 1.5))
            painter.drawPolyline(QPolygonF(points))
            painter.setBrush(QColor(theme.WAITING))
            for corner in self._drawing.points:
                painter.drawEllipse(QPointF(*corner), _CORNER_PX, _CORNER_PX)

    def _close(self) -> None:
        corners = self._drawing.closed()
        if corners is not None:
            self.drawn.emit([self._map.to_um(QPointF(*corner)) for corner in corners])
            self.end()
