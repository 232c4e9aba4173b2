"""How the run stands: in words, as bars, as numbers; and its result once it has ended."""

from __future__ import annotations

from datetime import datetime, timedelta

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QFrame, QGridLayout, QLabel, QListWidget, QProgressBar, QVBoxLayout, QWidget

from control.core.run import USER
from control.core.run_view import EventView, RunState, RunView
from control.core.words import duration
from control.gui import theme
from control.gui.parts import Section, button_for, faint_label, make_action

BARS = ("Plate", "Well", "Field")
NUMBERS = ("Time left", "Ends at", "Elapsed", "Frames stored", "Missing", "Rate", "Disk", "Step")

_COLOURS = {
    RunState.RUNNING: theme.ACCENT,
    RunState.PAUSED: theme.WAITING,
    RunState.WAITING: theme.WAITING,
    RunState.ENDING: theme.WAITING,
}


class ProgressPanel(QWidget):
    """Shows a `RunView`.

    Signals
    -------
    review_requested(object)
        The run folder of the run that has ended.
    """

    review_requested = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = QLabel()
        self.state.setObjectName("runState")
        self.state.setWordWrap(True)
        self.state.setProperty("role", "title")
        self.waiting = QLabel()
        self.waiting.setObjectName("runWaiting")
        self.waiting.setWordWrap(True)
        self.waiting.setProperty("role", "note")
        self.bars = {name: _bar(f"{name.lower()}Bar") for name in BARS}
        self.step_bar, self.queue_bar = _bar("stepBar"), _bar("queueBar")
        self.numbers = {name: QLabel("–") for name in NUMBERS}
        for name, label in self.numbers.items():
            label.setObjectName(f"run{name.title().replace(' ', '')}")
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.result = ResultCard()
        self.result.review_requested.connect(self.review_requested)
        self.missing = MissingList()
        self._lay_out()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GAP_PX)
        for widget in (self.state, self.waiting, self.result):
            layout.addWidget(widget)
        self.body = QWidget()
        grid = QGridLayout(self.body)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.GAP_PX)
        grid.setVerticalSpacing(theme.GAP_PX // 2)
        rows: list[tuple[str, QWidget]] = [*self.bars.items(), *self.numbers.items()]
        rows += [("Step limit", self.step_bar), ("Queue to disk", self.queue_bar)]
        for row, (name, widget) in enumerate(rows):
            grid.addWidget(faint_label(name), row, 0)
            grid.addWidget(widget, row, 1)
        grid.setColumnStretch(1, 1)
        self.step_bar.setToolTip("How much of its time the device call under way has used; at 100 % it counts as hung")
        self.queue_bar.setToolTip("Frames that wait to be written; when it is full the run waits for the disk")
        layout.addWidget(self.body)
        layout.addWidget(self.missing)

    def show_run(self, view: RunView, waiting_plans: int = 0) -> None:
        """Show a run as it is now."""
        self.state.setText(state_line(view, waiting_plans))
        self.state.setStyleSheet(f"color: {_COLOURS.get(view.state, theme.TEXT)};")
        self.waiting.setText(_waiting_line(view))
        self.waiting.setVisible(bool(view.waiting))
        self.result.show_run(view)
        self.missing.show_run(view)
        self.body.setVisible(view.state is not RunState.IDLE)
        self._show_bars(view)
        self._show_numbers(view)

    def _show_bars(self, view: RunView) -> None:
        done = view.stored + view.missing
        _fill(self.bars["Plate"], done, view.planned, f"{done} of {view.planned} frames")
        event = view.event
        for name in ("Well", "Field"):
            self.bars[name].setEnabled(event is not None)
        if event is None:
            _fill(self.bars["Well"], 0, 1, "–")
            _fill(self.bars["Field"], 0, 1, "–")
        else:
            done, planned = _well_counts(view, event)
            _fill(self.bars["Well"], done, planned, f"{view.wells[event.well].name}: {done} of {planned}")
            taken, frames = event.c * event.size_z + event.z, event.size_c * event.size_z
            _fill(self.bars["Field"], taken + 1, frames, f"{event.field + 1} of {event.fields}")
        step = view.step
        used = 0.0 if step is None else step.age_s / max(1e-3, step.deadline_s)
        text = "–" if step is None else f"{step.age_s:.1f} of {step.deadline_s:.1f} s"
        _fill(self.step_bar, int(1000 * used), 1000, text)
        _fill(self.queue_bar, int(1000 * view.queue_fill), 1000, f"{100 * view.queue_fill:.0f} %")

    def _show_numbers(self, view: RunView) -> None:
        numbers = self.numbers
        eta_s = view.eta_s
        numbers["Time left"].setText("–" if eta_s is None else duration(eta_s))
        numbers["Ends at"].setText("–" if eta_s is None else end_time(eta_s))
        numbers["Elapsed"].setText(duration(view.elapsed_s))
        numbers["Frames stored"].setText(f"{view.stored} of {view.planned}")
        numbers["Missing"].setText(str(view.missing))
        numbers["Missing"].setStyleSheet(f"color: {theme.BAD};" if view.missing else "")
        numbers["Rate"].setText(f"{view.frames_per_s:.1f} frames/s")
        numbers["Disk"].setText(f"{view.disk_mb_s:.0f} MB/s")
        numbers["Step"].setText(view.step.name if view.step else "–")


class ResultCard(QFrame):
    """How a run ended.

    Signals
    -------
    review_requested(object)
        The run folder.
    """

    review_requested = pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("resultCard")
        self.title, self.text = QLabel(), QLabel()
        self.title.setObjectName("resultTitle")
        self.text.setObjectName("resultText")
        for label in (self.title, self.text):
            label.setWordWrap(True)
        self._folder: object = None
        action = make_action(self, "Review", self._review, tip="Look at the images of this run", image="image-search")
        self.button = button_for(action, "main")
        self.button.setObjectName("reviewButton")
        layout = QVBoxLayout(self)
        for widget in (self.title, self.text, self.button):
            layout.addWidget(widget)
        self.hide()

    def show_run(self, view: RunView) -> None:
        """Show the result of a run that has ended; nothing otherwise."""
        is_over = view.state is RunState.FINISHED
        self.setVisible(is_over)
        if not is_over or self._folder == view.folder:
            return
        self._folder = view.folder
        title, text, colour = result_of(view)
        self.title.setText(title)
        self.text.setText(text)
        self.setStyleSheet(
            f"#resultCard {{ border: 1px solid {colour}; border-left: 5px solid {colour}; border-radius: 4px; }}"
            f"#resultTitle {{ color: {colour}; font-weight: 600; font-size: 15px; }}"
        )

    def _review(self) -> None:
        self.review_requested.emit(self._folder)


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


def state_line(view: RunView, waiting_plans: int = 0) -> str:
    """Return what the run does, in words."""
    event = view.event
    match view.state:
        case RunState.IDLE:
            return "Nothing runs." + (f" {waiting_plans} in the queue." if waiting_plans else " Choose a plan first.")
        case RunState.PAUSED:
            return f"{view.name}: paused, the light is off"
        case RunState.WAITING:
            return f"{view.name}: waits"
        case RunState.ENDING:
            return f"{view.name}: ends, what was taken is being stored"
        case RunState.FINISHED:
            return f"{view.name}: ended"
    if event is None:
        return f"{view.name}: gets ready"
    parts = [f"well {view.wells[event.well].name}", f"field {event.field + 1} of {event.fields}", event.channel]
    parts += [f"plane {event.z + 1} of {event.size_z}"] if event.size_z > 1 else []
    parts += [f"time point {event.t + 1} of {event.size_t}"] if event.size_t > 1 else []
    return f"{view.name}: {', '.join(parts)}"


def result_of(view: RunView) -> tuple[str, str, str]:
    """Return title, text and colour of a run that has ended."""
    took = f"in {duration(view.elapsed_s)}"
    match view.status:
        case "completed":
            return "Completed", f"All {view.stored} frames are stored, {took}.", theme.GOOD
        case "completed_with_missing":
            text = f"{view.stored} of {view.planned} frames are stored, {took}; {view.missing} are missing, each marked"
            return "Completed with missing frames", f"{text} at its place. {view.reason}", theme.WAITING
    why = "You ended it." if view.reason.startswith(USER) else f"Why: {view.reason}."
    text = f"{view.stored} of {view.planned} frames are stored and safe; it can be resumed. {why}"
    return "Ended before its time", text, theme.BAD


def end_time(left_s: float, now: datetime | None = None) -> str:
    """Return the clock time `left_s` seconds from now, with the day when it is not today."""
    now = now or datetime.now()
    end = now + timedelta(seconds=left_s)
    return f"{end:%H:%M}" if end.date() == now.date() else f"{end:%a %d %b, %H:%M}"


def _waiting_line(view: RunView) -> str:
    left = "" if view.wait_left_s is None else f", {duration(view.wait_left_s)} to go"
    return f"Waits for {view.waiting}{left}" if left else f"Waits: {view.waiting}"


def _well_counts(view: RunView, event: EventView) -> tuple[int, int]:
    done = int(view.well_stored[event.well] + view.well_missing[event.well])
    return done, int(view.well_planned[event.well])


def _bar(name: str) -> QProgressBar:
    bar = QProgressBar()
    bar.setObjectName(name)
    bar.setTextVisible(True)
    bar.setRange(0, 1000)
    return bar


def _fill(bar: QProgressBar, done: int, of: int, text: str) -> None:
    bar.setValue(min(1000, 1000 * done // max(1, of)))
    bar.setFormat(text)
