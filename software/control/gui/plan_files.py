"""Plan page: new, open, save; what is not saved is asked about; files are read and written in tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QAction, QFileDialog, QMenu, QMessageBox, QWidget

from control.core.planning import PlanDraft
from control.core.words import in_words
from control.gui.parts import make_action
from control.gui.plan_history import PlanHistory
from control.gui.work_bar import WorkBar
from squid.utils.task import WorkerResult
from squid.utils.task_bridge import submit_with_progress
from squid.utils.worker_manager import WorkerManager

_FILTER = "Plans (*.yaml *.yml *.json);;All files (*)"
_MOST_RECENT = 8
_LIMIT_MS = 120_000
"""A person can cancel before."""


class PlanFiles(QWidget):
    """The file of the plan; has no picture of its own.

    Parameters
    ----------
    page : QWidget
        Over which questions are shown.
    manager : WorkerManager
        Reads and writes.
    work : WorkBar
        Shows what takes long; its button cancels it.
    history : PlanHistory
        What is saved, and into which files are read.
    read : callable
        Makes a draft of a file; in a task.
    new : callable
        Makes a newcomer's draft.

    Attributes
    ----------
    changed : pyqtSignal()
        Another plan, another file, or the plan was saved.
    path : Path or None
        The plan's file; None: it has none yet.
    """

    changed = pyqtSignal()

    def __init__(
        self,
        page: QWidget,
        manager: WorkerManager,
        work: WorkBar,
        history: PlanHistory,
        read: Callable[[Path], PlanDraft],
        new: Callable[[], PlanDraft],
    ) -> None:
        super().__init__(page)
        self.hide()
        self._page, self._manager, self._work, self._history = page, manager, work, history
        self._read, self._new = read, new
        self._then: Callable[[], object] | None = None
        self.path: Path | None = None
        self.recent: tuple[Path, ...] = ()
        self._make_actions()

    def _make_actions(self) -> None:
        page = self._page
        self.new_action = make_action(
            page, "&New plan", lambda: self.leave(self._begin_new), shortcut="Ctrl+N", image="file-outline"
        )
        self.open_action = make_action(
            page, "&Open plan…", lambda: self.leave(self._ask_open), shortcut="Ctrl+O", image="folder-open-outline"
        )
        self.save_action = make_action(
            page, "&Save plan", lambda: self.save(), shortcut="Ctrl+S", image="content-save-outline"
        )
        self.save_as_action = make_action(
            page, "Save plan &as…", self._ask_save, shortcut="Ctrl+Shift+S", image="content-save-edit-outline"
        )
        self.recent_action = QAction("&Recent plans", page)
        self.recent_menu = QMenu(page)
        self.recent_action.setMenu(self.recent_menu)
        self.set_recent(())

    # --- open -------------------------------------------------------------------------------------------------------

    def open(self, path: Path) -> None:
        """Open a plan file, or a bare useq file; asks first when something is not saved."""
        self.leave(lambda: self._open(path))

    def _ask_open(self) -> None:
        dialog = QFileDialog(self._page, "Open a plan", self._folder(), _FILTER)
        dialog.setObjectName("openPlanDialog")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda name: self._open(Path(name)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _open(self, path: Path) -> None:
        def opened(result: WorkerResult) -> None:
            self._history.begin(result.value)
            self._take_path(path)

        self._submit("open plan", f"Opening {path.name}", lambda: self._read(path), opened)

    def _begin_new(self) -> None:
        self._history.begin(self._new())
        self.path = None
        self.changed.emit()

    # --- save -------------------------------------------------------------------------------------------------------

    def save(self, then: Callable[[], object] | None = None) -> None:
        """Save to the plan's file, asking for one when it has none; afterwards do `then`."""
        self._then = then
        if self.path is None:
            self._ask_save()
        else:
            self._save(self.path)

    def _ask_save(self) -> None:
        suggested = str(Path(self._folder()) / f"{self._history.draft.name.replace('/', '-')}.yaml")
        dialog = QFileDialog(self._page, "Save the plan", suggested, _FILTER)
        dialog.setObjectName("savePlanDialog")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("yaml")
        dialog.selectFile(suggested)
        dialog.fileSelected.connect(lambda name: self._save(Path(name)))
        dialog.rejected.connect(self._forget)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _forget(self) -> None:
        """Do nothing after a save that was called off."""
        self._then = None

    def _save(self, path: Path) -> None:
        draft, then = self._history.draft, self._then
        self._then = None

        def saved(_: WorkerResult) -> None:
            self._history.saved(draft)
            self._take_path(path)
            if then is not None:
                then()

        self._submit("save plan", f"Saving {path.name}", lambda: draft.write(path), saved)

    # --- what is not saved ------------------------------------------------------------------------------------------

    def leave(self, then: Callable[[], object]) -> None:
        """Do `then` once the plan is saved or given up."""
        if not self._history.is_unsaved:
            then()
            return
        box = QMessageBox(
            QMessageBox.Icon.Question,
            "The plan is not saved",
            f"'{self._history.draft.name}' was changed and is not saved.",
            parent=self._page,
        )
        box.setObjectName("unsavedQuestion")
        save = box.addButton("Save", QMessageBox.ButtonRole.AcceptRole)
        discard = box.addButton("Do not save", QMessageBox.ButtonRole.DestructiveRole)
        box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole)
        assert save is not None
        assert discard is not None
        box.setDefaultButton(save)
        save.clicked.connect(lambda: self.save(then))
        discard.clicked.connect(lambda: _do(then))
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    # --- recent files -----------------------------------------------------------------------------------------------

    def set_recent(self, paths: Iterable[Path]) -> None:
        """Offer these files, the newest first."""
        self.recent = tuple(dict.fromkeys(paths))[:_MOST_RECENT]
        self.recent_menu.clear()
        for path in self.recent:
            action = QAction(path.name, self.recent_menu)
            action.setToolTip(str(path))
            action.triggered.connect(lambda _, path=path: self.open(path))
            self.recent_menu.addAction(action)
        self.recent_action.setEnabled(bool(self.recent))

    def _take_path(self, path: Path) -> None:
        self.path = path
        self.set_recent((path, *self.recent))
        self.changed.emit()

    def _folder(self) -> str:
        known = self.path or next(iter(self.recent), None)
        return str(known.parent) if known is not None else ""

    def _submit(
        self, name: str, words: str, task: Callable[[], object], on_complete: Callable[[WorkerResult], None]
    ) -> None:
        work = self._work.begin(words)

        def failed(result: WorkerResult) -> None:
            self._then = None
            if not work.is_cancelled:  # who cancels it need not be told
                self._say(f"{'It took too long. ' if result.timed_out else ''}{in_words(result.error)}")

        options = {"timeout_ms": _LIMIT_MS, "on_complete": on_complete, "on_error": failed, "coalesce_key": name}
        submit_with_progress(self._manager, work, name, task, **options)

    def _say(self, text: str) -> None:
        box = QMessageBox(QMessageBox.Icon.Warning, "Plan file", text, parent=self._page)
        box.setObjectName("planFileTrouble")
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()


def _do(then: Callable[[], object]) -> None:
    then()
