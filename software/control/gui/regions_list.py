"""The list of regions: areas that are covered with fields, how many that takes, and their overlap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

from control.core.planning import RegionPolygon, tiles_of
from control.core.planning.polygon_fields import MOST_OVERLAP_PCT
from control.gui.parts import faint_label
from control.gui.work_bar import WorkBar
from squid.errors import PlanError
from squid.utils.task import WorkerResult, tell_progress
from squid.utils.task_bridge import submit_with_progress
from squid.utils.worker_manager import WorkerManager

_NAME, _FIELDS, _OVERLAP = range(3)
_LIMIT_MS = 20_000
_HOW = (
    "None yet. Draw one on the plate, on a live image, or on the picture of a run; or choose three positions and press "
    "Make region."
)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


class RegionsList(QWidget):
    """Regions, one a row.

    Parameters
    ----------
    manager : WorkerManager
        Counts the fields: a large area takes a moment.
    work : WorkBar
        Shows that it is counting.

    Attributes
    ----------
    changed : pyqtSignal(object)
        A person changed them; the new tuple of RegionPolygon.
    refused : pyqtSignal(str)
        A cell was not changed, and why; empty: it was.
    """

    changed = pyqtSignal(object)
    refused = pyqtSignal(str)

    def __init__(self, manager: WorkerManager, work: WorkBar, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._manager, self._work = manager, work
        self._regions: tuple[RegionPolygon, ...] = ()
        self._fov_um: tuple[float, float] | None = None
        self._counts: Mapping[RegionPolygon, int | str] = {}
        self.table = QTableWidget(0, 3)
        self.table.setObjectName("regionsTable")
        self.table.setHorizontalHeaderLabels(["Region", "Fields", "Overlap (%)"])
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setAlternatingRowColors(True)
        header = self.table.horizontalHeader()
        if header is not None:
            header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
            header.setSectionResizeMode(_FIELDS, QHeaderView.ResizeMode.ResizeToContents)
            header.setSectionResizeMode(_OVERLAP, QHeaderView.ResizeMode.ResizeToContents)
        self.table.setMinimumHeight(64)
        self.table.cellChanged.connect(self._edited)
        self.hint = faint_label(_HOW)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.hint, 1)
        self._fill()

    @property
    def regions(self) -> tuple[RegionPolygon, ...]:
        """All regions, in order."""
        return self._regions

    def set_regions(self, regions: Iterable[RegionPolygon], fov_um: tuple[float, float] | None) -> None:
        """Show other regions; `fov_um`: size of a field, None: not known yet."""
        new = tuple(regions)
        if (new, fov_um) == (self._regions, self._fov_um):
            return
        self._regions, self._fov_um = new, fov_um
        self._fill()
        if new and fov_um is not None:
            submit_with_progress(
                self._manager,
                self._work.begin("Counting the fields of regions"),
                "count fields of regions",
                lambda: _counted(new, fov_um),
                timeout_ms=_LIMIT_MS,
                on_complete=self._show_counts,
                coalesce_key="count fields of regions",
            )

    def remove_chosen(self) -> None:
        """Remove the chosen regions."""
        rows = {index.row() for index in self.table.selectedIndexes()}
        if rows:
            self._become(tuple(region for row, region in enumerate(self._regions) if row not in rows))

    def add(self, region: RegionPolygon) -> None:
        """Add a region; a name that is taken gets a number."""
        names = {one.name.casefold() for one in self._regions}
        name, number = region.name, 2
        while name.casefold() in names:
            name, number = f"{region.name}-{number}", number + 1
        self._become((*self._regions, replace(region, name=name)))

    def _become(self, regions: tuple[RegionPolygon, ...]) -> None:
        self.set_regions(regions, self._fov_um)
        self.changed.emit(self._regions)

    def _show_counts(self, result: WorkerResult) -> None:
        self._counts = result.value
        self._fill()

    def _fill(self) -> None:
        """Write every cell anew; the items stay, so that a cell that is being edited stays open."""
        self.table.blockSignals(True)
        self.table.setRowCount(len(self._regions))
        self.table.setVisible(bool(self._regions))
        self.hint.setVisible(not self._regions)
        for row, region in enumerate(self._regions):
            count = self._counts.get(region, "…" if self._fov_um is not None else "–")
            for column, text in ((_NAME, region.name), (_FIELDS, str(count)), (_OVERLAP, f"{region.overlap_pct:g}")):
                item = self.table.item(row, column) or self._new_item(row, column)
                item.setText(text)
                item.setToolTip(f"{region.name}: {len(region.points_um)} corners")
        self.table.blockSignals(False)
        view = self.table.viewport()
        if view is not None:
            view.update()

    def _new_item(self, row: int, column: int) -> QTableWidgetItem:
        item = QTableWidgetItem()
        if column != _NAME:
            item.setTextAlignment(_RIGHT)
        if column == _FIELDS:
            item.setFlags(Qt.ItemFlags(Qt.ItemFlag.ItemIsSelectable) | Qt.ItemFlag.ItemIsEnabled)
        self.table.setItem(row, column, item)
        return item

    def _edited(self, row: int, column: int) -> None:
        item = self.table.item(row, column)
        text = item.text().strip() if item is not None else ""
        try:
            changed = self._with(row, column, text)
        except ValueError as e:
            self.refused.emit(str(e))
            self._fill()
            return
        self.refused.emit("")
        self._become((*self._regions[:row], changed, *self._regions[row + 1 :]))

    def _with(self, row: int, column: int, text: str) -> RegionPolygon:
        region = self._regions[row]
        if column == _NAME:
            taken = {one.name.casefold() for n, one in enumerate(self._regions) if n != row}
            if not text or text.casefold() in taken:
                raise ValueError(f"'{text}' is the name of another region" if text else "a region needs a name")
            return replace(region, name=text)
        try:
            overlap_pct = float(text.removesuffix("%"))
        except ValueError:
            overlap_pct = -1.0
        if not 0 <= overlap_pct <= MOST_OVERLAP_PCT:
            raise ValueError(f"'{text}' is no overlap (allowed: 0 to {MOST_OVERLAP_PCT:g} %)")
        return replace(region, overlap_pct=overlap_pct)


def _counted(regions: tuple[RegionPolygon, ...], fov_um: tuple[float, float]) -> dict[RegionPolygon, int | str]:
    """Return the number of fields of each region; ``?`` for one that the check refuses."""
    counts: dict[RegionPolygon, int | str] = {}
    for number, region in enumerate(regions):
        tell_progress(number / len(regions), region.name)
        try:
            counts[region] = len(tiles_of(region, fov_um))
        except PlanError:
            counts[region] = "?"
    return counts
