"""The whole program with its window, in the test's own process and folder: for tests that press what a user presses."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QApplication, QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot
from tests import rig

from control.core.session import Session
from control.gui.app import Program
from control.gui.main_window import MainWindow
from squid.utils.leaving import Step

OPEN_MS = 30_000


@dataclass
class Left:
    """How the program wanted to leave; in a test it stays."""

    exit_code: int | None = None
    steps: list[str] = field(default_factory=list)

    def __call__(self, exit_code: int, steps: Sequence[Step], limit_s: float) -> None:
        self.exit_code = exit_code
        for name, step in steps:
            self.steps.append(name)
            step()


@dataclass
class Window:
    """The program under test."""

    program: Program
    left: Left
    bot: QtBot
    machine: Path

    @property
    def window(self) -> MainWindow:
        return self.program.window

    @property
    def session(self) -> Session:
        assert self.window.session is not None
        return self.window.session

    def page(self, name: str) -> Any:
        """Go to a page by its button, as a user does."""
        self.press(f"{name}Tab")
        return getattr(self.window.pages, name)

    def find(self, name: str, kind: type[QWidget] = QWidget) -> Any:
        found = self.window.findChild(kind, name)
        assert found is not None, f"there is no {kind.__name__} '{name}'"
        return found

    def press(self, name: str) -> None:
        self.bot.mouseClick(self.find(name), Qt.MouseButton.LeftButton)

    def question(self) -> QMessageBox:
        """The dialog that is open."""
        boxes = [box for box in self.window.findChildren(QMessageBox) if box.isVisible()]
        assert len(boxes) == 1
        return boxes[0]

    def answer(self, text: str) -> None:
        """Press a button of the dialog that is open."""
        button = next(button for button in self.question().findChildren(QPushButton) if button.text() == text)
        self.bot.mouseClick(button, Qt.MouseButton.LeftButton)

    def message(self) -> str:
        """What the message bar says; empty: nothing."""
        return str(self.window.bar.text.text()) if self.window.bar.isVisible() else ""

    def wait(self, condition: Any, timeout_s: float = 30) -> None:
        self.bot.waitUntil(condition, timeout=round(1000 * timeout_s))

    def open(self, faults: Sequence[str] = ()) -> None:
        """Open the test's microscope and wait for the pages."""
        self.program.begin(self.machine)
        self.wait(lambda: self.window.session is not None)


@contextmanager
def window(
    qtbot: QtBot, folder: Path, monkeypatch: pytest.MonkeyPatch, faults: Sequence[str] = (), **machine: Any
) -> Iterator[Window]:
    """Make the program, shown but not begun; everything of it is given back at the end."""
    monkeypatch.setenv("SQUID_LOG_FOLDER", str(folder / "log"))
    monkeypatch.setenv("SQUID_SETTINGS_FOLDER", str(folder / "user"))
    rig.machine(folder, **machine)
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    left = Left()
    level = logging.getLogger().level
    program = Program(app, folder / "user", faults, left)
    program.window.show()
    opened = Window(program, left, qtbot, folder / "machine.yaml")
    try:
        yield opened
    finally:
        session = program.window.session
        program.window.hide()  # pages that are not seen ask for nothing more
        if session is not None:
            session.close()
        program.close()
        program.window.deleteLater()
        logging.getLogger().setLevel(level)
