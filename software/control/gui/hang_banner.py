"""Across the top of the run page when a device did not come back: what, what the program did, and how to go on."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import QUrl
from PyQt5.QtGui import QDesktopServices
from PyQt5.QtWidgets import QAction, QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from control.core.run_view import RunState, RunView
from control.core.words import counted
from control.gui import theme
from control.gui.parts import button_for, icon, make_action

_STYLE = f"""
#hangBanner {{ background: #4A1F1D; border: 1px solid {theme.BAD}; border-radius: 4px; }}
#hangBanner QLabel {{ background: transparent; color: {theme.TEXT}; }}
"""

NOT_DARK = "NOT CONFIRMED OFF"
"""What the reason of a run says when its light may still be on."""


class HangBanner(QFrame):
    """Tells of the last hang until it is dismissed.

    Parameters
    ----------
    resume : QAction
        Goes on with the run that has ended.
    """

    def __init__(self, resume: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("hangBanner")
        self.setStyleSheet(_STYLE)
        self.title, self.text = QLabel(), QLabel()
        self.title.setProperty("role", "title")
        self.title.setObjectName("hangTitle")
        self.text.setObjectName("hangText")
        self.text.setWordWrap(True)
        self._shown: tuple[int, str] | None = None
        self._dismissed_number = 0
        self._dump: Path | None = None
        self.folder_action = make_action(
            self,
            "Open the &folder of the hang",
            self._open_folder,
            shortcut="Ctrl+Alt+F",
            tip="Show the folder with the stacks of the hang",
            image="folder-open",
        )
        self.dismiss_action = make_action(
            self,
            "&Dismiss the message of the hang",
            self._dismiss,
            shortcut="Ctrl+Alt+D",
            tip="Hide the message about the hang",
            image="close",
        )
        self._lay_out(resume)
        for action in (self.folder_action, self.dismiss_action):
            action.setEnabled(False)
        self.hide()

    def _lay_out(self, resume: QAction) -> None:
        sign = QLabel()
        sign.setPixmap(icon("alert", theme.BAD).pixmap(32, 32))
        words = QVBoxLayout()
        words.addWidget(self.title)
        words.addWidget(self.text)
        layout = QHBoxLayout(self)
        layout.addWidget(sign)
        layout.addLayout(words, 1)
        for action, text, name, role in (
            (self.folder_action, "Open folder", "hangFolderButton", ""),
            (resume, "Resume", "hangResumeButton", "main"),
            (self.dismiss_action, "Dismiss", "hangDismissButton", ""),
        ):
            button = button_for(action, role, text)
            button.setObjectName(name)
            layout.addWidget(button)

    def show_run(self, view: RunView) -> None:
        """Follow a run; shows itself when the run hung."""
        hung = view.hung
        if hung is None or view.number == self._dismissed_number:
            self.hide()
            for action in (self.folder_action, self.dismiss_action):
                action.setEnabled(False)
            return
        text = _what_was_done(view)
        if self._shown != (view.number, text):
            self._shown = (view.number, text)
            self._dump = hung.dump
            self.title.setText(
                f"{hung.device} did not come back: {hung.device}.{hung.call}, limit {hung.deadline_s:.3g} s"
            )
            self.text.setText(text)
        is_over = view.state is RunState.FINISHED
        self.dismiss_action.setEnabled(is_over)
        self.folder_action.setEnabled(hung.dump is not None)
        self.setVisible(True)

    def _dismiss(self) -> None:
        if self._shown is not None:
            self._dismissed_number = self._shown[0]
        self.hide()

    def _open_folder(self) -> None:
        if self._dump is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._dump.parent)))


def _what_was_done(view: RunView) -> str:
    assert view.hung is not None  # nothing is shown otherwise
    dump = f"What every thread was doing is in {view.hung.dump}." if view.hung.dump else "No folder took the stacks."
    if view.state is not RunState.FINISHED:
        return f"The light is being switched off, the stage stopped, and what was taken is being stored. {dump}"
    light = "The light is off, the stage is stopped"
    if NOT_DARK in view.reason:
        light = "THE LIGHT MAY STILL BE ON: it did not confirm that it is off. Switch it off at the device"
    safe = counted(view.stored, "frame is", "frames are")
    return f"{light}; {safe} safe. Resume continues with frame {view.next_index}. {dump}"
