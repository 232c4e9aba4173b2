"""What the window shows of a task."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from PyQt5.QtWidgets import QProgressBar, QProgressDialog
from pytestqt.qtbot import QtBot

from squid.utils import Outcome, WorkerManager, current_task
from squid.utils.task_bridge import TaskBridge, submit_with_progress

Make = Callable[..., WorkerManager]


def _three_steps() -> None:
    task = current_task()
    assert task is not None
    for step in range(3):
        task.report_progress(step / 3, f"step {step}")
        task.pause(0.05)


def test_updates_from_threads_are_applied_in_the_gui_thread_newest_wins(qtbot: QtBot) -> None:
    bridge, seen = TaskBridge(), []
    bridge.progress_value_changed.connect(lambda value: seen.append((value, threading.current_thread())))

    def work() -> None:
        for number in range(2001):
            bridge.update(progress_value=number / 2000)

    begin = time.monotonic()
    thread = threading.Thread(target=work)
    thread.start()
    qtbot.waitUntil(lambda: bridge.progress_value == 1.0, timeout=10_000)
    took_s = time.monotonic() - begin
    thread.join()
    assert len(seen) <= 60 * took_s + 2
    assert {where for _, where in seen} == {threading.main_thread()}
    with pytest.raises(KeyError):
        bridge.update(colour="red")


def test_it_follows_a_task(qtbot: QtBot, make_manager: Make) -> None:
    bridge, busy, messages = TaskBridge(), [], []
    end = bridge.on_change("message", messages.append)
    bridge.on_change("is_busy", busy.append)
    bridge.submit(make_manager(), "work", _three_steps, on_finished=lambda _: busy.append("own"))
    qtbot.waitUntil(lambda: busy[-2:] == ["own", False], timeout=10_000)
    assert busy[0] is True
    assert messages[-1].startswith("step")
    end()
    bridge.update(message="nobody hears")
    qtbot.waitUntil(lambda: bridge.message == "nobody hears")
    assert "nobody hears" not in messages


def test_the_cancel_button_of_a_dialog_cancels_its_task(qtbot: QtBot, make_manager: Make) -> None:
    dialog = QProgressDialog()
    qtbot.addWidget(dialog)
    dialog.setMinimumDuration(0)

    def endless() -> None:
        task = current_task()
        assert task is not None
        for step in range(10_000):
            task.report_progress(step / 10_000)
            task.pause(0.01)

    handle = submit_with_progress(make_manager(), dialog, "export", endless)
    qtbot.waitUntil(lambda: dialog.value() > 0, timeout=10_000)
    dialog.canceled.emit()
    qtbot.waitUntil(lambda: handle.is_finished)
    assert handle.outcome is Outcome.CANCELLED


def test_a_bar_needs_no_cancel_button(qtbot: QtBot, make_manager: Make) -> None:
    bar, values, results = QProgressBar(), [], []
    qtbot.addWidget(bar)
    bar.valueChanged.connect(values.append)
    submit_with_progress(make_manager(), bar, "export", _three_steps, on_finished=results.append)
    qtbot.waitUntil(lambda: bool(results))
    assert 333 in values
