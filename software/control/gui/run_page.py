"""The Run page: the plate as it fills, what the run does just now, and the plans that wait.

::

    session.status ──snapshot──┐ ten times a second, only while the page is seen
    session.previews ──────────┼──▶ plate │ current well │ last frame      state · progress · queue
    session.queue ──view───────┘

Decides nothing: start, pause, abort and resume are the queue's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PyQt5.QtCore import Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QHideEvent, QShowEvent
from PyQt5.QtWidgets import (
    QAction,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from control.core.contrast import Contrast
from control.core.queue_view import QueueView
from control.core.run import USER
from control.core.run_view import RunState, RunView
from control.gui import theme
from control.gui.hang_banner import HangBanner
from control.gui.parts import button_for, make_action, set_image
from control.gui.progress_panel import ProgressPanel
from control.gui.queue_panel import QueuePanel
from control.gui.run_pictures import RunPictures
from control.gui.work_bar import Work, WorkBar
from squid.utils.persistent_queue import JobState

if TYPE_CHECKING:
    from control.core.session import Session

PERIOD_MS = 100
COLUMN_PX = 380
"""Width of the right column."""

UNDER_WAY = (RunState.RUNNING, RunState.PAUSED, RunState.WAITING)
STARTED = (*UNDER_WAY, RunState.ENDING)


class RunPage(QWidget):
    """Follows runs and works through the queue.

    Parameters
    ----------
    session : Session
        Its `status`, `previews`, `queue` and `manager` are used.
    contrast : Contrast
        Of the channels, shared with other pages.

    Signals
    -------
    review_requested(object)
        A run folder to look at.
    region_drawn(object)
        Corners (x, y) in µm of the stage, drawn on a picture of the run.
    """

    review_requested = pyqtSignal(object)
    region_drawn = pyqtSignal(object)

    def __init__(self, session: Session, contrast: Contrast) -> None:
        super().__init__()
        self.setObjectName("runPage")
        self._status, self._queue = session.status, session.queue
        self._view = RunView()
        self._question: QMessageBox | None = None
        self.tabs = RunPictures(session.previews, contrast, session.manager)
        self.picker, self.plate, self.mosaic = self.tabs.picker, self.tabs.plate, self.tabs.mosaic
        self.last_frame = self.tabs.last_frame
        self.work = WorkBar(is_narrow=True)
        self._starting: Work | None = None
        self.progress = ProgressPanel()
        self.banner = HangBanner(self.progress.result.resume_action)
        self.queue_panel = QueuePanel(self._queue)
        self.message = QLabel()
        self.message.setObjectName("runMessage")
        self.message.setProperty("role", "refusal")
        self.message.setWordWrap(True)
        self.message.hide()
        self._make_actions()
        self._lay_out()
        self._connect()
        self._timer = QTimer(self)
        self._timer.setInterval(PERIOD_MS)
        self._timer.timeout.connect(self.refresh)

    def _make_actions(self) -> None:
        self.start_action = make_action(
            self, "&Start", self._start, shortcut="Ctrl+R", tip="Start the next plan of the queue", image="play"
        )
        self.pause_action = make_action(
            self,
            "&Pause",
            self._pause_or_go_on,
            shortcut="Ctrl+Shift+P",
            tip="Let the run wait in the dark after the frame under way, or go on",
            image="pause",
        )
        self.abort_action = make_action(
            self,
            "&Abort…",
            self._ask_abort,
            shortcut="Ctrl+.",
            tip="End the run; it can be resumed later",
            image="stop",
        )
        self.hold_action = make_action(
            self,
            "&Hold the queue",
            self._hold,
            shortcut="Ctrl+H",
            tip="The run under way goes on, no further one starts",
            image="hand-back-left",
        )

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.GAP_PX, theme.GAP_PX, theme.GAP_PX, theme.GAP_PX)
        layout.addWidget(self.banner)
        body = QHBoxLayout()
        body.setSpacing(theme.GAP_PX)
        body.addWidget(self.tabs, 1)
        body.addWidget(self._column())
        layout.addLayout(body, 1)

    def _column(self) -> QWidget:
        content = QWidget()
        inside = QVBoxLayout(content)
        inside.setContentsMargins(0, 0, theme.GAP_PX, 0)
        inside.setSpacing(theme.GAP_PX)
        for widget in (self.progress, self.queue_panel):
            inside.addWidget(widget)
        inside.addStretch(1)
        area = QScrollArea()
        area.setWidget(content)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QWidget()
        column.setFixedWidth(COLUMN_PX)
        layout = QVBoxLayout(column)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GAP_PX)
        layout.addLayout(self._buttons())
        layout.addWidget(self.work)
        layout.addWidget(self.message)
        layout.addWidget(area, 1)
        return column

    def _buttons(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(theme.GAP_PX)
        self.start_button = button_for(self.start_action, "main")
        self.pause_button = button_for(self.pause_action)
        self.abort_button = button_for(self.abort_action, "stop")
        for column, (button, name) in enumerate(
            ((self.start_button, "startButton"), (self.pause_button, "pauseButton"), (self.abort_button, "abortButton"))
        ):
            button.setObjectName(name)
            grid.addWidget(button, 0, column)
        return grid

    def _connect(self) -> None:
        self.progress.review_requested.connect(self.review_requested)
        self.progress.resume_requested.connect(self._resume_folder)
        self.queue_panel.review_requested.connect(self.review_requested)
        self.queue_panel.refused.connect(self.complain)
        self.tabs.currentChanged.connect(self.refresh)
        self.tabs.region_drawn.connect(self.region_drawn)

    # --- following --------------------------------------------------------------------------------------------------

    def menu_actions(self) -> list[QAction | None]:
        """Return what the Run menu offers."""
        result, banner = self.progress.result, self.banner
        return [
            self.start_action, self.pause_action, self.abort_action, None,
            result.review_action, result.resume_action, banner.folder_action, banner.dismiss_action, None,
            self.hold_action, *self.queue_panel.menu_actions(), None,
            *self.tabs.menu_actions(),
        ]  # fmt: skip

    def remember(self) -> dict[str, Any]:
        """Return what is there again at the next start, as JSON values."""
        return {"channel": self.picker.wanted}

    def restore(self, remembered: Mapping[str, Any]) -> None:
        """Take what `remember` gave; what makes no sense is left as it is."""
        match remembered.get("channel"):
            case str(name):
                self.picker.want(name)

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Follow while the page is seen."""
        self.refresh()
        self._timer.start()

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802 - Qt's name
        """Rest while it is not."""
        self._timer.stop()

    def refresh(self) -> None:
        """Show run, pictures and queue as they are now."""
        view = self._view = self._status.snapshot()
        queue = self._queue.view()
        self.banner.show_run(view)
        self.progress.show_run(view, queue.count(JobState.WAITING), len(queue.offered))
        self.queue_panel.refresh(view)
        self.picker.refresh()
        self.tabs.refresh(view)
        self._show_starting(view, queue)
        self._enable(view)

    def _show_starting(self, view: RunView, queue: QueueView) -> None:
        """Show that a run is being started, which may take long for a large plate, and let a person call it off."""
        is_starting = queue.is_open and view.state not in STARTED
        if is_starting and self._starting is None:
            name = next((run.name for run in queue.runs if run.id == queue.current_id), "the next run")
            self._starting = self.work.begin(f"Starting {name}")
            self._starting.canceled.connect(self._abort)
        elif not is_starting and self._starting is not None:
            self._starting.reset()
            self._starting = None

    def _enable(self, view: RunView) -> None:
        queue = self._queue.view()
        has_run = queue.current_id is not None
        self.start_action.setEnabled(not has_run and bool(queue.count(JobState.WAITING)))
        is_under_way = has_run and view.state in UNDER_WAY
        self.pause_action.setEnabled(is_under_way)
        self.abort_action.setEnabled(is_under_way)
        self.hold_action.setEnabled(queue.is_open)
        is_paused = view.state is RunState.PAUSED
        text = "&Go on" if is_paused else "&Pause"
        if self.pause_action.text() != text:
            self.pause_action.setText(text)
            set_image(self.pause_action, "play" if is_paused else "pause")

    def complain(self, text: str) -> None:
        """Show what could not be done, until the next start."""
        self.message.setText(text)
        self.message.setVisible(bool(text))

    # --- doing ------------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self.complain("")
        self.start_action.setEnabled(False)
        self._queue.start(self.complain)

    def _pause_or_go_on(self) -> None:
        if self._view.state is RunState.PAUSED:
            self._queue.go_on()
        else:
            self._queue.pause()

    def _hold(self) -> None:
        self._queue.hold("held by you; press Start to go on")

    def _resume_folder(self, folder: Path) -> None:
        self.complain("")
        self._queue.resume_folder(folder, self.complain)

    def _ask_abort(self) -> None:
        """Ask without holding up the window: the run goes on meanwhile."""
        text = "End the run now? What was taken is kept, and the run can be resumed later."
        box = QMessageBox(QMessageBox.Icon.Question, "End the run", text, parent=self)
        box.setObjectName("abortQuestion")
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        end = box.addButton("End the run", QMessageBox.ButtonRole.DestructiveRole)
        stay = box.addButton("Let it go on", QMessageBox.ButtonRole.RejectRole)
        assert end is not None
        end.setObjectName("abortConfirmButton")
        end.clicked.connect(self._abort)
        box.setDefaultButton(stay)
        box.open()

    def _abort(self) -> None:
        self._queue.abort(USER)
