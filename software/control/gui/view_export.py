"""Writes what a view shows, as it is shown, with its scale bar, into a picture file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtGui import QImage
from PyQt5.QtWidgets import QFileDialog, QWidget

from control.core.whole_file import whole_file
from control.core.words import in_words
from control.gui.work_bar import WorkBar
from squid.errors import StorageError
from squid.utils.task_bridge import submit_with_progress
from squid.utils.worker_manager import WorkerManager, WorkerResult

_LIMIT_MS = 60_000


class ViewExport(QObject):
    """Asks for a file and writes it in a task.

    Parameters
    ----------
    view : QWidget
        What is written.
    manager : WorkerManager
        Runs the task.
    work : WorkBar
        Shows it when it takes long.
    parent : QWidget
        Over which the file is asked for.

    Attributes
    ----------
    said : pyqtSignal(str)
        What was written, or why it was not.
    """

    said = pyqtSignal(str)

    def __init__(self, view: QWidget, manager: WorkerManager, work: WorkBar, parent: QWidget) -> None:
        super().__init__(parent)
        self._view, self._manager, self._work, self._widget = view, manager, work, parent

    def choose(self, start: Path) -> None:
        """Ask for a file, `start` at first, and write it."""
        name, _ = QFileDialog.getSaveFileName(self._widget, "Export view", str(start), "PNG (*.png)")
        if name:
            path = Path(name) if Path(name).suffix.lower() == ".png" else Path(f"{name}.png")
            submit_with_progress(
                self._manager,
                self._work.begin(f"Exporting {path.name}"),
                "export a view",
                self.writing(path),
                timeout_ms=_LIMIT_MS,
                on_complete=self._on_written,
                on_error=self._on_error,
                coalesce_key="export a view",
            )

    def writing(self, path: Path) -> Callable[[], Path]:
        """Return what writes the view as it is now; for a task."""
        image = self._view.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)

        def write() -> Path:
            with whole_file(path) as beside:
                if not image.save(str(beside), "PNG"):
                    raise StorageError(f"{path} could not be written")
            return path

        return write

    def _on_written(self, result: WorkerResult) -> None:
        self.said.emit(f"view saved as {result.value}")

    def _on_error(self, result: WorkerResult) -> None:
        self.said.emit(in_words(result.error))
