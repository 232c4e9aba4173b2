"""Plan page: which plate is on the stage, and through which objective it is imaged."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PyQt5.QtCore import QSignalBlocker
from PyQt5.QtWidgets import QCheckBox, QSizePolicy, QToolButton

from control.core.planning import PlanDraft
from control.core.words import counted
from control.gui.parts import faint_label, icon
from control.gui.plan_section import Form, PlanSection, choices, row, show_choice
from squid.models.plate import PlateGeometry


class PlateSection(PlanSection):
    """Plate and objective.

    Parameters
    ----------
    plates : iterable of str
        Names to choose from.
    objectives : iterable of str
        Names to choose from.
    make_plate : callable
        Opens the dialog for a plate of one's own.
    """

    def __init__(self, plates: Iterable[str], objectives: Iterable[str], make_plate: Callable[[], None]) -> None:
        super().__init__("Plate & objective")
        self.plate = choices("planPlate", (), "The plate on the stage")
        self.set_plates(plates)
        in_use: list[tuple[str, object]] = [("the one in use", None)]
        self.objective = choices(
            "planObjective", in_use, "The objective of this plan; it is changed when the run starts"
        )
        for name in objectives:
            self.objective.addItem(name, name)
        self.in_wells = QCheckBox("Positions belong to wells")
        self.in_wells.setObjectName("planInWells")
        self.in_wells.setToolTip("Store the fields of free positions under the wells of this plate")
        self.facts = faint_label()
        self._form = Form()
        self.own = QToolButton()
        self.own.setObjectName("ownPlate")
        self.own.setIcon(icon("pencil-ruler"))
        self.own.setToolTip("Make a plate of your own, or say where A1 of this one really is")
        self.own.clicked.connect(make_plate)
        line = row(self.plate, self.own)
        self.plate.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._form.add("Plate", line)
        self._form.add("", self.facts)
        self._form.add("Objective", self.objective)
        self._form.addWidget(self.in_wells)
        self.body.addLayout(self._form)
        self.plate.currentIndexChanged.connect(lambda _: self.change(plate=self.plate.currentData()))
        self.objective.currentIndexChanged.connect(lambda _: self.change(objective=self.objective.currentData()))
        self.in_wells.toggled.connect(lambda on: self.change(positions_in_wells=on))

    def set_plates(self, names: Iterable[str]) -> None:
        """Offer these plates; show a draft afterwards."""
        blocker = QSignalBlocker(self.plate)
        self.plate.clear()
        for name in names:
            self.plate.addItem(name, name)
        blocker.unblock()

    def set_objective_in_use(self, name: str) -> None:
        """Say which objective is in the beam."""
        self.objective.setItemText(0, f"the one in use ({name})")

    def show_geometry(self, plate: PlateGeometry | None) -> None:
        """Say in a line how large the plate's wells are."""
        self.facts.setText(_facts(plate) if plate is not None else "")
        self.facts.setToolTip(_explained(plate) if plate is not None else "")
        self._form.show_row(self.facts, plate is not None)

    def _show(self, draft: PlanDraft) -> None:
        show_choice(self.plate, draft.plate, draft.plate or "no plate")
        show_choice(self.objective, draft.objective, str(draft.objective))
        self.in_wells.setVisible(draft.use != "wells")
        self.in_wells.setChecked(draft.positions_in_wells)


def _facts(plate: PlateGeometry) -> str:
    """Return a plate's shape in one line."""
    if plate.well_size_mm == 0:
        return "one area without walls"
    shape = "⌀" if plate.round_wells else "□"
    return f"wells {shape} {plate.well_size_mm:g} mm, {plate.well_spacing_mm:g} mm apart"


def _explained(plate: PlateGeometry) -> str:
    """Return what the line says, in words."""
    shape = "round" if plate.round_wells else "square"
    rows, columns = counted(plate.rows, "row"), counted(plate.columns, "column")
    text = f"{rows} and {columns} of {shape} wells, {plate.well_size_mm:g} mm wide"
    text += f", {plate.well_spacing_mm:g} mm from centre to centre"
    return f"{text}; 'all' leaves out {plate.skip} at the border" if plate.skip else text
