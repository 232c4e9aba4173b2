"""The panel of free positions and regions, as a person uses it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PyQt5.QtCore import QEvent, QModelIndex, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QFileDialog, QPushButton
from pytestqt.qtbot import QtBot

from control.core.planning import FreePosition, PlanDraft, RegionPolygon, read_positions, write_positions
from control.gui import positions_files, work_bar
from control.gui.positions_panel import PositionsPanel
from control.gui.work_bar import WorkBar
from squid.models.geometry import StagePosition
from squid.utils.task import tell_progress
from squid.utils.worker_manager import WorkerManager

THREE = (FreePosition("a", 1000.0, 2000.0, 30.0), FreePosition("b", 5000.0, 2000.0), FreePosition("c", 5000.0, 6000.0))
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def manager() -> Iterator[WorkerManager]:
    made = WorkerManager()
    yield made
    made.shutdown(timeout=2.0)


class Bench:
    """A panel, what it said, and a stage that stands somewhere."""

    def __init__(self, qtbot: QtBot, manager: WorkerManager) -> None:
        self.monitor = SimpleNamespace(newest=self.state(True))
        self.work = WorkBar()
        self.panel = PositionsPanel(self.monitor, manager, self.work)  # type: ignore[arg-type]
        qtbot.addWidget(self.panel)
        qtbot.addWidget(self.work)
        self.panel.show()
        self.heard: list[tuple[FreePosition, ...]] = []
        self.regions: list[tuple[RegionPolygon, ...]] = []
        self.gone_to: list[tuple[float, float, float | None]] = []
        self.panel.changed.connect(self.heard.append)
        self.panel.regions_changed.connect(self.regions.append)
        self.panel.go_to_requested.connect(lambda x, y, z: self.gone_to.append((x, y, z)))

    @staticmethod
    def state(is_homed: bool) -> Any:
        return SimpleNamespace(position=StagePosition(11310.04, 10750.0, 3021.5), is_homed=is_homed)

    def show(self, **changes: Any) -> None:
        self.panel.set_draft(PlanDraft(**changes), (500.0, 400.0))

    def press(self, name: str) -> None:
        button = self.panel.findChild(QPushButton, f"positions_{name}")
        assert button is not None
        assert button.isEnabled()
        QTest.mouseClick(button, LEFT)

    def choose(self, *rows: int) -> None:
        self.panel.table.clearSelection()
        for number, row in enumerate(rows):
            at = self.panel.table.visualRect(self.panel.model.index(row, 0)).center()
            keys = Qt.KeyboardModifier.ControlModifier if number else Qt.KeyboardModifier.NoModifier
            QTest.mouseClick(self.panel.table.viewport(), LEFT, keys, at)

    def type(self, table: Any, index: QModelIndex, text: str) -> None:
        """Double-click a cell, type, press Enter."""
        table.setCurrentIndex(index)
        table.edit(index)
        editor = next(w for w in table.viewport().children() if w.inherits("QLineEdit"))
        editor.selectAll()
        QTest.keyClick(editor, Qt.Key.Key_Delete)
        QTest.keyClicks(editor, text)
        QTest.keyClick(editor, Qt.Key.Key_Return)
        QApplication.processEvents()  # Qt takes the text over, and deletes the editor, a moment later
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    @property
    def names(self) -> list[str]:
        return [position.name for position in self.panel.positions]

    @property
    def refusal(self) -> str:
        return str(self.panel.section.refusal.text())


@pytest.fixture
def bench(qtbot: QtBot, manager: WorkerManager, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(work_bar, "SHOWN_AFTER_MS", 1)
    return Bench(qtbot, manager)


def test_add_here(bench: Bench) -> None:
    bench.press("addHere")
    bench.press("addHere")
    assert bench.heard[-1] == (
        FreePosition("P1", 11310.04, 10750.0, 3021.5),
        FreePosition("P2", 11310.04, 10750.0, 3021.5),
    )
    assert len(bench.heard) == 2


@pytest.mark.parametrize(("state", "words"), [(None, "not answered"), (Bench.state(False), "home it first")])
def test_nowhere_is_no_place(bench: Bench, state: Any, words: str) -> None:
    bench.monitor.newest = state
    bench.press("addHere")
    assert words in bench.refusal
    assert bench.heard == []
    bench.monitor.newest = Bench.state(True)
    bench.press("addHere")
    assert bench.refusal == ""


def test_what_it_is_given_is_not_said_again(bench: Bench) -> None:
    bench.show(positions=THREE)
    assert bench.names == ["a", "b", "c"]
    assert bench.heard == []


def test_order_z_and_removal(bench: Bench) -> None:
    bench.show(positions=THREE)
    bench.choose(1, 2)
    bench.press("up")
    assert bench.names == ["b", "c", "a"]
    bench.press("up")  # the first is there already: nothing is lost
    assert bench.names == ["b", "c", "a"]
    bench.press("setZHere")
    assert [p.z_um for p in bench.panel.positions] == [3021.5, 3021.5, 30.0]
    bench.choose(0)
    bench.press("down")
    assert bench.names == ["c", "b", "a"]
    QTest.keyClick(bench.panel.table, Qt.Key.Key_Delete)
    assert bench.names == ["c", "a"]


def test_nothing_chosen_nothing_to_do(bench: Bench) -> None:
    bench.show(positions=THREE)
    can = bench.panel.actions_of_places
    assert not any(one.isEnabled() for one in (can.remove, can.up, can.down, can.set_z, can.go_to, can.area))
    bench.choose(0)
    assert can.go_to.isEnabled()


def test_go_to(bench: Bench) -> None:
    bench.show(positions=THREE, z_um=7.0)
    bench.choose(0)
    bench.press("goTo")
    bench.choose(1)
    bench.press("goTo")
    assert bench.gone_to == [(1000.0, 2000.0, 30.0), (5000.0, 2000.0, 7.0)]


def test_cells_are_edited_with_their_units(bench: Bench) -> None:
    bench.show(positions=THREE)
    table, model = bench.panel.table, bench.panel.model
    for column, text in ((0, "tumour"), (1, "1.25"), (2, "3 mm"), (3, "")):
        bench.type(table, model.index(0, column), text)
    assert bench.heard[-1][0] == FreePosition("tumour", 1250.0, 3000.0, None)
    assert bench.refusal == ""


@pytest.mark.parametrize(
    ("column", "text", "words"),
    [
        (0, "B", "'B' is the name of another"),
        (0, "", "needs a name"),
        (1, "here", "'here' is no x"),
        (3, "nan", "in µm"),
    ],
)
def test_a_cell_that_makes_no_sense_is_refused(bench: Bench, column: int, text: str, words: str) -> None:
    bench.show(positions=THREE)
    bench.type(bench.panel.table, bench.panel.model.index(0, column), text)
    assert words in bench.refusal
    assert bench.panel.positions == THREE
    assert bench.heard == []


def test_export_and_import(bench: Bench, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.show(positions=THREE)
    file = tmp_path / "list.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(file), ""))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(file), ""))
    bench.press("save")
    qtbot.waitUntil(file.exists)
    qtbot.waitUntil(lambda: "exported" in bench.panel._count.text())
    assert read_positions(file) == THREE
    bench.press("load")
    qtbot.waitUntil(lambda: bool(bench.heard))
    assert bench.names == ["a", "b", "c", "a-2", "b-2", "c-2"]


def test_an_export_that_is_cancelled_leaves_no_file(
    bench: Bench, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        positions_files, "write_positions", lambda path, some: write_positions(path, itertools.cycle(some))
    )
    bench.show(positions=THREE)
    bench.panel.files.export_file(tmp_path / "endless.csv")
    qtbot.waitUntil(bench.work.isVisible)
    assert "Exporting endless.csv" in bench.work.text
    QTest.mouseClick(bench.work.cancel_button, LEFT)
    qtbot.waitUntil(lambda: "cancelled" in bench.panel._count.text())
    assert not bench.work.isVisible()
    assert list(tmp_path.iterdir()) == []
    assert bench.refusal == ""


def _never_read(_: Path) -> tuple[FreePosition, ...]:
    for line in itertools.count():
        tell_progress(0.5, f"line {line}")
        time.sleep(0.001)
    return ()


def test_an_import_that_is_cancelled_adds_nothing(
    bench: Bench, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(positions_files, "read_positions", _never_read)
    bench.show(positions=THREE)
    bench.panel.files.import_file(tmp_path / "endless.csv")
    qtbot.waitUntil(bench.work.isVisible)
    QTest.mouseClick(bench.work.cancel_button, LEFT)
    qtbot.waitUntil(lambda: "cancelled" in bench.panel._count.text())
    assert bench.names == ["a", "b", "c"]


def test_a_list_that_cannot_be_read_is_told(bench: Bench, qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("x_um,y_um\n1,two\n")
    bench.panel.files.import_file(tmp_path / "bad.csv")
    qtbot.waitUntil(lambda: "line 2, column 'y_um': 'two'" in bench.refusal)
    assert bench.heard == []


def test_a_panel_that_is_gone_does_not_mind_a_late_file(
    manager: WorkerManager, qtbot: QtBot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work = WorkBar()
    qtbot.addWidget(work)
    panel = PositionsPanel(SimpleNamespace(newest=None), manager, work)
    (tmp_path / "list.csv").write_text("x_um,y_um\n1,2\n")
    manager.pause()
    panel.files.import_file(tmp_path / "list.csv")
    panel.deleteLater()
    with qtbot.waitSignal(panel.destroyed):
        pass
    manager.resume()
    assert manager.wait_for_done(5000)
    qtbot.wait(10)
    assert "Traceback" not in capsys.readouterr().err


def test_regions_have_their_fields_counted(bench: Bench, qtbot: QtBot) -> None:
    area = RegionPolygon("area", ((0.0, 0.0), (900.0, 0.0), (900.0, 700.0), (0.0, 700.0)), 0.0)
    bow = RegionPolygon("bow", ((0.0, 0.0), (9.0, 9.0), (9.0, 0.0), (0.0, 9.0)))
    bench.show(regions=(area, bow))
    table = bench.panel.regions.table
    qtbot.waitUntil(lambda: table.item(0, 1).text() == "4")
    assert table.item(1, 1).text() == "?"
    assert bench.regions == []


def test_a_region_from_positions(bench: Bench) -> None:
    bench.show(positions=THREE)
    bench.choose(0, 1, 2)
    bench.press("area")
    bench.press("area")
    assert [region.name for region in bench.regions[-1]] == ["region", "region-2"]
    assert bench.regions[-1][0].points_um == ((1000.0, 2000.0), (5000.0, 2000.0), (5000.0, 6000.0))


def test_regions_are_edited(bench: Bench) -> None:
    area = RegionPolygon("area", ((0.0, 0.0), (900.0, 0.0), (900.0, 700.0)), 0.0)
    bench.show(regions=(area,))
    table = bench.panel.regions.table
    bench.type(table, table.model().index(0, 2), "25")
    bench.type(table, table.model().index(0, 0), "cortex")
    assert [(region.name, region.overlap_pct) for region in bench.regions[-1]] == [("cortex", 25.0)]
    bench.type(table, table.model().index(0, 2), "100")
    assert "'100' is no overlap (allowed: 0 to 90 %)" in bench.panel.regions_section.refusal.text()
    assert table.item(0, 2).text() == "25"
    table.selectRow(0)
    bench.press("remove_region")
    assert bench.regions[-1] == ()


def test_thousands_of_positions_are_shown_at_once(bench: Bench) -> None:
    many = tuple(FreePosition(f"P{n}", float(n), 0.0) for n in range(5000))
    bench.show(positions=many)
    assert bench.panel.model.rowCount() == 5000
    bench.press("addHere")
    assert bench.names[-1] == "P5000"


def test_every_action_is_in_the_menu_with_a_tooltip(bench: Bench) -> None:
    actions = [action for action in bench.panel.menu_actions() if action is not None]
    assert len(actions) == len({action.text() for action in actions}) == 10
    assert all(action.toolTip() for action in actions)
    keys = [action.shortcut().toString() for action in actions if not action.shortcut().isEmpty()]
    assert len(keys) == len(set(keys))
