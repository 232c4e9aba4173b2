"""What the window asks: whether to leave a run, and whether to go on with one that was interrupted.

None of them blocks: the window, the run and the emergency stop go on behind the question.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QMessageBox, QPushButton, QWidget

from control.core.run_queue import QueuedRun

Answer = tuple[str, str, Callable[[], object] | None]
"""Text, what it does, and what is called (None: nothing)."""


def ask_before_closing(window: QWidget, pause: Callable[[], object], leave: Callable[[], object]) -> QMessageBox:
    """Ask what shall become of the run under way."""
    text = "A run is under way. What was taken so far is stored, and a run that was ended can be resumed."
    answers = (
        ("Stay", "Go on as before", None),
        ("Pause the run and stay", "The run waits in the dark until it is told to go on", pause),
        ("End the run and quit", "Light off, data stored, program closed", leave),
    )
    return _ask(window, "closeQuestion", "A run is under way", text, answers)


def offer_resume(window: QWidget, runs: Sequence[QueuedRun], resume: Callable[[], object]) -> QMessageBox:
    """Offer to go on with runs that were under way when the program ended."""
    names = "\n".join(f"•  {run.name or run.plan_file.stem}, {run.run_folder or run.output}" for run in runs)
    text = (
        f"The program ended while this was running:\n\n{names}\n\nIf the plate is still in its place, the run can "
        "go on at its first missing frame. The stage moves then."
    )
    answers = (
        ("Resume", "Go on at the first missing frame", resume),
        ("Not now", "It stays in the queue on the Run page", None),
    )
    return _ask(window, "resumeQuestion", "An interrupted run", text, answers)


def _ask(window: QWidget, name: str, title: str, text: str, answers: Sequence[Answer]) -> QMessageBox:
    box = QMessageBox(QMessageBox.Icon.Question, title, text, parent=window)
    box.setObjectName(name)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    for text_of, tip, action in answers:
        role = QMessageBox.ButtonRole.RejectRole if action is None else QMessageBox.ButtonRole.ActionRole
        button = box.addButton(text_of, role)
        assert button is not None
        button.setToolTip(tip)
        if action is None:
            box.setDefaultButton(button)
            box.setEscapeButton(button)
        else:
            _connect(button, action)
    box.open()
    return box


def _connect(button: QPushButton, action: Callable[[], object]) -> None:
    def run() -> None:  # Qt hands over whether the button is checked
        action()

    button.clicked.connect(run)
