"""How the run stands: in words, as bars, as numbers."""

from __future__ import annotations

from datetime import datetime, timedelta

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import (
    QGridLayout,
    QLabel,
    QProgressBar,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from control.core.run_view import EventView, RunState, RunView
from control.core.words import counted, duration
from control.gui import theme
from control.gui.headline import Headline
from control.gui.parts import faint_label
from control.gui.run_result import MissingList, ResultCard
from control.gui.tint import tint

BARS = ("Plate", "Well", "Field", "Step", "Queue")
NUMBERS = ("Time left", "Ends at", "Elapsed", "Frames/s", "Stored", "Disk", "Missing")

_TIPS = {
    "Plate": "Frames stored or missing, of the whole plan",
    "Well": "Frames stored or missing in the well in work",
    "Field": "Exposures begun in the field in work",
    "Step": "The device call under way, and how much of its time it has used; at its limit it counts as hung",
    "Queue": "Frames that wait to be written; when it is full, the run waits for the disk",
}
_CAPTIONS = {"Queue": "To disk"}
_BAR_PX = 22

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
    review_requested, resume_requested(object)
        The run folder of the run that has ended.
    """

    review_requested = pyqtSignal(object)
    resume_requested = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = Headline()
        self.state.setObjectName("runState")
        self.state.setProperty("role", "title")
        self._rows = (0, 1)
        self.waiting = QLabel()
        self.waiting.setObjectName("runWaiting")
        self.waiting.setWordWrap(True)
        self.waiting.setProperty("role", "note")
        self.bars = {name: _bar(f"{name.lower()}Bar") for name in BARS}
        self._labels = {name: faint_label(_CAPTIONS.get(name, name)) for name in (*BARS, *NUMBERS)}
        self.numbers = {name: QLabel("–") for name in NUMBERS}
        for name, label in self.numbers.items():
            label.setObjectName("run" + name.title().replace(" ", "").replace("/", "Per"))
            label.setMinimumWidth(60)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        for label in self._labels.values():
            label.setWordWrap(False)
        self.result = ResultCard()
        self.result.review_requested.connect(self.review_requested)
        self.result.resume_requested.connect(self.resume_requested)
        self.missing = MissingList()
        self._lay_out()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GAP_PX)
        for widget in (self.state, self.waiting, self.result):
            layout.addWidget(widget)
        self.body = QWidget()
        inside = QVBoxLayout(self.body)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(theme.GAP_PX)
        inside.addLayout(self._bars_grid())
        inside.addLayout(self._numbers_grid())
        layout.addWidget(self.body)
        layout.addWidget(self.missing)

    def _bars_grid(self) -> QGridLayout:
        grid = _grid()
        for row, (name, bar) in enumerate(self.bars.items()):
            for widget in (self._labels[name], bar):
                widget.setToolTip(_TIPS[name])
            grid.addWidget(self._labels[name], row, 0)
            grid.addWidget(bar, row, 1)
        grid.setColumnStretch(1, 1)
        return grid

    def _numbers_grid(self) -> QGridLayout:
        grid = _grid()
        for number, (name, label) in enumerate(self.numbers.items()):
            row, column = number // 2, 2 * (number % 2)
            grid.addWidget(self._labels[name], row, column)
            grid.addWidget(label, row, column + 1)
        for column, stretch in ((1, 3), (3, 4)):
            grid.setColumnStretch(column, stretch)
        return grid

    def show_run(self, view: RunView, waiting_plans: int = 0, offered: int = 0) -> None:
        """Show a run as it is now, and how many plans wait and runs may be resumed when there is none."""
        lines = state_lines(view, waiting_plans, offered)
        number, rows = self._rows
        self._rows = view.number, max(len(lines), rows if number == view.number else 1)
        self.state.show_lines(lines, self._rows[1] if view.state in _COLOURS else len(lines))
        tint(self.state, _COLOURS.get(view.state, theme.TEXT))
        self.waiting.setText(_waiting_line(view))
        self.waiting.setVisible(bool(view.waiting))
        self.result.show_run(view)
        self.missing.show_run(view)
        self.body.setVisible(view.state is not RunState.IDLE)
        is_over = view.state is RunState.FINISHED
        for name in ("Well", "Field", "Step", "Queue", "Time left", "Ends at", "Frames/s", "Disk"):
            self._labels[name].setHidden(is_over)
            (self.bars.get(name) or self.numbers[name]).setHidden(is_over)
        self._show_bars(view)
        self._show_numbers(view)

    def _show_bars(self, view: RunView) -> None:
        bars, event, step = self.bars, view.event, view.step
        done = view.stored + view.missing
        _fill(bars["Plate"], done, view.planned, f"{done} of {counted(view.planned, 'frame')}")
        if event is None:
            _fill(bars["Well"], 0, 1, "–")
            _fill(bars["Field"], 0, 1, "–")
        else:
            done, planned = _well_counts(view, event)
            _fill(bars["Well"], done, planned, f"{view.wells[event.well].name}: {done} of {counted(planned, 'frame')}")
            frames = event.size_c * event.size_z
            text = f"field {event.field + 1} of {event.fields}: {event.begun_in_field} of {frames}"
            _fill(bars["Field"], event.begun_in_field, frames, text)
        used = 0.0 if step is None else step.age_s / max(1e-3, step.deadline_s)
        text = "–" if step is None else f"{step.name}: {step.age_s:.1f} of {step.deadline_s:.1f} s"
        _fill(bars["Step"], int(1000 * used), 1000, text)
        _fill(bars["Queue"], int(1000 * view.queue_fill), 1000, f"queue {100 * view.queue_fill:.0f} % full")

    def _show_numbers(self, view: RunView) -> None:
        numbers = self.numbers
        eta_s = view.eta_s
        numbers["Time left"].setText("–" if eta_s is None else duration(eta_s))
        is_still = view.state is RunState.PAUSED
        numbers["Ends at"].setText("–" if eta_s is None or is_still else end_time(eta_s))
        numbers["Elapsed"].setText(duration(view.elapsed_s))
        numbers["Stored"].setText(str(view.stored))
        numbers["Missing"].setText(str(view.missing))
        tint(numbers["Missing"], theme.BAD if view.missing else theme.TEXT)
        numbers["Frames/s"].setText(f"{view.frames_per_s:.3g}")
        numbers["Disk"].setText(f"{view.disk_mb_s:.0f} MB/s")


def state_lines(view: RunView, waiting_plans: int = 0, offered: int = 0) -> tuple[str, ...]:
    """Return what the run does, in words: its name, where it is, and which plane and time point."""
    match view.state:
        case RunState.IDLE:
            return (f"Nothing runs. {_what_to_do(waiting_plans, offered)}",)
        case RunState.FINISHED:
            return (f"{view.name}: ended",)
        case RunState.PAUSED:
            return view.name, "paused, the light is off"
        case RunState.WAITING:
            return view.name, "waits"
        case RunState.ENDING:
            return view.name, "ends, what was taken is being stored"
    event = view.event
    if event is None:
        return view.name, "gets ready"
    place = f"{view.wells[event.well].name}, field {event.field + 1} of {event.fields}, {event.channel}"
    parts = [f"plane {event.z + 1} of {event.size_z}"] if event.size_z > 1 else []
    parts += [f"time point {event.t + 1} of {event.size_t}"] if event.size_t > 1 else []
    return (view.name, place, ", ".join(parts)) if parts else (view.name, place)


def _what_to_do(waiting_plans: int, offered: int) -> str:
    if offered:
        return "A run ended early."
    return f"{waiting_plans} in the queue." if waiting_plans else "Choose a plan first."


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


def _grid() -> QGridLayout:
    grid = QGridLayout()
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(theme.GAP_PX)
    grid.setVerticalSpacing(theme.GAP_PX // 2)
    return grid


def _bar(name: str) -> QProgressBar:
    bar = QProgressBar()
    bar.setFixedHeight(_BAR_PX)
    bar.setObjectName(name)
    bar.setTextVisible(True)
    bar.setRange(0, 1000)
    return bar


def _fill(bar: QProgressBar, done: int, of: int, text: str) -> None:
    """Fill a bar; it is painted once, in the next turn of the event loop; `setValue` alone would paint at once."""
    value = min(1000, 1000 * done // max(1, of))
    if (bar.value(), bar.format()) == (value, text):
        return
    bar.setUpdatesEnabled(False)
    bar.setValue(value)
    bar.setFormat(text)
    bar.setUpdatesEnabled(True)
