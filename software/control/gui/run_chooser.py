"""Which run, which well, which field: the left column of the review page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from PyQt5.QtCore import QRectF, Qt, pyqtSignal
from PyQt5.QtGui import QColor, QPainter, QPen
from PyQt5.QtWidgets import QAction, QComboBox, QHBoxLayout, QLabel, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from control.core.run_record import RunSummary
from control.core.stored_run import StoredRun
from control.core.words import counted
from control.gui import theme
from control.gui.parts import faint_label, make_action
from control.gui.plate_map import PlateMap
from squid.models.layout import ImageLayout, WellRef
from squid.models.plate import PlateGeometry

FREE = "free positions"

_COLOURS = {
    "completed": theme.GOOD,
    "completed_with_missing": theme.WAITING,
    "aborted": theme.BAD,
    "running": theme.ACCENT,
}
_NO_PLATE = PlateGeometry(name="none", rows=8, columns=12, a1_x_mm=0, a1_y_mm=0, well_size_mm=6.2, well_spacing_mm=9)


class RunList(QWidget):
    """Runs of an output folder, the newest first.

    Attributes
    ----------
    run_chosen : pyqtSignal(object)
        Folder of a run that was clicked.
    """

    run_chosen = pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self.list = QListWidget()
        self.list.setObjectName("recentRuns")
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(self._on_item)
        self.list.itemActivated.connect(self._on_item)
        self._shown: list[tuple[Path, str]] = []
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._title = faint_label("Runs, the newest first")
        self._title.setObjectName("recentRunsTitle")
        layout.addWidget(self._title)
        layout.addWidget(self.list, 1)

    def show_folder(self, folder: Path | None) -> None:
        """Say which folder the runs are in."""
        self._title.setText(f"Runs in {folder.name}, the newest first" if folder is not None else "")
        self._title.setToolTip(str(folder or ""))

    def show_runs(self, runs: Sequence[tuple[Path, RunSummary]], opened: Path | None) -> None:
        """Show runs; the opened one is marked."""
        now: list[tuple[Path, str]] = [(folder, summary.status) for folder, summary in runs]
        if now != self._shown:
            self.list.clear()
            for folder, summary in runs:
                item = QListWidgetItem(folder.name)
                item.setForeground(QColor(_COLOURS[summary.status]))
                status = summary.status.replace("_", " ")
                item.setToolTip(
                    f"{folder}\n{status}: {summary.frames_stored} of {counted(summary.frames_planned, 'frame')}"
                )
                item.setData(Qt.ItemDataRole.UserRole, str(folder))
                self.list.addItem(item)
            self._shown = now
        for row in range(self.list.count()):
            each = self.list.item(row)
            if each is not None and each.data(Qt.ItemDataRole.UserRole) == str(opened):
                self.list.setCurrentItem(each)

    def _on_item(self, item: QListWidgetItem) -> None:
        self.run_chosen.emit(Path(item.data(Qt.ItemDataRole.UserRole)))


class ImageChooser(QWidget):
    """The plate with its wells that have images, and the fields of the chosen one.

    Attributes
    ----------
    image_chosen : pyqtSignal(object)
        ImageLayout of the field or position.
    steps : list of QAction
        To the next and the previous well and field.
    """

    image_chosen = pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self._run: StoredRun | None = None
        self._wells: tuple[WellRef | None, ...] = ()
        self._images: tuple[ImageLayout, ...] = ()
        self._frames: dict[tuple[int, int], int] = {}
        self._marked: tuple[int, int] | None = None
        self._planned = 1
        self._of_well: Counter[tuple[int, int]] = Counter()
        self._short: frozenset[tuple[int, int]] = frozenset()
        self.plate = PlateMap(_NO_PLATE, selectable=False)
        self.plate.setMinimumHeight(200)
        self.plate.set_well_painter(self._paint_well)
        self.plate.set_well_text(self._text_of)
        self.plate.well_clicked.connect(self._on_plate)
        self.well = QComboBox()
        self.well.setObjectName("wellChooser")
        self.well.setToolTip("Well; only wells with stored frames are listed")
        self.field = QComboBox()
        self.field.setObjectName("fieldChooser")
        self.field.setToolTip("Field of the well, or free position")
        self.text = faint_label()
        self.text.setObjectName("chooserText")
        self.well.currentIndexChanged.connect(self._on_well)
        self.field.currentIndexChanged.connect(self._on_field)
        self.steps = self._make_steps()
        self._put_together()
        self.set_run(None)

    @property
    def image(self) -> ImageLayout | None:
        """The chosen field or position."""
        number = self.field.currentIndex()
        return self._images[number] if 0 <= number < len(self._images) else None

    def set_run(self, run: StoredRun | None) -> None:
        """Show another run, its first well with images chosen."""
        self._run, self._wells, self._images, self._frames, self._marked = run, (), (), {}, None
        planned = run.planned_per_well if run is not None else {}
        self._of_well = Counter({(well.row, well.column): count for well, count in planned.items()})
        self._short = frozenset()
        for box in (self.well, self.field):
            box.setEnabled(run is not None)
        for step in self.steps:
            step.setEnabled(run is not None)
        plate = run.layout.plate if run is not None else None
        self.plate.setVisible(plate is not None)
        self.plate.set_plate(plate or _NO_PLATE)
        self.refresh()

    def refresh(self) -> None:
        """Show what has come since."""
        run = self._run
        if run is None:
            self.well.clear()
            self.field.clear()
            self.text.setText("")
            return
        self._planned = max(1, run.layout.frames_planned // max(1, len(run.frames_per_well) + run.has_free_images))
        frames = {(well.row, well.column): count for well, count in run.frames_per_well.items() if count}
        short = frozenset(at for at, n in self._of_well.items() if n > frames.get(at, 0) and not run.is_open_ended)
        changed = {place for place in {*frames, *self._frames} if frames.get(place) != self._frames.get(place)}
        changed |= short ^ self._short
        self._frames, self._short = frames, short
        self.plate.update_wells(changed)
        wells: tuple[WellRef | None, ...] = (*run.wells, *((None,) if run.has_free_images else ()))
        if wells != self._wells:
            self._list_wells(wells)
        have, all_wells = len(run.wells), len(run.frames_per_well)
        of = f"{have} of {counted(all_wells, 'well')}" if all_wells else counted(have, "well")
        self.text.setText(f"{of} with images" if run.wells else "" if wells else "no image yet")

    def step_well(self, step: int) -> None:
        """Go to the next well with images (or the one before), at the same field."""
        self._step(self.well, step)

    def step_field(self, step: int) -> None:
        """Go to the next field (or the one before), over the end into the next well."""
        target = self.field.currentIndex() + step
        if 0 <= target < self.field.count():
            self.field.setCurrentIndex(target)
            return
        before = self.well.currentIndex()
        self._step(self.well, step)
        if self.well.currentIndex() != before:
            self.field.setCurrentIndex(0 if step > 0 else self.field.count() - 1)

    @staticmethod
    def _step(box: QComboBox, step: int) -> None:
        target = box.currentIndex() + step
        if 0 <= target < box.count():
            box.setCurrentIndex(target)

    def _list_wells(self, wells: tuple[WellRef | None, ...]) -> None:
        chosen = self._wells[self.well.currentIndex()] if 0 <= self.well.currentIndex() < len(self._wells) else ""
        is_first = not self._wells
        self._wells = wells
        self.well.blockSignals(True)
        self.well.clear()
        self.well.addItems([well.name if well is not None else FREE for well in wells])
        self.well.setCurrentIndex(wells.index(chosen) if chosen in wells else 0)
        self.well.blockSignals(False)
        if is_first or chosen not in wells:
            self._on_well()

    def _on_well(self) -> None:
        number, field = self.well.currentIndex(), max(0, self.field.currentIndex())
        if self._run is None or not 0 <= number < len(self._wells):
            return
        self._images = self._run.images_of(self._wells[number])
        names = [image.name if self._wells[number] is None else f"field {image.field + 1}" for image in self._images]
        self.field.blockSignals(True)
        self.field.clear()
        self.field.addItems(names)
        self.field.setCurrentIndex(min(field, len(names) - 1))
        self.field.blockSignals(False)
        self._mark(self._wells[number])
        self._on_field()

    def _on_field(self) -> None:
        image = self.image
        if image is not None:
            self.image_chosen.emit(image)

    def _on_plate(self, row: int, column: int) -> None:
        for number, well in enumerate(self._wells):
            if well is not None and (well.row, well.column) == (row, column):
                self.well.setCurrentIndex(number)

    def _mark(self, well: WellRef | None) -> None:
        """Mark the chosen well on the plate."""
        before, self._marked = self._marked, (well.row, well.column) if well is not None else None
        self.plate.update_wells({place for place in (before, self._marked) if place in self._frames})
        self.plate.update()

    def _text_of(self, row: int, column: int) -> str:
        count, planned = self._frames.get((row, column), 0), self._of_well[row, column]
        if (row, column) in self._short:
            return f"{count} of {counted(planned, 'frame')} stored"
        return f"{counted(count, 'frame')} stored" if count else "no image"

    def _paint_well(self, painter: QPainter, square: QRectF, row: int, column: int) -> None:
        """Fill a well that has images, the fuller the brighter; white rim: chosen; red: frames are missing for good."""
        count, is_short = self._frames.get((row, column), 0), (row, column) in self._short
        if not count and not is_short:
            return
        painter.save()
        colour = QColor(theme.ACCENT if count else theme.SURFACE)
        colour.setAlphaF(0.35 + 0.5 * min(1.0, count / self._planned))
        is_chosen = self._marked == (row, column)
        painter.setBrush(QColor(theme.WAITING) if is_chosen else colour)
        rim = QPen(QColor("white"), 1.5) if is_chosen else QPen(QColor(theme.BAD), 1.5)
        painter.setPen(rim if is_chosen or is_short else Qt.PenStyle.NoPen)
        inner = square.adjusted(1, 1, -1, -1)
        if self.plate.plate.round_wells:
            painter.drawEllipse(inner)
        else:
            painter.drawRect(inner)
        painter.restore()

    def _make_steps(self) -> list[QAction]:
        def action(text: str, step: Callable[[int], None], by: int, key: str, tip: str) -> QAction:
            image = f"arrow-{key.lower()}"
            return make_action(self, text, lambda: step(by), shortcut=f"Ctrl+{key}", tip=tip, image=image)

        return [
            action("Next &well", self.step_well, 1, "Right", "Next well with images"),
            action("Previous we&ll", self.step_well, -1, "Left", "Well with images before"),
            action("&Next field", self.step_field, 1, "Down", "Next field, then next well"),
            action("&Previous field", self.step_field, -1, "Up", "Field before, then well before"),
        ]

    def _put_together(self) -> None:
        line = QHBoxLayout()
        for name, box in (("Well", self.well), ("Field", self.field)):
            line.addWidget(QLabel(name))
            line.addWidget(box, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GAP_PX // 2)
        layout.addWidget(self.plate, 1)
        layout.addLayout(line)
        layout.addWidget(self.text)
