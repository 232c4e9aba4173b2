"""The log in the window: bounded, by level, by search, and no burden to who logs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest
from PyQt5.QtWidgets import QComboBox, QLineEdit, QPlainTextEdit
from pytestqt.qtbot import QtBot

from control.gui.log_panel import LINES, LogBuffer, LogPanel


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, LogBuffer]]:
    logger = logging.getLogger("test of the log panel")
    logger.setLevel(logging.DEBUG)
    buffer = LogBuffer()
    logger.addHandler(buffer)
    yield logger, buffer
    logger.removeHandler(buffer)


def shown(panel: LogPanel) -> list[str]:
    text = panel.findChild(QPlainTextEdit, "logText").toPlainText()
    return [line.rpartition(": ")[2] for line in text.splitlines()]


def test_new_lines_appear_and_can_be_chosen(qtbot: QtBot, log: tuple[logging.Logger, LogBuffer]) -> None:
    logger, buffer = log
    panel = LogPanel(buffer)
    qtbot.addWidget(panel)
    panel.show()
    logger.info("moves to B2")
    logger.warning("camera is warm")
    qtbot.waitUntil(lambda: shown(panel) == ["moves to B2", "camera is warm"])
    panel.findChild(QComboBox, "logLevel").setCurrentText("Warnings")
    assert shown(panel) == ["camera is warm"]
    panel.findChild(QComboBox, "logLevel").setCurrentText("Information")
    qtbot.keyClicks(panel.findChild(QLineEdit, "logSearch"), "b2")
    assert shown(panel) == ["moves to B2"]


def test_a_stack_stays_one_record(qtbot: QtBot, log: tuple[logging.Logger, LogBuffer]) -> None:
    logger, buffer = log
    panel = LogPanel(buffer)
    qtbot.addWidget(panel)
    logger.error("first\nsecond")
    panel.refresh()
    document = panel.findChild(QPlainTextEdit, "logText").document()
    assert document.blockCount() == 1
    assert "second" in document.toPlainText()


def test_a_flood_from_many_threads_is_bounded_and_said(qtbot: QtBot, log: tuple[logging.Logger, LogBuffer]) -> None:
    logger, buffer = log

    def flood() -> None:
        for number in range(LINES):
            logger.info("line %d", number)

    threads = [threading.Thread(target=flood) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert buffer.newest == 3 * LINES
    assert len(buffer.since(0)) == LINES
    panel = LogPanel(buffer)
    qtbot.addWidget(panel)
    panel.show()
    assert shown(panel)[-1] == f"line {LINES - 1}"
    assert len(shown(panel)) == 500
    assert "faster than can be shown" in panel._note.text()


def test_a_hidden_panel_does_not_work(qtbot: QtBot, log: tuple[logging.Logger, LogBuffer]) -> None:
    logger, buffer = log
    panel = LogPanel(buffer)
    qtbot.addWidget(panel)
    panel.show()
    panel.hide()
    assert not panel._timer.isActive()
    logger.info("meanwhile")
    panel.show()
    assert shown(panel) == ["meanwhile"]
