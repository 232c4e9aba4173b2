"""Plan page: the wells of the plate, chosen by pointing or by writing; both show the same."""

from __future__ import annotations

from collections import Counter

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QAction, QHBoxLayout, QLabel, QLineEdit, QToolButton, QVBoxLayout, QWidget

from control.core.planning import FieldOutlines, PlanDraft, wells_text
from control.gui import theme
from control.gui.parts import button_for, faint_label, make_action
from control.gui.plan_section import show_text
from control.gui.plate_layout import Well
from control.gui.plate_map import PlateMap
from control.gui.region_overlay import RegionOverlay
from squid.models.plate import PlateGeometry
from squid.models.wells import HOW_TO


class WellsPanel(QWidget):
    """The plate map over a line with the selection as text.

    Parameters
    ----------
    plate : PlateGeometry
        At first.

    Attributes
    ----------
    changed : pyqtSignal(object)
        Mapping of the draft's attributes to their new values.
    region_drawn : pyqtSignal(object)
        Corners (x, y) in µm of the stage.
    """

    changed = pyqtSignal(object)
    region_drawn = pyqtSignal(object)

    def __init__(self, plate: PlateGeometry) -> None:
        super().__init__()
        self.map = PlateMap(plate)
        self.overlay = RegionOverlay(self.map)
        self.text = QLineEdit()
        self.text.setObjectName("wellsText")
        self.text.setPlaceholderText("wells, for example A1:C6, H12")
        self.text.setToolTip(f"The wells to image: {HOW_TO}")
        self.number = QLabel()
        self.number.setObjectName("wellsNumber")
        self.refusal = QLabel()
        self.refusal.setObjectName("wellsRefusal")
        self.refusal.setProperty("role", "refusal")
        self.refusal.setWordWrap(True)
        self._shown: str | None = None
        self._make_actions()
        self._lay_out()
        self.overlay.drawn.connect(self.region_drawn)
        self.overlay.ended.connect(lambda: self.draw_action.setChecked(False))
        self.map.selection_changed.connect(self._take_selection)
        self.text.textEdited.connect(self._preview)
        self.text.editingFinished.connect(lambda: self._change(self.text.text().strip()))

    def _make_actions(self) -> None:
        say_all = "Choose all wells (without the border that this plate leaves out)"
        self.actions_of_wells: list[QAction] = [
            make_action(
                self, "&All wells", lambda: self._change("all"), shortcut="Alt+A", tip=say_all, image="select-all"
            ),
            make_action(
                self,
                "&Clear wells",
                lambda: self._change(""),
                shortcut="Alt+C",
                tip="Choose no well",
                image="select-remove",
            ),
            make_action(
                self,
                "&Invert wells",
                self.map.invert_selection,
                shortcut="Alt+I",
                tip="Choose the others",
                image="select-inverse",
            ),
        ]

        self.draw_action = make_action(
            self,
            "Draw &region",
            self._draw,
            shortcut="Ctrl+D",
            tip="Draw a polygon on the plate: all of it is imaged, field by field",
            image="vector-polygon",
        )
        self.draw_action.setCheckable(True)

    def _draw(self) -> None:
        if self.draw_action.isChecked():
            self.overlay.begin()
        else:
            self.overlay.end()

    def _lay_out(self) -> None:
        buttons = []
        for action, word in zip(self.actions_of_wells, ("All", "Clear", "Invert"), strict=True):
            button = QToolButton()
            button.setObjectName(f"wells_{word.lower()}")
            button.setText(word)
            button.setToolTip(action.toolTip())
            button.clicked.connect(action.trigger)
            buttons.append(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.GAP_PX, theme.GAP_PX, theme.GAP_PX, 0)
        layout.setSpacing(theme.GAP_PX // 2)
        layout.addWidget(self.map, 1)
        layout.addWidget(self.refusal)
        self._line = QWidget()
        line = QHBoxLayout(self._line)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(theme.GAP_PX)
        line.addWidget(self.text, 1)
        for widget in (self.number, *buttons):
            line.addWidget(widget)
        layout.addWidget(self._line)
        self._draw_line = QWidget()
        drawing = QHBoxLayout(self._draw_line)
        drawing.setContentsMargins(0, 0, 0, 0)
        button = button_for(self.draw_action)
        button.setObjectName("drawRegion")
        drawing.addWidget(button)
        hint = "Click the corners on the plate, double-click the last one; Backspace takes one back, Esc gives up."
        drawing.addWidget(faint_label(hint), 1)
        layout.addWidget(self._draw_line)

    def show_draft(self, draft: PlanDraft, plate: PlateGeometry | None) -> None:
        """Show the wells of a draft, none when it images others; None: its plate is not known, the map stays."""
        if plate is not None and plate != self.map.plate:
            self.map.set_plate(plate)
            self._shown = None
        is_used = draft.use == "wells"
        self._line.setVisible(is_used)
        self._draw_line.setVisible(draft.use == "regions")
        self.draw_action.setEnabled(draft.use == "regions" and plate is not None)
        if draft.use != "regions":
            self.overlay.end()
        self.map.set_selectable(is_used)
        for action in self.actions_of_wells:
            action.setEnabled(is_used)
        wanted = draft.wells if is_used else ""
        if wanted != self._shown:
            self._shown = wanted
            show_text(self.text, wanted)
            self._preview(wanted)

    def show_fields(self, outlines: FieldOutlines) -> None:
        """Draw planned fields, and count them in the tooltips of the wells."""
        self.map.set_fields(outlines.fov_um, [(x, y) for _, _, x, y in outlines.fields])
        numbers = Counter((row, column) for row, column, _, _ in outlines.fields)

        def text(row: int, column: int) -> str:
            number = numbers[row, column]
            return f"{number} field{'s' if number != 1 else ''}" if number else ""

        self.map.set_well_text(text)

    def refuse(self, *reasons: str) -> None:
        """Show why these wells cannot be imaged."""
        self.refusal.setText("\n".join(reasons))

    def _preview(self, text: str) -> None:
        """Show on the map what a text selects; while it selects nothing, nothing."""
        try:
            wells: tuple[Well, ...] = self.map.plate.select(text) if text.strip() else ()
        except ValueError:  # half a name, or no well of this plate: the check tells it when it is left so
            wells = ()
        self.map.set_selection(wells)
        self._count()

    def _take_selection(self) -> None:
        self._change(wells_text(self.map.selection))

    def _change(self, text: str) -> None:
        if text != self._shown:
            self.changed.emit({"wells": text})

    def _count(self) -> None:
        number = len(self.map.selection)
        self.number.setText(f"{number} well" + ("s" if number != 1 else ""))
