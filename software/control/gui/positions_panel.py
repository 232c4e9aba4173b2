"""The panel of free positions and regions: where a plan goes when it does not go to wells.

Add where the stage stands, edit in the table, reorder, remove, go there; import and export CSV. Knows no plan: it shows
what it is given (`set_draft`) and says what a person made of it (`changed`, `regions_changed`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

from PyQt5.QtCore import QItemSelectionModel, pyqtSignal
from PyQt5.QtWidgets import QAbstractItemView, QAction, QGridLayout, QHeaderView, QTableView, QVBoxLayout, QWidget

from control.core.monitor import RigState
from control.core.planning import FreePosition, PlanDraft, RegionPolygon
from control.gui import theme
from control.gui.parts import Section, faint_label
from control.gui.positions_actions import PositionsActions
from control.gui.positions_files import PositionsFiles
from control.gui.positions_model import PositionsModel
from control.gui.regions_list import RegionsList
from control.gui.work_bar import WorkBar
from squid.utils.worker_manager import WorkerManager

_NO_POSITIONS = (
    "None yet. Go to a place on the Look page and press Add here, or import a list. Without any, the run images where "
    "the stage stands."
)


class KnowsTheRig(Protocol):
    """What the panel needs of the monitor."""

    @property
    def newest(self) -> RigState | None:
        """The newest state of the rig."""


class PositionsPanel(QWidget):
    """Free positions and regions.

    Parameters
    ----------
    monitor : KnowsTheRig
        Says where the stage stands.
    manager : WorkerManager
        Reads and writes files, and counts fields.
    work : WorkBar
        Shows what takes long.

    Attributes
    ----------
    changed : pyqtSignal(object)
        A person changed the positions; the new tuple of FreePosition.
    regions_changed : pyqtSignal(object)
        A person changed the regions; the new tuple of RegionPolygon.
    go_to_requested : pyqtSignal(float, float, object)
        x and y in µm, and z in µm or None.
    """

    changed = pyqtSignal(object)
    regions_changed = pyqtSignal(object)
    go_to_requested = pyqtSignal(float, float, object)

    def __init__(
        self, monitor: KnowsTheRig, manager: WorkerManager, work: WorkBar, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._monitor = monitor
        self._z_um: float | None = None
        self.model = PositionsModel(self)
        self.table = self._make_table()
        self.section = Section("Positions")
        self.regions = RegionsList(manager, work)
        self.regions_section = Section("Regions")
        self._count = faint_label()
        self._count.setObjectName("positionsCount")
        self.files = PositionsFiles(self, manager, work, lambda: self.positions)
        self.actions_of_places = self._make_actions()
        self._lay_out()
        self.model.edited.connect(self._say)
        self.model.refused.connect(self._refuse)
        self.regions.refused.connect(self._refuse_region)
        self.regions.changed.connect(self._regions_edited)
        self.files.imported.connect(self._take_imported)
        self.files.said.connect(self._count.setText)
        self.files.refused.connect(self._refuse)
        self._follow()

    # --- for the page -----------------------------------------------------------------------------------------------

    @property
    def positions(self) -> tuple[FreePosition, ...]:
        """All positions, in order."""
        return self.model.positions

    def set_draft(self, draft: PlanDraft, fov_um: tuple[float, float] | None = None) -> None:
        """Show a draft's positions and regions; `fov_um`: size of a field in µm, None: not known yet."""
        self._z_um = draft.z_um
        if draft.positions != self.model.positions:
            self.model.set_positions(draft.positions)
        self.regions.set_regions(draft.regions, fov_um)
        self._follow()

    def add_region(self, points_um: Iterable[tuple[float, float]], name: str = "region") -> None:
        """Add an area that a person has drawn; corners in µm of the stage."""
        self.regions.add(RegionPolygon(name, tuple((float(x), float(y)) for x, y in points_um)))

    def refuse(self, positions: tuple[str, ...] = (), regions: tuple[str, ...] = ()) -> None:
        """Show why positions or regions cannot be carried out; nothing where nothing is given."""
        self.section.refuse(*positions)
        self.regions_section.refuse(*regions)

    def menu_actions(self) -> list[QAction | None]:
        """Return the actions in menu order; None: a separator."""
        return self.actions_of_places.in_menu_order()

    # --- what a person does -----------------------------------------------------------------------------------------

    def _add_here(self) -> None:
        state = self._here()
        if state is None or state.position is None:
            return
        x_um, y_um, z_um = state.position
        numbers = [int(p.name[1:]) for p in self.positions if p.name[:1] == "P" and p.name[1:].isdecimal()]
        added = FreePosition(f"P{max(numbers, default=0) + 1}", round(x_um, 3), round(y_um, 3), round(z_um, 3))
        self._become((*self.positions, added), chosen={len(self.positions)})

    def _set_z_here(self) -> None:
        rows, state = self._chosen(), self._here()
        if state is None or state.position is None:
            return
        z_um = round(state.position.z_um, 3)
        self._become(replace(p, z_um=z_um) if row in rows else p for row, p in enumerate(self.positions))

    def _here(self) -> RigState | None:
        """Return the state of the rig if the stage knows where it stands; else say so."""
        state = self._monitor.newest
        if state is None or state.position is None:
            self._refuse("Where the stage stands is not known: it has not answered yet")
        elif not state.is_homed:
            self._refuse("Where the stage stands is not known: home it first")
        else:
            self._refuse("")
            return state
        return None

    def _remove_chosen(self) -> None:
        rows = self._chosen()
        self._become(p for row, p in enumerate(self.positions) if row not in rows)

    def _move(self, step: int) -> None:
        """Move the chosen rows one up (-1) or down (1), together."""
        rows, order = self._chosen(), list(range(len(self.positions)))
        for row in sorted(rows, reverse=step > 0):
            other = row + step
            if 0 <= other < len(order) and order[other] not in rows:
                order[row], order[other] = order[other], order[row]
        chosen = {place for place, row in enumerate(order) if row in rows}
        self._become((self.positions[row] for row in order), chosen)

    def _go_to_chosen(self) -> None:
        position = self.positions[min(self._chosen())]
        if position.x_um is not None and position.y_um is not None:
            self.go_to_requested.emit(
                position.x_um, position.y_um, self._z_um if position.z_um is None else position.z_um
            )

    def _area_of_chosen(self) -> None:
        corners = [(p.x_um, p.y_um) for row, p in enumerate(self.positions) if row in self._chosen()]
        self.add_region((x, y) for x, y in corners if x is not None and y is not None)

    def _take_imported(self, positions: tuple[FreePosition, ...]) -> None:
        self._become(positions, chosen=set(range(len(self.positions), len(positions))))

    # --- inside -----------------------------------------------------------------------------------------------------

    def _become(self, positions: Iterable[FreePosition], chosen: set[int] | None = None) -> None:
        kept = self._chosen() if chosen is None else chosen
        self.model.set_positions(positions)
        self._choose(kept)
        self._say()

    def _say(self) -> None:
        self._follow()
        self.changed.emit(self.model.positions)

    def _regions_edited(self, regions: object) -> None:
        self._follow()
        self.regions_changed.emit(regions)

    def _refuse(self, text: str) -> None:
        self.section.refuse(*([text] if text else []))

    def _refuse_region(self, text: str) -> None:
        self.regions_section.refuse(*([text] if text else []))

    def _chosen(self) -> set[int]:
        model = self.table.selectionModel()
        return {index.row() for index in model.selectedRows()} if model is not None else set()

    def _choose(self, rows: set[int]) -> None:
        model = self.table.selectionModel()
        for row in sorted(rows) if model is not None else ():
            index = self.model.index(row, 0)
            if model is not None and index.isValid():
                flag = QItemSelectionModel.SelectionFlag
                model.select(index, QItemSelectionModel.SelectionFlags(flag.Select) | flag.Rows)
                self.table.scrollTo(index)
        self._follow()

    def _follow(self) -> None:
        """Enable what can be done now, and count."""
        rows, count = self._chosen(), len(self.positions)
        self.actions_of_places.enable(chosen=len(rows), positions=count, regions=len(self.regions.regions))
        self._count.setText(f"{count} position{'s' if count > 1 else ''}" if count else _NO_POSITIONS)

    def _make_table(self) -> QTableView:
        table = QTableView()
        table.setObjectName("positionsTable")
        table.setModel(self.model)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setAlternatingRowColors(True)
        table.setMinimumHeight(84)
        header, numbers = table.horizontalHeader(), table.verticalHeader()
        if header is not None:
            header.setResizeContentsPrecision(20)  # rows that are looked at: thousands would take a second
            header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        if numbers is not None:
            numbers.setDefaultSectionSize(24)
        selection = table.selectionModel()
        if selection is not None:
            selection.selectionChanged.connect(lambda *_: self._follow())
        return table

    def _make_actions(self) -> PositionsActions:
        return PositionsActions.make(
            self,
            add=self._add_here,
            set_z=self._set_z_here,
            go_to=self._go_to_chosen,
            up=lambda: self._move(-1),
            down=lambda: self._move(1),
            remove=self._remove_chosen,
            area=self._area_of_chosen,
            remove_region=self.regions.remove_chosen,
            load=self.files.choose_import,
            save=self.files.choose_export,
        )

    def _lay_out(self) -> None:
        buttons, files = QGridLayout(), QGridLayout()
        for number, name in enumerate(("add", "set_z", "go_to", "up", "down", "remove")):
            buttons.addWidget(self.actions_of_places.buttons[name], *divmod(number, 3))
        for number, name in enumerate(("load", "save", "area")):
            files.addWidget(self.actions_of_places.buttons[name], 0, number)
        for grid in (buttons, files):
            grid.setSpacing(theme.GAP_PX // 2)
        self.section.body.addWidget(self.table, 1)
        self.section.body.addWidget(self._count)
        self.section.body.addLayout(buttons)
        self.section.body.addLayout(files)
        self.regions_section.body.addWidget(self.regions)
        self.regions_section.body.addWidget(self.actions_of_places.buttons["remove_region"])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.section, 2)
        layout.addWidget(self.regions_section, 1)
