"""The Plan page on a simulated microscope: press, type, and see the plan that comes out."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PyQt5.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt5.QtGui import QMouseEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QFileDialog, QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot
from tests import rig

from control.core.planning import (
    ChannelChoice,
    GridFields,
    Kept,
    PlanDraft,
    RandomFields,
    SingleField,
    TimeLapse,
    Verdict,
    ZStack,
    check,
)
from control.core.session import Session
from control.gui.own_plate_dialog import OwnPlateDialog
from control.gui.plan_page import PlanPage
from control.gui.presets_dialog import PresetsDialog
from squid.models.plan import AcquisitionPlan, read_plan
from squid.utils import task_bridge
from squid.utils.task import tell_progress
from squid.utils.worker_manager import WorkerManager

LEFT = Qt.MouseButton.LeftButton
CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, qapp: QApplication) -> Iterator[Session]:
    folder = tmp_path_factory.mktemp("plan_page")
    manager = WorkerManager()
    session = Session(rig.machine(folder), folder / "machine.yaml", manager, folder)
    session.open()
    try:
        yield session
    finally:
        session.close()
        manager.shutdown(timeout=2.0)


@pytest.fixture
def page(session: Session, qtbot: QtBot, tmp_path: Path) -> Iterator[PlanPage]:
    page = PlanPage(session)
    page.resize(1366, 660)
    page.restore({"output": str(tmp_path)})
    with qtbot.waitExposed(page):
        page.show()
    yield page
    page.close()
    page.deleteLater()  # here and now: a page that goes drops the session's check, which the next test's page waits for
    QApplication.sendPostedEvents(page, QEvent.Type.DeferredDelete)


def find(page: PlanPage, name: str) -> Any:
    found = page.findChild(QWidget, name)
    assert found is not None, name
    return found


def write(page: PlanPage, name: str, text: str) -> None:
    """Type over what an edit holds and leave it with Enter."""
    edit = find(page, name)
    edit.setFocus()
    edit.selectAll()
    QTest.keyClicks(edit, text)
    QTest.keyClick(edit, Qt.Key.Key_Return)


def choose(page: PlanPage, name: str, text: str) -> None:
    """Choose an entry of a list with the keyboard, as its letters are typed."""
    combo = find(page, name)
    at = combo.findText(text, Qt.MatchFlag.MatchContains)
    assert at >= 0, text
    combo.setFocus()
    QTest.keyClick(combo, Qt.Key.Key_Home)
    for _ in range(at):
        QTest.keyClick(combo, Qt.Key.Key_Down)


def press(page: PlanPage, name: str) -> None:
    QTest.mouseClick(find(page, name), LEFT)


def tick(page: PlanPage, name: str) -> None:
    box = find(page, name)
    QTest.mouseClick(box, LEFT, pos=QPoint(8, box.height() // 2))


def drag_wells(page: PlanPage, first: tuple[int, int], last: tuple[int, int]) -> None:
    plate = page.wells.map
    ends = [plate.well_rect(*well).center() for well in (first, last)]
    QTest.mousePress(plate, LEFT, pos=ends[0].toPoint())
    move = QMouseEvent(QEvent.Type.MouseMove, QPointF(ends[1]), Qt.MouseButton.NoButton, LEFT, Qt.KeyboardModifier(0))
    QApplication.sendEvent(plate, move)
    QTest.mouseRelease(plate, LEFT, pos=ends[1].toPoint())


def started(page: PlanPage, qtbot: QtBot, button: str = "startButton") -> tuple[AcquisitionPlan, Path]:
    """Press a button as soon as it can be pressed, and take what comes out."""
    signal = page.start_requested if button == "startButton" else page.queue_requested
    qtbot.waitUntil(lambda: bool(find(page, button).isEnabled()), timeout=20_000)
    with qtbot.waitSignal(signal, timeout=20_000) as asked:
        press(page, button)
    plan, output = asked.args
    return plan, output


def wait_for_verdict(page: PlanPage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: page.bar._verdict is not None and page.bar._verdict.draft == page.draft, timeout=20_000)


def test_a_newcomer_is_told_what_is_missing(page: PlanPage, qtbot: QtBot) -> None:
    wait_for_verdict(page, qtbot)
    assert not find(page, "startButton").isEnabled()
    assert "choose at least one well" in find(page, "startButton").toolTip()
    assert find(page, "wellsRefusal").isVisible()
    assert find(page, "total_frames").text() == "–"


def test_wells_by_mouse_channels_numbers_and_the_plan_that_comes_out(
    page: PlanPage, qtbot: QtBot, tmp_path: Path
) -> None:
    drag_wells(page, (1, 1), (2, 3))
    plate = page.wells.map
    QTest.mouseClick(plate, LEFT, CTRL, plate.well_rect(7, 11).center().toPoint())
    assert find(page, "wellsText").text() == "B2:C4, H12"
    choose(page, "fieldsKind", "a grid")
    write(page, "gridRows", "3")
    write(page, "gridOverlap", "12.5")
    choose(page, "gridOrder", "row by row")
    tick(page, "channel_Brightfield")
    tick(page, "channel_DAPI")
    tick(page, "channel_FITC")
    write(page, "exposure_FITC", "35")
    write(page, "intensity_DAPI", "20")
    tick(page, "zFixed")
    write(page, "zUm", "3000")
    choose(page, "zKind", "around the focus")
    write(page, "zRange", "6")
    write(page, "zStep", "1.5")
    tick(page, "timeOn")
    choose(page, "timeUnit", "s")
    write(page, "timeInterval", "90")
    write(page, "timeCount", "2")
    write(page, "planName", "first plate")
    choose(page, "storageCompression", "zstd")
    assert find(page, "zPlanes").text() == "5 planes over 6 µm"
    plan, output = started(page, qtbot)
    draft = PlanDraft.of(plan)
    assert output == tmp_path
    assert (draft.name, draft.plate, draft.wells, draft.compression) == (
        "first plate",
        "96 well plate",
        "B2:C4, H12",
        "zstd",
    )
    assert draft.fields == GridFields(3, 2, 12.5, "row")
    assert draft.channels == (ChannelChoice("DAPI", intensity=0.2), ChannelChoice("FITC", exposure_ms=35))
    assert (draft.z, draft.time, draft.z_um) == (ZStack("centre", 1.5, 6), TimeLapse(90, 2), 3000)
    assert find(page, "total_frames").text() == str(7 * 6 * 2 * 5 * 2)
    assert find(page, "total_wells").text() == "7"
    assert find(page, "total_fields").text() == "42"


def test_typing_shows_on_the_map_and_is_refused_when_it_is_off_the_plate(page: PlanPage, qtbot: QtBot) -> None:
    edit = find(page, "wellsText")
    edit.setFocus()
    QTest.keyClicks(edit, "a1:b2")
    assert page.wells.map.selection == ((0, 0), (0, 1), (1, 0), (1, 1))
    assert page.draft.wells == ""
    QTest.keyClick(edit, Qt.Key.Key_Return)
    assert page.draft.wells == "a1:b2"
    write(page, "wellsText", "Z99")
    qtbot.waitUntil(lambda: "Z99" in find(page, "wellsRefusal").text(), timeout=20_000)
    assert edit.hasFocus()
    press(page, "wells_all")
    assert len(page.wells.map.selection) == 96
    press(page, "wells_invert")
    assert page.draft.wells == ""
    qtbot.waitUntil(lambda: "at least one" in find(page, "wellsRefusal").text(), timeout=20_000)


def test_what_is_being_typed_counts_when_the_run_is_started_by_its_key(page: PlanPage, qtbot: QtBot) -> None:
    write(page, "wellsText", "A1")
    started(page, qtbot)
    edit = find(page, "wellsText")
    edit.setFocus()
    edit.selectAll()
    QTest.keyClicks(edit, "C3")
    with qtbot.waitSignal(page.queue_requested, timeout=20_000) as asked:
        page.bar.queue_action.trigger()
    assert asked.args[0].wells == "C3"


def test_a_refusal_stands_in_its_section_and_goes(page: PlanPage, qtbot: QtBot, tmp_path: Path) -> None:
    write(page, "wellsText", "A1")
    tick(page, "channel_Brightfield")
    refusal = page.column.channels.refusal
    qtbot.waitUntil(refusal.isVisible, timeout=20_000)
    assert "channel" in refusal.text()
    tick(page, "channel_DAPI")
    qtbot.waitUntil(lambda: not refusal.isVisible(), timeout=20_000)
    file = tmp_path / "file"
    file.write_text("")
    write(page, "outputFolder", str(file))
    qtbot.waitUntil(page.column.storage.refusal.isVisible, timeout=20_000)
    write(page, "outputFolder", "")
    qtbot.waitUntil(lambda: "folder" in find(page, "startButton").toolTip(), timeout=20_000)


def test_channels_are_ordered_by_dragging_and_by_keys(page: PlanPage, qtbot: QtBot) -> None:
    for name in ("DAPI", "FITC"):
        tick(page, f"channel_{name}")
    rows = page.column.channels
    assert [choice.name for choice in page.draft.channels] == ["Brightfield", "DAPI", "FITC"]
    QApplication.processEvents()
    handle = rows.row("FITC").handle
    target = rows.row("Brightfield")
    QTest.mousePress(handle, LEFT)
    above = handle.mapFromGlobal(target.mapToGlobal(target.rect().topLeft()))
    move = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(above),
        QPointF(handle.mapToGlobal(above)),
        Qt.MouseButton.NoButton,
        LEFT,
        Qt.KeyboardModifier(0),
    )
    QApplication.sendEvent(handle, move)
    QTest.mouseRelease(handle, LEFT)
    assert [choice.name for choice in page.draft.channels] == ["FITC", "Brightfield", "DAPI"]
    QTest.keyClick(rows.row("FITC").handle, Qt.Key.Key_Down)
    assert [choice.name for choice in page.draft.channels] == ["Brightfield", "FITC", "DAPI"]


def test_a_number_of_a_channel_goes_back_to_its_preset(page: PlanPage) -> None:
    row = page.column.channels.row("Brightfield")
    preset = row.exposure.value()
    write(page, "exposure_Brightfield", "33")
    assert page.draft.channels == (ChannelChoice("Brightfield", exposure_ms=33),)
    assert row.reset.isVisible()
    press(page, "reset_Brightfield")
    assert page.draft.channels == (ChannelChoice("Brightfield"),)
    assert row.exposure.value() == preset
    write(page, "exposure_Brightfield", "33")
    write(page, "exposure_Brightfield", f"{preset:g}")
    assert page.draft.channels == (ChannelChoice("Brightfield"),)


def test_undo_and_redo(page: PlanPage) -> None:
    drag_wells(page, (0, 0), (0, 1))
    choose(page, "fieldsKind", "random")
    write(page, "randomCount", "7")
    assert isinstance(page.draft.fields, RandomFields)
    assert page.draft.fields.count == 7
    for _ in range(2):
        page.undo_action.trigger()
    while page.draft.fields != SingleField():
        page.undo_action.trigger()
    assert page.draft.wells == "A1:A2"
    page.undo_action.trigger()
    assert page.wells.map.selection == ()
    assert not page.undo_action.isEnabled()
    while page.redo_action.isEnabled():
        page.redo_action.trigger()
    assert find(page, "randomCount").value() == 7
    assert find(page, "wellsText").text() == "A1:A2"


def test_z_is_taken_from_where_the_stage_stands(page: PlanPage, session: Session, qtbot: QtBot) -> None:
    session.manual.move_to(z_um=2345.0)
    qtbot.waitUntil(lambda: page._rig.z_now_um() == pytest.approx(2345.0, abs=0.1), timeout=20_000)
    choose(page, "zKind", "stack between two heights")
    press(page, "topHere")
    assert isinstance(page.draft.z, ZStack)
    assert page.draft.z.top_um == pytest.approx(2345.0, abs=0.1)
    press(page, "bottomHere")
    assert page.draft.z.bottom_um == pytest.approx(2345.0, abs=0.1)
    tick(page, "zFixed")
    assert page.draft.z_um == pytest.approx(2345.0, abs=0.1)


def test_a_start_at_the_loading_position_asks_where_the_focus_is(
    page: PlanPage, session: Session, qtbot: QtBot
) -> None:
    def go(z_um: float) -> None:
        session.manual.move_to(z_um=z_um)
        qtbot.waitUntil(lambda: page._rig.z_now_um() == pytest.approx(z_um, abs=0.2), timeout=20_000)

    write(page, "wellsText", "B2")
    go(0.0)
    try:
        qtbot.waitUntil(lambda: find(page, "zDoubt").isVisible(), timeout=20_000)
        assert "that is where a plate is loaded: z is retracted" in find(page, "zDoubt").text()
        assert not find(page, "zUseSeen").isVisible(), "nobody has looked anywhere"
        with qtbot.assertNotEmitted(page.start_requested):
            wait_for_verdict(page, qtbot)
            press(page, "startButton")
            answer(page, "Do not start")
        go(2345.0)
        qtbot.waitUntil(lambda: not find(page, "zDoubt").isVisible(), timeout=20_000)
        assert session.manager.submit("snap", session.live.snap).wait(20)
        go(0.0)
        qtbot.waitUntil(lambda: find(page, "zUseSeen").isVisible(), timeout=20_000)
        press(page, "startButton")
        seen_um = session.live.focus.z_um
        with qtbot.waitSignal(page.start_requested, timeout=20_000) as asked:
            answer(page, f"Focus at {seen_um:.2f} µm")
        assert asked.args[0].z_um == page.draft.z_um == pytest.approx(2345.0, abs=0.2)
        qtbot.waitUntil(lambda: not find(page, "zDoubt").isVisible(), timeout=20_000)
        tick(page, "zFixed")
        qtbot.waitUntil(lambda: find(page, "zUseSeen").isVisible(), timeout=20_000)
        press(page, "zUseSeen")
        assert page.draft.z_um == pytest.approx(2345.0, abs=0.2)
    finally:
        go(2345.0)


def test_the_order_of_planes_and_channels(page: PlanPage) -> None:
    choose(page, "zKind", "around the focus")
    choose(page, "zOrder", "all channels at each plane")
    assert page.draft.axis_order.index("z") < page.draft.axis_order.index("c")
    choose(page, "zOrder", "all planes of each channel")
    assert page.draft.axis_order.index("c") < page.draft.axis_order.index("z")


def test_another_plate_and_the_fields_of_one_well(page: PlanPage, qtbot: QtBot) -> None:
    choose(page, "planPlate", "384 well plate")
    assert page.wells.map.plate.rows == 16
    assert page.column.plate.facts.text() == "wells □ 3.3 mm, 4.5 mm apart"
    choose(page, "fieldsKind", "a grid")
    drag_wells(page, (2, 2), (3, 3))
    wait_for_verdict(page, qtbot)
    preview = page.column.fields.preview
    assert len(preview.fields) == 4
    assert sum(x for x, _ in preview.fields) == pytest.approx(0, abs=1e-6)
    assert "4 fields of" in page.column.fields.words.text()
    assert len(page.wells.map._fields) == 16
    assert page.wells.map.text_of(2, 3) == "C4: chosen, 4 fields"


def test_a_region_is_drawn_on_the_plate(page: PlanPage, qtbot: QtBot) -> None:
    page.places.tabs.setCurrentIndex(2)
    press(page, "drawRegion")
    overlay = find(page, "regionOverlay")
    assert overlay.isVisible()
    qtbot.keyClick(overlay, Qt.Key.Key_Escape)
    assert not overlay.isVisible()
    assert not page.wells.draw_action.isChecked()
    press(page, "drawRegion")
    wells = [(1, 1), (1, 2), (2, 2)]
    corners = [page.wells.map.well_rect(*well).center().toPoint() for well in wells]
    for corner in corners:
        QTest.mouseClick(overlay, LEFT, pos=corner)
    QTest.mouseDClick(overlay, LEFT, pos=corners[-1])
    assert not overlay.isVisible()
    (region,) = page.draft.regions
    plate = page.plate
    assert plate is not None
    for corner_um, well in zip(region.points_um, wells, strict=True):
        assert corner_um == pytest.approx(plate.well_centre_um(*well), abs=500)


def test_a_plate_of_ones_own(page: PlanPage, session: Session, qtbot: QtBot) -> None:
    choose(page, "planPlate", "96 well plate")
    qtbot.waitUntil(lambda: page._rig.position is not None, timeout=20_000)
    press(page, "ownPlate")
    write(page, "ownPlateName", "96 well plate")
    press(page, "ownPlateSave")
    qtbot.waitUntil(lambda: "name" in find(page, "ownPlateRefusal").text(), timeout=20_000)
    write(page, "ownPlateName", "chamber")
    write(page, "ownPlateRows", "2")
    write(page, "ownPlateColumns", "4")
    write(page, "ownPlateSize", "6")
    press(page, "ownPlateHere")
    press(page, "ownPlateSave")
    qtbot.waitUntil(lambda: page.draft.plate == "chamber", timeout=20_000)
    place = page._rig.position
    assert place is not None
    shown = page.wells.map.plate
    assert (shown.rows, shown.columns, shown.well_size_mm) == (2, 4, 6)
    assert shown.a1_x_mm == pytest.approx(place.x_um / 1000, abs=0.001)
    assert find(page, "planPlate").currentText() == "chamber"
    drag_wells(page, (0, 0), (0, 0))
    plan, _ = started(page, qtbot)
    assert plan.plate == "chamber"
    qtbot.waitUntil(lambda: page.findChild(OwnPlateDialog) is None, timeout=20_000)
    press(page, "ownPlate")
    press(page, "ownPlateRemove")
    qtbot.waitUntil(lambda: page.draft.plate == PlanDraft.new(session.machine).plate, timeout=20_000)
    assert "chamber" not in session.presets.plate_names()
    assert find(page, "planPlate").findText("chamber") < 0


def test_presets_are_edited_from_the_page(page: PlanPage, qtbot: QtBot) -> None:
    press(page, "editPresets")
    qtbot.waitUntil(lambda: page.findChild(PresetsDialog) is not None, timeout=20_000)
    dialog = page.findChild(PresetsDialog)
    dialog.close()


def test_a_refusal_stands_once_and_the_bar_leads_to_it(page: PlanPage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: "Wells" in page.bar.says.text(), timeout=20_000)
    assert "well" in page.wells.refusal.text()
    assert page.wells.refusal.text() not in page.bar.says.text()
    assert not page.bar.start_action.isEnabled()
    write(page, "wellsText", "A1")
    page.column.channels.rows[0].tick.setChecked(False)
    qtbot.waitUntil(lambda: "Channels" in page.bar.says.text(), timeout=20_000)
    page.column.verticalScrollBar().setValue(page.column.verticalScrollBar().maximum())
    page.bar.says.linkActivated.emit("channels")
    assert not page.column.channels.visibleRegion().isEmpty()


def test_the_tab_says_what_is_imaged(page: PlanPage, qtbot: QtBot) -> None:
    drag_wells(page, (0, 0), (0, 1))
    QTest.mouseClick(page.places.tabs, LEFT, pos=page.places.tabs.tabRect(1).center())
    assert page.draft.use == "positions"
    assert page.positions.isVisible()
    assert page.wells.map.selection == ()
    drag_wells(page, (3, 3), (4, 4))
    assert page.draft.wells == "A1:A2"
    qtbot.waitUntil(lambda: page._rig.z_now_um() is not None, timeout=20_000)
    press(page, "positions_addHere")
    assert len(page.draft.positions) == 1
    plan, _ = started(page, qtbot)
    assert plan.wells is None
    assert plan.sequence.stage_positions[0].x == page.draft.positions[0].x_um
    QTest.mouseClick(page.places.tabs, LEFT, pos=page.places.tabs.tabRect(0).center())
    assert page.draft.use == "wells"
    assert page.wells.map.selection == ((0, 0), (0, 1))
    assert not page.positions.isVisible()


def test_a_region_that_was_made_is_imaged(page: PlanPage, qtbot: QtBot) -> None:
    QTest.mouseClick(page.places.tabs, LEFT, pos=page.places.tabs.tabRect(1).center())
    page.positions.add_region([(20_000, 20_000), (20_100, 20_000), (20_100, 20_080)])
    assert page.draft.use == "regions"
    assert page.places.tabs.currentIndex() == 2
    assert not page.column.fields.isVisible()
    tick(page, "zFixed")
    plan, _ = started(page, qtbot)
    assert PlanDraft.of(plan).regions == page.draft.regions
    page.undo_action.trigger()
    page.undo_action.trigger()
    assert page.draft.use == "positions"


def test_save_open_and_what_is_not_saved(page: PlanPage, qtbot: QtBot, tmp_path: Path) -> None:
    drag_wells(page, (0, 0), (1, 1))
    file = tmp_path / "plan of a day.yaml"
    page.files.save_action.trigger()
    dialog = page.findChild(QFileDialog, "savePlanDialog")
    assert dialog is not None
    with qtbot.waitSignal(page.files.changed, timeout=20_000):
        dialog.fileSelected.emit(str(file))
    dialog.close()
    assert read_plan(file).wells == "A1:B2"
    assert find(page, "planFile").text() == "plan of a day.yaml"
    drag_wells(page, (2, 2), (2, 2))
    assert find(page, "planFile").text().endswith("•")
    page.files.new_action.trigger()
    answer(page, "Cancel")
    assert page.draft.wells == "C3"
    page.open_file(file)
    with qtbot.waitSignal(page.files.changed, timeout=20_000):
        answer(page, "Do not save")
    assert page.draft.wells == "A1:B2"
    assert page.files.recent == (file,)
    drag_wells(page, (4, 4), (4, 4))
    page.files.new_action.trigger()
    with qtbot.waitSignal(page.files.changed, timeout=20_000):
        answer(page, "Save")
    assert read_plan(file).wells == "E5"
    qtbot.waitUntil(lambda: page.draft.wells == "", timeout=20_000)
    assert page.files.path is None


def test_a_save_that_is_called_off_does_nothing_later(page: PlanPage, qtbot: QtBot, tmp_path: Path) -> None:
    drag_wells(page, (0, 0), (1, 1))
    page.files.new_action.trigger()
    answer(page, "Save")
    dialog = page.findChild(QFileDialog, "savePlanDialog")
    assert dialog is not None
    dialog.reject()
    page.files._save(tmp_path / "later.yaml")
    qtbot.waitUntil(lambda: page.files.path is not None, timeout=20_000)
    assert page.draft.wells == "A1:B2"


def answer(page: PlanPage, text: str) -> None:
    box = next(box for box in page.findChildren(QMessageBox) if box.isVisible())
    QTest.mouseClick(next(b for b in box.findChildren(QPushButton) if b.text() == text), LEFT)


def test_a_useq_file_is_opened_and_what_cannot_be_shown_is_kept(page: PlanPage, qtbot: QtBot, tmp_path: Path) -> None:
    file = tmp_path / "bare.yaml"
    text = (
        "channels: [{config: DAPI, acquire_every: 2}]\n"
        "z_plan: {relative: [0, 1, 5]}\n"
        "time_plan: {interval: 5, loops: 3}\n"
        "stage_positions: [{x: 20000, y: 20000, z: 3000}]\n"
    )
    file.write_text(text)
    with qtbot.waitSignal(page.files.changed, timeout=20_000):
        page.open_file(file)
    assert page.places.tabs.currentIndex() == 1
    assert isinstance(page.draft.z, Kept)
    assert find(page, "zKind").currentText().startswith("as in the file")
    assert "acquire_every" in find(page, "planKept").text()
    assert find(page, "timeInterval").value() == 5
    write(page, "timeCount", "4")
    plan, _ = started(page, qtbot)
    assert tuple(plan.sequence.z_plan) == (0, 1, 5)
    assert plan.sequence.channels[0].acquire_every == 2
    assert plan.sequence.time_plan.loops == 4
    choose(page, "zKind", "one plane")
    assert page.draft.z is None
    assert find(page, "zKind").findText("as in the file", Qt.MatchFlag.MatchStartsWith) < 0


def test_a_file_that_is_no_plan_is_named(page: PlanPage, qtbot: QtBot, tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("wells: A1\nplate: 96 well plate\nsequence: {channnels: []}\n")
    page.open_file(file)
    qtbot.waitUntil(lambda: page.findChild(QMessageBox, "planFileTrouble") is not None, timeout=20_000)
    box = page.findChild(QMessageBox, "planFileTrouble")
    assert "wrong.yaml" in box.text()
    assert "channnels" in box.text()
    box.close()


def test_the_page_remembers(page: PlanPage, session: Session, qtbot: QtBot) -> None:
    drag_wells(page, (3, 3), (4, 4))
    write(page, "planName", "of yesterday")
    remembered = page.remember()
    page.restore({})
    again = PlanPage(session)
    qtbot.addWidget(again)
    again.restore(remembered)
    assert again.draft == page.draft
    assert again.remember() == remembered
    again.restore({"plan": {"sequence": {}, "of another version": 1}})
    assert again.draft == page.draft


def test_double_click_asks_to_go_there(page: PlanPage, qtbot: QtBot) -> None:
    at = page.wells.map.well_rect(1, 1).center().toPoint()
    with qtbot.waitSignal(page.go_to_requested) as asked:
        QTest.mouseDClick(page.wells.map, LEFT, pos=at)
    assert asked.args[2] is None


def test_actions_have_tooltips_and_no_shortcut_twice(page: PlanPage) -> None:
    actions = [action for action in page.menu_actions() if action is not None]
    keys = [action.shortcut().toString() for action in actions if not action.shortcut().isEmpty()]
    assert len(keys) == len(set(keys))
    assert {"Ctrl+N", "Ctrl+O", "Ctrl+S", "Ctrl+R", "Ctrl+Z", "Ctrl+Y"} <= set(keys)
    assert all(action.toolTip() for action in actions)


def test_nothing_is_cut_off_in_the_column(page: PlanPage) -> None:
    choose(page, "fieldsKind", "random")
    choose(page, "zKind", "stack between")
    tick(page, "timeOn")
    inside = page.column.widget()
    assert inside is not None
    viewport = page.column.viewport()
    assert viewport is not None
    assert inside.minimumSizeHint().width() <= viewport.width()


def test_a_check_that_takes_long_can_be_cancelled_and_is_made_again_after_a_change(
    page: PlanPage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(*_: object) -> Verdict:
        while True:
            tell_progress(0.5)
            time.sleep(0.001)

    page.work._delay.setInterval(1)
    with monkeypatch.context() as slow:
        slow.setattr(check, "verdict_of", endless)
        write(page, "wellsText", "B2")
        qtbot.waitUntil(lambda: page.work.isVisible() and "Checking the plan" in page.work.text)
        QTest.mouseClick(page.work.cancel_button, LEFT)
        qtbot.waitUntil(lambda: "the check was cancelled" in find(page, "planSays").text())
        assert not find(page, "startButton").isEnabled()
        page.checker._renew()
        assert not page._session.plan_check.is_under_way
    write(page, "wellsText", "B3")
    qtbot.waitUntil(lambda: bool(find(page, "startButton").isEnabled()), timeout=20_000)


def test_opening_a_plan_can_be_cancelled_and_leaves_the_page_as_it_was(
    page: PlanPage, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_bridge, "CANCEL_MS", 20)
    before = page.draft
    page.work._delay.setInterval(1)
    file = tmp_path / "hangs.yaml"
    os.mkfifo(file)  # a disk that does not answer: reading waits for a writer
    page.open_file(file)
    qtbot.waitUntil(lambda: page.work.isVisible() and "Opening hangs.yaml" in page.work.text)
    QTest.mouseClick(page.work.cancel_button, LEFT)
    qtbot.waitUntil(lambda: not page.work.isVisible())
    assert page.draft == before
    assert page.findChild(QMessageBox, "planFileTrouble") is None
    file.write_text("the reader goes home")
