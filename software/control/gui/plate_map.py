"""The plate as a person points at it: wells chosen by click, drag, headers and keys; stage position and fields in it.

Own-painted, from 6 wells to 1536 and any plate of one's own. Knows no plan and no run: pages tell it what to show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PyQt5.QtCore import QEvent, QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt5.QtGui import (
    QColor,
    QHelpEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PyQt5.QtWidgets import QSizePolicy, QToolTip, QWidget

from control.gui import theme
from control.gui.painting import painting
from control.gui.plate_canvas import PlateCanvas, WellPainter, fields_layer, paint_marker
from control.gui.plate_layout import PlateLayout, Well
from control.gui.plate_selection import PlateSelection
from squid.models.plate import PlateGeometry

FIELDS_FROM_PX = 14.0
"""Fields are drawn in wells of at least this size."""

_ARROWS = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}


class PlateMap(QWidget):
    """A plate whose wells can be chosen.

    Click chooses a well, drag a rectangle; with Ctrl they toggle, with Shift they extend. A header means its row or
    column, the corner all. Arrow keys move, space toggles, Shift with arrows extends;
    Enter or a double click: go there.

    Parameters
    ----------
    plate : PlateGeometry
        At first.
    selectable : bool
        Whether clicks choose wells; otherwise they only emit `well_clicked`.

    Attributes
    ----------
    selection_changed : pyqtSignal()
        A person has chosen other wells (at the end of a drag).
    well_clicked : pyqtSignal(int, int)
        Row and column of a well that was clicked.
    go_to_requested : pyqtSignal(float, float)
        Stage x and y in µm: the point of a double click, the centre of the well with Enter.
    """

    selection_changed = pyqtSignal()
    well_clicked = pyqtSignal(int, int)
    go_to_requested = pyqtSignal(float, float)

    def __init__(self, plate: PlateGeometry, *, selectable: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("plateMap")
        self._plate = plate
        self._is_selectable = selectable
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
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
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

    def set_selectable(self, is_selectable: bool) -> None:
        """Let clicks choose wells, or not."""
        self._is_selectable = is_selectable

    @property
    def selection(self) -> tuple[Well, ...]:
        """Chosen wells, row by row."""
        return tuple(sorted(self._selection.wells))

    def set_selection(self, wells: Iterable[Well]) -> None:
        """Choose wells; emits nothing."""
        self._apply(self._selection.replace(wells))

    def select_all(self) -> None:
        """Choose all wells except the skipped border, as a person would."""
        skip = self._plate.skip
        inner = [(r, c) for r in range(self._plate.rows) for c in range(self._plate.columns)]
        last = (self._plate.rows - 1 - skip, self._plate.columns - 1 - skip)
        self._choose([(r, c) for r, c in inner if skip <= r <= last[0] and skip <= c <= last[1]])

    def clear_selection(self) -> None:
        """Choose no well."""
        self._choose(())

    def invert_selection(self) -> None:
        """Choose the other wells."""
        every = {(r, c) for r in range(self._plate.rows) for c in range(self._plate.columns)}
        self._choose(every - self._selection.wells)

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

    # --- mouse ------------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Begin to choose."""
        if event is None or event.button() != Qt.MouseButton.LeftButton:
            return
        found = self._layout.block_at(event.localPos())
        if found is None:
            return
        if found[0] == found[1]:
            self.well_clicked.emit(*found[0])
        if self._is_selectable:
            keys = event.modifiers()
            toggle, extend = keys & Qt.KeyboardModifier.ControlModifier, keys & Qt.KeyboardModifier.ShiftModifier
            self._apply(self._selection.press(*found, toggle=bool(toggle), extend=bool(extend)))

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Choose while dragging, else show which well is meant."""
        if event is None:
            return
        if self._selection.is_dragging and event.buttons() & Qt.MouseButton.LeftButton:
            self._apply(self._selection.drag(self._layout.nearest(event.localPos())))
        hovered = self._layout.well_at(event.localPos())
        if hovered != self._hovered:
            self._hovered = hovered
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """End choosing."""
        if event is not None and event.button() == Qt.MouseButton.LeftButton and self._selection.release():
            self.selection_changed.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Go there; what was chosen before the first of the two clicks is chosen again."""
        if event is None or event.button() != Qt.MouseButton.LeftButton:
            return
        if self._layout.well_at(event.localPos()) is None:
            self.mousePressEvent(event)
            return
        if self._is_selectable:
            self._apply(self._selection.undo_click())
            self.selection_changed.emit()
        self.go_to_requested.emit(*self._layout.to_um(event.localPos()))

    def leaveEvent(self, event: QEvent | None) -> None:  # noqa: N802 - Qt's name
        """No well is meant any more."""
        self._hovered = None
        self.update()

    # --- keys and tooltip -------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Move with the arrows, toggle with space, extend with Shift, go there with Enter."""
        if event is None:
            return
        key = Qt.Key(event.key())
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.go_to_requested.emit(*self._plate.well_centre_um(*self._selection.cursor))
        elif key in _ARROWS and not event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self._apply(self._selection.move(_ARROWS[key], extend=shift and self._is_selectable))
            if shift and self._is_selectable:
                self.selection_changed.emit()
        elif key == Qt.Key.Key_Space and self._is_selectable:
            self._apply(self._selection.toggle_cursor())
            self.selection_changed.emit()
        elif event.matches(QKeySequence.StandardKey.SelectAll) and self._is_selectable:
            self.select_all()
        else:
            super().keyPressEvent(event)

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
        if self._is_selectable:
            parts.append("chosen" if (row, column) in self._selection.wells else "not chosen")
        if self._well_text is not None:
            parts.append(self._well_text(row, column))
        return ": ".join((parts[0], ", ".join(part for part in parts[1:] if part))).rstrip(": ")

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

    def _choose(self, wells: Iterable[Well]) -> None:
        self._apply(self._selection.replace(wells))
        self.selection_changed.emit()

    def _apply(self, changed: frozenset[Well]) -> None:
        """Show a selection of which these wells have changed."""
        self.update_wells(changed)
        self.update()
