"""The plate during a run: a thumbnail in each well that has been imaged, progress in those in work, holes in red.

Thumbnails are drawn in tasks, a few dozen at a time, and only those that have changed. Of a resumed run those of the
wells stored before are read back from its folder meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from PyQt5.QtCore import QRectF, Qt
from PyQt5.QtGui import QColor, QImage, QPainter, QPen, QPixmap
from PyQt5.QtWidgets import QLabel, QStackedLayout, QVBoxLayout, QWidget

from control.core.earlier_pictures import read_earlier
from control.core.previews import Previews
from control.core.rendering import Layer, Renderer
from control.core.run_view import RunState, RunView
from control.core.shrinking import shrunk
from control.core.words import counted, in_words
from control.gui import theme
from control.gui.channel_picker import ChannelPicker, Layers
from control.gui.image_render import image_of
from control.gui.parts import faint_label
from control.gui.plate_map import PlateMap
from control.gui.work_bar import WorkBar
from squid.models.plate import PlateGeometry
from squid.utils.task import TaskCancelledError, TaskHandle, TaskPriority
from squid.utils.task_bridge import submit_with_progress
from squid.utils.worker_manager import WorkerManager, WorkerResult

BATCH = 96
"""Thumbnails drawn in one task: 5 to 30 ms of one core, 2 ms of the window's thread."""

_NO_PLATE = PlateGeometry(
    name="none", rows=8, columns=12, a1_x_mm=0, a1_y_mm=0, well_size_mm=6.2, well_spacing_mm=9, round_wells=True
)

_PLANNED = "#6E747B"

Thumbnails = list[tuple[int, int, QImage]]
"""Number of the well, revision of its tile, picture."""


class RunPlate(QWidget):
    """The plate of the run under way, or of the last one.

    Parameters
    ----------
    previews : Previews
        Where the pictures come from.
    picker : ChannelPicker
        Which channels; the owner refreshes it.
    manager : WorkerManager
        Draws.
    """

    def __init__(self, previews: Previews, picker: ChannelPicker, manager: WorkerManager) -> None:
        super().__init__()
        self._previews, self._picker, self._manager = previews, picker, manager
        self._renderer = Renderer()
        self._view = RunView()
        self._run_number = 0
        self._numbers: dict[tuple[int, int], int] = {}
        self._pixmaps: dict[int, QPixmap] = {}
        self._drawn = np.zeros(0, np.int64)
        self._progress = np.zeros((2, 0), np.int64)
        self._in_work = -1
        self._is_drawing = False
        self._side_px = 0
        self._reading: TaskHandle | None = None
        self.work = WorkBar()
        self.map = PlateMap(_NO_PLATE, selectable=False)
        self.map.set_well_painter(self._paint_well)
        self.map.set_well_text(self.text_of)
        self.text = faint_label()
        self.text.setObjectName("runPlateText")
        self.nothing = QLabel("Nothing has run yet. A plan that is started on the Plan page shows its plate here.")
        self.nothing.setObjectName("runPlateNothing")
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.nothing.setProperty("role", "faint")
        self.nothing.setWordWrap(True)
        self._lay_out()
        picker.changed.connect(self._draw_all_anew)
        self.map.well_clicked.connect(self._clicked)

    def _lay_out(self) -> None:
        plate = QWidget()
        layout = QVBoxLayout(plate)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.map, 1)
        layout.addWidget(self.work)
        layout.addWidget(self.text)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.nothing)
        self._stack.addWidget(plate)

    # --- following the run ------------------------------------------------------------------------------------------

    def show_run(self, view: RunView) -> None:
        """Show the run as it is now; paints only what has changed."""
        self._view = view
        if self._run_number != self._previews.run_number:
            self._begin_run()
        if self._stack.currentWidget() is self.nothing:
            return
        self._show_progress(view)
        self._draw_some()

    def _begin_run(self) -> None:
        self._run_number = self._previews.run_number
        layout = self._previews.layout
        self._numbers = {(well.row, well.column): n for n, well in enumerate(self._previews.wells) if well.row >= 0}
        self._pixmaps = {}
        self._drawn = np.zeros(len(self._previews.wells), np.int64)
        self._progress = np.zeros((2, len(self._previews.wells)), np.int64)
        self._in_work = -1
        self.text.setText("")
        if layout is not None and layout.plate is not None:
            self.map.set_plate(layout.plate)
            self.map.set_well_painter(self._paint_well)
            self._stack.setCurrentIndex(1)
            self._read_earlier()
        else:
            self._stack.setCurrentIndex(0)

    def _read_earlier(self) -> None:
        """Read back the pictures of what an earlier part of this run has stored."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        number, folder = self._previews.run_number, self._previews.earlier
        if folder is not None:
            self._reading = submit_with_progress(
                self._manager,
                self.work.begin("Reading the thumbnails of wells stored before"),
                f"earlier pictures of run {number} {id(self)}",
                partial(read_earlier, self._previews, number, folder),
                priority=TaskPriority.LOW,
                on_error=self._not_read,
            )

    def _not_read(self, result: WorkerResult) -> None:
        if not isinstance(result.error, TaskCancelledError):
            self.text.setText(f"Thumbnails of wells stored before cannot be shown: {in_words(result.error)}")

    def _show_progress(self, view: RunView) -> None:
        if len(view.wells) != self._progress.shape[1]:
            return  # the view is of another run than the previews, for one moment
        progress = np.stack([view.well_stored, view.well_missing])
        changed = set(np.flatnonzero((progress != self._progress).any(axis=0)).tolist())
        in_work = view.event.well if view.event is not None else -1
        if in_work != self._in_work:
            changed |= {in_work, self._in_work} - {-1}
        self._progress, self._in_work = progress, in_work
        self._repaint(changed)

    def _repaint(self, numbers: set[int]) -> None:
        wells = self._previews.wells
        self.map.update_wells([(wells[n].row, wells[n].column) for n in numbers if wells[n].row >= 0])

    # --- thumbnails -------------------------------------------------------------------------------------------------

    def _draw_all_anew(self) -> None:
        self._drawn[:] = 0

    def _draw_some(self) -> None:
        side_px = min(self._previews.tile_px, round(self.map.well_rect(0, 0).width() * self.map.devicePixelRatioF()))
        if side_px != self._side_px:
            self._side_px = side_px
            self._draw_all_anew()
        revisions = self._previews.tile_revisions()
        if self._is_drawing or len(revisions) != len(self._drawn):
            return
        due = np.flatnonzero(revisions != self._drawn)[:BATCH]
        layers = self._picker.layers()
        if not len(due) or not layers:
            return
        self._is_drawing = True
        wells = [(int(number), int(revisions[number])) for number in due]
        draw: Callable[[], Thumbnails] = partial(_thumbnails, self._previews, self._renderer, wells, layers, side_px)
        self._manager.submit(
            "run thumbnails",
            draw,
            timeout_ms=10_000,
            on_complete=partial(self._take, (self._run_number, side_px, layers)),
            on_finished=self._drawing_ended,
            coalesce_key="run thumbnails",
        )

    def _take(self, asked: tuple[int, int, Layers], result: WorkerResult) -> None:
        if asked != (self._run_number, self._side_px, self._picker.layers()):
            return
        drawn: Thumbnails = result.value
        for number, revision, image in drawn:
            self._pixmaps[number] = QPixmap.fromImage(image)
            self._drawn[number] = revision
        self._repaint({number for number, _, _ in drawn})

    def _drawing_ended(self, _: WorkerResult) -> None:
        self._is_drawing = False

    # --- painting ---------------------------------------------------------------------------------------------------

    def _paint_well(self, painter: QPainter, square: QRectF, row: int, column: int) -> None:
        number = self._numbers.get((row, column))
        if number is None or len(self._view.wells) <= number:
            return
        pixmap = self._pixmaps.get(number)
        if pixmap is not None:
            is_large = square.width() > self._previews.tile_px  # smaller ones come in the size of the well
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, is_large)
            painter.drawPixmap(square, pixmap, QRectF(pixmap.rect()))
        stored, missing, planned = self._counts(number)
        if missing:
            _frame(painter, square, theme.BAD)
        elif number == self._in_work or not stored:
            _frame(painter, square, theme.WAITING if number == self._in_work else _PLANNED)
        elif pixmap is None:  # stored before this program looked
            _frame(painter, square, theme.GOOD)
        if 0 < stored + missing < planned:
            _paint_bar(painter, square, (stored + missing) / planned)

    def _counts(self, number: int) -> tuple[int, int, int]:
        view = self._view
        return int(view.well_stored[number]), int(view.well_missing[number]), int(view.well_planned[number])

    def text_of(self, row: int, column: int) -> str:
        """Return what there is to say of a well."""
        number = self._numbers.get((row, column))
        if number is None or len(self._view.wells) <= number:
            return "not in this plan"
        stored, missing, planned = self._counts(number)
        holes = f", {missing} missing" if missing else ""
        now = ", in work" if number == self._in_work and self._view.state is not RunState.FINISHED else ""
        return f"{stored} of {counted(planned, 'frame')} stored{holes}{now}"

    def _clicked(self, row: int, column: int) -> None:
        self.text.setText(f"{self.map.plate.well_name(row, column)}: {self.text_of(row, column)}")


def _thumbnails(
    previews: Previews,
    renderer: Renderer,
    wells: list[tuple[int, int]],
    layers: Layers,
    side_px: int,
) -> Thumbnails:
    """Draw the thumbnails of some wells, as large as the wells on the screen; in a task."""
    side_px = max(1, side_px)
    drawn: Thumbnails = []
    for number, revision in wells:
        tiles = [(previews.tile(channel, number), limits, colour) for channel, limits, colour in layers]
        shown = [Layer(shrunk(t, side_px, side_px), limits, colour) for t, limits, colour in tiles if t is not None]
        drawn.append((number, revision, image_of(renderer.render(shown, (side_px, side_px)))))
    return drawn


def _frame(painter: QPainter, square: QRectF, colour: str) -> None:
    width = 2.0 if square.width() >= 16 else 1.0
    painter.setPen(QPen(QColor(colour), width))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(square.adjusted(width / 2, width / 2, -width / 2, -width / 2))


def _paint_bar(painter: QPainter, square: QRectF, part: float) -> None:
    height = max(2.0, square.height() / 12)
    bar = QRectF(square.left(), square.bottom() - height, square.width(), height)
    painter.fillRect(bar, QColor(theme.BACKGROUND))
    bar.setWidth(square.width() * part)
    painter.fillRect(bar, QColor(theme.ACCENT))
