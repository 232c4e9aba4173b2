"""The Run page, pressed as a user presses it, on a simulated microscope."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QMessageBox, QPushButton, QTableWidget, QToolButton
from pytestqt.qtbot import QtBot
from tests.control.core.queue_bench import Bench, bench

from control.core.contrast import Contrast
from control.core.earlier_pictures import read_earlier
from control.core.facts import Hung, RunStarted
from control.core.previews import Previews
from control.core.run_view import EventView, RunState, RunView
from control.gui.progress_panel import ProgressPanel
from control.gui.run_page import RunPage
from squid.models.layout import WellRef

SLOW_MS = 30_000


@pytest.fixture
def rig(qapp: QApplication, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A microscope with a queue; faults are the fixture's parameter."""
    with bench(tmp_path, *getattr(request, "param", ())) as made:
        yield made


@pytest.fixture
def contrast() -> Contrast:
    return Contrast()


@pytest.fixture
def page(rig: Bench, qtbot: QtBot, contrast: Contrast) -> RunPage:
    shown = RunPage(cast(Any, rig), contrast)
    qtbot.addWidget(shown)
    shown.resize(1366, 660)
    with qtbot.waitExposed(shown):
        shown.show()
    return shown


def press(page: RunPage, name: str) -> None:
    button = page.findChild(QPushButton, name)
    assert button is not None
    assert button.isEnabled(), f"{name} cannot be pressed"
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def is_enabled(page: RunPage, name: str) -> bool:
    button = page.findChild(QPushButton, name)
    return button is not None and button.isEnabled()


def wait_for(qtbot: QtBot, page: RunPage, state: RunState) -> None:
    qtbot.waitUntil(lambda: page._view.state is state, timeout=SLOW_MS)


def choose(page: RunPage, row: int) -> None:
    table = page.findChild(QTableWidget, "queueTable")
    viewport, item = table.viewport(), table.item(row, 0)
    assert viewport is not None
    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=table.visualItemRect(item).center())


def rows(page: RunPage) -> list[tuple[str, str]]:
    table = page.findChild(QTableWidget, "queueTable")
    return [(table.item(row, 0).text(), table.item(row, 1).text()) for row in range(table.rowCount())]


def test_a_plan_runs_to_its_end_and_its_thumbnails_come(page: RunPage, rig: Bench, qtbot: QtBot) -> None:
    assert "Nothing runs" in page.progress.state.text()
    assert not is_enabled(page, "startButton")
    rig.queue.enqueue(rig.plan("first"), rig.output)
    qtbot.waitUntil(lambda: is_enabled(page, "startButton"), timeout=SLOW_MS)
    press(page, "startButton")
    wait_for(qtbot, page, RunState.FINISHED)
    qtbot.waitUntil(lambda: len(page.plate._pixmaps) == 2, timeout=SLOW_MS)
    assert page.progress.result.title.text() == "Completed"
    assert "All 24 frames" in page.progress.result.text.text()
    assert not is_enabled(page, "pauseButton")
    assert not is_enabled(page, "abortButton")
    assert page.plate.map.plate.name == "96 well plate"
    assert page.plate.text_of(1, 1) == "12 of 12 frames stored"
    assert page.plate.text_of(0, 0) == "not in this plan"
    square = page.plate.map.well_rect(1, 1).center().toPoint()
    inside = page.plate.map.grab().toImage().pixelColor(square)
    empty = page.plate.map.grab().toImage().pixelColor(page.plate.map.well_rect(0, 0).center().toPoint())
    assert inside != empty
    with qtbot.waitSignal(page.review_requested) as asked:
        press(page, "reviewButton")
    assert asked.args == [rig.status.snapshot().folder]


def test_current_well_and_last_frame_are_drawn(page: RunPage, rig: Bench, qtbot: QtBot) -> None:
    rig.queue.enqueue(rig.plan("first"), rig.output, start=True)
    wait_for(qtbot, page, RunState.FINISHED)
    page.tabs.setCurrentWidget(page.mosaic)
    qtbot.waitUntil(lambda: len(page.mosaic.view.layers) == 2, timeout=SLOW_MS)
    assert [layer.name for layer in page.mosaic.view.layers] == ["DAPI", "FITC"]
    page.tabs.setCurrentWidget(page.last_frame)
    qtbot.waitUntil(lambda: bool(page.last_frame.view.layers), timeout=SLOW_MS)
    assert page.mosaic.caption.text() == "Well B4 (2 of 2)"
    before = page.last_frame.view.scale
    page.tabs.zoom_actions[0].trigger()
    assert page.last_frame.view.scale > before, "the zoom is for the image that is seen"
    assert page.last_frame.caption.text() == "Frame 23: well B4, field 2, FITC, plane 3 of 3"


def test_one_channel_in_grey_or_all_in_colour(page: RunPage, rig: Bench, qtbot: QtBot) -> None:
    rig.queue.enqueue(rig.plan("first"), rig.output, start=True)
    wait_for(qtbot, page, RunState.FINISHED)
    qtbot.waitUntil(lambda: len(page.plate._pixmaps) == 2, timeout=SLOW_MS)
    box = page.picker.box
    assert [box.itemText(row) for row in range(box.count())] == ["All channels", "DAPI", "FITC"]
    coloured = page.plate._pixmaps[0].toImage()
    QTest.keyClick(box, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: page.plate._pixmaps[0].toImage() != coloured, timeout=SLOW_MS)
    grey = page.plate._pixmaps[0].toImage().pixelColor(5, 5)
    assert grey.red() == grey.green() == grey.blue()


def test_contrast_chosen_on_another_page_is_shown_until_auto_is_pressed(
    page: RunPage, contrast: Contrast, rig: Bench, qtbot: QtBot
) -> None:
    rig.queue.enqueue(rig.plan("first"), rig.output, start=True)
    wait_for(qtbot, page, RunState.FINISHED)
    auto = page.findChild(QToolButton, "runAutoContrast")
    assert not auto.isVisible()
    fitting = page.picker.layers()[0][1]
    contrast.choose("DAPI", 1, 5)
    page.refresh()
    assert page.picker.layers()[0][1] == (1, 5)
    QTest.mouseClick(auto, Qt.MouseButton.LeftButton)
    assert page.picker.layers()[0][1] == fitting
    assert not auto.isVisible()


def test_pause_go_on_and_abort_with_a_question(page: RunPage, rig: Bench, qtbot: QtBot) -> None:
    rig.queue.enqueue(rig.plan("first", wells="B2:G9"), rig.output, start=True)
    qtbot.waitUntil(lambda: page._view.stored > 3, timeout=SLOW_MS)
    press(page, "pauseButton")
    wait_for(qtbot, page, RunState.PAUSED)
    assert "paused, the light is off" in page.progress.state.text()
    assert page.pause_button.text() == "Go on"
    press(page, "pauseButton")
    wait_for(qtbot, page, RunState.RUNNING)
    press(page, "abortButton")
    question = page.findChild(QMessageBox, "abortQuestion")
    assert question is not None
    assert "can be resumed later" in question.text()
    end = question.findChild(QPushButton, "abortConfirmButton")
    assert end is not None
    begin_s = time.monotonic()
    QTest.mouseClick(end, Qt.MouseButton.LeftButton)
    assert time.monotonic() - begin_s < 5  # the button itself waits for nothing
    run = rig.queue.current
    if run is not None:
        assert run.wait(30) is not None
    wait_for(qtbot, page, RunState.FINISHED)
    assert page.progress.result.title.text() == "Ended before its time"
    assert "You ended it" in page.progress.result.text.text()
    assert is_enabled(page, "resumeButton")


def test_an_aborted_run_is_resumed_from_its_result(page: RunPage, rig: Bench, qtbot: QtBot) -> None:
    rig.queue.enqueue(rig.plan("first", wells="B2:B7"), rig.output, start=True)
    qtbot.waitUntil(lambda: page._view.stored > 3, timeout=SLOW_MS)
    rig.queue.abort()
    wait_for(qtbot, page, RunState.FINISHED)
    qtbot.waitUntil(rig.is_idle, timeout=SLOW_MS)
    number = page._view.number
    press(page, "resumeButton")
    qtbot.waitUntil(lambda: page._view.number > number, timeout=SLOW_MS)
    wait_for(qtbot, page, RunState.FINISHED)
    assert page._view.status == "completed"
    assert page._view.stored == 72
    assert not page.progress.result.resume_button.isVisible()


def test_a_resumed_run_shows_what_was_stored_before(qapp: QApplication, qtbot: QtBot, tmp_path: Path) -> None:
    with bench(tmp_path) as first:
        first.enqueue("plate", wells="B2:B4", start=True)
        qtbot.waitUntil(lambda: first.status.snapshot().stored > 12, timeout=SLOW_MS)
        first.queue.abort()
        qtbot.waitUntil(first.is_idle, timeout=SLOW_MS)
        folder = first.status.snapshot().folder
        taken = first.previews.tile(0, 0)
    with bench(tmp_path) as second:  # as after a new start of the program
        page = RunPage(cast(Any, second), Contrast())
        qtbot.addWidget(page)
        with qtbot.waitExposed(page):
            page.show()
        assert folder is not None
        second.queue.resume_folder(folder)
        qtbot.waitUntil(lambda: 0 in page.plate._pixmaps, timeout=SLOW_MS)
        wait_for(qtbot, page, RunState.FINISHED)
        qtbot.waitUntil(lambda: len(page.plate._pixmaps) == 3, timeout=SLOW_MS)
        read = second.previews.tile(0, 0)
        assert read is not None
        assert taken is not None
        assert np.abs(read.astype(int) - taken).max() <= 2  # another way of shrinking rounds otherwise
        assert [name for name, _ in rows(page)] == ["plate"]
        before = second.previews.tile_revisions().sum()

        read_earlier(second.previews, -1, folder)
        assert second.previews.tile_revisions().sum() == before, "of another run nothing is taken"
        fresh = Previews()
        assert second.previews.layout is not None
        fresh.hear(RunStarted(folder, second.previews.layout, 1.0, 1))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("control.core.earlier_pictures.REST", 1e9)
            task = second.manager.submit("read", lambda: read_earlier(fresh, 1, folder))
            qtbot.waitUntil(lambda: fresh.tile_revisions().sum() == 1, timeout=SLOW_MS)
            task.cancel()
            assert task.wait(10)
        assert task.is_cancelled
        assert fresh.tile_revisions().tolist() == [0, 0, 1], "the newest first"


@pytest.mark.parametrize("rig", [("camera.hang@frame=5",)], indirect=True)
def test_a_hang_shows_device_call_and_dump_and_the_run_is_resumed(page: RunPage, rig: Bench, qtbot: QtBot) -> None:
    rig.queue.enqueue(rig.plan("first"), rig.output, start=True)
    qtbot.waitUntil(lambda: page.banner.isVisible(), timeout=SLOW_MS)
    wait_for(qtbot, page, RunState.FINISHED)
    qtbot.waitUntil(rig.is_idle, timeout=SLOW_MS)
    page.refresh()
    folder = page._view.folder
    assert folder is not None
    assert "camera.trigger" in page.banner.title.text()
    text = page.banner.text.text()
    assert "The light is off, the stage is stopped; 5 frames are safe. Resume continues with frame 5." in text
    assert str(folder / "stacks.log") in text
    assert (folder / "stacks.log").is_file()
    assert is_enabled(page, "hangFolderButton")
    assert "was ended by a fault" in page.queue_panel.note.text()
    press(page, "hangResumeButton")
    qtbot.waitUntil(lambda: page._view.number == 2, timeout=SLOW_MS)
    wait_for(qtbot, page, RunState.FINISHED)
    assert (page._view.status, page._view.stored) == ("completed", 24)
    assert not page.banner.isVisible()
    assert rig.manager.get_statistics()["quarantined_threads"] == 1  # replaced: the hung thread costs no worker


@pytest.mark.parametrize("rig", [("camera.exception@frame=7,times=always",)], indirect=True)
def test_a_missing_frame_is_red_listed_and_told(page: RunPage, rig: Bench, qtbot: QtBot) -> None:
    rig.queue.enqueue(rig.plan("first"), rig.output, start=True)
    wait_for(qtbot, page, RunState.FINISHED)
    assert page.progress.result.title.text() == "Completed with missing frames"
    item = page.progress.missing.list.item(0)
    assert item is not None
    assert item.text().startswith("B2, frame 7: camera")
    assert page.plate.text_of(1, 1) == "11 of 12 frames stored, 1 missing"
    qtbot.waitUntil(lambda: len(page.plate._pixmaps) == 2, timeout=SLOW_MS)
    image = page.plate.map.grab().toImage()
    holed, whole = (page.plate.map.well_rect(1, column).topLeft().toPoint() + QPoint(20, 1) for column in (1, 3))
    assert image.pixelColor(holed).red() > 200
    assert image.pixelColor(whole).red() < 200


def test_a_hang_is_dismissed(page: RunPage, qtbot: QtBot) -> None:
    view = replace(
        page._view,
        number=1,
        state=RunState.FINISHED,
        hung=Hung("stage", "move_to", 2.0, None),
        reason="hung: stage.move_to; LIGHT NOT CONFIRMED OFF, stage stopped",
    )
    page.banner.show_run(view)
    assert page.banner.isVisible()
    assert "LIGHT MAY STILL BE ON" in page.banner.text.text()
    assert not page.banner.folder_action.isEnabled()
    page.banner.dismiss_action.trigger()
    page.banner.show_run(view)
    assert not page.banner.isVisible()


def test_the_queue_is_ordered_and_plans_are_taken_out(page: RunPage, rig: Bench, qtbot: QtBot) -> None:
    for name in ("a", "b", "c"):
        rig.enqueue(name)
    qtbot.waitUntil(lambda: len(rows(page)) == 3, timeout=SLOW_MS)
    choose(page, 2)
    press(page, "queueUpButton")
    qtbot.waitUntil(lambda: [name for name, _ in rows(page)] == ["a", "c", "b"], timeout=SLOW_MS)
    assert page.queue_panel._chosen() is not None  # the plan that was moved is still chosen
    press(page, "queueUpButton")
    qtbot.waitUntil(lambda: [name for name, _ in rows(page)] == ["c", "a", "b"], timeout=SLOW_MS)
    assert not is_enabled(page, "queueUpButton")
    press(page, "queueDownButton")
    qtbot.waitUntil(lambda: [name for name, _ in rows(page)] == ["a", "c", "b"], timeout=SLOW_MS)
    press(page, "queueCancelButton")
    qtbot.waitUntil(lambda: rows(page) == [("a", "waiting"), ("b", "waiting"), ("c", "taken out")], timeout=SLOW_MS)
    press(page, "queueClearButton")
    qtbot.waitUntil(lambda: [name for name, _ in rows(page)] == ["a", "b"], timeout=SLOW_MS)
    assert not is_enabled(page, "queueClearButton")
    box = page.queue_panel.goes_on
    QTest.keyClick(page, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
    assert box.isChecked()
    assert rig.queue.view().goes_on_after_faults
    QTest.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))
    assert not rig.queue.view().goes_on_after_faults


def test_the_headline_keeps_its_height_while_the_run_goes_on(qtbot: QtBot) -> None:
    panel = ProgressPanel()
    qtbot.addWidget(panel)
    panel.setFixedWidth(340)
    event = EventView(0, 0, 0, 0, 0, 0, 0, 4, 1, 2, 3, "DAPI", 1)
    going = RunView(
        state=RunState.RUNNING, number=1, name="a plate with a long name " * 4, wells=(WellRef(1, 1, "B2"),)
    )
    tops = set()
    with qtbot.waitExposed(panel):
        panel.show()
    for channel, z in (("DAPI", 0), ("Fluorescence 638 nm, far red, long name", 2), ("BF", 1)):
        counts = np.ones(1, np.int64)
        panel.show_run(
            replace(
                going,
                event=replace(event, channel=channel, z=z),
                well_planned=counts,
                well_stored=counts,
                well_missing=counts,
            )
        )
        QApplication.processEvents()
        tops.add(panel.body.y())
    panel.show_run(replace(going, state=RunState.PAUSED))
    QApplication.processEvents()
    assert tops == {panel.body.y()}
    assert panel.state.toolTip().startswith("a plate with a long name a plate"), "what is cut can be read there"
    assert panel.state.text().count("…") == 1


def test_a_refused_plan_is_told_in_the_queue(page: RunPage, rig: Bench, qtbot: QtBot) -> None:
    rig.queue.enqueue(rig.plan("too far", z_um=1e7), rig.output, start=True)
    qtbot.waitUntil(lambda: "too far was refused" in page.queue_panel.note.text(), timeout=SLOW_MS)
    choose(page, 0)
    assert "allowed: z 0 to 6000 µm" in page.queue_panel.reason.text()
    assert not is_enabled(page, "queueResumeButton")


def test_a_hidden_page_rests(page: RunPage) -> None:
    assert page._timer.isActive()
    page.hide()
    assert not page._timer.isActive()
    page.show()
    assert page._timer.isActive()


def test_every_action_is_in_the_menu_with_a_tooltip(page: RunPage) -> None:
    actions = [action for action in page.menu_actions() if action is not None]
    assert len(actions) >= 8
    assert all(action.toolTip() and action.text() for action in actions)
    keys = [action.shortcut().toString() for action in actions]
    assert {"Ctrl+R", "Ctrl+Shift+P", "Ctrl+."} <= set(keys)


def test_a_page_that_is_gone_gets_no_late_pictures(rig: Bench, qtbot: QtBot) -> None:
    shown = RunPage(cast(Any, rig), Contrast())
    shown.show()
    rig.queue.enqueue(rig.plan("first"), rig.output, start=True)
    qtbot.waitUntil(lambda: rig.status.snapshot().stored > 3, timeout=SLOW_MS)
    shown.refresh()
    shown.deleteLater()
    del shown
    qtbot.waitUntil(lambda: rig.status.snapshot().state is RunState.FINISHED, timeout=SLOW_MS)


def test_a_plan_without_a_plate_shows_the_place_in_work_and_the_next_plate_its_plate(
    page: RunPage, rig: Bench, qtbot: QtBot
) -> None:
    here = rig.microscope.stage.position()
    places = [{"x": here.x_um + 100 * n, "y": here.y_um, "name": f"cell {n}"} for n in range(3)]
    free = {"plate": None, "wells": None, "fields": None, "sequence": {"stage_positions": places, "z_plan": None}}
    rig.queue.enqueue(rig.plan("cells", **free), rig.output, start=True)
    wait_for(qtbot, page, RunState.FINISHED)
    qtbot.waitUntil(lambda: page.mosaic.caption.text() == "cell 2 (3 of 3)", timeout=SLOW_MS)
    assert page.tabs.currentWidget() is page.mosaic
    assert page.tabs.tabText(1) == "Current position"
    assert not page.tabs.isTabVisible(0)
    assert page.mosaic.view.layers
    rig.queue.enqueue(rig.plan("plate"), rig.output, start=True)
    qtbot.waitUntil(lambda: page.tabs.currentWidget() is page.plate, timeout=SLOW_MS)
    assert page.tabs.tabText(1) == "Current well"
    qtbot.waitUntil(rig.is_idle, timeout=SLOW_MS)


def test_a_region_is_drawn_on_the_well_in_work(page: RunPage, rig: Bench, qtbot: QtBot) -> None:
    rig.queue.enqueue(rig.plan("first"), rig.output, start=True)
    wait_for(qtbot, page, RunState.FINISHED)
    button = page.findChild(QToolButton, "mosaicTool")
    page.tabs.setCurrentWidget(page.mosaic)
    qtbot.waitUntil(lambda: bool(page.mosaic.view.layers), timeout=SLOW_MS)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    view, left = page.mosaic.view, Qt.MouseButton.LeftButton
    middle = view.rect().center()
    with qtbot.waitSignal(page.region_drawn) as drawn:
        for dx, dy in ((-40, -40), (40, -40), (0, 40)):
            QTest.mouseClick(view, left, pos=middle + QPoint(dx, dy))
        QTest.keyClick(view, Qt.Key.Key_Return)
    (corners,) = drawn.args
    plate = rig.previews.layout.plate  # type: ignore[union-attr]
    assert {plate.well_at(x_um, y_um) for x_um, y_um in corners} == {(1, 3)}  # type: ignore[union-attr]
    assert not button.isChecked()


def test_a_start_that_takes_long_can_be_called_off(
    page: RunPage, rig: Bench, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.work._delay.setInterval(1)
    go_on, start = threading.Event(), rig.queue._starter._controller.start

    def slow_start(*args: Any) -> Any:
        assert go_on.wait(30)
        return start(*args)

    monkeypatch.setattr(rig.queue._starter._controller, "start", slow_start)
    rig.queue.enqueue(rig.plan("first"), rig.output, start=True)
    qtbot.waitUntil(lambda: page.work.isVisible() and "Starting first" in page.work.text, timeout=SLOW_MS)
    QTest.mouseClick(page.work.cancel_button, Qt.MouseButton.LeftButton)
    go_on.set()
    qtbot.waitUntil(lambda: rig.is_idle() and not page.work.isVisible(), timeout=SLOW_MS)
    assert rig.status.snapshot().stored == 0
