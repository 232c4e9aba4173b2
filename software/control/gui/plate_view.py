"""A plate to look at: its wells, planned fields, where the stage stands, and what a page paints into the wells.

Own-painted, from 6 wells to 1536 and any plate of one's own. Knows no plan and no run: pages tell it what to show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PyQt5.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PyQt5.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent, QPen, QPixmap, QResizeEvent
from PyQt5.QtWidgets import QSizePolicy, QToolTip, QWidget

from control.gui import theme
from control.gui.painting import painting
from control.gui.plate_canvas import PlateCanvas, WellPainter, fields_layer, paint_marker
from control.gui.plate_layout import PlateLayout, Well
from control.gui.plate_selection import PlateSelection
from squid.models.plate import PlateGeometry

FIELDS_FROM_PX = 14.0
"""Fields are drawn in wells of at least this size."""


class PlateView(QWidget):
    """A plate.

    Parameters
    ----------
    plate : PlateGeometry
        At first.
    """

    def __init__(self, plate: PlateGeometry, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plate = plate
        self._selection = PlateSelection(plate.rows, plate.columns)
        self._layout = PlateLayout.fit(plate, self.width(), self.height())
        self._canvas: PlateCanvas | None = None
        self._fields: tuple[tuple[float, float], ...] = ()
        self._fov_um = (0.0, 0.0)
        self._fields_layer: QPixmap | None = None
        self._stage_um: tuple[float, float] | None = None
        self._hovered: Well | None = None
        self._well_painter: WellPainter | None = None
        self._well_text: Callable[[int, int], str] | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 160)

    # --- what it shows ----------------------------------------------------------------------------------------------

    @property
    def plate(self) -> PlateGeometry:
        """The plate shown."""
        return self._plate

    def set_plate(self, plate: PlateGeometry) -> None:
        """Show another plate; nothing is chosen, fields and marker stay with the stage."""
        if plate == self._plate:
            return
        self._plate = plate
        self._selection = PlateSelection(plate.rows, plate.columns)
        self._hovered = None
        self._lay_out()

    def set_stage_position(self, x_um: float | None, y_um: float | None = None) -> None:
        """Show where the stage stands, in µm; None: it is not known."""
        new = None if x_um is None or y_um is None else (x_um, y_um)
        if new == self._stage_um:
            return
        old, self._stage_um = self._stage_um, new
        for place in (old, new):
            if place is not None:
                at = self._layout.to_px(*place)
                self.update(QRectF(at.x() - 14, at.y() - 14, 28, 28).toAlignedRect())

    def set_fields(self, fov_um: tuple[float, float], places_um: Iterable[tuple[float, float]]) -> None:
        """Show planned fields.

        Parameters
        ----------
        fov_um : (float, float)
            Width and height of a field.
        places_um : iterable of (float, float)
            Stage x and y of each field's centre.
        """
        fields = tuple(places_um)
        if (fov_um, fields) != (self._fov_um, self._fields):
            self._fov_um, self._fields = fov_um, fields
            self._fields_layer = None
            self.update()

    def set_well_painter(self, painter: WellPainter | None) -> None:
        """Have each well painted by the page (thumbnails, progress), over the empty well."""
        self._well_painter = painter
        self._canvas = None
        self.update()

    def update_wells(self, wells: Iterable[Well]) -> None:
        """Paint these wells anew: what the page paints into them has changed."""
        wells = tuple(wells)
        if self._canvas is not None:
            self._canvas.paint_wells(wells, self._selection.wells, self._well_painter)
            for well in wells if len(wells) < 50 else ():
                self.update(self._layout.cell(*well).toAlignedRect())
        if len(wells) >= 50 or (self._canvas is not None and self._canvas.is_due):
            self.update()

    def set_well_text(self, text: Callable[[int, int], str] | None) -> None:
        """Set what the tooltip says of a well beside its name."""
        self._well_text = text

    def well_rect(self, row: int, column: int) -> QRectF:
        """Return the square around a well, in pixels of this widget."""
        return self._layout.well(row, column)

    def to_um(self, point: QPointF) -> tuple[float, float]:
        """Return where on the stage a point of this widget is: x and y in µm."""
        return self._layout.to_um(point)

    def header_rect(self, row: int | None = None, column: int | None = None) -> QRectF:
        """Return the header of a row or of a column; without either the corner, which means all."""
        if row is not None:
            return self._layout.row_header(row)
        if column is not None:
            return self._layout.column_header(column)
        return QRectF(self._layout.row_header(0).left(), self._layout.column_header(0).top(), 16, 16)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a comfortable size."""
        return QSize(720, 480)

    def event(self, event: QEvent | None) -> bool:
        """Show name and state of a well as its tooltip."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            well = self._layout.well_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), self.text_of(*well) if well is not None else "", self)
            return True
        return super().event(event)

    def text_of(self, row: int, column: int) -> str:
        """Return what the tooltip says of a well."""
        parts = [self._plate.well_name(row, column)]
        state = self._state_of(row, column)
        if state:
            parts.append(state)
        if self._well_text is not None:
            parts.append(self._well_text(row, column))
        return ": ".join((parts[0], ", ".join(part for part in parts[1:] if part))).rstrip(": ")

    def _state_of(self, _row: int, _column: int) -> str:
        """Return what the tooltip says of a well by itself; empty: nothing."""
        return ""

    # --- painting ---------------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Lay the wells out anew."""
        self._lay_out()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Copy the plate, then mark what moves."""
        if self._canvas is None:
            self._canvas = PlateCanvas(self._layout, self.width(), self.height(), self.devicePixelRatioF())
            self._canvas.paint_all(self._selection.wells, self._well_painter)
        elif self._canvas.is_due and self._well_painter is not None:
            self._canvas.paint_due(self._selection.wells, self._well_painter)
        with painting(self) as painter:
            painter.drawPixmap(0, 0, self._canvas.pixmap)
            if self._fields and self._layout.well_px >= FIELDS_FROM_PX:
                painter.drawPixmap(0, 0, self._drawn_fields())
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._mark(painter, self._hovered, theme.TEXT)
            if self.hasFocus():
                self._mark(painter, self._selection.cursor, theme.FAINT, Qt.PenStyle.DotLine)
            if self._stage_um is not None:
                paint_marker(painter, self._layout.to_px(*self._stage_um))
        if self._canvas.is_due:
            self.update()  # the next turn of the event loop goes on

    def _mark(
        self, painter: QPainter, well: Well | None, colour: str, style: Qt.PenStyle = Qt.PenStyle.SolidLine
    ) -> None:
        if well is not None:
            painter.setPen(QPen(QColor(colour), 1.5, style))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(self._layout.cell(*well).adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)

    def _drawn_fields(self) -> QPixmap:
        """Return the layer of fields; painted once."""
        if self._fields_layer is None:
            size = (self.width(), self.height())
            self._fields_layer = fields_layer(self._layout, size, self.devicePixelRatioF(), self._fov_um, self._fields)
        return self._fields_layer

    def _lay_out(self) -> None:
        self._layout = PlateLayout.fit(self._plate, self.width(), self.height())
        self._canvas = self._fields_layer = None
        self.update()
