"""Starting and leaving: which microscope, what opens, what does not, who is refused, and the bounded end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt5.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot
from tests import rig
from tests.window import Window, window

from control.cli_window import wants_window
from control.cli_window import window as show_window
from control.core.rig import only_window
from control.core.run_queue import RunQueue
from control.core.run_view import RunState
from control.core.user_folder import SIMULATION
from control.gui.app import Program
from control.gui.start_page import StartPage
from squid.drivers.simulated.stage import SimulatedStage
from squid.errors import DeviceError

SOFTWARE = Path(__file__).resolve().parents[3] / "software"


@pytest.fixture
def started(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    with window(qtbot, tmp_path, monkeypatch) as opened:
        yield opened


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("", True),
        ("--simulation", True),
        ("--machine rig.yaml", True),
        ("--simulation --inject camera.hang@frame=3", True),
        ("--help", False),
        ("--machine", False),
        ("run plan.yaml --simulation --output out", False),
        ("--simulation run plan.yaml --output out", False),
        ("devices", False),
        ("--simulatoin", False),
    ],
)
def test_no_command_means_the_window(line: str, wanted: bool) -> None:
    assert wants_window(line.split()) is wanted


def test_two_microscopes_at_once_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert show_window(["--simulation", "--machine", "rig.yaml"]) == 2
    assert "name one microscope" in capsys.readouterr().err


def test_the_window_is_there_before_the_microscope_and_says_what_it_does(started: Window) -> None:
    assert started.window.isVisible()
    assert not started.window.emergency_action.isEnabled()
    states: list[str] = []
    progress = started.window.start_page.show_progress

    def note(fraction: float, message: str) -> None:
        progress(fraction, message)
        states.append(started.find("openingState", QLabel).text())

    started.window.start_page.show_progress = note  # type: ignore[method-assign]
    started.open()
    assert states
    assert states[-1] in ("builds the page", *(f"opens {label}" for label in started.session.microscope.devices))
    assert started.window.emergency_action.isEnabled()
    assert all(device.is_open for device in started.session.microscope.devices.values())


def test_without_arguments_a_person_chooses(started: Window) -> None:
    started.program.begin(None)
    assert not started.window.navigation.actions_of_pages[0].isEnabled()
    started.window.start_page.chosen.disconnect()  # the full simulation would take its time here
    chosen: list[Path] = []
    started.window.start_page.chosen.connect(chosen.append)
    started.press("simulationButton")
    assert chosen == [SIMULATION]


def test_the_microscope_used_last_is_offered_first(started: Window) -> None:
    started.open()
    started.program.quit()
    started.program._choose()
    assert str(started.machine) in started.program._settings.path.read_text()


def test_a_device_that_does_not_open_is_named_and_can_be_tried_again(
    started: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise DeviceError("stage", "no answer on port COM7")

    with monkeypatch.context() as broken:
        broken.setattr(SimulatedStage, "_do_open", refuse)
        started.program.begin(started.machine)
        started.wait(lambda: started.find("openingFailure", QLabel).isVisible())
    assert started.find("openingFailure", QLabel).text() == "'stage' did not open"
    assert "no answer on port COM7" in started.find("openingCause", QLabel).text()
    started.press("retryButton")
    started.wait(lambda: started.window.session is not None)


def test_a_long_failure_is_shown_whole_with_its_buttons(qtbot: QtBot) -> None:
    page = StartPage()
    qtbot.addWidget(page)
    page.resize(1366, 640)
    with qtbot.waitExposed(page):
        page.show()
    page.show_failure("'stage' did not open", "no answer on port COM7, " * 12, "Look whether it has power. " * 12)
    QApplication.processEvents()
    widgets = [*page._failure.findChildren(QLabel), *page._failure.findChildren(QPushButton)]
    assert len(widgets) == 5
    for widget in widgets:
        needed_px = max(widget.heightForWidth(widget.width()), widget.minimumSizeHint().height())
        assert widget.height() >= needed_px, widget.text()
        assert page._failure.rect().contains(widget.geometry())


def test_an_error_without_a_name_is_put_down_to_the_device_being_opened(
    started: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise OSError("no such port")

    monkeypatch.setattr(SimulatedStage, "_do_open", refuse)
    started.program.begin(started.machine)
    started.wait(lambda: started.find("openingFailure", QLabel).isVisible())
    assert started.find("openingFailure", QLabel).text() == "'stage' did not open"


def test_a_machine_file_with_a_mistake_is_explained(started: Window) -> None:
    started.machine.write_text(started.machine.read_text() + "\ncolour: green\n")
    started.program.begin(started.machine)
    started.wait(lambda: started.find("openingFailure", QLabel).isVisible())
    assert "colour" in started.find("openingCause", QLabel).text()


def test_leaving_makes_safe_first_and_keeps_the_settings(started: Window) -> None:
    started.open()
    started.page("plan")
    started.program.quit()
    started.program.quit()  # twice does no harm
    assert started.left.exit_code == 0
    assert started.left.steps[0] == "safe state"
    assert started.left.steps.count("settings") == 1
    assert '"page": "plan"' in started.program._settings.path.read_text()
    assert not any(device.is_open for device in started.session.microscope.devices.values())


def test_a_run_that_was_interrupted_is_offered_for_resume(started: Window, tmp_path: Path) -> None:
    rig.plan(tmp_path)
    left_over = RunQueue(tmp_path / "user" / "queue.sqlite")
    left_over.add(tmp_path / "plan.yaml", tmp_path / "out")
    left_over.take()  # and then the program died
    left_over.close()
    started.open()
    assert "test plate" in started.question().text() or "plan" in started.question().text()
    started.answer("Resume")
    assert started.window.page == "run"
    started.wait(lambda: started.session.status.snapshot().state is RunState.FINISHED)
    assert started.session.status.snapshot().stored == rig.FRAMES


def test_a_page_that_fails_to_remember_does_not_keep_the_program(
    started: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    started.open()

    def fail() -> None:
        raise RuntimeError("a mistake in a page")

    monkeypatch.setattr(started.page("plan"), "remember", fail)
    started.program.quit()
    assert started.left.exit_code == 0
    assert "settings" in started.left.steps


def test_row_39_a_second_window_is_refused_naming_the_first(tmp_path: Path) -> None:
    environment = {**os.environ, "SQUID_SETTINGS_FOLDER": str(tmp_path), "SQUID_LOG_FOLDER": str(tmp_path / "log")}
    with only_window(tmp_path):
        second = subprocess.run(
            [sys.executable, str(SOFTWARE / "main_hcs.py"), "--simulation"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert second.returncode == 2
    assert f"window: is in use by process {os.getpid()}" in second.stderr
    assert "close that window first" in second.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is always a screen")
@pytest.mark.parametrize("display", ["", ":7777"])
def test_without_a_screen_it_says_what_to_do(tmp_path: Path, display: str) -> None:
    environment = {key: value for key, value in os.environ.items() if key not in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY")}
    environment |= {"DISPLAY": display, "SQUID_SETTINGS_FOLDER": str(tmp_path), "SQUID_LOG_FOLDER": str(tmp_path)}
    refused = subprocess.run(
        [sys.executable, str(SOFTWARE / "main_hcs.py"), "--simulation"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == 2
    assert "QT_QPA_PLATFORM" in refused.stderr
    assert "xvfb" in refused.stderr


def test_the_command_line_loads_no_widgets() -> None:
    code = f"import sys; sys.path.insert(0, {str(SOFTWARE)!r}); import main_hcs; main_hcs.exit_code_of(['--help']);"
    code += "assert 'PyQt5.QtWidgets' not in sys.modules; assert 'control.gui' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True)


def test_the_window_shows_before_the_core_is_loaded() -> None:
    code = f"import sys; sys.path.insert(0, {str(SOFTWARE)!r}); import control.gui.app;"
    code += "slow = {'numpy', 'pydantic', 'pyqtgraph', 'zarr', 'control.core.session'} & set(sys.modules);"
    code += "assert not slow, slow"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_a_program_can_be_given_back(started: Window) -> None:
    assert isinstance(started.program, Program)
    started.program.begin(None)
    assert sys.excepthook == started.program._hook._caught
    started.program.close()
    assert sys.excepthook != started.program._hook._caught
