"""The panel of free positions and regions: where a plan goes when it does not go to wells.

Add where the stage stands, edit in the table, reorder, remove, go there; import and export CSV. Knows no plan: it shows
what it is given (`set_draft`) and says what a person made of it (`changed`, `regions_changed`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from PyQt5.QtCore import QItemSelectionModel, Qt, pyqtSignal
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QAction,
    QFileDialog,
    QGridLayout,
    QHeaderView,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from control.core.monitor import RigState
from control.core.planning import FreePosition, PlanDraft, RegionPolygon, read_positions, write_positions
from control.core.planning.positions_csv import unique_names
from control.gui import theme
from control.gui.parts import Section, button_for, faint_label, make_action
from control.gui.positions_model import PositionsModel
from control.gui.regions_list import RegionsList
from squid.utils.task import WorkerResult
from squid.utils.worker_manager import WorkerManager

_LIMIT_MS = 20_000
_BUTTONS = {
    "add": "Add here",
    "set_z": "Set z here",
    "go_to": "Go to",
    "up": "Up",
    "down": "Down",
    "remove": "Remove",
    "area": "Make region",
    "remove_region": "Remove region",
    "load": "Import",
    "save": "Export",
}
_CSV = "Lists of positions (*.csv *.txt);;All files (*)"


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

    def __init__(self, monitor: KnowsTheRig, manager: WorkerManager, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._monitor = monitor
        self._manager = manager
        self._z_um: float | None = None
        self.model = PositionsModel(self)
        self.table = self._make_table()
        self.section = Section("Positions")
        self.regions = RegionsList(manager)
        self.regions_section = Section("Regions")
        self._count = faint_label()
        self._count.setObjectName("positionsCount")
        self._make_actions()
        self._lay_out()
        self.model.edited.connect(self._say)
        self.model.refused.connect(self._refuse)
        self.regions.refused.connect(self._refuse_region)
        self.regions.changed.connect(self._regions_edited)
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
        places = [self.add, self.set_z, self.go_to, None, self.up, self.down, self.remove, None]
        return [*places, self.area, self.remove_region, None, self.load, self.save]

    def import_file(self, path: Path) -> None:
        """Add the positions of a CSV file below those that are there."""
        self._run("import positions", lambda: read_positions(path), self._imported)

    def export_file(self, path: Path) -> None:
        """Write the positions as CSV."""
        positions = self.model.positions
        self._run("export positions", lambda: write_positions(path, positions), self._exported)

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

    def _choose_import(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Import positions", "", _CSV)
        if name:
            self.import_file(Path(name))

    def _choose_export(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Export positions", "positions.csv", _CSV)
        if name:
            self.export_file(Path(name))

    # --- results of tasks -------------------------------------------------------------------------------------------

    def _run(self, name: str, task: Callable[[], object], on_complete: Callable[[WorkerResult], object]) -> None:
        self._refuse("")
        key = f"{name} {id(self)}"
        self._manager.submit(
            key, task, timeout_ms=_LIMIT_MS, on_complete=on_complete, on_error=self._failed, coalesce_key=key
        )

    def _imported(self, result: WorkerResult) -> None:
        before = len(self.positions)
        merged = unique_names((*self.positions, *result.value), "position")
        self._become(merged, chosen=set(range(before, len(merged))))

    def _exported(self, _: WorkerResult) -> None:
        self._count.setText(f"{len(self.positions)} positions exported")

    def _failed(self, result: WorkerResult) -> None:
        self._refuse("The disk did not answer in time" if result.timed_out else str(result.error))

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
        for action in (self.set_z, self.remove, self.up, self.down):
            action.setEnabled(bool(rows))
        self.go_to.setEnabled(len(rows) == 1)
        self.area.setEnabled(len(rows) >= 3)
        self.save.setEnabled(count > 0)
        self.remove_region.setEnabled(bool(self.regions.regions))
        none = "None yet: go somewhere and press Add here, or import a list"
        self._count.setText(f"{count} position{'s' if count > 1 else ''}" if count else none)

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

    def _make_actions(self) -> None:
        def action(text: str, call: Callable[[], object], keys: str, image: str, tip: str) -> QAction:
            return make_action(self, text, call, shortcut=keys, image=image, tip=tip)

        self.add = action(
            "Add position &here", self._add_here, "Ctrl+Shift+A", "map-marker-plus", "Add where the stage stands"
        )
        self.set_z = action(
            "&Set z of chosen positions here",
            self._set_z_here,
            "Ctrl+Shift+H",
            "arrow-expand-vertical",
            "Give the chosen ones the stage's z",
        )
        self.go_to = action(
            "&Go to chosen position", self._go_to_chosen, "Ctrl+Shift+G", "crosshairs-gps", "Move the stage there"
        )
        self.remove = action(
            "Remo&ve chosen positions", self._remove_chosen, "Del", "delete-outline", "Remove the chosen positions"
        )
        self.remove.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self.up = action(
            "Chosen positions &up", lambda: self._move(-1), "Ctrl+Shift+Up", "arrow-up", "Take the chosen ones earlier"
        )
        self.down = action(
            "Chosen positions do&wn", lambda: self._move(1), "Ctrl+Shift+Down", "arrow-down", "Take them later"
        )
        self.area = action(
            "&Make region of chosen positions",
            self._area_of_chosen,
            "Ctrl+Shift+K",
            "vector-polygon",
            "Make a region whose corners are the chosen ones",
        )
        self.remove_region = action(
            "Remove chosen re&gion",
            self.regions.remove_chosen,
            "Ctrl+Del",
            "delete-outline",
            "Remove the chosen region",
        )
        self.load = action(
            "&Import positions…",
            self._choose_import,
            "Ctrl+Shift+I",
            "import",
            "Add the positions of a CSV file (also Squid's)",
        )
        self.save = action(
            "E&xport positions…", self._choose_export, "Ctrl+Shift+X", "export", "Write the positions as a CSV file"
        )
        names = {"add": "addHere", "set_z": "setZHere", "go_to": "goTo"}
        self._buttons: dict[str, QWidget] = {}
        for name, text in _BUTTONS.items():
            self._buttons[name] = button_for(getattr(self, name), "", text)
            self._buttons[name].setObjectName(f"positions_{names.get(name, name)}")

    def _lay_out(self) -> None:
        buttons, files = QGridLayout(), QGridLayout()
        for number, name in enumerate(("add", "set_z", "go_to", "up", "down", "remove")):
            buttons.addWidget(self._buttons[name], *divmod(number, 3))
        for number, name in enumerate(("load", "save", "area")):
            files.addWidget(self._buttons[name], 0, number)
        for grid in (buttons, files):
            grid.setSpacing(theme.GAP_PX // 2)
        self.section.body.addWidget(self.table, 1)
        self.section.body.addWidget(self._count)
        self.section.body.addLayout(buttons)
        self.section.body.addLayout(files)
        self.regions_section.body.addWidget(self.regions)
        self.regions_section.body.addWidget(self._buttons["remove_region"])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.section, 2)
        layout.addWidget(self.regions_section, 1)
