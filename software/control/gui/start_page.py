"""The page before the microscope is there: which one, what is being opened, why it did not open."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from control.core.user_folder import SIMULATION
from control.gui import theme
from control.gui.parts import faint_label, icon

_WIDTH_PX = 620


class StartPage(QWidget):
    """Choose a microscope, watch it open, read why it did not.

    Attributes
    ----------
    chosen : pyqtSignal(object)
        Path of the machine file to open.
    cancelled : pyqtSignal()
        The person does not want to wait for the devices any longer.
    """

    chosen = pyqtSignal(object)
    cancelled = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("startPage")
        self._file = SIMULATION
        self._choice, self._recent = _column()
        self._opening, opening = _column()
        self._failure, failure = _column()
        self._fill_opening(opening)
        self._fill_failure(failure)
        row = QHBoxLayout()  # and no alignment, nor a stack: only so a long text gets the height that it needs
        row.addStretch(1)
        for page in self._pages:
            row.addWidget(page)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.addStretch(2)
        layout.addLayout(row)
        layout.addStretch(3)
        self._show(self._choice)

    @property
    def _pages(self) -> tuple[QWidget, ...]:
        return self._choice, self._opening, self._failure

    def _show(self, page: QWidget) -> None:
        for each in self._pages:
            each.setVisible(each is page)

    def offer(self, recent: Sequence[Path]) -> None:
        """Let a person choose: the simulation, a file, or one of those used before."""
        _clear(self._recent)
        self._recent.addWidget(_title("Which microscope?"))
        for file in recent:
            if file != SIMULATION:
                self._recent.addWidget(self._button(f"{file.name}", f"Used before: {file}", "history", file))
        simulation = self._button("Simulated microscope", "No hardware: try everything", "flask-outline", SIMULATION)
        simulation.setObjectName("simulationButton")
        self._recent.addWidget(simulation)
        other = _choice("Machine file…", "Choose the file that describes a microscope", "folder-open-outline")
        other.setObjectName("machineFileButton")
        other.clicked.connect(self._ask_file)
        self._recent.addWidget(other)
        self._recent.addWidget(
            faint_label("A machine file (YAML) says which devices there are and how they are wired.")
        )
        self._show(self._choice)

    def show_opening(self, file: Path) -> None:
        """Show that a microscope is being opened."""
        self._file = file
        self._opening_title.setText(f"Opening {file.stem.replace('_', ' ')}")
        self.show_progress(0.0, "starts")
        self._show(self._opening)

    def show_progress(self, fraction: float, message: str) -> None:
        """Show how far it is and what is done just now."""
        self._bar.setValue(round(100 * fraction))
        self._state.setText(message)

    def show_failure(self, what: str, cause: str, remedy: str) -> None:
        """Say what did not open, why, and what a person can do; offer another try."""
        self._what.setText(what)
        self._cause.setText(cause)
        self._remedy.setText(remedy)
        self._show(self._failure)

    def _fill_opening(self, layout: QVBoxLayout) -> None:
        self._opening_title = _title("")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._state = faint_label()
        self._state.setObjectName("openingState")
        cancel = QPushButton("Cancel")
        cancel.setToolTip("Stop waiting and choose again")
        cancel.clicked.connect(self.cancelled)
        for widget in (self._opening_title, self._bar, self._state):
            layout.addWidget(widget)
        layout.addWidget(cancel, 0, Qt.AlignmentFlag.AlignLeft)

    def _fill_failure(self, layout: QVBoxLayout) -> None:
        self._what = _title("")
        self._what.setObjectName("openingFailure")
        self._cause = QLabel()
        self._cause.setObjectName("openingCause")
        self._cause.setProperty("role", "refusal")
        self._remedy = QLabel()
        for label in (self._cause, self._remedy):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        again = QPushButton(icon("refresh", theme.BACKGROUND), "Try again")
        again.setObjectName("retryButton")
        again.setProperty("role", "main")
        again.setToolTip("Open all devices once more")
        again.clicked.connect(lambda: self.chosen.emit(self._file))
        other = QPushButton("Choose another microscope")
        other.setToolTip("The simulated one, or another machine file")
        other.clicked.connect(self.cancelled)
        for widget in (self._what, self._cause, self._remedy, again, other):
            layout.addWidget(widget)

    def _button(self, text: str, tip: str, image: str, file: Path) -> QPushButton:
        button = _choice(text, tip, image)
        button.clicked.connect(lambda: self.chosen.emit(file))
        return button

    def _ask_file(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Machine file", "", "Machine files (*.yaml *.yml);;All files (*)")
        if name:
            self.chosen.emit(Path(name))


def _column() -> tuple[QWidget, QVBoxLayout]:
    frame = QFrame()
    frame.setFixedWidth(_WIDTH_PX)
    layout = QVBoxLayout(frame)
    layout.setSpacing(2 * theme.GAP_PX)
    return frame, layout


def _title(text: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setStyleSheet("font-size: 22px; font-weight: 600;")
    return label


def _choice(text: str, tip: str, image: str) -> QPushButton:
    button = QPushButton(icon(image), f"  {text}")
    button.setToolTip(tip)
    button.setMinimumHeight(48)
    button.setStyleSheet("text-align: left; padding-left: 16px; font-size: 15px;")
    return button


def _clear(layout: QVBoxLayout) -> None:
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.deleteLater()
