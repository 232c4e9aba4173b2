"""What the window asks: whether to leave a run, and whether to go on with one that ended before its time.

None of them blocks: the window, the run and the emergency stop go on behind the question.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QMessageBox, QWidget

from control.core.run import USER
from control.core.run_queue import QueuedRun
from control.core.words import counted
from control.gui.parts import when_clicked
from squid.utils.persistent_queue import JobState

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


def offer_resume(
    window: QWidget, runs: Sequence[QueuedRun], resume: Callable[[], object], dismiss: Callable[[], object]
) -> QMessageBox:
    """Offer to go on with a run that ended before its time.

    Parameters
    ----------
    window : QWidget
        Behind the question.
    runs : sequence of QueuedRun
        At least one, the newest first: that is the one that goes on.
    resume, dismiss : callable
        The answers; a person may also leave it for later.
    """
    others = len(runs) - 1
    more = f"\n\n{others} more that ended early can be resumed on the Run page." if others else ""
    text = (
        f"This run ended before its time:\n\n{_described(runs[0])}\n\nIf the plate is still in its place, the run "
        f"can go on at its first missing frame. The stage moves then.{more}"
    )
    answers = (
        ("Resume", "Go on at the first missing frame", resume),
        ("Not now", "Ask again at the next start; until then the run can be resumed on the Run page", None),
        ("Do not ask again", "What was taken stays; the run can still be resumed on the Run page", dismiss),
    )
    return _ask(window, "resumeQuestion", "A run that ended early", text, answers)


def _described(run: QueuedRun) -> str:
    frames = counted(run.frames_planned or 0, "frame is", "frames are")
    stored = f"{run.frames_stored} of {frames} stored in" if run.frames_planned else "It is in"
    if run.state is JobState.INTERRUPTED:
        why = "the program ended while it was running"
    else:
        why = run.reason.removeprefix(USER).strip(" ()")
    return f"{run.name or run.plan_file.stem}\n{stored} {run.run_folder or run.output}\nWhy: {why}."


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
            when_clicked(button, action)
    box.open()
    return box
