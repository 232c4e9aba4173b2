"""How a run has ended, which frames are missing, and what to do next: review it, or resume it."""

from __future__ import annotations

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLabel, QListWidget, QVBoxLayout

from control.core.run import USER
from control.core.run_view import RunState, RunView
from control.core.words import counted, duration
from control.gui import theme
from control.gui.parts import Section, button_for, make_action


class ResultCard(QFrame):
    """How a run ended.

    Signals
    -------
    review_requested, resume_requested(object)
        The run folder.
    """

    review_requested = pyqtSignal(object)
    resume_requested = pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("resultCard")
        self.title, self.text = QLabel(), QLabel()
        self.title.setObjectName("resultTitle")
        self.text.setObjectName("resultText")
        for label in (self.title, self.text):
            label.setWordWrap(True)
        self._folder: object = None
        self._shown = 0
        self.review_action = make_action(
            self,
            "Re&view the run that has ended",
            self._review,
            shortcut="Ctrl+Alt+V",
            tip="Look at the images of the run that has ended",
            image="image-search",
        )
        self.resume_action = make_action(
            self,
            "R&esume the run that has ended",
            self._resume,
            shortcut="Ctrl+Alt+R",
            tip="Take the frames that are not stored, the first one first",
            image="restart",
        )
        self.review_button, self.resume_button = (
            button_for(self.review_action, "main", "Review"),
            button_for(self.resume_action, "", "Resume"),
        )
        self.review_button.setObjectName("reviewButton")
        self.resume_button.setObjectName("resumeButton")
        buttons = QHBoxLayout()
        buttons.addWidget(self.review_button)
        buttons.addWidget(self.resume_button)
        layout = QVBoxLayout(self)
        for widget in (self.title, self.text):
            layout.addWidget(widget)
        layout.addLayout(buttons)
        for action in (self.review_action, self.resume_action):
            action.setEnabled(False)
        self.hide()

    def show_run(self, view: RunView) -> None:
        """Show the result of a run that has ended; nothing otherwise."""
        is_over = view.state is RunState.FINISHED
        self.setVisible(is_over)
        self.review_action.setEnabled(is_over)
        self.resume_action.setEnabled(is_over and view.stored < view.planned)
        if not is_over or self._shown == view.number:
            return
        self._shown, self._folder = view.number, view.folder
        self.resume_button.setHidden(view.stored >= view.planned)
        title, text, colour = result_of(view)
        self.title.setText(title)
        self.text.setText(text)
        self.setStyleSheet(
            f"#resultCard {{ border: 1px solid {colour}; border-left: 5px solid {colour}; border-radius: 4px; }}"
            f"#resultTitle {{ color: {colour}; font-weight: 600; font-size: 15px; }}"
        )

    def _review(self) -> None:
        self.review_requested.emit(self._folder)

    def _resume(self) -> None:
        self.resume_requested.emit(self._folder)


class MissingList(Section):
    """The last holes, with their reasons."""

    def __init__(self) -> None:
        super().__init__("Missing frames")
        self.list = QListWidget()
        self.list.setObjectName("missingList")
        self.list.setMaximumHeight(120)
        self.list.setWordWrap(True)
        self.body.addWidget(self.list)
        self._shown: tuple[int, int] = (0, 0)
        self.hide()

    def show_run(self, view: RunView) -> None:
        """Show what is missing; hidden while nothing is."""
        self.setVisible(bool(view.missing))
        shown = (view.number, view.missing_frames[-1].index if view.missing_frames else -1)
        if shown == self._shown:
            return
        self._shown = shown
        self.list.clear()
        for frame in reversed(view.missing_frames):
            well = f"{view.wells[frame.well].name}, " if frame.well >= 0 else ""
            self.list.addItem(f"{well}frame {frame.index}: {frame.reason}")


def result_of(view: RunView) -> tuple[str, str, str]:
    """Return title, text and colour of a run that has ended."""
    took = f"in {duration(view.elapsed_s)}"
    stored = f"{view.stored} of {counted(view.planned, 'frame is', 'frames are')} stored"
    match view.status:
        case "completed":
            frames = "The one frame is" if view.stored == 1 else f"All {view.stored} frames are"
            return "Completed", f"{frames} stored, {took}.", theme.GOOD
        case "completed_with_missing":
            lost = "1 is missing and marked" if view.missing == 1 else f"{view.missing} are missing, each marked"
            text = f"{stored}, {took}; {lost} at its place. Why is told below."
            return "Completed with missing frames", text, theme.WAITING
    by_person = view.reason.startswith(USER)
    why = f"You ended it{view.reason.removeprefix(USER)}." if by_person else f"Why: {view.reason}."
    text = f"{stored} and safe; it can be resumed. {why}"
    return "Ended before its time", text, theme.BAD
