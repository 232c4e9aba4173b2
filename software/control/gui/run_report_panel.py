"""The report of a run, to read and to save."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtWidgets import QAction, QFileDialog, QHBoxLayout, QTextBrowser, QVBoxLayout, QWidget

from control.core.review.report import RunReport
from control.core.stored_run import StoredRun
from control.core.words import in_words
from control.gui import theme
from control.gui.parts import button_for, faint_label, make_action
from control.gui.work_bar import WorkBar
from squid.utils.task_bridge import submit_with_progress
from squid.utils.worker_manager import WorkerManager, WorkerResult

_LIMIT_MS = 60_000
_STYLE = (
    f"h1 {{ font-size: 20px; }} h2 {{ font-size: 15px; color: {theme.ACCENT}; margin-top: 14px; }} "
    f"th {{ color: {theme.FAINT}; padding: 2px 12px 2px 0; }} td {{ padding: 2px 12px 2px 0; }} p {{ margin: 1px 0; }}"
)


class RunReportPanel(QWidget):
    """Shows a run's report; it is made in a task.

    Parameters
    ----------
    manager : WorkerManager
        Runs that.
    work : WorkBar
        Shows what takes long.
    """

    def __init__(self, manager: WorkerManager, work: WorkBar) -> None:
        super().__init__()
        self._manager, self._work = manager, work
        self._run: StoredRun | None = None
        self._report: RunReport | None = None
        self.browser = QTextBrowser()
        self.browser.setObjectName("reportText")
        document = self.browser.document()
        assert document is not None
        document.setDefaultStyleSheet(_STYLE)
        self.save_action = make_action(
            self, "&Save report …", self.choose_and_save, shortcut="Ctrl+Alt+S",
            tip="Save the report as web page, Markdown or text", image="content-save-outline",
        )  # fmt: skip
        self.renew_action = make_action(
            self, "Rene&w report", self.renew, shortcut="F5", tip="Make the report anew", image="refresh"
        )
        self._said = faint_label()
        self._said.setObjectName("reportSaid")
        line = QHBoxLayout()
        line.addWidget(button_for(self.save_action))
        line.addWidget(button_for(self.renew_action))
        line.addWidget(self._said, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, theme.GAP_PX, 0, 0)
        layout.addLayout(line)
        layout.addWidget(self.browser, 1)
        self.set_run(None)

    def menu_actions(self) -> list[QAction]:
        """Return what a person can do here."""
        return [self.save_action, self.renew_action]

    @property
    def report(self) -> RunReport | None:
        """What is shown; None while it is being made."""
        return self._report

    def set_run(self, run: StoredRun | None) -> None:
        """Show the report of another run."""
        self._run, self._report = run, None
        self._said.setText("")
        self.browser.setPlainText("" if run is not None else "Open a run to see its report.")
        for action in self.menu_actions():
            action.setEnabled(run is not None)
        self.renew()

    def renew(self) -> None:
        """Make the report anew: a run that goes on has more to tell."""
        run = self._run
        if run is not None:
            submit_with_progress(
                self._manager,
                self._work.begin("Making the report"),
                "make a run's report",
                lambda: (run, run.report()),
                timeout_ms=_LIMIT_MS,
                on_complete=self._on_report,
                on_error=self._on_error,
                coalesce_key="make a run's report",
            )

    def save(self, path: Path) -> None:
        """Write the report that is shown; the name's end decides: ``.html``, ``.md``, ``.txt``."""
        report = self._report
        if report is not None:
            submit_with_progress(
                self._manager,
                self._work.begin(f"Saving {path.name}"),
                "save a run's report",
                lambda: _saved(report, path),
                timeout_ms=_LIMIT_MS,
                on_complete=self._on_saved,
                on_error=self._on_error,
                coalesce_key="save a run's report",
            )

    def choose_and_save(self) -> None:
        """Ask for a file and write the report."""
        if self._run is None:
            return
        start = str(self._run.folder / "report.html")
        kinds = "Web page (*.html);;Markdown (*.md);;Text (*.txt)"
        name, _ = QFileDialog.getSaveFileName(self, "Save report", start, kinds)
        if name:
            self.save(Path(name) if Path(name).suffix else Path(f"{name}.html"))

    def _on_report(self, result: WorkerResult) -> None:
        run, report = result.value
        if run is self._run:
            self._report = report
            self.browser.setHtml(report.document().html(with_style=False))

    def _on_saved(self, result: WorkerResult) -> None:
        self._said.setText(f"saved as {result.value}")

    def _on_error(self, result: WorkerResult) -> None:
        self._said.setText(in_words(result.error))


def _saved(report: RunReport, path: Path) -> Path:
    report.save(path)
    return path
