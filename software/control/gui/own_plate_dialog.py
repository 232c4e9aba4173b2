"""The dialog in which a person makes a plate of their own, or says where A1 of a known one really is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from control.core.presets import Presets
from control.core.words import in_words
from control.gui import theme
from control.gui.parts import CountEdit, NumberEdit, faint_label, icon
from control.gui.plan_rig import PlanRig
from control.gui.plan_section import Form, row
from control.gui.plate_map import PlateMap
from control.gui.work_bar import WorkBar
from squid.models.plate import PlateGeometry
from squid.utils.task import WorkerResult
from squid.utils.task_bridge import submit_with_progress
from squid.utils.worker_manager import WorkerManager

_LIMIT_MS = 20_000
_FAR_MM = 1000.0


class OwnPlateDialog(QDialog):
    """A plate of the user's own, begun as a copy of the one in use.

    Parameters
    ----------
    presets : Presets
        Keeps it.
    rig : PlanRig
        Says where the stage stands.
    manager : WorkerManager
        Writes the file.
    plate : PlateGeometry
        Shown at first; an own one is edited, any other copied.
    parent : QWidget
        Over which it opens.

    Attributes
    ----------
    saved : pyqtSignal(str)
        Name of the plate that was kept.
    removed : pyqtSignal(str)
        Name of the plate that is no more.
    """

    saved = pyqtSignal(str)
    removed = pyqtSignal(str)

    def __init__(
        self, presets: Presets, rig: PlanRig, manager: WorkerManager, plate: PlateGeometry, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("A plate of your own")
        self.setObjectName("ownPlateDialog")
        self._presets, self._rig, self._manager = presets, rig, manager
        self._rotation_deg = plate.rotation_deg
        is_own = presets.is_own_plate(plate.name)
        self.name = QLineEdit(plate.name if is_own else f"my {plate.name}")
        self.name.setObjectName("ownPlateName")
        self._make_edits(plate)
        self.map = PlateMap(plate, selectable=False)
        self.map.setMinimumSize(360, 240)
        self.refusal = QLabel()
        self.refusal.setObjectName("ownPlateRefusal")
        self.refusal.setProperty("role", "refusal")
        self.refusal.setWordWrap(True)
        self.work = WorkBar()
        self._shown = plate.name
        self._lay_out(is_own)
        self._draw()

    def _make_edits(self, plate: PlateGeometry) -> None:
        self.rows = CountEdit("", 1, 128, plate.rows, tip="Rows of wells")
        self.columns = CountEdit("", 1, 192, plate.columns, tip="Columns of wells")
        self.well_size = NumberEdit(
            "mm", 0, 200, plate.well_size_mm, step=0.1, decimals=3, tip="Diameter or side of a well"
        )
        self.spacing = NumberEdit(
            "mm", 0, 200, plate.well_spacing_mm, step=0.1, decimals=3, tip="From centre to centre of neighbouring wells"
        )
        self.a1_x = NumberEdit(
            "mm", -_FAR_MM, _FAR_MM, plate.a1_x_mm, step=0.1, decimals=3, tip="Stage x of A1's centre"
        )
        self.a1_y = NumberEdit(
            "mm", -_FAR_MM, _FAR_MM, plate.a1_y_mm, step=0.1, decimals=3, tip="Stage y of A1's centre"
        )
        self.skip = CountEdit("", 0, 20, plate.skip, tip="Border rows and columns that 'all' leaves out")
        self.is_round = QCheckBox("Round wells")
        self.is_round.setChecked(plate.round_wells)
        self.here = QPushButton("A1 is here")
        self.here.setIcon(icon("crosshairs"))
        self.here.setToolTip("Go to the centre of A1 in live view first; then take the place of the stage for it")
        self.here.setAutoDefault(False)  # Enter ends the edit of a number, no more
        self.here.clicked.connect(self._set_a1_here)
        names = {"Rows": self.rows, "Columns": self.columns, "Size": self.well_size, "Spacing": self.spacing}
        for name, edit in {**names, "X": self.a1_x, "Y": self.a1_y, "Skip": self.skip, "Here": self.here}.items():
            edit.setObjectName(f"ownPlate{name}")
        for edit in (self.rows, self.columns, self.well_size, self.spacing, self.skip):
            edit.valueChanged.connect(self._draw)
        self.is_round.toggled.connect(self._draw)

    def _lay_out(self, is_own: bool) -> None:
        lines = Form()
        lines.add("Name", self.name)
        lines.add("Rows × columns", row(self.rows, self.columns))
        lines.add("Well size", self.well_size)
        lines.add("", self.is_round)
        lines.add("Well spacing", self.spacing)
        lines.add("Border left out", self.skip)
        lines.add("A1: x, y", row(self.a1_x, self.a1_y))
        lines.add("", self.here)
        buttons = QDialogButtonBox()
        save = buttons.addButton("Save", QDialogButtonBox.ButtonRole.ApplyRole)
        close = buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        remove = buttons.addButton("Remove plate", QDialogButtonBox.ButtonRole.DestructiveRole)
        assert save is not None
        assert close is not None
        assert remove is not None
        save.setObjectName("ownPlateSave")
        remove.setObjectName("ownPlateRemove")
        remove.setToolTip("Forget this plate of your own")
        remove.setVisible(is_own)
        remove.clicked.connect(self._remove)
        for button in (save, close, remove):
            button.setAutoDefault(False)
        save.clicked.connect(self._save)
        close.clicked.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setSpacing(theme.GAP_PX)
        layout.addWidget(faint_label("Kept for you on this computer, for this microscope."))
        layout.addLayout(lines)
        layout.addWidget(self.map, 1)
        layout.addWidget(self.refusal)
        layout.addWidget(self.work)
        layout.addWidget(buttons)
        self.setMinimumWidth(440)

    def values(self) -> dict[str, Any]:
        """Return the plate as it is on the screen, not checked."""
        return {
            "name": self.name.text().strip(),
            "rows": self.rows.value(),
            "columns": self.columns.value(),
            "a1_x_mm": self.a1_x.value(),
            "a1_y_mm": self.a1_y.value(),
            "well_size_mm": self.well_size.value(),
            "well_spacing_mm": self.spacing.value(),
            "round_wells": self.is_round.isChecked(),
            "skip": self.skip.value(),
            "rotation_deg": self._rotation_deg,
        }

    def _draw(self) -> None:
        self.map.set_plate(PlateGeometry(**self.values()))

    def _set_a1_here(self) -> None:
        place = self._rig.position
        if place is None:
            self.refusal.setText("Where the stage stands is not known: home it first.")
            return
        self.refusal.clear()
        self.a1_x.setValue(place.x_um / 1000)
        self.a1_y.setValue(place.y_um / 1000)

    def _remove(self) -> None:
        name = self._shown

        def gone(_: WorkerResult) -> None:
            self.removed.emit(name)
            self.accept()

        self._write(f"Removing {name}", "remove plate", lambda: self._presets.remove_plate(name), gone)

    def _save(self) -> None:
        values = self.values()

        def kept(result: WorkerResult) -> None:
            self.saved.emit(result.value.name)
            self.accept()

        self._write(f"Saving {values['name']}", "save plate", lambda: self._presets.save_plate(values), kept)

    def _write(self, words: str, name: str, task: Callable[[], object], done: Callable[[WorkerResult], None]) -> None:
        submit_with_progress(
            self._manager,
            self.work.begin(words),
            name,
            task,
            timeout_ms=_LIMIT_MS,
            on_complete=done,
            on_error=self._refused,
            coalesce_key="save plate",
        )

    def _refused(self, result: WorkerResult) -> None:
        self.refusal.setText(in_words(result.error))
