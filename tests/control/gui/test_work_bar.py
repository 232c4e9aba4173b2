"""What takes long is shown, and its button cancels it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from pytestqt.qtbot import QtBot

from control.gui import work_bar
from control.gui.work_bar import WorkBar
from squid.utils import task_bridge
from squid.utils.task import Outcome, stop_if_cancelled, tell_progress
from squid.utils.task_bridge import submit_with_progress
from squid.utils.worker_manager import WorkerManager

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def manager() -> Iterator[WorkerManager]:
    made = WorkerManager()
    yield made
    made.shutdown(timeout=2.0)


@pytest.fixture
def bar(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> WorkBar:
    monkeypatch.setattr(work_bar, "SHOWN_AFTER_MS", 1)
    made = WorkBar()
    qtbot.addWidget(made)
    return made


class Slow:
    """A task that goes on until it is told to end, and looks whether it is cancelled."""

    def __init__(self) -> None:
        self.end = threading.Event()

    def __call__(self) -> str:
        while not self.end.wait(0.005):
            tell_progress(0.5)
        return "done"


def test_what_ends_at_once_is_never_shown(manager: WorkerManager, qtbot: QtBot) -> None:
    bar = WorkBar()
    qtbot.addWidget(bar)
    ended: list[object] = []
    submit_with_progress(manager, bar.begin("Reading"), "read", lambda: 1, on_finished=ended.append)
    qtbot.waitUntil(lambda: bool(ended))
    assert not bar.isVisible()
    assert not bar._delay.isActive()


def test_its_words_how_far_it_is_and_its_end(bar: WorkBar, manager: WorkerManager, qtbot: QtBot) -> None:
    slow = Slow()
    submit_with_progress(manager, bar.begin("Reading plate.yaml"), "read", slow)
    qtbot.waitUntil(lambda: bar.isVisible() and bar.bar.value() == 500)
    assert bar.text == "Reading plate.yaml …"
    slow.end.set()
    qtbot.waitUntil(lambda: not bar.isVisible())


def test_the_button_cancels_the_newest(bar: WorkBar, manager: WorkerManager, qtbot: QtBot) -> None:
    first, second = Slow(), Slow()
    submit_with_progress(manager, bar.begin("Reading"), "read", first)
    handle = submit_with_progress(manager, bar.begin("Exporting"), "export", second)
    qtbot.waitUntil(bar.isVisible)
    assert bar.text == "Exporting … (1 more)"
    QTest.mouseClick(bar.cancel_button, LEFT)
    qtbot.waitUntil(lambda: handle.is_finished and bar.text == "Reading …")
    assert handle.outcome is Outcome.CANCELLED
    first.end.set()
    qtbot.waitUntil(lambda: not bar.isVisible())


def test_a_handle_that_nobody_keeps_can_be_cancelled(bar: WorkBar, manager: WorkerManager, qtbot: QtBot) -> None:
    errors: list[object] = []
    submit_with_progress(manager, bar.begin("Reading"), "read", Slow(), on_error=errors.append)
    qtbot.waitUntil(bar.isVisible)
    QTest.mouseClick(bar.cancel_button, LEFT)
    assert bar.text.startswith("Cancelling: ")
    assert not bar.cancel_button.isEnabled()
    qtbot.waitUntil(lambda: bool(errors) and not bar.isVisible())


def test_a_task_that_never_looks_is_given_up(
    bar: WorkBar, manager: WorkerManager, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_bridge, "CANCEL_MS", 20)
    hang = threading.Event()
    handle = submit_with_progress(manager, bar.begin("Reading"), "read", lambda: hang.wait(60))
    qtbot.waitUntil(lambda: bar.isVisible() and handle.is_running)
    QTest.mouseClick(bar.cancel_button, LEFT)
    qtbot.waitUntil(lambda: not bar.isVisible())
    assert handle.outcome is Outcome.TIMEOUT
    hang.set()


def test_a_bar_that_is_gone_does_not_mind(
    manager: WorkerManager, qtbot: QtBot, capsys: pytest.CaptureFixture[str]
) -> None:
    bar, slow, ended = WorkBar(), Slow(), threading.Event()
    submit_with_progress(manager, bar.begin("Reading"), "read", slow, on_finished=lambda _: ended.set())
    with qtbot.waitSignal(bar.destroyed):
        bar.deleteLater()
    slow.end.set()
    qtbot.waitUntil(ended.is_set)
    assert "Traceback" not in capsys.readouterr().err


def test_outside_of_a_task_nothing_is_cancelled_and_nobody_told() -> None:
    stop_if_cancelled()
    tell_progress(0.5, "half")
