"""The page on which a stored plate is looked at: run → well → field → plane, time point, channels; focus; report.

A run that goes on is followed while the page is seen. Reading: `run_reader`; images: `run_viewer`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from PyQt5.QtCore import Qt, QUrl
from PyQt5.QtGui import QDesktopServices, QDragEnterEvent, QDropEvent, QGuiApplication, QHideEvent, QShowEvent
from PyQt5.QtWidgets import (
    QAction,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QSplitter,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from control.core.contrast import Contrast
from control.core.review.viewing import Viewing
from control.core.stored_run import StoredRun
from control.core.words import counted
from control.gui import theme
from control.gui.focus_plot import FocusPlot
from control.gui.parts import button_for, faint_label, make_action
from control.gui.run_chooser import ImageChooser, RunList
from control.gui.run_reader import RunReader
from control.gui.run_report_panel import RunReportPanel
from control.gui.run_viewer import RunViewer
from control.gui.view_export import ViewExport
from control.gui.work_bar import WorkBar
from squid.utils.worker_manager import WorkerManager

_LEFT_PX = 320


class ReviewSession(Protocol):
    """What the page needs of a session."""

    @property
    def manager(self) -> WorkerManager:
        """Runs the page's tasks."""


class ReviewPage(QWidget):
    """Looks at runs; needs no microscope.

    Parameters
    ----------
    session : ReviewSession
        Its manager runs all reading.
    contrast : Contrast
        Of the channels, shared with other pages.
    """

    def __init__(self, session: ReviewSession, contrast: Contrast) -> None:
        super().__init__()
        self.setObjectName("reviewPage")
        self.setAcceptDrops(True)
        manager = session.manager
        self._output: Path | None = None
        self._is_empty = True
        self.work = WorkBar(is_narrow=True)
        self.reader = RunReader(manager, self.work, self)
        self.viewer = RunViewer(manager, contrast)
        self.export = ViewExport(self.viewer.view, manager, self.work, self)
        self.focus = FocusPlot(manager)
        self.report = RunReportPanel(manager, self.work)
        self.runs = RunList()
        self.chooser = ImageChooser()
        self._split = QSplitter(Qt.Orientation.Vertical)
        self.tabs = QTabWidget()
        self.tabs.setObjectName("reviewTabs")
        self.title = QLabel("No run is open")
        self.title.setObjectName("runTitle")
        self.title.setProperty("role", "title")
        self.said = faint_label("Open a run folder, drop one here, or choose one of the list.")
        self.said.setObjectName("runSaid")
        self._make_actions()
        self._put_together()
        self._connect()
        self._enable()

    # --- for the window ---------------------------------------------------------------------------------------------

    def menu_actions(self) -> list[QAction | None]:
        """Return what a person can do here, in the menu's order; None is a separator."""
        return [
            self.open_action, self.show_action, self.copy_action, None,
            *self.chooser.steps, None,
            *self.viewer.menu_actions(), self.export_action, None,
            *self.report.menu_actions(),
        ]  # fmt: skip

    def remember(self) -> dict[str, Any]:
        """Return what is kept until the next start."""
        return {"output": str(self._output) if self._output is not None else ""}

    def restore(self, kept: dict[str, Any]) -> None:
        """Take back what was kept; anything else is left as it is."""
        output = kept.get("output")
        if isinstance(output, str) and output:
            self.set_output_folder(Path(output))

    def set_output_folder(self, folder: Path) -> None:
        """List the runs of a folder."""
        self._output = folder
        self._list_runs()

    @property
    def run(self) -> StoredRun | None:
        """The run that is shown."""
        return self.reader.run

    def open_folder(self, path: Path) -> None:
        """Open a run folder, or anything in it; returns at once."""
        path = Path(path)
        self.said.setText(f"opening {path.name} …")
        self.reader.open(path)

    # --- what was read ----------------------------------------------------------------------------------------------

    def _on_opened(self, run: StoredRun) -> None:
        is_first, self._is_empty = self._is_empty, False
        self.viewer.set_run(Viewing(run))
        self.chooser.set_run(run)
        if is_first:
            self._split.setSizes([3 * self.height() // 5, 2 * self.height() // 5])  # the plate has come
        self.report.set_run(run)
        self.focus.set_run(run)
        self._describe(run)
        self._enable()
        self.set_output_folder(run.folder.parent)

    def _on_grown(self, run: StoredRun) -> None:
        self.chooser.refresh()
        self._describe(run)
        self.focus.follow()
        shown = self.viewer.shown
        if shown is None or shown.absences:
            self.viewer.reload()
        if not run.is_open_ended:
            self.report.renew()
            self._list_runs()

    def _describe(self, run: StoredRun) -> None:
        summary, stored = run.summary, len(run.frames)
        self.title.setText(summary.name)
        status = "completed" if summary.status.startswith("completed") else summary.status
        missing = f", {len(run.missing)} missing" if run.missing else ""
        reason = f": {summary.reason}" if summary.reason and summary.status == "aborted" else ""
        self.said.setText(f"{status}{reason} · {stored} of {counted(summary.frames_planned, 'frame')}{missing}")
        self.said.setToolTip(str(run.folder))

    def _list_runs(self) -> None:
        if self._output is not None:
            self.reader.list_runs(self._output)

    def _on_runs(self, runs: Any) -> None:
        self.runs.show_folder(self._output)
        self.runs.show_runs(runs, self.run.folder if self.run is not None else None)

    # --- what a person does -----------------------------------------------------------------------------------------

    def choose_folder(self) -> None:
        """Ask for a run folder and open it."""
        start = str(self._output or Path.home())
        name = QFileDialog.getExistingDirectory(self, "Open run folder", start)
        if name:
            self.open_folder(Path(name))

    def show_folder(self) -> None:
        """Show the run folder in the system's file manager."""
        if self.run is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.run.folder)))

    def copy_path(self) -> None:
        """Put the run folder's path on the clipboard."""
        clipboard = QGuiApplication.clipboard()
        if self.run is not None and clipboard is not None:
            clipboard.setText(str(self.run.folder))
            self.said.setText("the folder's path is on the clipboard")

    def choose_export(self) -> None:
        """Ask for a file and write what the view shows."""
        image = self.chooser.image
        if self.run is not None and image is not None:
            self.export.choose(self.run.folder / f"{image.name}.png")

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:  # noqa: N802 - Qt's name
        """Take a folder."""
        if event is not None and _folder_in(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent | None) -> None:  # noqa: N802 - Qt's name
        """Open what was dropped."""
        folder = _folder_in(event) if event is not None else None
        if folder is not None:
            self.open_folder(folder)

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Follow the run while the page is seen."""
        self._list_runs()
        self.reader.follow(True)

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802 - Qt's name
        """Nobody looks: no need to follow."""
        self.reader.follow(False)

    # --- made once --------------------------------------------------------------------------------------------------

    def _enable(self) -> None:
        has_run = self.run is not None
        for action in (self.show_action, self.copy_action, self.export_action, *self.chooser.steps):
            action.setEnabled(has_run)

    def _connect(self) -> None:
        self.reader.opened.connect(self._on_opened)
        self.reader.grown.connect(self._on_grown)
        self.reader.listed.connect(self._on_runs)
        self.reader.refused.connect(self.said.setText)
        self.export.said.connect(self.said.setText)
        self.runs.run_chosen.connect(self.open_folder)
        self.chooser.image_chosen.connect(self.viewer.show_image)

    def _make_actions(self) -> None:
        def action(text: str, call: Any, keys: str, tip: str, image: str) -> QAction:
            return make_action(self, text, call, shortcut=keys, tip=tip, image=image)

        self.open_action = action(
            "&Open run …", self.choose_folder, "Ctrl+Shift+O", "Open a finished or running run", "folder-open-outline"
        )
        self.show_action = action(
            "Open &folder", self.show_folder, "Ctrl+Alt+F", "Show the run folder in the file manager", "folder-search"
        )
        self.copy_action = action(
            "&Copy path", self.copy_path, "Ctrl+Shift+C", "Copy the path of the run folder", "content-copy"
        )
        self.export_action = action(
            "&Export view as PNG …", self.choose_export, "Ctrl+E", "Save what the view shows", "image-outline"
        )

    def _put_together(self) -> None:
        self.tabs.addTab(self.viewer, "Images")
        self.tabs.addTab(self.focus, "Focus")
        self.tabs.addTab(self.report, "Report")
        split = self._split
        split.setChildrenCollapsible(False)
        split.addWidget(self.chooser)
        split.addWidget(self.runs)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 2)
        left = QWidget()
        left.setFixedWidth(_LEFT_PX)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.title)
        column.addWidget(self.said)
        column.addWidget(self.work)
        line = QHBoxLayout()
        line.addWidget(button_for(self.open_action), 1)
        for each in (self.show_action, self.copy_action, self.export_action):
            button = QToolButton()
            button.setDefaultAction(each)
            line.addWidget(button)
        column.addLayout(line)
        column.addWidget(split, 1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.GAP_PX, theme.GAP_PX, theme.GAP_PX, theme.GAP_PX)
        layout.setSpacing(theme.GAP_PX)
        layout.addWidget(left)
        layout.addWidget(self.tabs, 1)


def _folder_in(event: QDropEvent) -> Path | None:
    """Return the folder that is dragged; None when it is anything else (a plan file is the window's business)."""
    data = event.mimeData()
    paths = (Path(url.toLocalFile()) for url in (data.urls() if data is not None else ()) if url.isLocalFile())
    return next((path for path in paths if path.is_dir()), None)
