"""What a user does on the first day, pressed as it is pressed: look, choose wells, run, see thumbnails, review.

The microscope is the simulated one with a small sensor and fast hardware; everything else is the program as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt5.QtCore import QEvent, QPointF, Qt
from PyQt5.QtGui import QMouseEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QCheckBox, QLabel, QWidget
from pytestqt.qtbot import QtBot
from tests.window import Window, window
from yaozarrs import validate_zarr_store

from control.core.journal import read_journal
from control.core.run_record import read_summary
from control.core.run_view import RunState

CHANNELS = ("DAPI", "TRITC")
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def program(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    monkeypatch.setenv("HOME", str(tmp_path))
    with window(qtbot, tmp_path, monkeypatch, sensor_px=(128, 160), time_scale=20.0) as opened:
        opened.window.resize(1366, 740)
        opened.open()
        yield opened


def press(program: Window, page: QWidget, name: str) -> None:
    widget = page.findChild(QWidget, name)
    assert widget is not None, name
    assert widget.isEnabled(), name
    program.bot.mouseClick(widget, LEFT)


def look(program: Window) -> None:
    """Live view of a channel shows frames."""
    page = program.page("look")
    press(program, page, f"channel_{CHANNELS[0]}")
    press(program, page, "liveButton")
    live = program.session.live
    program.wait(lambda: (frame := live.newest()) is not None and frame.number > 3)
    assert live.newest().channel == CHANNELS[0]
    program.wait(lambda: "live" in program.window.strip.state.text())
    program.wait(lambda: program.window.strip.light.text() != "dark")


def choose_wells(program: Window, page: QWidget) -> None:
    """Drag over B2 to C3 on the plate map."""
    plate_map = page.wells.map  # type: ignore[attr-defined]
    first, last = (plate_map.well_rect(*well).center().toPoint() for well in ((1, 1), (2, 2)))
    QTest.mousePress(plate_map, LEFT, Qt.KeyboardModifier.NoModifier, first)
    move = QMouseEvent(
        QEvent.Type.MouseMove, QPointF(last), Qt.MouseButton.NoButton, LEFT, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(plate_map, move)  # QTest's own asks the window system for it
    QTest.mouseRelease(plate_map, LEFT, Qt.KeyboardModifier.NoModifier, last)
    program.wait(lambda: page.draft.wells == "B2:C3")  # type: ignore[attr-defined]


def choose_channels(program: Window, page: QWidget) -> None:
    for name in program.session.presets.names("20x"):
        box = page.findChild(QCheckBox, f"channel_{name}")
        assert box is not None
        if box.isChecked() is not (name in CHANNELS):
            box.click()
    program.wait(lambda: {c.name for c in page.draft.channels} == set(CHANNELS))  # type: ignore[attr-defined]


def plan(program: Window, output: Path) -> None:
    page = program.page("plan")
    choose_wells(program, page)
    choose_channels(program, page)
    page.storage.set_folder(output)
    program.wait(lambda: page.findChild(QWidget, "startButton").isEnabled())
    press(program, page, "startButton")


def test_from_the_first_look_to_the_reviewed_plate(program: Window, tmp_path: Path) -> None:
    look(program)
    plan(program, tmp_path / "plates")
    assert program.window.page == "run"
    status = program.session.status
    program.wait(lambda: status.snapshot().stored > 0)
    assert not program.session.live.is_running
    program.wait(lambda: status.snapshot().state is RunState.FINISHED)
    program.wait(lambda: program.session.queue.current is None)

    view = status.snapshot()
    assert (view.planned, view.stored, view.missing) == (8, 8, 0)
    for channel in range(2):
        for well in range(4):
            tile = program.session.previews.tile(channel, well)
            assert tile is not None
            assert tile.max() > 0
    assert view.folder is not None
    assert read_summary(view.folder).status == "completed"
    assert len(read_journal(view.folder).stored) == 8
    (plate,) = view.folder.glob("*.zarr")
    validate_zarr_store(str(plate))

    program.wait(lambda: program.page("run").findChild(QWidget, "reviewButton").isVisible())
    press(program, program.page("run"), "reviewButton")
    review = program.window.pages.review  # type: ignore[union-attr]
    program.wait(lambda: review.run is not None)
    assert program.window.page == "review"
    title = review.findChild(QLabel, "runTitle")
    assert title is not None
    assert title.text() not in ("", "No run is open")


def test_an_emergency_stop_in_live_and_in_a_run(program: Window, tmp_path: Path) -> None:
    look(program)
    program.bot.keyClick(program.window, Qt.Key.Key_F12)
    program.wait(lambda: "Light off, confirmed" in program.message())
    program.wait(lambda: program.window.strip.light.text() == "dark")
    assert not program.session.live.is_running
    program.press("dismissButton")

    page = program.page("plan")
    page.wells.map.select_all()
    choose_channels(program, page)
    page.storage.set_folder(tmp_path / "plates")
    program.wait(lambda: page.findChild(QWidget, "startButton").isEnabled())
    press(program, page, "startButton")
    program.wait(lambda: program.session.status.snapshot().stored > 0)
    program.press("emergencyButton")
    program.wait(lambda: "Light off, confirmed" in program.message())
    program.wait(lambda: program.session.queue.current is None)
    view = program.session.status.snapshot()
    assert 0 < view.stored < view.planned
    assert program.session.microscope.illumination.lit == ()
    assert program.session.run_queue.runs()[0].reason == "user (emergency stop)"
