"""Snaps: one image, shown or stored in a folder of the person's choice."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtWidgets import QFileDialog, QWidget

from control.core.live import Live
from control.core.words import in_words
from control.gui.live_placement import snap_name
from control.gui.work_bar import Work, WorkBar
from squid.errors import SquidError
from squid.models.plate import PlateGeometry
from squid.utils.task_bridge import submit_with_progress
from squid.utils.worker_manager import WorkerManager, WorkerResult


class Snaps(QObject):
    """Takes snaps in tasks; the image comes to the page as live frames do.

    Parameters
    ----------
    live : Live
        Takes them.
    manager : WorkerManager
        Runs the tasks.
    work : WorkBar
        Shows a long exposure; its button cancels it.
    parent : QWidget
        Over which the folder is asked for.

    Attributes
    ----------
    folder : Path or None
        Where they are stored; None: a person is asked.
    plate : PlateGeometry or None
        Names the well in the file's name.
    busy_changed : pyqtSignal(bool)
        A snap begins, or has ended.
    said : pyqtSignal(str, bool)
        What was done, or why it was not; and whether that is bad news.
    """

    busy_changed = pyqtSignal(bool)
    said = pyqtSignal(str, bool)

    def __init__(self, live: Live, manager: WorkerManager, work: WorkBar, parent: QWidget) -> None:
        super().__init__(parent)
        self._live, self._manager, self._work, self._widget = live, manager, work, parent
        self.folder: Path | None = None
        self.plate: PlateGeometry | None = None

    def snap(self) -> None:
        """Take one image."""
        self._start("snap", self._live.snap)

    def snap_to_file(self) -> None:
        """Take one image and store it; asks for a folder the first time."""
        if self.folder is None:
            self.choose_folder()
        folder, plate, live = self.folder, self.plate, self._live
        if folder is None:
            return

        def snap_and_store() -> Path:
            frame = live.snap()
            path = folder / snap_name(frame, plate)
            live.save_snap(frame, path)
            return path

        self._start("snap to file", snap_and_store)

    def choose_folder(self) -> None:
        """Ask where snaps are stored."""
        start = str(self.folder or Path.home())
        chosen = QFileDialog.getExistingDirectory(self._widget, "Folder for snaps", start)
        if chosen:
            self.folder = Path(chosen)

    def _start(self, name: str, task: Callable[[], object]) -> None:
        self.busy_changed.emit(True)
        work = self._work.begin("Taking an image")
        try:
            submit_with_progress(
                self._manager, work, name, task, on_complete=self._snapped, on_error=partial(self._failed, work)
            )
        except SquidError as refusal:
            work.reset()
            self.busy_changed.emit(False)
            self.said.emit(in_words(refusal), True)

    def _snapped(self, result: WorkerResult) -> None:
        self.busy_changed.emit(False)
        self.said.emit(f"Stored {result.value}" if isinstance(result.value, Path) else "", False)

    def _failed(self, work: Work, result: WorkerResult) -> None:
        self.busy_changed.emit(False)
        self.said.emit("The snap was cancelled" if work.is_cancelled else in_words(result.error), not work.is_cancelled)
