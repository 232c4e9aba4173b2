"""Opens stored runs, follows one that goes on, and lists those of a folder: all reading is done in tasks.

::

    open(path) ──▶ opened(run)                                  refused(text)
    look()     ──▶ grown(run), again at once until it has caught up
    list_runs(folder) ──▶ listed(runs)
"""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from control.core.review.folders import recent_runs
from control.core.stored_run import StoredRun
from control.core.words import in_words
from control.gui.work_bar import WorkBar
from squid.utils.task_bridge import submit_with_progress
from squid.utils.worker_manager import WorkerManager, WorkerResult

FOLLOW_MS = 1000
"""Between two looks at a run that goes on."""

_READ_S = 0.3
"""The first look at a journal takes at most so long: what follows comes while the first image is shown."""

_LIMIT_MS = 60_000


class RunReader(QObject):
    """Reads for a page.

    Parameters
    ----------
    manager : WorkerManager
        Runs the tasks.
    work : WorkBar
        Shows what takes long; its button cancels it.
    parent : QObject
        Its owner.

    Attributes
    ----------
    opened : pyqtSignal(object)
        Another `StoredRun` is open.
    grown : pyqtSignal(object)
        The open run has got something new.
    listed : pyqtSignal(object)
        The runs of a folder, the newest first.
    refused : pyqtSignal(str)
        Why something could not be read.
    """

    opened = pyqtSignal(object)
    grown = pyqtSignal(object)
    listed = pyqtSignal(object)
    refused = pyqtSignal(str)

    def __init__(self, manager: WorkerManager, work: WorkBar, parent: QObject) -> None:
        super().__init__(parent)
        self._manager, self._work = manager, work
        self._run: StoredRun | None = None
        self._is_looking = False
        self._timer = QTimer(self)
        self._timer.setInterval(FOLLOW_MS)
        self._timer.timeout.connect(self.look)

    @property
    def run(self) -> StoredRun | None:
        """The run that is open."""
        return self._run

    def open(self, path: Path) -> None:
        """Open a run folder, or anything in it; returns at once."""
        submit_with_progress(
            self._manager,
            self._work.begin(f"Opening {path.name}"),
            "open a run",
            lambda: StoredRun.open(path, _READ_S),
            timeout_ms=_LIMIT_MS,
            on_complete=self._on_opened,
            on_error=self._on_refused,
            coalesce_key="open a run",
        )

    def follow(self, is_following: bool) -> None:
        """Look at the run every second, or leave it."""
        if is_following:
            self._timer.start()
            self.look()
        else:
            self._timer.stop()

    def look(self) -> None:
        """Read what the run got since: while it goes on, and when it is resumed; not while a look is under way."""
        run = self._run
        if run is None or self._is_looking:
            return
        self._is_looking = True
        self._manager.submit(
            "follow a run",
            lambda: (run, run.refresh(_READ_S)),
            timeout_ms=_LIMIT_MS,
            on_complete=self._on_looked,
            on_error=self._on_refused,
            on_finished=self._after_look,
            coalesce_key="follow a run",
        )

    def list_runs(self, folder: Path) -> None:
        """Find the runs of a folder."""
        submit_with_progress(
            self._manager,
            self._work.begin(f"Looking for runs in {folder.name}"),
            "list runs",
            lambda: recent_runs(folder),
            timeout_ms=_LIMIT_MS,
            on_complete=self._on_listed,
            on_error=self._on_refused,
            coalesce_key="list runs",
        )

    # --- what comes -------------------------------------------------------------------------------------------------

    def _on_opened(self, result: WorkerResult) -> None:
        self._run = result.value
        self.opened.emit(self._run)

    def _on_looked(self, result: WorkerResult) -> None:
        run, is_new = result.value
        if run is self._run and is_new:
            self.grown.emit(run)

    def _after_look(self, result: WorkerResult) -> None:
        self._is_looking = False
        if self._run is not None and not self._run.is_caught_up and result.success:
            QTimer.singleShot(0, self.look)

    def _on_listed(self, result: WorkerResult) -> None:
        self.listed.emit(result.value)

    def _on_refused(self, result: WorkerResult) -> None:
        self.refused.emit(in_words(result.error))
