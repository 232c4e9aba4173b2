"""What is slow to import is there before somebody wants it, and leaves the program's hooks alone."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt5.QtCore import QObject
from pytestqt.qtbot import QtBot

import control
from control.gui import preload as preloading
from control.gui.navigation import PAGES
from control.gui.preload import Preload
from squid.utils.worker_manager import WorkerManager

SOFTWARE = Path(control.__file__).parent.parent

PROGRAM = """
import sys, threading
from control.gui.preload import load

def mine(*_): ...

sys.excepthook = threading.excepthook = mine
load()
print("pyqtgraph" in sys.modules, "tifffile" in sys.modules, sys.excepthook is mine, threading.excepthook is mine)
"""


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkerManager]:
    monkeypatch.setattr(preloading, "DELAY_MS", 0)
    manager = WorkerManager()
    yield manager
    manager.shutdown(timeout=2.0)


class Made(QObject):
    """Pages of which some are there."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        self.names = list(names)

    def is_made(self, name: str) -> bool:
        return name in self.names

    def by_name(self, name: str) -> None:
        self.names.append(name)


def test_what_the_start_has_made_is_not_searched_for_garbage_again(qtbot: QtBot, manager: WorkerManager) -> None:
    Preload(manager, Made(*PAGES)).begin()  # type: ignore[arg-type]
    try:
        qtbot.waitUntil(lambda: gc.get_freeze_count() > 0, timeout=20_000)
    finally:
        gc.unfreeze()


def test_pages_that_are_not_there_are_made_one_after_the_other(qtbot: QtBot, manager: WorkerManager) -> None:
    pages = Made("plan")
    Preload(manager, pages).begin()  # type: ignore[arg-type]
    try:
        qtbot.waitUntil(lambda: gc.get_freeze_count() > 0, timeout=20_000)
    finally:
        gc.unfreeze()
    assert pages.names == ["plan", "look", "run", "review"]


def test_nothing_is_made_for_a_program_that_leaves(qtbot: QtBot, manager: WorkerManager) -> None:
    pages = Made("look", "plan", "run")
    manager.pause()
    Preload(manager, pages).begin()  # type: ignore[arg-type]
    manager.shutdown(timeout=1.0)
    assert pages.names == ["look", "plan", "run"]


def test_what_is_wanted_later_is_loaded_and_the_hooks_for_errors_stay_the_programs() -> None:
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, cwd=SOFTWARE, check=False)
    assert done.stdout.split() == ["True"] * 4, done.stderr
