"""The plans that wait, the one that runs, those that have ended, and what to do with them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtGui import QColor
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QAction,
    QCheckBox,
    QGridLayout,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
)

from control.core.queue_runner import QueueRunner
from control.core.queue_view import QueueView
from control.core.run import USER
from control.core.run_queue import QueuedRun
from control.core.run_view import RunState, RunView
from control.gui import theme
from control.gui.parts import Section, button_for, faint_label, make_action
from control.gui.view_tools import make_switch
from squid.utils.persistent_queue import ENDED, JobState

TABLE_PX = 136
_BUTTONS = {
    "up": "Up",
    "down": "Down",
    "cancel": "Take out",
    "resume": "Resume",
    "review": "Review",
    "clear": "Clear finished",
}
COLUMNS = ("Plan", "State", "Frames")

_COLOURS = {
    JobState.RUNNING: theme.ACCENT,
    JobState.DONE: theme.GOOD,
    JobState.FAILED: theme.BAD,
    JobState.INTERRUPTED: theme.WAITING,
    JobState.CANCELLED: theme.FAINT,
}
_WORDS = {JobState.FAILED: "ended early", JobState.CANCELLED: "taken out"}


class QueuePanel(Section):
    """The run queue.

    Parameters
    ----------
    queue : QueueRunner
        What is shown, and told what to do.

    Signals
    -------
    review_requested(object)
        A run folder to look at.
    refused(str)
        What could not be done.
    """

    review_requested = pyqtSignal(object)
    refused = pyqtSignal(str)

    def __init__(self, queue: QueueRunner) -> None:
        super().__init__("Run queue")
        self._queue = queue
        self._view = QueueView()
        self._listed: tuple[QueuedRun, ...] = ()
        self._frames = ("", "")
        self.note = QLabel()
        self.note.setObjectName("queueNote")
        self.note.setProperty("role", "note")
        self.note.setWordWrap(True)
        self.reason = faint_label()
        self.reason.setObjectName("queueReason")
        self.table = QTableWidget(0, len(COLUMNS))
        self.table.setObjectName("queueTable")
        self.actions_of_runs = self._make_actions()
        self.goes_on_action = make_switch(
            self,
            "Go on with the &next plan after a fault",
            "Ctrl+Alt+N",
            "Otherwise the queue waits for a person; a run that stored nothing stops it in any case",
            "skip-next",
        )
        self.goes_on = QCheckBox("Go on with the next plan after a fault")
        self.goes_on.setObjectName("goOnBox")
        self.goes_on.setToolTip(self.goes_on_action.toolTip())
        self._lay_out()
        self.table.itemSelectionChanged.connect(self._enable)
        self.goes_on.toggled.connect(self.goes_on_action.setChecked)
        self.goes_on_action.toggled.connect(self.goes_on.setChecked)
        self.goes_on_action.toggled.connect(queue.go_on_after_faults)
        self._enable()

    def _make_actions(self) -> dict[str, QAction]:
        def action(text: str, call: Callable[[], object], keys: str, tip: str, image: str) -> QAction:
            return make_action(self, text, call, shortcut=keys, tip=tip, image=image)

        return {
            "up": action(
                "Chosen plan &up",
                partial(self._move, -1),
                "Ctrl+Shift+Up",
                "Let the chosen plan run earlier",
                "arrow-up",
            ),
            "down": action(
                "Chosen plan do&wn",
                partial(self._move, 1),
                "Ctrl+Shift+Down",
                "Let the chosen plan run later",
                "arrow-down",
            ),
            "cancel": action(
                "&Take chosen plan out",
                self._cancel,
                "Ctrl+Del",
                "The chosen plan will not run; a run that ended early is not offered for resume again",
                "playlist-remove",
            ),
            "resume": action(
                "Resume &chosen run",
                self._resume,
                "Ctrl+Shift+U",
                "Go on with the chosen run at its first missing frame",
                "restart",
            ),
            "review": action(
                "Review c&hosen run",
                self._review,
                "Ctrl+Shift+V",
                "Look at the images of the chosen run",
                "image-search",
            ),
            "clear": action(
                "Clear &finished runs",
                self._clear,
                "Ctrl+Shift+K",
                "Take finished runs off this list; their images stay on the disk",
                "playlist-check",
            ),
        }

    def menu_actions(self) -> list[QAction]:
        """Return what the menu offers."""
        return [*self.actions_of_runs.values(), self.goes_on_action]

    def _lay_out(self) -> None:
        table = self.table
        table.setHorizontalHeaderLabels(COLUMNS)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setShowGrid(False)
        table.setFixedHeight(TABLE_PX)
        rows, columns = table.verticalHeader(), table.horizontalHeader()
        assert rows is not None
        assert columns is not None
        rows.hide()
        columns.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        columns.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        buttons = QGridLayout()
        buttons.setSpacing(theme.GAP_PX // 2)
        for number, (name, action) in enumerate(self.actions_of_runs.items()):
            button = button_for(action, "", _BUTTONS[name])
            button.setObjectName(f"queue{name.title()}Button")
            buttons.addWidget(button, number // 3, number % 3)
        self.body.addWidget(self.note)
        self.body.addWidget(table)
        self.body.addWidget(self.reason)
        self.body.addLayout(buttons)
        self.body.addWidget(self.goes_on)

    # --- showing ----------------------------------------------------------------------------------------------------

    def refresh(self, run: RunView) -> None:
        """Show the queue as it is; the table is filled only when it has changed."""
        view, frames = self._queue.view(), f"{run.stored} of {run.planned}"
        if view is not self._view:
            chosen = self._chosen()
            has_new_rows = view.runs != self._view.runs
            self._view = view
            if has_new_rows:
                self._fill(view, chosen.id if chosen else None)
            self._show_note(view)
            self._enable()
        state = "paused" if run.state is RunState.PAUSED else "running"
        if (frames, state) != self._frames and run.state is not RunState.FINISHED:
            self._frames = (frames, state)
            self._show_frames(view)

    def _fill(self, view: QueueView, chosen_id: int | None) -> None:
        self._listed = view.listed
        if chosen_id is None and view.offered:
            chosen_id = view.offered[0].id  # what the note asks about, one click away from Resume
        self.table.blockSignals(True)
        self.table.setRowCount(len(self._listed))
        for row, run in enumerate(self._listed):
            for column, text in enumerate(_cells(run)):
                item = QTableWidgetItem(text)
                item.setToolTip(_why(run) or str(run.plan_file))
                if column == 1:
                    has_holes = run.state is JobState.DONE and run.is_incomplete
                    colour = theme.WAITING if has_holes else _COLOURS.get(run.state, theme.TEXT)
                    item.setForeground(QColor(colour))
                self.table.setItem(row, column, item)
        at = next((row for row, run in enumerate(self._listed) if run.id == chosen_id), None)
        self.table.clearSelection()
        if at is not None:
            self.table.selectRow(at)
        self.table.blockSignals(False)
        self.table.scrollToTop()  # where the run is that is under way

    def _show_frames(self, view: QueueView) -> None:
        for row, run in enumerate(self._listed):
            state, frames = self.table.item(row, 1), self.table.item(row, 2)
            if run.id == view.current_id and frames is not None and state is not None:
                frames.setText(self._frames[0])
                state.setText(self._frames[1])

    def _show_note(self, view: QueueView) -> None:
        offered = view.offered
        waiting = "The queue waits: " if view.count(JobState.WAITING) else ""
        notes = [f"{waiting}{view.holding.rstrip('.')}."] if view.holding else []
        if offered:
            some = f"{len(offered)} runs" if len(offered) > 1 else offered[0].name
            notes.append(f"{some} ended early: choose it and press Resume, or take it out to hear no more of it.")
        self.note.setText("\n".join(notes))
        self.note.setVisible(bool(notes))

    def _chosen(self) -> QueuedRun | None:
        rows = {index.row() for index in self.table.selectedIndexes()}
        return self._listed[rows.pop()] if len(rows) == 1 else None

    def _enable(self) -> None:
        run = self._chosen()
        state = run.state if run else None
        has_folder = run is not None and run.run_folder is not None
        order = [each.id for each in self._view.runs if each.state is JobState.WAITING]
        waits = run is not None and run.id in order
        enabled = {
            "up": waits and run is not None and run.id != order[0],
            "down": waits and run is not None and run.id != order[-1],
            "cancel": state is JobState.WAITING or (run is not None and run.is_offered),
            "resume": state is JobState.INTERRUPTED or (run is not None and run.is_incomplete),
            "review": has_folder,
            "clear": any(each.state in ENDED and not each.is_offered for each in self._view.runs),
        }
        for name, action in self.actions_of_runs.items():
            action.setEnabled(enabled[name])
        self.reason.setText(_why(run) if run else "")
        self.reason.setVisible(bool(run and run.reason))

    # --- doing ------------------------------------------------------------------------------------------------------

    def _move(self, by: int) -> None:
        run = self._chosen()
        order = [each.id for each in self._view.runs if each.state is JobState.WAITING]
        if run is None or run.id not in order:
            return
        at = order.index(run.id) + by
        others = [each for each in order if each != run.id]
        if 0 <= at < len(order):
            self._queue.move(run.id, others[at] if at < len(others) else None, self.refused.emit)

    def _cancel(self) -> None:
        if (run := self._chosen()) is not None:
            self._queue.cancel(run.id, self.refused.emit)

    def _resume(self) -> None:
        if (run := self._chosen()) is not None:
            self._queue.resume(run.id, self.refused.emit)

    def _clear(self) -> None:
        self._queue.clear_finished(self.refused.emit)

    def _review(self) -> None:
        run = self._chosen()
        if run is not None and isinstance(run.run_folder, Path):
            self.review_requested.emit(run.run_folder)


def _why(run: QueuedRun) -> str:
    """Return how a run ended, in words."""
    return f"ended by you{run.reason.removeprefix(USER)}" if run.reason.startswith(USER) else run.reason


def _cells(run: QueuedRun) -> tuple[str, ...]:
    frames = "" if run.frames_planned is None else f"{run.frames_stored} of {run.frames_planned}"
    word = _WORDS.get(run.state, run.state.value)
    if run.state is JobState.DONE and run.frames_planned is not None and run.is_incomplete:
        word = f"{word}, {run.frames_planned - (run.frames_stored or 0)} missing"
    return (run.name, word, frames)
