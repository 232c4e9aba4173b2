"""The dialog of channel presets, as a person uses it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QColor
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QColorDialog, QInputDialog, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from control.core.presets import PresetChoices, Presets
from control.gui import work_bar
from control.gui.presets_dialog import PresetsDialog
from squid.machine_file import CONFIGS, MachineConfig, read_machine_file
from squid.utils import task_bridge
from squid.utils.worker_manager import WorkerManager

CHOICES = PresetChoices(("405", "488", "561", "638", "BF"), ("quad", "open"), (0.01, 5000.0), (1.0, 8.0))


@pytest.fixture(scope="module")
def machine() -> MachineConfig:
    return read_machine_file(CONFIGS / "simulation.yaml")


@pytest.fixture
def presets(machine: MachineConfig, tmp_path: Path) -> Presets:
    return Presets(machine, tmp_path / "machine.yaml")


@pytest.fixture
def dialog(presets: Presets, qtbot: QtBot) -> PresetsDialog:
    made = PresetsDialog(presets, "20x", CHOICES)
    qtbot.addWidget(made, before_close_func=lambda one: one._changes.clear())
    made.show()
    made.choose("FITC")
    return made


def press(dialog: PresetsDialog, name: str) -> None:
    button = dialog.findChild(QPushButton, name)
    assert button is not None
    assert button.isEnabled()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def enter(edit: Any, text: str) -> None:
    edit.selectAll()
    QTest.keyClicks(edit, text)
    QTest.keyClick(edit, Qt.Key.Key_Return)


def items(dialog: PresetsDialog) -> list[str]:
    return [dialog.list.item(row).text() for row in range(dialog.list.count())]


def test_it_shows_what_is_kept(dialog: PresetsDialog, presets: Presets) -> None:
    assert items(dialog) == ["Brightfield", "DAPI", "FITC", "TRITC", "Cy5"]
    assert dialog.form.values() == presets.get("20x", "FITC").model_dump()
    assert "as in the machine file" in dialog.origin.text()
    assert not dialog.save.isEnabled()
    assert not dialog.reset.isEnabled()


def test_a_channel_of_ones_own_is_made_and_removed(dialog: PresetsDialog, presets: Presets, qtbot: QtBot) -> None:
    press(dialog, "presetNew")
    ask = dialog.findChild(QInputDialog, "newChannelName")
    assert ask is not None
    ask.setTextValue("FITC long")
    QTest.keyClick(ask, Qt.Key.Key_Return)
    assert items(dialog)[-1] == "FITC long (yours)"
    assert presets.get("20x", "FITC long") == presets.get("20x", "FITC")
    assert "a channel of your own" in dialog.origin.text()
    dialog.add_channel("fitc")
    assert "'fitc' is there already" in dialog.section.refusal.text()
    button = dialog.findChild(QPushButton, "presetReset")
    assert button is not None
    assert button.text() == "Remove channel"
    press(dialog, "presetReset")
    assert "FITC long" not in presets.names("20x")
    assert items(dialog) == ["Brightfield", "DAPI", "FITC", "TRITC", "Cy5"]


def test_edit_and_save(dialog: PresetsDialog, presets: Presets, machine: MachineConfig, qtbot: QtBot) -> None:
    said: list[tuple[str, str]] = []
    dialog.saved.connect(lambda *of: said.append(of))
    enter(dialog.form.exposure, "123.5")
    enter(dialog.form.intensity, "12.5")
    dialog.form.sets_gain.setChecked(True)
    enter(dialog.form.gain, "2")
    assert items(dialog)[2] == "FITC •"
    assert presets.edited() == ()
    dialog.choose("DAPI")
    enter(dialog.form.z_offset, "-1.25")
    press(dialog, "presetSave")
    kept = Presets(machine, presets.file)
    fitc = kept.get("20x", "FITC")
    assert (fitc.exposure_ms, fitc.intensity, fitc.gain) == (123.5, 0.125, 2.0)
    assert fitc.source == machine.channels_of("20x")["FITC"].source
    assert kept.get("20x", "DAPI").z_offset_um == -1.25
    assert sorted(said) == [("20x", "DAPI"), ("20x", "FITC")]
    assert items(dialog)[1:3] == ["DAPI (yours)", "FITC (yours)"]
    assert not dialog.save.isEnabled()


def test_what_is_not_touched_is_not_rounded(presets: Presets, qtbot: QtBot) -> None:
    exact = {**presets.get("20x", "FITC").model_dump(), "intensity": 1 / 3, "exposure_ms": 10.00012345}
    presets.save("20x", "FITC", exact)
    dialog = PresetsDialog(presets, "20x", CHOICES)
    qtbot.addWidget(dialog)
    dialog.choose("FITC")
    enter(dialog.form.z_offset, "2")
    press(dialog, "presetSave")
    kept = presets.get("20x", "FITC")
    assert (kept.intensity, kept.exposure_ms, kept.z_offset_um) == (1 / 3, 10.00012345, 2.0)


def test_changes_wait_while_another_channel_is_shown(dialog: PresetsDialog) -> None:
    enter(dialog.form.exposure, "77")
    dialog.choose("Cy5")
    assert dialog.form.exposure.value() == 80
    dialog.choose("FITC")
    assert dialog.form.exposure.value() == 77
    enter(dialog.form.exposure, "60")  # as it was: nothing to save
    assert dialog.unsaved == ()


def test_reset(dialog: PresetsDialog, presets: Presets, machine: MachineConfig) -> None:
    enter(dialog.form.exposure, "77")
    press(dialog, "presetSave")
    enter(dialog.form.exposure, "99")
    press(dialog, "presetReset")
    assert presets.get("20x", "FITC") == machine.channels_of("20x")["FITC"]
    assert dialog.form.exposure.value() == 60
    assert dialog.unsaved == ()


def test_what_the_devices_do_not_take_is_refused_at_its_field(presets: Presets, qtbot: QtBot) -> None:
    presets.save("20x", "FITC", {**presets.get("20x", "FITC").model_dump(), "source": "laser X"})
    dialog = PresetsDialog(presets, "20x", CHOICES)
    qtbot.addWidget(dialog, before_close_func=lambda one: one._changes.clear())
    dialog.show()
    dialog.choose("FITC")
    enter(dialog.form.exposure, "77")
    dialog.choose("DAPI")
    press(dialog, "presetSave")
    refusal = dialog.form._refusals["source"]
    assert dialog.section.title.text() == "FITC"
    assert "no light source 'laser X' (allowed: 405, 488" in refusal.text()
    assert refusal.isVisible()
    dialog.form.source.setCurrentText("488")
    assert not refusal.isVisible()
    press(dialog, "presetSave")
    assert presets.get("20x", "FITC").source == "488"


def test_numbers_stay_in_range(dialog: PresetsDialog) -> None:
    enter(dialog.form.exposure, "999999")
    assert dialog.form.exposure.value() <= 5000
    assert "0.01 to 5000 ms" in dialog.form.exposure.toolTip()


def test_the_colour_is_chosen(dialog: PresetsDialog, presets: Presets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QColorDialog, "getColor", lambda *_: QColor("#12aBcD"))
    QTest.mouseClick(dialog.form.colour, Qt.MouseButton.LeftButton)
    press(dialog, "presetSave")
    assert presets.get("20x", "FITC").colour == "#12ABCD"
    monkeypatch.setattr(QColorDialog, "getColor", lambda *_: QColor())  # cancelled
    QTest.mouseClick(dialog.form.colour, Qt.MouseButton.LeftButton)
    assert dialog.unsaved == ()


@pytest.mark.parametrize(
    ("answer", "is_open", "exposure_ms"),
    [
        (QMessageBox.StandardButton.Cancel, True, 60),
        (QMessageBox.StandardButton.Discard, False, 60),
        (QMessageBox.StandardButton.Save, False, 77),
    ],
)
def test_closing_asks_for_what_is_not_saved(
    dialog: PresetsDialog,
    presets: Presets,
    monkeypatch: pytest.MonkeyPatch,
    answer: Any,
    is_open: bool,
    exposure_ms: float,
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(QMessageBox, "exec_", lambda box: (asked.append(box.text()), answer)[1])
    enter(dialog.form.exposure, "77")
    press(dialog, "presetClose")
    assert asked == ["The changes of FITC are not saved."]
    assert dialog.isVisible() is is_open
    assert presets.get("20x", "FITC").exposure_ms == exposure_ms


def test_closing_without_changes_asks_nothing(dialog: PresetsDialog) -> None:
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_a_disk_that_is_full_is_told(
    dialog: PresetsDialog, presets: Presets, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    enter(dialog.form.exposure, "77")
    press(dialog, "presetSave")
    assert "No space left" in dialog.section.refusal.text()
    assert dialog.unsaved == ("FITC",)


def test_with_a_manager_the_file_is_written_beside_the_window(presets: Presets, qtbot: QtBot) -> None:
    manager = WorkerManager()
    dialog = PresetsDialog(presets, "20x", CHOICES, manager=manager)
    qtbot.addWidget(dialog)
    dialog.show()
    try:
        dialog.choose("FITC")
        enter(dialog.form.exposure, "77")
        with qtbot.waitSignal(dialog.saved):
            press(dialog, "presetSave")
        assert presets.get("20x", "FITC").exposure_ms == 77
        assert dialog.unsaved == ()
    finally:
        manager.shutdown(timeout=2.0)


def test_a_disk_that_hangs_can_be_called_off(presets: Presets, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_bar, "SHOWN_AFTER_MS", 1)
    monkeypatch.setattr(task_bridge, "CANCEL_MS", 20)
    manager, disk = WorkerManager(), threading.Event()
    dialog = PresetsDialog(presets, "20x", CHOICES, manager=manager)
    qtbot.addWidget(dialog)
    dialog.show()
    try:
        monkeypatch.setattr(presets, "save", lambda *_: disk.wait(60))
        dialog.choose("FITC")
        enter(dialog.form.exposure, "77")
        dialog.save.trigger()
        qtbot.waitUntil(lambda: dialog.work.isVisible() and "Saving presets" in dialog.work.text)
        QTest.mouseClick(dialog.work.cancel_button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: not dialog.work.isVisible())
        assert dialog.unsaved == ("FITC",)
        assert dialog.save.isEnabled()
    finally:
        dialog._changes.clear()  # else it asks when it is closed
        disk.set()
        manager.shutdown(timeout=2.0)
