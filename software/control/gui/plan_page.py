"""The Plan page: the plate on the left, the plan's parts on the right, what it takes and the start below.

::

    section ──changed──▶ page ──draft.replace──▶ history ──▶ every section shows the draft
                                                    └──▶ PlanCheck ──verdict──▶ refusals, totals, fields, start

Owns no plan language and no check: drafts and verdicts are `control.core.planning`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PyQt5.QtCore import QTimer, pyqtSignal
from PyQt5.QtGui import QHideEvent, QShowEvent
from PyQt5.QtWidgets import QAction, QHBoxLayout, QVBoxLayout, QWidget

from control.core.planning import FieldOutlines, FreePosition, PlanDraft, Verdict
from control.core.session import Session
from control.gui import theme
from control.gui.focus_question import ask_for_focus
from control.gui.parts import make_action, submenu
from control.gui.plan_checker import PlanChecker
from control.gui.plan_column import Knows, PlanColumn
from control.gui.plan_dialogs import PlanDialogs
from control.gui.plan_files import PlanFiles
from control.gui.plan_head import PlanHead
from control.gui.plan_history import PlanHistory
from control.gui.plan_memory import PlanMemory, draft_of
from control.gui.plan_places import PlanPlaces
from control.gui.plan_rig import PlanRig
from control.gui.start_bar import StartBar
from control.gui.work_bar import WorkBar
from squid.models.plan import AcquisitionPlan
from squid.models.plate import PlateGeometry

_POSITION_MS = 100

_PREVIEWED = 2000
"""Fields drawn at once while a person edits; the verdict brings all."""


class PlanPage(QWidget):
    """Makes plans.

    Parameters
    ----------
    session : Session
        An open one.

    Attributes
    ----------
    start_requested, queue_requested : pyqtSignal(object, object)
        An `AcquisitionPlan` that passed the check, and the output folder.
    go_to_requested : pyqtSignal(float, float, object)
        Stage x and y in µm; z in µm or None.
    """

    start_requested = pyqtSignal(object, object)
    queue_requested = pyqtSignal(object, object)
    go_to_requested = pyqtSignal(float, float, object)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("planPage")
        self._session = session
        self.work = WorkBar()
        self._rig = PlanRig(session)
        self._history = PlanHistory(PlanDraft.new(session.machine))
        self._memory = PlanMemory()
        self._make_dialogs()
        self._make_parts()
        self._make_actions()
        self._lay_out()
        self._connect()
        self.storage.set_folder(Path.home() / "squid-runs")
        self.column.plate.set_objective_in_use(self._rig.objective)
        self._show_draft()

    # --- parts ------------------------------------------------------------------------------------------------------

    def _make_dialogs(self) -> None:
        self.dialogs = PlanDialogs(
            self,
            self._session,
            self._rig,
            self.work,
            lambda: self.draft,
            lambda: self.plate or self.wells.map.plate,
        )
        self.dialogs.presets_saved.connect(self._take_presets)
        self.dialogs.plate_saved.connect(self._take_plate)
        self.dialogs.plate_removed.connect(self._leave_plate)

    def _make_parts(self) -> None:
        session, rig = self._session, self._rig
        z_um = session.microscope.stage.limits.z
        self.column = PlanColumn(
            Knows(
                session.presets.plate_names(),
                tuple(session.machine.objectives),
                rig.presets_of,
                self.dialogs.edit_presets,
                self.dialogs.make_plate,
                rig.z_now_um,
                (z_um.min_um, z_um.max_um),
            )
        )
        self.storage = self.column.storage
        plate = rig.plate_of(self.draft) or next(iter(rig.plates().values()))
        self.places = PlanPlaces(plate, session.monitor, session.manager, self.work)
        self.wells, self.positions = self.places.wells, self.places.positions
        self.bar = StartBar(self, lambda: self.draft, lambda: self.storage.folder)
        self.checker = PlanChecker(
            self, session.plan_check, session.manager, self.work, lambda: self.draft, lambda: self.storage.folder
        )
        self._timer = QTimer(self)
        self._timer.setInterval(_POSITION_MS)
        self._timer.timeout.connect(self._follow_stage)

    def _make_actions(self) -> None:
        session = self._session
        self.files = PlanFiles(
            self, session.manager, self.work, self._history, self._rig.read, lambda: PlanDraft.new(session.machine)
        )
        self.undo_action = make_action(self, "&Undo", self._undo, shortcut="Ctrl+Z", image="undo")
        self.redo_action = make_action(self, "&Redo", self._redo, shortcut="Ctrl+Y", image="redo")

    def _lay_out(self) -> None:
        files = self.files.new_action, self.files.open_action, self.files.save_action
        self.head = PlanHead((*files, self.undo_action, self.redo_action))
        right = QVBoxLayout()
        right.setSpacing(theme.GAP_PX)
        right.addWidget(self.head)
        right.addWidget(self.column, 1)
        upper = QHBoxLayout()
        upper.addWidget(self.places, 1)
        upper.addLayout(right)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.GAP_PX, theme.GAP_PX, theme.GAP_PX, theme.GAP_PX)
        layout.setSpacing(theme.GAP_PX)
        layout.addLayout(upper, 1)
        layout.addWidget(self.work)
        layout.addWidget(self.bar)

    def _connect(self) -> None:
        for part in (self.column, self.places):
            part.changed.connect(self._edit)
        self.places.go_to_requested.connect(self.go_to_requested)
        self.storage.folder_changed.connect(self.checker.check)
        self.files.changed.connect(self._show_draft)
        self.bar.start_requested.connect(self._start)
        self.bar.queue_requested.connect(self.queue_requested)
        self.bar.section_wanted.connect(self.column.show_section)
        self.checker.verdict.connect(self._take_verdict)

    # --- the draft --------------------------------------------------------------------------------------------------

    @property
    def draft(self) -> PlanDraft:
        """What is on the screen."""
        return self._history.draft

    @property
    def plate(self) -> PlateGeometry | None:
        """The plate of the plan; None: none, or not known here."""
        return self._rig.plate_of(self.draft)

    def _edit(self, changes: Mapping[str, Any]) -> None:
        if self._history.edit(self.draft.replace(**changes)):
            self._show_draft()

    def _undo(self) -> None:
        if self.isVisible():
            self._history.undo()
            self._show_draft()

    def _redo(self) -> None:
        if self.isVisible():
            self._history.redo()
            self._show_draft()

    def _show_draft(self) -> None:
        """Show the draft everywhere, and have it checked."""
        draft = self.draft
        plate = self._rig.plate_of(draft)
        if plate is not None:
            self._session.place_plate(plate)
        self.column.show_draft(draft)
        self.column.plate.show_geometry(plate)
        outlines = self._session.plan_check.field_outlines(draft, _PREVIEWED)
        self.places.show_draft(draft, plate, outlines.fov_um if any(outlines.fov_um) else None)
        self._show_fields(outlines)
        self.head.show_file(self.files.path, draft.kept_as_is, is_unsaved=self._history.is_unsaved)
        self.undo_action.setEnabled(self._history.can_undo)
        self.redo_action.setEnabled(self._history.can_redo)
        self.checker.check()

    def _show_fields(self, outlines: FieldOutlines) -> None:
        """Draw fields on the plate, and those of one well in the picture of the fields."""
        self.places.show_fields(outlines)
        draft, plate = self.draft, self._rig.plate_of(self.draft)
        centre_um = (0.0, 0.0)
        if draft.use == "wells" and plate is not None:
            well = next(iter(self.wells.map.selection), (0, 0))
            one = draft.replace(wells=plate.well_name(*well))
            centre_um = plate.well_centre_um(*well)
        else:
            one, plate = draft.replace(use="positions", positions=(FreePosition("", *centre_um),)), None
        fields = self._session.plan_check.field_outlines(one, _PREVIEWED)
        offsets = [(x - centre_um[0], y - centre_um[1]) for _, _, x, y in fields.fields]
        self.column.fields.show_fields(plate, fields.fov_um, offsets)

    def _take_verdict(self, verdict: Verdict) -> None:
        self.column.show_verdict(verdict)
        self.places.show_verdict(verdict)
        if any(verdict.outlines.fov_um):
            self._show_fields(verdict.outlines)
        self.bar.show_verdict(verdict)

    # --- the instrument ---------------------------------------------------------------------------------------------

    def _start(self, plan: AcquisitionPlan, folder: Path) -> None:
        """Start, unless the stage stands where nobody has a focus and the plan would take it from there: then ask."""
        doubt = self._rig.focus_doubt(self.draft)
        if doubt is None:
            self.start_requested.emit(plan, folder)
            return

        def take(z_um: float) -> None:
            self._edit({"z_um": z_um})
            self.bar.start_when_checked()

        ask_for_focus(self, doubt, take, lambda: self.start_requested.emit(plan, folder))

    def _follow_stage(self) -> None:
        self.column.z.show_doubt(self._rig.focus_doubt(self.draft))
        place = self._rig.position
        self.wells.map.set_stage_position(*(place[:2] if place is not None else (None, None)))
        if self._rig.has_other_objective():
            self.column.plate.set_objective_in_use(self._rig.objective)
            if self.draft.objective is None:
                self._show_draft()

    def _take_plate(self, name: str) -> None:
        """Use a plate that a person has made, also one of the same name as before."""
        self._take_presets()
        self._edit({"plate": name})

    def _leave_plate(self, name: str) -> None:
        """Do without a plate that was removed: a plan that used it takes the newcomer's."""
        if self.draft.plate == name:
            self._edit({"plate": PlanDraft.new(self._session.machine).plate})
        self._take_presets()

    def _take_presets(self) -> None:
        """Use presets and plates that were edited."""
        self._session.use_presets()
        self._rig.read_plates_again()
        self.column.plate.set_plates(self._session.presets.plate_names())
        self._show_draft()

    # --- the window around it ---------------------------------------------------------------------------------------

    def open_file(self, path: Path) -> None:
        """Open a plan file, or a bare useq file; asks first when the plan on the screen is not saved."""
        self.files.open(path)

    def menu_actions(self) -> list[QAction | None]:
        """Return what stands in the menu Plan."""
        files = self.files
        return [
            files.new_action,
            files.open_action,
            files.recent_action,
            files.save_action,
            files.save_as_action,
            None,
            self.undo_action,
            self.redo_action,
            None,
            *self.wells.actions_of_wells,
            self.wells.draw_action,
            *self.positions.menu_actions(),
            None,
            submenu(self, "&z of the stage", self.column.z.actions_of_z),
            self.storage.browse_action,
            self.dialogs.presets_action,
            self.dialogs.plate_action,
            None,
            self.bar.start_action,
            self.bar.queue_action,
        ]

    def remember(self) -> dict[str, Any]:
        """Return what is to be there again at the next start: the plan, saved or not, its file, the folder."""
        return {
            "plan": self._memory.data_of(self.draft),
            "is_saved": not self._history.is_unsaved,
            "path": str(self.files.path) if self.files.path is not None else "",
            "recent": [str(path) for path in self.files.recent],
            "output": str(self.storage.folder or ""),
        }

    def restore(self, remembered: Mapping[str, Any]) -> None:
        """Show what was there; what cannot be read is left out."""
        draft = draft_of(remembered.get("plan"), self._rig.plates())
        self.files.set_recent(Path(str(path)) for path in remembered.get("recent", []))
        if remembered.get("output"):
            self.storage.set_folder(Path(str(remembered["output"])))
        if draft is not None:
            self.files.path = Path(str(remembered["path"])) if remembered.get("path") else None
            self._history.begin(draft, is_saved=bool(remembered.get("is_saved", True)))
            self._show_draft()

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Follow the stage while the page is shown."""
        self._timer.start()
        self.checker.follow()

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802 - Qt's name
        """Leave the stage and the disk alone."""
        self._timer.stop()
        self.checker.rest()
