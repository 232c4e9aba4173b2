"""Plan page: where to image: wells of the plate, free positions, or regions."""

from __future__ import annotations

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QHBoxLayout, QTabBar, QVBoxLayout, QWidget

from control.core.monitor import Monitor
from control.core.planning import FieldOutlines, FreePosition, PlanDraft, RegionPolygon, Use, Verdict
from control.core.planning import Section as Part
from control.gui.positions_panel import PositionsPanel
from control.gui.wells_panel import WellsPanel
from control.gui.work_bar import WorkBar
from squid.models.plate import PlateGeometry
from squid.utils.worker_manager import WorkerManager

_USES: dict[Use, tuple[str, str]] = {
    "wells": ("Wells", "Image chosen wells of the plate"),
    "positions": ("Free positions", "Image a list of places on the stage: slides, dishes, single cells"),
    "regions": ("Regions", "Image areas that you draw, field by field"),
}
_POSITIONS_PX = 348


class PlanPlaces(QWidget):
    """A tab for each way to say where, the plate, and the lists beside it.

    Parameters
    ----------
    plate : PlateGeometry
        At first.
    monitor : Monitor
        Says where the stage stands.
    manager : WorkerManager
        Reads and writes lists.
    work : WorkBar
        Shows what takes long.

    Attributes
    ----------
    changed : pyqtSignal(object)
        Mapping of the draft's attributes to their new values.
    go_to_requested : pyqtSignal(float, float, object)
        Stage x and y in µm; z in µm or None.
    """

    changed = pyqtSignal(object)
    go_to_requested = pyqtSignal(float, float, object)

    def __init__(self, plate: PlateGeometry, monitor: Monitor, manager: WorkerManager, work: WorkBar) -> None:
        super().__init__()
        self._regions = 0
        self.wells = WellsPanel(plate)
        self.positions = PositionsPanel(monitor, manager, work)
        self.positions.setFixedWidth(_POSITIONS_PX)
        self.tabs = QTabBar()
        self.tabs.setObjectName("planTabs")
        self.tabs.setExpanding(False)
        for number, (text, tip) in enumerate(_USES.values()):
            self.tabs.addTab(text)
            self.tabs.setTabToolTip(number, tip)
        lists = QHBoxLayout()
        lists.addWidget(self.wells, 1)
        lists.addWidget(self.positions)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.tabs)
        layout.addLayout(lists, 1)
        self._connect()

    def _connect(self) -> None:
        self.wells.region_drawn.connect(self.positions.add_region)
        self.wells.changed.connect(self.changed)
        self.wells.map.go_to_requested.connect(lambda x_um, y_um: self.go_to_requested.emit(x_um, y_um, None))
        self.positions.changed.connect(self._take_positions)
        self.positions.regions_changed.connect(self._take_regions)
        self.positions.go_to_requested.connect(self.go_to_requested)
        self.tabs.currentChanged.connect(lambda index: self.changed.emit({"use": list(_USES)[index]}))

    def _take_positions(self, positions: tuple[FreePosition, ...]) -> None:
        self.changed.emit({"positions": tuple(positions)})

    def _take_regions(self, regions: tuple[RegionPolygon, ...]) -> None:
        """Take the regions; whoever makes one wants it imaged."""
        is_more = len(regions) > self._regions
        self.changed.emit({"regions": tuple(regions), **({"use": "regions"} if is_more else {})})

    def show_draft(self, draft: PlanDraft, plate: PlateGeometry | None, fov_um: tuple[float, float] | None) -> None:
        """Show where a draft goes; `fov_um`: size of a field, None: not known yet."""
        self._regions = len(draft.regions)
        self.wells.show_draft(draft, plate)
        self.positions.set_draft(draft, fov_um)
        self.positions.setVisible(draft.use != "wells")
        self.tabs.setCurrentIndex(list(_USES).index(draft.use))

    def show_fields(self, outlines: FieldOutlines) -> None:
        """Draw the fields on the plate."""
        self.wells.show_fields(outlines)

    def show_verdict(self, verdict: Verdict) -> None:
        """Show each refusal where it is caused."""
        told, is_drawn = verdict.text_of(Part.POSITIONS), verdict.draft.use == "regions"
        self.wells.refuse(*verdict.text_of(Part.WELLS))
        self.positions.refuse(() if is_drawn else told, told if is_drawn else ())
