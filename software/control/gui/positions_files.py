"""Lists of positions as files: read and written in tasks, with a bar and a way to cancel when that takes long."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtWidgets import QFileDialog, QWidget

from control.core.planning import FreePosition, read_positions, write_positions
from control.core.planning.positions_csv import unique_names
from control.gui.work_bar import Work, WorkBar
from squid.utils.task import WorkerResult
from squid.utils.task_bridge import submit_with_progress
from squid.utils.worker_manager import WorkerManager

_LIMIT_MS = 120_000
"""A person can cancel before."""

_CSV = "Lists of positions (*.csv *.txt);;All files (*)"


class PositionsFiles(QObject):
    """Imports and exports.

    Parameters
    ----------
    panel : QWidget
        Over which files are chosen.
    manager : WorkerManager
        Reads and writes.
    work : WorkBar
        Shows what takes long.
    positions_now : callable
        The positions on the screen.

    Attributes
    ----------
    imported : pyqtSignal(object)
        All positions: those on the screen, and below them the file's, with names that differ.
    said : pyqtSignal(str)
        What became of it; empty: it has begun.
    refused : pyqtSignal(str)
        Why it could not be done; empty: nothing is refused.
    """

    imported = pyqtSignal(object)
    said = pyqtSignal(str)
    refused = pyqtSignal(str)

    def __init__(
        self,
        panel: QWidget,
        manager: WorkerManager,
        work: WorkBar,
        positions_now: Callable[[], tuple[FreePosition, ...]],
    ) -> None:
        super().__init__(panel)
        self._panel, self._manager, self._work, self._positions_now = panel, manager, work, positions_now

    def import_file(self, path: Path) -> None:
        """Add the positions of a CSV file below those that are there."""
        before = self._positions_now()
        self._run(f"Importing {path.name}", "import positions", lambda: _added(before, path), self._take)

    def export_file(self, path: Path) -> None:
        """Write the positions as CSV; cancelled, no file is there."""
        positions = self._positions_now()
        said = f"{len(positions)} position{'s' if len(positions) != 1 else ''} exported"
        self._run(
            f"Exporting {path.name}",
            "export positions",
            lambda: write_positions(path, positions),
            partial(self._say, said),
        )

    def choose_import(self) -> None:
        """Ask for a file, and import it."""
        name, _ = QFileDialog.getOpenFileName(self._panel, "Import positions", "", _CSV)
        if name:
            self.import_file(Path(name))

    def choose_export(self) -> None:
        """Ask for a file, and export to it."""
        name, _ = QFileDialog.getSaveFileName(self._panel, "Export positions", "positions.csv", _CSV)
        if name:
            self.export_file(Path(name))

    def _run(
        self, words: str, name: str, task: Callable[[], object], on_complete: Callable[[WorkerResult], object]
    ) -> None:
        self.refused.emit("")
        work, key = self._work.begin(words), f"{name} {id(self)}"

        submit_with_progress(
            self._manager,
            work,
            key,
            task,
            timeout_ms=_LIMIT_MS,
            on_complete=on_complete,
            on_error=partial(self._failed, work),
            coalesce_key=key,
        )

    def _say(self, text: str, _: WorkerResult) -> None:
        self.said.emit(text)

    def _failed(self, work: Work, result: WorkerResult) -> None:
        if work.is_cancelled:
            self.said.emit(f"{work.words}: cancelled")
        else:
            self.refused.emit("The disk did not answer in time" if result.timed_out else str(result.error))

    def _take(self, result: WorkerResult) -> None:
        before, merged = result.value
        if before != self._positions_now():  # changed meanwhile
            merged = unique_names((*self._positions_now(), *merged[len(before) :]), "position")
        self.imported.emit(merged)


def _added(before: tuple[FreePosition, ...], path: Path) -> tuple[tuple[FreePosition, ...], tuple[FreePosition, ...]]:
    """Return the positions that were there, and these with the file's below them."""
    return before, unique_names((*before, *read_positions(path)), "position")
