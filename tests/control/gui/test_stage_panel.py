"""The stage panel, used as a person uses it: keys, fields, buttons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import (
    QAction,
    QComboBox,
    QLabel,
    QMainWindow,
    QMessageBox,
    QPushButton,
    QTabWidget,
    QTextBrowser,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot
from tests import rig
from tests.hands import HandBench, hand_bench

from control.core.manual import Manual
from control.gui.lengths import LengthBox, length_text, parse_length_um
from control.gui.parts import NumberEdit
from control.gui.stage_panel import StagePanel


@pytest.fixture
def bench(qtbot: QtBot, tmp_path: Path) -> Iterator[HandBench]:
    with hand_bench(rig.machine(tmp_path), tmp_path) as made:
        made.monitor.start()
        yield made


@pytest.fixture
def panel(qtbot: QtBot, bench: HandBench) -> StagePanel:
    made = StagePanel(bench.manual, bench.monitor)
    qtbot.addWidget(made)
    made.show()
    made.activateWindow()
    qtbot.waitUntil(lambda: text_of(made, "xPosition") != "–", timeout=20_000)
    return made


def child(panel: QWidget, kind: type, name: str) -> object:
    found = panel.findChild(kind, name)
    assert found is not None, name
    return found


def text_of(panel: QWidget, name: str) -> str:
    label = child(panel, QLabel, name)
    assert isinstance(label, QLabel)
    return label.text()


def press(qtbot: QtBot, panel: QWidget, name: str, kind: type = QPushButton) -> None:
    qtbot.mouseClick(child(panel, kind, name), Qt.MouseButton.LeftButton)


def near(bench: HandBench, **axes: float) -> bool:
    here = bench.microscope.stage.position()
    return all(abs(getattr(here, name) - value) < 0.6 for name, value in axes.items())


def go_to(qtbot: QtBot, panel: QWidget, name: str, text: str, end: Qt.Key | None = Qt.Key.Key_Return) -> None:
    field = child(panel, NumberEdit, name)
    assert isinstance(field, NumberEdit)
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, text)
    if end is not None:
        qtbot.keyClick(field, end)


# --- what it shows ----------------------------------------------------------------------------------------------------


def test_the_position_has_units_and_follows_the_stage(qtbot: QtBot, bench: HandBench, panel: StagePanel) -> None:
    bench.manual.move_to(12_345.6, -6_000, 1234.5)
    qtbot.waitUntil(lambda: text_of(panel, "xPosition").startswith("12.34"), timeout=20_000)
    qtbot.waitUntil(lambda: text_of(panel, "zPosition").startswith("1234."), timeout=20_000)
    assert text_of(panel, "xPosition") == f"{bench.microscope.stage.position().x_um / 1000:.3f} mm"
    assert text_of(panel, "yPosition") == "-6.000 mm"
    assert text_of(panel, "zPosition").endswith(" µm")
    assert len(text_of(panel, "zPosition").split(".")[1]) == len("00 µm")


def test_a_run_disables_it_and_says_why(qtbot: QtBot, bench: HandBench, panel: StagePanel) -> None:
    reason = child(panel, QLabel, "stageReason")
    assert isinstance(reason, QLabel)
    assert not reason.isVisible()
    with bench.microscope.reserve("The run of plate 7"):
        qtbot.waitUntil(reason.isVisible, timeout=20_000)
        assert reason.text().startswith("The run of plate 7 has the microscope")
        for kind, name in ((QToolButton, "upButton"), (QPushButton, "homeButton"), (QPushButton, "goButton")):
            assert not child(panel, kind, name).isEnabled()  # type: ignore[attr-defined]
        here = bench.microscope.stage.position()
        qtbot.keyClick(panel, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
        assert bench.manual.activity is None
        assert bench.microscope.stage.position() == here
    qtbot.waitUntil(lambda: not reason.isVisible(), timeout=20_000)
    assert child(panel, QToolButton, "upButton").isEnabled()  # type: ignore[attr-defined]


def test_steps_that_come_faster_than_the_stage_are_not_left_out_silently(
    qtbot: QtBot, panel: StagePanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Manual, "steps_left_out", property(lambda _: 3))
    panel.refresh()
    reason = child(panel, QLabel, "stageReason")
    assert isinstance(reason, QLabel)
    assert reason.isVisible()
    assert "some were left out" in reason.text()


def test_an_old_position_says_so(
    qtbot: QtBot, bench: HandBench, panel: StagePanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = bench.monitor.newest
    assert state is not None
    bench.monitor.stop()
    assert bench.manager.wait_for_done(10_000)
    monkeypatch.setattr(bench.monitor, "_newest", replace(state, monotonic_s=state.monotonic_s - 60))
    panel.refresh()
    reason = child(panel, QLabel, "stageReason")
    assert isinstance(reason, QLabel)
    assert "The position was read 6" in reason.text()


def test_a_hidden_panel_asks_nothing(qtbot: QtBot, panel: StagePanel) -> None:
    assert panel._timer.isActive()
    panel.hide()
    assert not panel._timer.isActive()
    panel.show()
    assert panel._timer.isActive()


def test_keys_on_another_page_scroll_there_and_move_nothing(
    qtbot: QtBot, bench: HandBench, panel: StagePanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page down in a list once drove the focus, Ctrl+End in a report took the plate to the loading position."""
    moved: list[str] = []
    for name in ("move_by", "home", "go_to_loading_position"):
        monkeypatch.setattr(bench.manual, name, lambda *_, name=name, **__: moved.append(name))
    monkeypatch.setattr(QMessageBox, "question", lambda *_: moved.append("asked"))
    window, report = QMainWindow(), QTextBrowser()
    qtbot.addWidget(window)
    pages = QTabWidget()
    pages.addTab(panel, "look")
    pages.addTab(report, "review")
    window.setCentralWidget(pages)
    menu = window.menuBar().addMenu("Look")
    for action in panel.menu_actions():
        menu.addAction(action) if action is not None else menu.addSeparator()
    report.setPlainText("line\n" * 1000)
    with qtbot.waitActive(window, timeout=20_000):
        window.show()
        window.activateWindow()
    panel.refresh()
    qtbot.keyClick(panel, Qt.Key.Key_PageDown)
    assert moved == ["move_by"]
    pages.setCurrentWidget(report)
    for key, modifier in (
        (Qt.Key.Key_PageDown, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier),
        (Qt.Key.Key_Home, Qt.KeyboardModifier.ControlModifier),
        (Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier),
    ):
        qtbot.keyClick(report, key, modifier)
    panel.refresh()  # as the page's timer may once more
    qtbot.keyClick(report, Qt.Key.Key_PageDown)
    assert moved == ["move_by"]
    assert report.verticalScrollBar().value() > 0
    panel.setParent(None)  # belongs to its fixture


def test_it_fits_a_narrow_column(panel: StagePanel) -> None:
    assert panel.minimumSizeHint().width() <= 380


# --- steps ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "moves"),
    [
        ("upButton", {"y_um": -100}),
        ("downButton", {"y_um": 100}),
        ("leftButton", {"x_um": -100}),
        ("rightButton", {"x_um": 100}),
        ("zUpButton", {"z_um": 5}),
        ("zDownButton", {"z_um": -5}),
    ],
)
def test_a_button_moves_one_step(
    qtbot: QtBot, bench: HandBench, panel: StagePanel, name: str, moves: dict[str, float]
) -> None:
    start = bench.microscope.stage.position()._asdict()
    press(qtbot, panel, name, QToolButton)
    wanted = start | {axis: start[axis] + by for axis, by in moves.items()}
    qtbot.waitUntil(lambda: near(bench, **wanted), timeout=20_000)


@pytest.mark.parametrize(
    ("key", "moves"),
    [
        ("Alt+Right", {"x_um": 100}),
        ("Shift+Alt+Up", {"y_um": -1000}),
        ("Ctrl+Alt+Left", {"x_um": -10}),
        ("PgUp", {"z_um": 5}),
        ("Shift+PgDown", {"z_um": -50}),
    ],
)
def test_keys_move_one_step_ten_or_a_tenth(
    qtbot: QtBot, bench: HandBench, panel: StagePanel, key: str, moves: dict[str, float]
) -> None:
    start = bench.microscope.stage.position()._asdict()
    pressed = QKeySequence(key)[0]
    modifiers = Qt.KeyboardModifiers(pressed & int(Qt.KeyboardModifier.KeyboardModifierMask))  # type: ignore[call-overload]
    qtbot.keyClick(panel, Qt.Key(pressed & ~int(Qt.KeyboardModifier.KeyboardModifierMask)), modifiers)
    wanted = start | {axis: start[axis] + by for axis, by in moves.items()}
    qtbot.waitUntil(lambda: near(bench, **wanted), timeout=20_000)


def test_a_step_is_typed_with_its_unit(qtbot: QtBot, bench: HandBench, panel: StagePanel) -> None:
    box = child(panel, LengthBox, "xyStep")
    assert isinstance(box, LengthBox)
    box.setCurrentText("0,25 mm")
    start = bench.microscope.stage.position()
    press(qtbot, panel, "rightButton", QToolButton)
    qtbot.waitUntil(lambda: near(bench, x_um=start.x_um + 250), timeout=20_000)
    assert box.currentText() == "250 µm"
    box.setCurrentText("far away")
    assert box.value_um == 250


@pytest.mark.parametrize(
    ("text", "length_um"),
    [("100", 100), ("1.5 mm", 1500), ("0,5 µm", 0.5), ("2um", 2), (" .5 MM ", 500), ("", None), ("1 km", None)],
)
def test_lengths_are_read_as_people_type_them(text: str, length_um: float | None) -> None:
    assert parse_length_um(text) == length_um
    if length_um is not None:
        assert parse_length_um(length_text(length_um)) == length_um


# --- going there ------------------------------------------------------------------------------------------------------


def test_enter_goes_there_and_leaves_the_other_axes_alone(qtbot: QtBot, bench: HandBench, panel: StagePanel) -> None:
    start = bench.microscope.stage.position()
    go_to(qtbot, panel, "xTarget", "20.5")
    qtbot.waitUntil(lambda: near(bench, x_um=20_500), timeout=20_000)
    assert near(bench, y_um=start.y_um, z_um=start.z_um)


def test_go_moves_only_what_was_entered_since(qtbot: QtBot, bench: HandBench, panel: StagePanel) -> None:
    """Who focuses by hand and then enters x and y must not find the focus where it was before."""
    go_to(qtbot, panel, "zTarget", "2900")
    qtbot.waitUntil(lambda: near(bench, z_um=2900), timeout=20_000)
    press(qtbot, panel, "zUpButton", QToolButton)
    qtbot.waitUntil(lambda: near(bench, z_um=2905), timeout=20_000)
    go_to(qtbot, panel, "xTarget", "30", Qt.Key.Key_Tab)
    go_to(qtbot, panel, "yTarget", "-4", Qt.Key.Key_Tab)
    press(qtbot, panel, "goButton")
    qtbot.waitUntil(lambda: near(bench, x_um=30_000, y_um=-4_000), timeout=20_000)
    assert near(bench, z_um=2905)


def test_a_step_out_of_the_limits_is_refused_in_words(qtbot: QtBot, bench: HandBench, panel: StagePanel) -> None:
    start = bench.microscope.stage.position()
    box = child(panel, LengthBox, "xyStep")
    assert isinstance(box, LengthBox)
    box.setCurrentText("50 mm")
    bench.manual.move_to(x_um=100_000)
    qtbot.waitUntil(lambda: near(bench, x_um=100_000) and bench.manual.activity is None, timeout=20_000)
    press(qtbot, panel, "rightButton", QToolButton)
    qtbot.waitUntil(panel.section.refusal.isVisible, timeout=20_000)
    assert "x = 150.000 mm is outside the limits (allowed: -10.000 mm to 125.000 mm)" in panel.section.refusal.text()
    assert near(bench, x_um=100_000, y_um=start.y_um)
    press(qtbot, panel, "leftButton", QToolButton)
    qtbot.waitUntil(lambda: near(bench, x_um=50_000), timeout=20_000)
    assert not panel.section.refusal.isVisible()


# --- home, loading, objective, stop -----------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No])
def test_home_asks_first(
    qtbot: QtBot, bench: HandBench, panel: StagePanel, monkeypatch: pytest.MonkeyPatch, answer: object
) -> None:
    asked: list[str] = []

    def ask(parent: QWidget, title: str, text: str, answers: object, default: object) -> object:
        assert default == QMessageBox.StandardButton.No  # Enter moves nothing
        asked.append(text)
        return answer

    monkeypatch.setattr(QMessageBox, "question", ask)
    start = bench.microscope.stage.position()
    press(qtbot, panel, "homeButton")
    assert "no objective, plate or lid is in the way" in asked[0]
    if answer == QMessageBox.StandardButton.Yes:
        qtbot.waitUntil(lambda: near(bench, x_um=-10_000, y_um=-100_000), timeout=20_000)
    else:
        assert bench.manual.activity is None
        assert bench.microscope.stage.position() == start


def test_the_loading_position_is_one_button(qtbot: QtBot, bench: HandBench, panel: StagePanel) -> None:
    press(qtbot, panel, "loadButton")
    qtbot.waitUntil(lambda: near(bench, **bench.manual.loading_position._asdict()), timeout=20_000)


def test_the_objective_is_chosen_and_shown(qtbot: QtBot, bench: HandBench, panel: StagePanel) -> None:
    box = child(panel, QComboBox, "objective")
    assert isinstance(box, QComboBox)
    assert box.currentText() == "20x"
    box.setCurrentText("40x")
    box.activated.emit(box.currentIndex())
    qtbot.waitUntil(lambda: bench.microscope.objective == "40x", timeout=20_000)
    bench.manual.set_objective("4x")
    box.clearFocus()
    qtbot.waitUntil(lambda: box.currentText() == "4x", timeout=20_000)


def test_every_action_has_text_tip_and_a_shortcut_of_its_own(panel: StagePanel) -> None:
    actions = [action for action in panel.menu_actions() if action is not None]
    assert all(action.text() and action.toolTip() for action in actions)
    shortcuts = [action.shortcut().toString() for action in panel.actions() if not action.shortcut().isEmpty()]
    assert len(shortcuts) == len(set(shortcuts)) == 6 * 3 + 3  # Stop, Home, Load
    assert isinstance(actions[0], QAction)
