"""The page on a simulated microscope: what a person presses, and what the devices then do."""

import numpy as np
import pytest
import tifffile
import yaml
from PyQt5.QtCore import QPoint, QPointF, Qt
from PyQt5.QtGui import QWheelEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QPushButton
from tests.rig import machine

from control.core.contrast import Contrast
from control.core.session import Session
from control.gui.focus_wheel_dialog import FocusSteps
from control.gui.look_page import LookPage
from squid.utils.worker_manager import WorkerManager

WAIT_MS = 15000


@pytest.fixture
def session(qtbot, tmp_path):
    manager = WorkerManager(6, dump_file=tmp_path / "stacks.log")
    session = Session(machine(tmp_path), None, manager, tmp_path)
    session.open()
    session.manual.home().wait(10)
    yield session
    session.live.stop()
    session.live.wait_stopped(5.0)
    session.close()
    manager.shutdown(timeout=2.0)


@pytest.fixture
def page(qtbot, session):
    page = LookPage(session, Contrast())
    qtbot.addWidget(page)
    page.resize(1366, 660)
    page.show()
    qtbot.waitUntil(lambda: len(page.live_panel.channels.buttons) == 5, timeout=WAIT_MS)
    return page


def press(page, name):
    button = page.findChild(QPushButton, name)
    assert button is not None, name
    assert button.isEnabled(), name
    QTest.mouseClick(button, Qt.LeftButton)


def pixels(page):
    return page.view.layers[0].pixels


def start_live(page, qtbot):
    press(page, "liveButton")
    qtbot.waitUntil(lambda: bool(page.view.layers), timeout=WAIT_MS)


def test_live_shows_frames_and_stops_dark(page, session, qtbot):
    start_live(page, qtbot)
    first = session.live.newest().number
    qtbot.waitUntil(lambda: session.live.newest().number > first + 3, timeout=WAIT_MS)
    assert pixels(page).shape == (64, 80)
    qtbot.waitUntil(lambda: "frames per second" in page.live_panel.rate.text(), timeout=WAIT_MS)
    assert page.live_panel.live_action.text() == "Stop &live"
    QTest.keyClick(page, Qt.Key_F2)
    assert not session.live.is_running
    assert session.live.wait_stopped(5.0)
    assert page.live_panel.live_action.text() == "Start &live"
    qtbot.waitUntil(lambda: page.live_panel.rate.text().startswith("Live is off; image of "), timeout=WAIT_MS)


def test_a_hidden_page_stops_looking_and_a_shown_one_goes_on(page, session, qtbot):
    start_live(page, qtbot)
    page.hide()
    ticked_s = session.live._ticked_s
    QApplication.processEvents()
    assert session.live._ticked_s == ticked_s
    assert not page._show_timer.isActive()
    page.show()
    qtbot.waitUntil(lambda: session.live._ticked_s > ticked_s, timeout=WAIT_MS)


def test_a_channel_brings_its_preset_and_its_colour(page, session, qtbot):
    press(page, "channel_FITC")
    assert session.live.settings.channel == "FITC"
    assert page.live_panel.exposure.value() == 60.0
    assert page.live_panel.intensity.value() == 50.0
    number = list(page.live_panel.channels.buttons).index("DAPI") + 1
    QTest.keyClick(page, str(number), Qt.AltModifier)
    assert session.live.settings.channel == "DAPI"
    assert page.live_panel.channels.buttons["DAPI"].isChecked()
    start_live(page, qtbot)
    QTest.keyClick(page, Qt.Key_K, Qt.ControlModifier)
    assert page.view.layers[0].colour == "#3F7FFF"
    QTest.keyClick(page, Qt.Key_K, Qt.ControlModifier)
    assert page.view.layers[0].colour == "#FFFFFF"


def test_settings_are_taken_from_the_next_frame_on(page, session, qtbot):
    start_live(page, qtbot)
    page.live_panel.exposure.setValue(3.0)
    page.live_panel.intensity.setValue(12.0)
    qtbot.waitUntil(lambda: page.image.frame.exposure_ms == 3.0, timeout=WAIT_MS)
    assert page.image.frame.intensity == pytest.approx(0.12)


def test_what_is_refused_is_said(page, session):
    with pytest.raises(Exception, match="exposure"):
        session.live.set(exposure_ms=1e9)
    page.live_panel._apply_exposure(1e9)
    assert "exposure_ms" in page.live_panel.refusal.text()
    page.live_panel.refresh()
    assert page.live_panel.exposure.value() == session.live.settings.exposure_ms


def test_a_preset_is_kept_for_the_objective(page, session):
    press(page, "channel_DAPI")
    page.live_panel.exposure.setValue(77.0)
    press(page, "savePresetButton")
    assert session.presets.get("20x", "DAPI").exposure_ms == 77.0
    assert session.microscope.config.channels_of("20x")["DAPI"].exposure_ms == 77.0
    assert session.presets.get("10x", "DAPI").exposure_ms != 77.0
    press(page, "channel_FITC")
    press(page, "channel_DAPI")
    assert page.live_panel.exposure.value() == 77.0


def test_another_objective_brings_its_presets(page, session, qtbot):
    press(page, "channel_DAPI")
    session.manual.set_objective("4x").wait(10)
    qtbot.waitUntil(lambda: page.live_panel.exposure.value() == 50.0, timeout=WAIT_MS)
    assert session.live.settings.intensity == pytest.approx(0.8)


def test_a_snap_is_shown_without_live(page, session, qtbot):
    QTest.keyClick(page, Qt.Key_F3)
    qtbot.waitUntil(lambda: bool(page.view.layers) and page.live_panel.snap_action.isEnabled(), timeout=WAIT_MS)
    assert not session.live.is_running


def test_a_snap_is_stored_under_its_well(page, session, qtbot, tmp_path):
    page.snaps.folder = tmp_path / "snaps"
    plate = session.presets.plates()["96 well plate"]
    page.set_plate(plate)
    x_um, y_um = plate.well_centre_um(1, 2)
    session.manual.move_to(x_um, y_um).wait(10)
    press(page, "snapFileButton")
    qtbot.waitUntil(lambda: "Stored" in page.tools.message.text(), timeout=WAIT_MS)
    (file,) = (tmp_path / "snaps").iterdir()
    assert file.name.startswith("B3_Brightfield_")
    qtbot.waitUntil(lambda: bool(page.view.layers), timeout=WAIT_MS)
    assert (tifffile.imread(file) == pixels(page)).all()


def test_a_long_exposure_can_be_cancelled_is_dark_at_once_and_leaves_no_file(page, session, qtbot, tmp_path):
    page.snaps.folder = tmp_path / "snaps"
    page.work._delay.setInterval(1)
    _, longest_ms = session.live.camera_choices.exposure_range_ms
    press(page, "channel_DAPI")
    session.live.set(exposure_ms=longest_ms)
    press(page, "snapFileButton")
    qtbot.waitUntil(lambda: page.work.isVisible() and bool(session.microscope.illumination.lit), timeout=WAIT_MS)
    QTest.mouseClick(page.work.cancel_button, Qt.LeftButton)
    qtbot.waitUntil(lambda: page.tools.message.text() == "The snap was cancelled", timeout=WAIT_MS)
    assert session.microscope.illumination.lit == ()
    assert page.live_panel.snap_action.isEnabled()
    assert list((tmp_path / "snaps").glob("*")) == []
    press(page, "channel_Brightfield")
    press(page, "snapButton")
    qtbot.waitUntil(lambda: bool(page.view.layers), timeout=WAIT_MS)


def test_a_folder_that_cannot_be_written_is_said(page, qtbot, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    page.snaps.folder = blocked
    press(page, "snapFileButton")
    qtbot.waitUntil(lambda: str(blocked) in page.tools.message.text(), timeout=WAIT_MS)
    assert page.live_panel.file_action.isEnabled()


def test_double_click_brings_a_pixel_into_the_middle(page, session, qtbot):
    session.manual.move_to(20000.0, 20000.0, 3000.0).wait(10)
    start_live(page, qtbot)
    frame = page.image.frame
    point = page.view.to_widget(60.5, 20.5).toPoint()
    QTest.mouseDClick(page.view, Qt.LeftButton, Qt.NoModifier, point)
    wanted_um = frame.position.x_um + (60.5 - 40) * frame.pixel_size_um
    qtbot.waitUntil(lambda: abs(session.microscope.stage.position().x_um - wanted_um) < 1.0, timeout=WAIT_MS)


def test_the_wheel_moves_the_focus(page, session, qtbot):
    session.manual.move_to(20000.0, 20000.0, 3000.0).wait(10)
    before_um = session.microscope.stage.position().z_um
    middle = QPointF(page.view.rect().center())
    event = QWheelEvent(middle, middle, QPoint(), QPoint(0, 120), Qt.NoButton, Qt.NoModifier, Qt.NoScrollPhase, False)
    QApplication.sendEvent(page.view, event)
    qtbot.waitUntil(lambda: abs(session.microscope.stage.position().z_um - before_um - 5.0) < 0.5, timeout=WAIT_MS)


def test_camera_parts(page, session, qtbot):
    page.camera_panel.fold.click()
    start_live(page, qtbot)
    press(page, "roiHalf")
    qtbot.waitUntil(lambda: pixels(page).shape == (32, 40), timeout=WAIT_MS)
    press(page, "roiFull")
    qtbot.waitUntil(lambda: pixels(page).shape == (64, 80), timeout=WAIT_MS)
    press(page, "binning2")
    qtbot.waitUntil(lambda: pixels(page).shape == (32, 40), timeout=WAIT_MS)
    assert "binning 2" in page.camera_panel.facts.text()
    press(page, "format_mono8")
    qtbot.waitUntil(lambda: pixels(page).dtype == np.uint8, timeout=WAIT_MS)
    assert pixels(page).shape == (32, 40)  # and nothing else has changed
    assert "8 bit" in page.camera_panel.facts.text()
    page.camera_panel.edits["x"].setValue(30)
    page.camera_panel.edits["w"].setValue(24)
    press(page, "roiApply")
    assert "inside 40 x 32 px" in page.camera_panel.refusal.text()


def test_a_region_is_drawn_on_the_image_corner_by_corner(page, session, qtbot):
    start_live(page, qtbot)
    drawn = []
    page.view.polygon_drawn.connect(drawn.append)
    qtbot.keyClick(page, Qt.Key_D, Qt.ControlModifier)
    assert page.tools.region_action.isChecked()
    assert "corners" in page.tools.message.text()
    for column, row in ((10, 10), (60, 10), (60, 50)):
        QTest.mouseClick(page.view, Qt.LeftButton, Qt.NoModifier, page.view.to_widget(column, row).toPoint())
    qtbot.keyClick(page.view, Qt.Key_Return)
    assert [len(corners) for corners in drawn] == [3]
    frame = page.image.frame
    assert drawn[0][1][0] - drawn[0][0][0] == pytest.approx(50 * frame.pixel_size_um, rel=0.1)
    assert not page.tools.region_action.isChecked()
    assert page.tools.message.text() == ""


def test_one_drawing_tool_at_a_time(page, session, qtbot):
    start_live(page, qtbot)
    page.tools.line_action.trigger()
    assert page.image.profile.isVisible()
    page.tools.region_action.trigger()
    assert not page.tools.line_action.isChecked()
    assert not page.image.profile.isVisible()
    qtbot.keyClick(page.view, Qt.Key_Escape)
    assert not page.tools.region_action.isChecked()


def test_no_light_from_here_while_a_run_has_the_microscope(page, session, qtbot):
    with session.microscope.reserve("the run of plate 7"):
        qtbot.waitUntil(lambda: "plate 7 has the microscope" in page.live_panel.rate.text(), timeout=WAIT_MS)
        panel = page.live_panel
        assert not any(action.isEnabled() for action in (panel.live_action, panel.snap_action, panel.file_action))
    qtbot.waitUntil(page.live_panel.live_action.isEnabled, timeout=WAIT_MS)
    assert page.live_panel.snap_action.isEnabled()


def test_a_part_is_drawn_on_the_image(page, session, qtbot):
    page.camera_panel.fold.click()
    start_live(page, qtbot)
    press(page, "roiDraw")
    page.view.rectangle_drawn.emit([(40.0, 32.0), (63.0, 60.0)])
    qtbot.waitUntil(lambda: pixels(page).shape == (32, 24), timeout=WAIT_MS)


def test_the_line_profile_opens_with_its_tool_and_closes_with_escape(page, qtbot):
    start_live(page, qtbot)
    QTest.keyClick(page, Qt.Key_L, Qt.ControlModifier)
    assert page.image.profile.isVisible()
    page.view.line_drawn.emit([(5.0, 5.0), (70.0, 50.0)])
    assert len(page.image.profile.values) == round(np.hypot(65, 45)) + 1
    QTest.keyClick(page.view, Qt.Key_Escape)
    assert not page.image.profile.isVisible()
    assert not page.tools.line_action.isChecked()


def test_live_that_ended_by_itself_says_why(page, session):
    session.live._failed("camera: trigger did not return within 1.00 s; light off; the stacks are in stacks.log")
    page.show_status()
    assert page.live_panel.banner.isVisible()
    assert "stacks.log" in page.live_panel.banner.text()


def test_a_run_keeps_live_away(page, session):
    with session.microscope.reserve("run X"):
        press(page, "liveButton")
        assert "run X" in page.live_panel.refusal.text()
    assert not session.live.is_running


def test_what_is_remembered_comes_back(page, session, qtbot, tmp_path):
    page.snaps.folder = tmp_path
    page.tools.colour_action.trigger()
    page.focus_steps = FocusSteps(2.0, 0.5, 20.0)
    remembered = yaml.safe_load(yaml.safe_dump(page.remember()))
    again = LookPage(session, Contrast())
    qtbot.addWidget(again)
    again.restore(remembered)
    assert again.remember() == page.remember()
    again.restore({"focus_um": "x"})


def test_every_action_has_name_tip_and_a_key_of_its_own(page):
    actions = [action for action in page.menu_actions() if action is not None]
    assert len(actions) > 15
    assert all(action.text() and action.toolTip() for action in actions)
    keys = [action.shortcut().toString() for action in actions if not action.shortcut().isEmpty()]
    assert len(keys) == len(set(keys))


def test_a_callback_after_the_page_is_gone_breaks_nothing(session, qtbot):
    page = LookPage(session, Contrast())
    page.show()
    page.snaps.snap()
    page.deleteLater()
    qtbot.waitUntil(lambda: not any(row["name"] == "snap" for row in session.manager.task_table()), timeout=WAIT_MS)
    QApplication.processEvents()
