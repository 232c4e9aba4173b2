"""The plate as a person points at it: wells chosen by click, drag, headers and keys."""

from __future__ import annotations

from collections.abc import Iterable

from PyQt5.QtCore import QEvent, Qt, pyqtSignal
from PyQt5.QtGui import QKeyEvent, QKeySequence, QMouseEvent
from PyQt5.QtWidgets import QWidget

from control.gui.plate_layout import Well
from control.gui.plate_view import PlateView
from squid.models.plate import PlateGeometry

_ARROWS = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}


class PlateMap(PlateView):
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
        super().__init__(plate, parent)
        self.setObjectName("plateMap")
        self._is_selectable = selectable
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    # --- what is chosen ---------------------------------------------------------------------------------------------

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

    # --- keys -------------------------------------------------------------------------------------------------------

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

    def _state_of(self, row: int, column: int) -> str:
        if not self._is_selectable:
            return ""
        return "chosen" if (row, column) in self._selection.wells else "not chosen"

    def _choose(self, wells: Iterable[Well]) -> None:
        self._apply(self._selection.replace(wells))
        self.selection_changed.emit()

    def _apply(self, changed: frozenset[Well]) -> None:
        """Show a selection of which these wells have changed."""
        self.update_wells(changed)
        self.update()
