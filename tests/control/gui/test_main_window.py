"""The window's frame: pages, docks, status, emergency stop, errors, files dropped on it, and leaving."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt5.QtCore import QMimeData, QPoint, Qt, QTimer, QUrl
from PyQt5.QtGui import QDropEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import (
    QAbstractSpinBox,
    QAction,
    QDialog,
    QLineEdit,
    QMenu,
    QMessageBox,
    QPlainTextEdit,
    QTreeWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot
from tests import rig
from tests.window import Window, window

from control.core.run import USER
from control.core.run_view import RunState
from control.gui.message_bar import MessageBar, Weight
from control.gui.navigation import PAGES
from control.gui.pages import Pages
from control.gui.settings import SettingsFile
from squid.drivers.simulated.illumination import SimulatedIllumination


@pytest.fixture
def opened(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    with window(qtbot, tmp_path, monkeypatch) as program:
        program.open()
        yield program


def make_pages(opened: Window) -> None:
    """Wait until every page is there: they come one after the other."""
    window = opened.window
    opened.wait(lambda: all(window.pages.is_made(name) for name in PAGES))
    opened.wait(lambda: window._stack.count() == 1 + len(PAGES))


def start_run(opened: Window, folder: Path, **changes: object) -> None:
    opened.session.queue.enqueue(rig.plan(folder, **changes), folder / "out", start=True)
    opened.wait(lambda: opened.session.queue.current is not None)


def long_plan(opened: Window, folder: Path) -> None:
    start_run(opened, folder, wells="A1:H12", fields={"rows": 4, "columns": 4})
    opened.wait(lambda: opened.session.status.snapshot().stored > 0)


def test_pages_are_reached_by_button_key_and_menu(opened: Window) -> None:
    for number, name in enumerate(PAGES, 1):
        opened.page(name)
        assert opened.window.page == name
        assert getattr(opened.window.pages, name).isVisible()
        opened.window.show_page("look")
        opened.bot.keyClick(opened.window, getattr(Qt.Key, f"Key_{number}"), Qt.KeyboardModifier.ControlModifier)
        assert opened.window.page == name
        assert opened.window.navigation.actions_of_pages[number - 1].isChecked()


def test_a_page_is_made_when_it_is_first_wanted_and_once(opened: Window) -> None:
    shell = opened.window
    pages, made = Pages(opened.session, shell), []
    pages.made.connect(made.append)
    assert not any(pages.is_made(name) for name in PAGES)
    assert pages.plan is pages.by_name("plan")
    assert pages.plan is pages.plan
    assert made == ["plan"]
    pages.plan.deleteLater()


def actions_in(menu: QMenu) -> list[QAction]:
    """Return what can be triggered in a menu and in the menus below it."""
    found: list[QAction] = []
    for action in menu.actions():
        below = action.menu()
        if below is not None:
            found += actions_in(below)
        elif not action.isSeparator():
            found.append(action)
    return found


def actions_of(opened: Window) -> list[QAction]:
    """Return every action of the window, but those that Qt's own widgets make for themselves, and titles of menus."""
    own = (QLineEdit, QAbstractSpinBox, QPlainTextEdit)
    actions = opened.window.findChildren(QAction)
    return [
        action
        for action in actions
        if not action.isSeparator()
        and action.menu() is None
        and not isinstance(action.parent(), own)
        and action not in opened.window.pages.plan.files.recent_menu.actions()
    ]


def test_every_action_has_a_menu_entry_a_key_and_a_tooltip_that_names_the_key(opened: Window) -> None:
    make_pages(opened)
    in_menus = {page: actions_in(menu) for page, menu in opened.window.menus.menus.items()}
    assert all(in_menus.values())
    missing = []
    for name in PAGES:
        opened.page(name)
        page = getattr(opened.window.pages, name)
        for action in actions_of(opened):
            in_menu = next((menu for menu, actions in in_menus.items() if action in actions), None)
            if in_menu in PAGES and in_menu != name:
                continue  # its key may be another page's now
            if in_menu is None and not page.isAncestorOf(action.parent()):
                continue  # its own page is asked for it
            text = action.text().replace("&", "")
            key = action.shortcut().toString()
            if not (in_menu and text and key and action.toolTip() and action.toolTip() != text):
                missing.append((name, in_menu, text, key, action.toolTip()))
    assert missing == []


def tab_order(page: QWidget) -> list[QWidget]:
    """Return what the Tab key goes through on a page, in this order."""
    order, widget = [], page.nextInFocusChain()
    while widget is not page and len(order) < 5000:
        if page.isAncestorOf(widget) and widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisibleTo(page):
            order.append(widget)
        widget = widget.nextInFocusChain()
    return order


def test_tab_goes_through_channels_where_they_stand(opened: Window) -> None:
    look = opened.page("look")
    opened.wait(lambda: len(look.live_panel.channels.buttons) == 5)
    order = tab_order(look)
    places = [order.index(button) for button in look.live_panel.channels.buttons.values() if button in order]
    assert places
    assert max(places) < order.index(opened.find("liveButton")) < order.index(look.live_panel.exposure)
    plan = opened.page("plan")
    column, order = plan.column, tab_order(plan)
    ticks = [order.index(row.tick) for row in column.channels.rows]
    assert order.index(column.plate.plate) < ticks[0] < order.index(column.channels.rows[0].exposure) < ticks[1]
    assert ticks == sorted(ticks)
    assert ticks[-1] < order.index(column.channels.edit_presets) < order.index(column.z.kind)


def test_keys_press_the_buttons_that_are_seen_and_no_others(opened: Window) -> None:
    ctrl = Qt.KeyboardModifier.ControlModifier
    look = opened.page("look")
    opened.press("snapButton")
    opened.wait(lambda: bool(look.view.layers))
    opened.page("plan")
    opened.bot.keyClick(opened.window, Qt.Key.Key_B, ctrl)
    opened.bot.keyClick(opened.window, Qt.Key.Key_C, ctrl | Qt.KeyboardModifier.ShiftModifier)
    assert opened.session.live.camera_view.binning == 1
    assert opened.window.pages.contrast.remember() == {}
    opened.page("look")
    opened.bot.keyClick(opened.window, Qt.Key.Key_B, ctrl)
    assert opened.session.live.camera_view.binning == 2
    assert look.camera_panel.content.isVisible(), "what was changed is shown"
    opened.bot.keyClick(opened.window, Qt.Key.Key_C, ctrl | Qt.KeyboardModifier.ShiftModifier)
    assert list(opened.window.pages.contrast.remember()) == [look.image.frame.channel]
    assert look.image.control.log.actions() == [], "a tool button would draw the arrow of a menu"
    opened.window.say("a message")
    opened.bot.keyClick(opened.window, Qt.Key.Key_K, ctrl | Qt.KeyboardModifier.AltModifier)
    assert opened.message() == ""


def can_fire(action: QAction) -> bool:
    return any(widget.isVisible() for widget in action.associatedWidgets())


@pytest.mark.parametrize("page", PAGES)
def test_no_key_is_used_twice(opened: Window, page: str) -> None:
    make_pages(opened)
    opened.page(page)
    in_menus = {action for menu in opened.window.menus.menus.values() for action in actions_in(menu)}
    live = [action for action in opened.window.findChildren(QAction) if action in in_menus or can_fire(action)]
    keys = [key.toString() for action in live for key in action.shortcuts()]
    assert {"F12", "Ctrl+Q", "Ctrl+1"} <= set(keys)
    assert ("Ctrl+R" in keys) is (page in ("plan", "run"))
    assert sorted(key for key in set(keys) if keys.count(key) > 1) == []


def test_keys_of_the_live_view_do_nothing_on_other_pages(opened: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    look = opened.page("look")
    opened.wait(lambda: len(look.live_panel.channels.buttons) == 5)
    saved: list[object] = []
    monkeypatch.setattr(opened.session.presets, "save", lambda *preset: saved.append(preset))
    alt, ctrl = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier

    def press_all() -> None:
        for key, modifier in ((Qt.Key.Key_F2, None), (Qt.Key.Key_F3, None), (Qt.Key.Key_2, alt), (Qt.Key.Key_P, ctrl)):
            opened.bot.keyClick(opened.window, key, modifier or Qt.KeyboardModifier.NoModifier)

    channel = opened.session.live.settings.channel
    for page in ("plan", "run", "review"):
        opened.page(page)
        look.live_panel.set_snapping(False)  # as a snap does that ends meanwhile
        press_all()
    live = opened.session.live
    assert (saved, live.is_running, live.newest(), live.settings.channel) == ([], False, None, channel)
    opened.page("look")
    press_all()
    assert saved
    assert live.settings.channel != channel
    opened.wait(lambda: live.newest() is not None)


def test_the_status_line_tells_position_objective_and_that_it_is_dark(opened: Window) -> None:
    opened.wait(lambda: opened.window.strip.position.text() != "")
    assert "µm" in opened.window.strip.position.text()
    assert opened.window.strip.objective.text() == "20x"
    assert opened.window.strip.light.text() == "dark"
    assert opened.window.strip.state.text() == "idle"
    assert opened.window.strip.machine.text() == "Simulated Squid"


def test_live_view_that_nobody_looks_at_says_that_it_waits_in_the_dark(opened: Window) -> None:
    opened.page("look")
    opened.press("liveButton")
    state, light = opened.window.strip.state, opened.window.strip.light
    opened.wait(lambda: "frames/s" in state.text())
    opened.wait(lambda: light.text().startswith("light: "))  # also between two flashes
    opened.page("plan")
    opened.wait(lambda: state.text() == "live view waits in the dark until you look")
    opened.wait(lambda: light.text() == "dark")


def test_review_lists_the_runs_of_the_plans_output_folder(opened: Window, tmp_path: Path) -> None:
    opened.page("plan").storage.set_folder(tmp_path / "out")
    start_run(opened, tmp_path, wells="A1")
    opened.wait(lambda: opened.session.status.snapshot().state is RunState.FINISHED)
    opened.wait(lambda: opened.session.queue.current is None)
    runs = opened.page("review").runs.list
    opened.wait(lambda: runs.count() == 1)


def test_a_region_drawn_on_the_live_image_is_one_of_the_plan(opened: Window) -> None:
    look = opened.page("look")
    opened.press("snapButton")
    opened.wait(lambda: bool(look.view.layers))
    look.tools.region_action.trigger()
    height, width = look.view.layers[0].pixels.shape
    for column, row in ((0.2, 0.2), (0.8, 0.2), (0.5, 0.8)):
        opened.bot.mouseClick(
            look.view, Qt.MouseButton.LeftButton, pos=look.view.to_widget(column * width, row * height).toPoint()
        )
    opened.bot.keyClick(look.view, Qt.Key.Key_Return)
    assert opened.window.page == "plan"
    draft = opened.window.pages.plan.draft
    assert draft.use == "regions"
    assert [len(region.points_um) for region in draft.regions] == [3]


def test_the_devices_are_listed_with_their_state(opened: Window) -> None:
    opened.bot.keyClick(
        opened.window, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    )
    tree: QTreeWidget = opened.find("devicesTree", QTreeWidget)
    assert tree.isVisible()
    opened.wait(lambda: tree.topLevelItemCount() == len(opened.session.microscope.devices))
    camera = tree.findItems("camera", Qt.MatchFlag.MatchExactly)[0]
    assert camera.text(1) == "simulated.camera"
    assert camera.childCount() > 1


def test_the_log_is_shown_by_its_key(opened: Window) -> None:
    opened.bot.keyClick(
        opened.window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    )
    assert opened.find("logPanel").isVisible()


def test_f12_in_live_puts_out_the_light_and_says_what_was_confirmed(opened: Window) -> None:
    opened.session.live.start()
    ticks = QTimer()
    ticks.timeout.connect(opened.session.live.tick)
    ticks.start(30)
    opened.wait(lambda: opened.session.live.newest() is not None)
    opened.bot.keyClick(opened.window, Qt.Key.Key_F12)
    opened.wait(lambda: "confirmed" in opened.message())
    assert "Light off, confirmed; stage stopped, confirmed" in opened.message()
    assert not opened.session.live.is_running
    assert opened.session.microscope.illumination.lit == ()


def test_the_red_button_ends_a_run_and_holds_the_queue(opened: Window, tmp_path: Path) -> None:
    long_plan(opened, tmp_path)
    opened.press("emergencyButton")
    opened.wait(lambda: opened.session.queue.current is None)
    assert opened.session.status.snapshot().state is RunState.FINISHED
    assert "EMERGENCY STOP" in opened.message()
    assert not opened.session.queue.view().is_open
    opened.press("dismissButton")
    assert opened.message() == ""


def test_f12_reaches_the_microscope_while_a_dialog_is_open(opened: Window) -> None:
    dialog = QDialog(opened.window)
    dialog.setModal(True)
    dialog.show()
    opened.wait(lambda: dialog.windowHandle() is not None)
    opened.program._key._watch(dialog.windowHandle())  # offscreen gives no window the focus
    QTest.keyClick(dialog.windowHandle(), Qt.Key.Key_F12)
    opened.wait(lambda: "EMERGENCY STOP" in opened.message())
    dialog.close()


def test_an_unconfirmed_light_is_said_in_capitals(opened: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    hang = threading.Event()
    monkeypatch.setattr(SimulatedIllumination, "all_off", lambda _: hang.wait(60))
    monkeypatch.setattr("control.core.emergency.ANSWER_S", 0.3)
    opened.press("emergencyButton")
    opened.wait(lambda: "NOT CONFIRMED" in opened.message())
    assert "LIGHT NOT CONFIRMED OFF" in opened.message()
    assert "stage stopped, confirmed" in opened.message()
    hang.set()


def test_row_34_an_exception_in_a_slot_is_shown_and_the_run_goes_on(opened: Window, tmp_path: Path) -> None:
    long_plan(opened, tmp_path)

    def fail() -> None:
        raise RuntimeError("a mistake in the window")

    before = opened.session.status.snapshot().stored
    with opened.bot.captureExceptions():  # pytest-qt would count it as a failure of the test
        hook = opened.program._hook.install()
        QTimer.singleShot(0, fail)
        opened.wait(lambda: "a mistake in the window" in opened.message())
        hook.remove()
    opened.wait(lambda: opened.session.status.snapshot().stored > before)
    assert any("a mistake in the window" in line.text for line in opened.program.log.since(0))


def test_row_33_a_page_that_is_gone_hears_nothing_and_breaks_nothing(opened: Window) -> None:
    bar = MessageBar()
    released = threading.Event()
    opened.session.manager.submit(
        "late", lambda: released.wait(10), on_complete=lambda _: heard.append(True) or bar.say("late")
    )
    heard: list[bool] = []
    bar.deleteLater()
    opened.bot.wait(1)
    released.set()
    opened.wait(lambda: bool(heard))
    assert opened.window.isVisible()


def test_leaving_without_a_run_does_not_ask(opened: Window) -> None:
    opened.bot.keyClick(opened.window, Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier)
    assert opened.left.exit_code == 0


def test_leaving_during_a_run_asks_and_staying_changes_nothing(opened: Window, tmp_path: Path) -> None:
    long_plan(opened, tmp_path)
    opened.window.close()
    opened.window.close()  # asks once
    opened.answer("Stay")
    assert opened.left.exit_code is None
    assert opened.session.queue.current is not None


def test_leaving_during_a_run_can_pause_it(opened: Window, tmp_path: Path) -> None:
    long_plan(opened, tmp_path)
    opened.window.close()
    opened.answer("Pause the run and stay")
    opened.wait(lambda: opened.session.status.snapshot().state is RunState.PAUSED)
    assert opened.left.exit_code is None


def test_leaving_during_a_run_can_end_it_and_the_next_start_offers_the_rest(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with window(qtbot, tmp_path, monkeypatch) as first:
        first.open()
        long_plan(first, tmp_path)
        first.window.close()
        first.answer("End the run and quit")
        assert first.left.exit_code == 0
        assert first.session.queue.current is None
        assert "window was closed" in first.session.status.snapshot().reason
        stored = first.session.status.snapshot().stored
    with window(qtbot, tmp_path, monkeypatch) as second:
        second.open()
        text = second.question().text()
        assert f"test plate\n{stored} of 9216 frames are stored in {tmp_path / 'out'}" in text
        assert "Why: the window was closed." in text
        second.answer("Not now")
        page = second.page("run")
        second.wait(lambda: page.queue_panel.table.rowCount() == 1)
        assert page.progress.state.text() == "Nothing runs. A run ended early."
        assert "test plate ended early" in page.queue_panel.note.text()
        assert page.queue_panel.reason.text() == "ended by you (the window was closed)"
        second.press("queueResumeButton")  # the run is chosen already
        second.wait(lambda: second.session.status.snapshot().stored > stored)
        second.session.queue.stop_now(f"{USER} (the window was closed)")
    with window(qtbot, tmp_path, monkeypatch) as third:
        third.open()
        third.answer("Do not ask again")
        third.wait(lambda: not third.session.queue.view().offered)
    with window(qtbot, tmp_path, monkeypatch) as fourth:
        fourth.open()
        assert not [box for box in fourth.window.findChildren(QMessageBox) if box.isVisible()]


def test_window_and_pages_are_as_they_were_left(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with window(qtbot, tmp_path, monkeypatch) as first:
        first.open()
        first.window.resize(1111, 701)
        first.page("review")
        first.window._log_dock.show()
        first.window.pages.run.picker.want("FITC")
        first.window.pages.look.contrast.choose("DAPI", 3, 900)
        first.program.quit()
    with window(qtbot, tmp_path, monkeypatch) as second:
        second.open()
        assert (second.window.width(), second.window.height()) == (1111, 701)
        assert second.window.page == "review"
        assert second.window._log_dock.isVisible()
        assert second.window.pages.run.picker.wanted == "FITC"
        assert second.window.pages.look.contrast.remember() == {"DAPI": [3, 900]}


def test_what_is_on_the_screen_outlives_a_program_that_is_killed(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("control.gui.remembering.PERIOD_MS", 20)
    with window(qtbot, tmp_path, monkeypatch) as first:
        first.open()
        wells = first.page("plan").findChild(QLineEdit, "wellsText")
        assert wells is not None
        wells.setFocus()
        qtbot.keyClicks(wells, "B2:C6")
        qtbot.keyClick(wells, Qt.Key.Key_Return)
        qtbot.keyClick(
            first.window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
        )
        first.window.pages.contrast.choose("DAPI", 3, 900)
        file = first.program._settings.path
        first.wait(lambda: file.exists() and "B2:C6" in file.read_text() and "DAPI" in file.read_text())
        first.wait(lambda: SettingsFile(file).values.layout == first.program._settings.values.layout)
        assert first.left.exit_code is None, "nobody has quit"
    with window(qtbot, tmp_path, monkeypatch) as second:
        second.open()
        assert second.page("plan").draft.wells == "B2:C6"
        assert second.window._log_dock.isVisible()
        assert second.window.pages.contrast.remember() == {"DAPI": [3, 900]}


def test_dropped_files_go_to_the_page_that_opens_them(opened: Window, tmp_path: Path) -> None:
    opens: list[tuple[str, Path]] = []
    pages = opened.window.pages
    assert pages is not None
    pages.plan.open_file = lambda path: opens.append(("plan", path))  # type: ignore[method-assign]
    pages.review.open_folder = lambda path: opens.append(("review", path))  # type: ignore[method-assign]
    rig.plan(tmp_path)
    for path in (tmp_path / "plan.yaml", tmp_path):
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path))])
        opened.window.dropEvent(
            QDropEvent(
                QPoint(5, 5),
                Qt.DropAction.CopyAction,
                data,
                Qt.MouseButton.LeftButton,
                Qt.KeyboardModifier.NoModifier,
            )
        )
    assert opens == [("plan", tmp_path / "plan.yaml"), ("review", tmp_path)]
    assert opened.window.page == "review"


def test_a_note_does_not_cover_a_fault(qtbot: QtBot) -> None:
    bar = MessageBar()
    qtbot.addWidget(bar)
    bar.say("the light did not go off", Weight.FAULT)
    bar.say("by the way", Weight.NOTE)
    assert bar.text.text() == "the light did not go off"
    bar.dismiss()
    bar.say("by the way")
    assert bar.text.text() == "by the way"
