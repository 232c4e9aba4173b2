"""The review page as a person uses it, on real run folders."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PyQt5.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PyQt5.QtGui import QDropEvent, QGuiApplication, QImage
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QCheckBox, QFileDialog, QLabel, QToolButton
from pytestqt.qtbot import QtBot
from tests.control.core.review.runs import FRAMES, SENSOR_PX, MadeRun, make_run, running_copy

from control.core.contrast import Contrast
from control.core.sinks.pyramid import levels
from control.core.stored_run import StoredRun
from control.core.whole_file import whole_file
from control.gui.image_view import Pace
from control.gui.review_page import ReviewPage
from squid.utils.task import tell_progress
from squid.utils.worker_manager import WorkerManager

PATIENCE_MS = 20_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeRun:
    """A finished run in which frame 3 (B2, field 1, FITC, upper plane, first time point) is missing."""
    return make_run(tmp_path_factory.mktemp("made"), "ome-zarr", faults=["camera.none@frame=3,times=always"])


@pytest.fixture
def manager() -> Iterator[WorkerManager]:
    manager = WorkerManager()
    yield manager
    manager.shutdown(timeout=2.0)


@pytest.fixture
def contrast() -> Contrast:
    return Contrast()


@pytest.fixture
def page(qtbot: QtBot, manager: WorkerManager, contrast: Contrast) -> ReviewPage:
    page = ReviewPage(SimpleNamespace(manager=manager), contrast)
    qtbot.addWidget(page)
    page.resize(1366, 660)
    page.show()
    return page


Open = Callable[[Path], None]


@pytest.fixture
def open_run(qtbot: QtBot, page: ReviewPage) -> Open:
    """Open a folder and wait for its first picture."""

    def open_it(folder: Path) -> None:
        page.open_folder(folder)
        qtbot.waitUntil(lambda: page.viewer.shown is not None, timeout=PATIENCE_MS)

    return open_it


def shown(page: ReviewPage) -> tuple[str, int, int, tuple[int, ...]]:
    """What the page shows: image, time point, plane, channels."""
    view = page.viewer.shown
    assert view is not None
    request = view.request
    return request.image.name, request.t, request.z, request.channels


def wait_for(qtbot: QtBot, page: ReviewPage, *what: object) -> None:
    qtbot.waitUntil(lambda: page.viewer.shown is not None and shown(page) == what, timeout=PATIENCE_MS)


def click_well(page: ReviewPage, row: int, column: int) -> None:
    plate = page.chooser.plate
    QTest.mouseClick(
        plate,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
        plate.well_rect(row, column).center().toPoint(),
    )


def test_from_the_folder_to_a_plane(qtbot: QtBot, page: ReviewPage, made: MadeRun, open_run: Open) -> None:
    assert not page.export_action.isEnabled()
    open_run(made.folder)
    assert page.title.text() == "test plate"
    assert f"{FRAMES - 1} of {FRAMES} frames, 1 missing" in page.said.text()
    wait_for(qtbot, page, "B2_0", 0, 1, (0, 1))
    click_well(page, 1, 3)
    wait_for(qtbot, page, "B4_0", 0, 1, (0, 1))
    click_well(page, 5, 5)  # a well without images
    page.chooser.field.setCurrentIndex(1)
    page.viewer.z.slider.setValue(1)
    page.viewer.t.slider.setValue(2)
    QTest.mouseClick(page.findChild(QCheckBox, "channel0"), Qt.MouseButton.LeftButton, pos=QPoint(8, 8))
    wait_for(qtbot, page, "B4_1", 1, 0, (1,))
    view = page.viewer.shown
    assert view is not None
    (record, pixels) = next(
        each for each in made.frames.values() if each[0].event.image == 3 and _place(each[0].event) == (1, 1, 0)
    )
    level = view.request.level
    np.testing.assert_array_equal(view.planes[1], levels(np.ascontiguousarray(pixels), level + 1)[level])
    assert view.frame is not None
    assert view.frame.actual == pytest.approx(record.actual, abs=1e-4)


def _place(event: object) -> tuple[int, int, int]:
    return event.t, event.c, event.z  # type: ignore[attr-defined]


def test_a_missing_frame_says_why_and_shows_no_zeros(
    qtbot: QtBot, page: ReviewPage, made: MadeRun, open_run: Open
) -> None:
    open_run(made.folder)
    wait_for(qtbot, page, "B2_0", 0, 1, (0, 1))
    assert page.viewer.view.message == "FITC: missing: camera: delivered nothing instead of a frame"
    assert page.viewer.view.layers, "the other channel is there"
    assert page.chooser.plate.text_of(1, 1).endswith(f"{FRAMES // 2 - 1} of {FRAMES // 2} frames stored")
    assert page.chooser.plate.text_of(1, 3).endswith(f" {FRAMES // 2} frames stored")  # the other well is complete
    page.viewer.channels.show_only(1)
    wait_for(qtbot, page, "B2_0", 0, 1, (1,))
    assert not page.viewer.view.layers
    page.viewer.channels.rows[1].shown.setChecked(False)
    wait_for(qtbot, page, "B2_0", 0, 1, ())
    assert page.viewer.view.message == "no channel is chosen"


def test_keys_lead_through_wells_and_fields(qtbot: QtBot, page: ReviewPage, made: MadeRun, open_run: Open) -> None:
    open_run(made.folder)
    qtbot.waitExposed(page)
    page.activateWindow()

    def press(key: Qt.Key, expected: str) -> None:
        QTest.keyClick(page, key, Qt.KeyboardModifier.ControlModifier)
        wait_for(qtbot, page, expected, 0, 1, (0, 1))

    wait_for(qtbot, page, "B2_0", 0, 1, (0, 1))
    press(Qt.Key.Key_Down, "B2_1")
    press(Qt.Key.Key_Down, "B4_0")
    press(Qt.Key.Key_Up, "B2_1")
    press(Qt.Key.Key_Right, "B4_1")
    press(Qt.Key.Key_Left, "B2_1")


def test_contrast_of_a_channel_is_chosen_and_kept_for_the_next_run(
    qtbot: QtBot, page: ReviewPage, contrast: Contrast, made: MadeRun, open_run: Open
) -> None:
    open_run(made.folder)
    wait_for(qtbot, page, "B2_0", 0, 1, (0, 1))
    row = page.viewer.channels.rows[0]
    automatic = _limits(page)
    assert contrast.is_auto("DAPI")
    assert automatic == row.control.histogram.limits
    row.control.white.setValue(automatic[1] + 30)
    assert _limits(page) == (automatic[0], automatic[1] + 30), "at once, without reading again"
    open_run(made.folder)
    qtbot.waitUntil(lambda: page.viewer.channels.rows[0] is not row, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: bool(page.viewer.view.layers), timeout=PATIENCE_MS)
    assert _limits(page) == (automatic[0], automatic[1] + 30)
    QTest.mouseClick(page.viewer.channels.rows[0].control.auto, Qt.MouseButton.LeftButton)
    assert _limits(page) == automatic
    page.hide()
    contrast.choose("DAPI", 7, 9)  # on another page
    page.show()
    assert _limits(page) == (7, 9)


def _limits(page: ReviewPage) -> tuple[int, int]:
    layer = page.viewer.view.layers[0]
    assert layer.name == "DAPI"
    return layer.limits


def test_the_wheel_goes_through_the_planes_as_it_focuses_in_live_view(
    qtbot: QtBot, page: ReviewPage, made: MadeRun, open_run: Open
) -> None:
    open_run(made.folder)
    wait_for(qtbot, page, "B2_0", 0, 1, (0, 1))
    page.viewer.view.focus_requested.emit(-1, Pace.PLAIN)
    wait_for(qtbot, page, "B2_0", 0, 0, (0, 1))
    page.viewer.view.focus_requested.emit(1, Pace.COARSE)
    wait_for(qtbot, page, "B2_0", 0, 1, (0, 1))
    assert page.viewer.view.wheel_focuses


def test_the_size_on_the_screen_chooses_the_copy_that_is_read(
    qtbot: QtBot, page: ReviewPage, made: MadeRun, open_run: Open
) -> None:
    open_run(made.folder)
    view = page.viewer.view
    shown = page.viewer.shown
    assert shown is not None
    assert shown.request.level == 0, "the whole image is shown larger than it is"
    view.zoom(0.4 / view.scale)
    qtbot.waitUntil(lambda: view.layers[0].pixels.shape == (SENSOR_PX[0] // 2, SENSOR_PX[1] // 2), timeout=PATIENCE_MS)
    reading = view.stage_point(SENSOR_PX[1] / 2, SENSOR_PX[0] / 2)
    assert shown.frame is not None
    assert reading == pytest.approx((shown.frame.actual.x_um, shown.frame.actual.y_um))


def test_one_channel_at_a_time(qtbot: QtBot, page: ReviewPage, made: MadeRun, open_run: Open) -> None:
    open_run(made.folder)
    page.findChild(QCheckBox, "singleChannel").setChecked(True)
    wait_for(qtbot, page, "B2_0", 0, 1, (0,))
    page.viewer.channels.rows[1].shown.click()
    wait_for(qtbot, page, "B2_0", 0, 1, (1,))
    page.findChild(QCheckBox, "singleChannel").setChecked(False)
    wait_for(qtbot, page, "B2_0", 0, 1, (0, 1))


def test_a_film_shows_every_plane(qtbot: QtBot, page: ReviewPage, made: MadeRun, open_run: Open) -> None:
    open_run(made.folder)
    seen: set[int] = set()
    page.viewer.picture_shown.connect(lambda: seen.add(shown(page)[2]))
    play = next(b for b in page.viewer.z.findChildren(QToolButton) if b.defaultAction() is page.viewer.film.play_z)
    QTest.mouseClick(play, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: seen == {0, 1}, timeout=PATIENCE_MS)
    assert page.viewer.film.play_z.isChecked()
    page.hide()
    assert not page.viewer.film.play_z.isChecked(), "a film that nobody sees stops"


def test_a_running_run_is_followed(
    qtbot: QtBot, page: ReviewPage, made: MadeRun, tmp_path: Path, open_run: Open
) -> None:
    folder = running_copy(made, tmp_path / "run", frames=1)
    open_run(folder)
    assert page.said.text().startswith("running")
    assert page.viewer.view.message == "DAPI: not taken yet\nFITC: not taken yet"
    assert page.chooser.well.count() == 1
    for name in ("journal.jsonl", "run.json"):
        (folder / name).write_bytes((made.folder / name).read_bytes())
    qtbot.waitUntil(lambda: page.chooser.well.count() == 2, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: bool(page.viewer.view.layers), timeout=PATIENCE_MS)
    assert page.chooser.well.currentText() == "B2", "what a person looks at stays"
    assert page.said.text().startswith("completed · ")
    qtbot.waitUntil(
        lambda: page.report.report is not None and page.report.report.stored == FRAMES - 1, timeout=PATIENCE_MS
    )


def test_the_newest_request_wins_and_the_window_never_waits(
    qtbot: QtBot, page: ReviewPage, made: MadeRun, open_run: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk stalls; the slider is dragged over and over; when the disk is back, two reads are enough."""
    open_run(made.folder)
    wait_for(qtbot, page, "B2_0", 0, 1, (0, 1))
    stalled, reads = threading.Event(), []
    read = StoredRun.read

    def slowly(self: StoredRun, *place: object) -> object:
        reads.append(place[1])
        assert stalled.wait(20)
        return read(self, *place)  # type: ignore[arg-type]

    monkeypatch.setattr(StoredRun, "read", slowly)
    page.chooser.well.setCurrentIndex(1)
    for value in (2, 1) * 20 + (2,):
        page.viewer.t.slider.setValue(value)
    qtbot.waitUntil(lambda: bool(reads), timeout=PATIENCE_MS)
    stalled.set()
    wait_for(qtbot, page, "B4_0", 1, 1, (0, 1))
    assert len(reads) <= 4, "two channels of the first and of the newest request"


def test_recent_runs_and_drop(qtbot: QtBot, page: ReviewPage, made: MadeRun, tmp_path: Path, open_run: Open) -> None:
    first, second = (running_copy(made, tmp_path / name, frames=FRAMES - 1) for name in ("first", "second"))
    open_run(first)
    qtbot.waitUntil(lambda: page.runs.list.count() == 2, timeout=PATIENCE_MS)
    names = [page.runs.list.item(row).text() for row in range(2)]  # type: ignore[union-attr]
    assert sorted(names) == ["first", "second"]
    item = page.runs.list.item(names.index("second"))
    viewport = page.runs.list.viewport()
    assert viewport is not None
    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=page.runs.list.visualItemRect(item).center())
    qtbot.waitUntil(lambda: page.run is not None and page.run.folder == second, timeout=PATIENCE_MS)
    assert page.remember()["output"] == str(tmp_path)
    assert page.runs.findChild(QLabel, "recentRunsTitle").text() == f"Runs in {tmp_path.name}, the newest first"  # type: ignore[union-attr]

    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(first / "plate.ome.zarr"))])
    drop = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    page.dropEvent(drop)
    qtbot.waitUntil(lambda: page.run is not None and page.run.folder == first, timeout=PATIENCE_MS)


def test_what_is_no_run_is_said_and_the_open_run_stays(
    qtbot: QtBot, page: ReviewPage, made: MadeRun, tmp_path: Path, open_run: Open
) -> None:
    open_run(made.folder)
    page.open_folder(tmp_path)
    qtbot.waitUntil(lambda: "is no run folder" in page.said.text(), timeout=PATIENCE_MS)
    assert page.run is not None
    assert page.run.folder == made.folder


def test_export_copy_path_and_report(
    qtbot: QtBot, page: ReviewPage, made: MadeRun, tmp_path: Path, open_run: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_run(made.folder)
    files = {"Export view": tmp_path / "view", "Save report": tmp_path / "report.md"}
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda parent, title, *rest: (str(files[title]), ""))
    page.export_action.trigger()
    qtbot.waitUntil(lambda: "view saved as" in page.said.text(), timeout=PATIENCE_MS)
    assert not QImage(str(tmp_path / "view.png")).isNull()
    page.copy_action.trigger()
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    assert clipboard.text() == str(made.folder)
    qtbot.waitUntil(lambda: page.report.report is not None, timeout=PATIENCE_MS)
    assert "delivered nothing" in page.report.browser.toPlainText()
    page.report.save_action.trigger()
    qtbot.waitUntil((tmp_path / "report.md").exists, timeout=PATIENCE_MS)
    assert "## Missing frames" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_the_focus_is_drawn(qtbot: QtBot, page: ReviewPage, made: MadeRun, open_run: Open) -> None:
    open_run(made.folder)
    assert not page.focus.is_drawn, "the plotting library is loaded when it is needed"
    page.tabs.setCurrentWidget(page.focus)
    qtbot.waitUntil(lambda: page.focus.is_drawn and "4 fields" in page.focus.text, timeout=PATIENCE_MS)
    assert page.focus._scatter.getData()[0] == pytest.approx(
        sorted({image.x_um / 1000 for image in page.run.layout.images}),
        abs=0.002,  # type: ignore[union-attr]
    )


def test_late_results_of_a_deleted_page_do_no_harm(qtbot: QtBot, manager: WorkerManager, made: MadeRun) -> None:
    page = ReviewPage(SimpleNamespace(manager=manager), Contrast())
    page.open_folder(made.folder)
    page.deleteLater()
    del page
    assert manager.wait_for_done(PATIENCE_MS)
    qtbot.wait(50)


def test_every_action_has_a_shortcut_and_a_tooltip(page: ReviewPage) -> None:
    actions = [action for action in page.menu_actions() if action is not None and action.menu() is None]
    shortcuts = [action.shortcut().toString() for action in actions]
    assert all(shortcuts)
    assert len(set(shortcuts)) == len(shortcuts)
    assert all(action.toolTip() and not action.icon().isNull() for action in actions)


def _press_cancel(qtbot: QtBot, page: ReviewPage, words: str) -> None:
    page.work._delay.setInterval(1)
    qtbot.waitUntil(lambda: page.work.isVisible() and words in page.work.text)
    QTest.mouseClick(page.work.cancel_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not page.work.isVisible())


def _never_ends(*_: object) -> None:
    while True:
        tell_progress(0.5)
        time.sleep(0.001)


def test_opening_a_run_can_be_cancelled(
    qtbot: QtBot, page: ReviewPage, made: MadeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StoredRun, "open", _never_ends)
    page.work._delay.setInterval(1)
    page.open_folder(made.folder)
    _press_cancel(qtbot, page, f"Opening {made.folder.name}")
    assert page.run is None
    assert "cancelled" in page.said.text()


def test_an_export_that_is_cancelled_leaves_no_file(
    qtbot: QtBot, page: ReviewPage, made: MadeRun, open_run: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_run(made.folder)

    def slow_write() -> Path:
        with whole_file(tmp_path / "view.png") as beside:
            beside.write_bytes(b"half of a picture")
            _never_ends()
        return tmp_path

    monkeypatch.setattr(page.export, "writing", lambda _: slow_write)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "view.png"), ""))
    page.work._delay.setInterval(1)
    page.choose_export()
    _press_cancel(qtbot, page, "Exporting view.png")
    assert list(tmp_path.iterdir()) == []
    assert "cancelled" in page.said.text()


def test_a_report_that_takes_long_can_be_cancelled(
    qtbot: QtBot, page: ReviewPage, made: MadeRun, open_run: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_run(made.folder)
    qtbot.waitUntil(lambda: page.report.report is not None, timeout=PATIENCE_MS)
    monkeypatch.setattr(StoredRun, "report", _never_ends)
    page.work._delay.setInterval(1)
    page.report.renew_action.trigger()
    _press_cancel(qtbot, page, "Making the report")
    assert page.report.report is not None
