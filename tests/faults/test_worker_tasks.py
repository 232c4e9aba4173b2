"""Fault cases 29-34 and 37 of the worker layer; in child processes where a crash would be the failure."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from PyQt5 import sip
from PyQt5.QtCore import QObject
from pytestqt.qtbot import QtBot

from squid.errors import AccessRevokedError
from squid.utils import Outcome, WorkerManager, WorkerResult
from squid.utils.epoch import check_access
from squid.utils.safety_lane import SafetyLane

SOFTWARE = Path(__file__).resolve().parents[2] / "software"


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[WorkerManager]:
    manager = WorkerManager(4, dump_file=tmp_path / "stacks.log")
    yield manager
    manager.shutdown(wait=False)


def _run_child(code: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    script = tmp_path / "child.py"
    head = f"import sys\nsys.path.insert(0, {str(SOFTWARE)!r})\nFOLDER = {str(tmp_path)!r}\n"
    script.write_text(head + textwrap.dedent(code))
    return subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=False)


def test_row_29_whatever_a_task_raises_the_program_lives(tmp_path: Path) -> None:
    child = _run_child(
        """
        import threading
        from pathlib import Path
        from PyQt5.QtCore import QCoreApplication
        from squid.utils import WorkerManager

        app = QCoreApplication([])
        manager = WorkerManager(2, dump_file=Path(FOLDER) / "stacks.log")
        errors = []

        def note(result):
            errors.append((type(result.error).__name__, threading.current_thread() is threading.main_thread()))
            if len(errors) == 4:
                app.quit()

        def bad(error):
            raise error

        for error in (ValueError("x"), SystemExit(1), KeyboardInterrupt(), GeneratorExit()):
            manager.submit(type(error).__name__, lambda error=error: bad(error), on_error=note)
        app.exec_()
        manager.shutdown()
        print(sorted(errors))
        """,
        tmp_path,
    )
    names = ("GeneratorExit", "KeyboardInterrupt", "SystemExit", "ValueError")
    assert child.stdout.strip() == str([(name, True) for name in names]), child.stderr
    assert child.returncode == 0


def test_row_30_late_result_and_late_commands_are_rejected(qtbot: QtBot, manager: WorkerManager) -> None:
    gates = [threading.Event() for _ in range(20)]
    entered, sent, refused, results = [], [], [], []

    def device_task(number: int) -> str:
        entered.append(number)
        gates[number].wait(30)
        try:
            check_access("stage")
            sent.append(number)
        except AccessRevokedError:
            refused.append(number)
            raise
        return "late"

    handles = [
        manager.submit(f"move {n}", lambda n=n: device_task(n), 60, on_complete=results.append, on_error=results.append)
        for n in range(20)
    ]
    qtbot.waitUntil(lambda: len(results) == 20, timeout=30_000)
    for gate in gates:
        gate.set()
    qtbot.waitUntil(lambda: manager.get_statistics()["quarantined_threads"] == 0, timeout=10_000)
    assert sent == []
    assert sorted(refused) == sorted(entered)  # on a busy machine some are overdue before their first line
    assert entered
    assert {handle.outcome for handle in handles} == {Outcome.TIMEOUT}
    assert all(result.timed_out for result in results)


@pytest.mark.alone
def test_row_31_the_safety_lane_works_while_all_workers_hang(qtbot: QtBot, manager: WorkerManager) -> None:
    gate, lane, waits = threading.Event(), SafetyLane(), []
    hung = [manager.submit(f"hung {number}", lambda: gate.wait(60), timeout_ms=500) for number in range(4)]
    qtbot.waitUntil(lambda: manager.active_thread_count() == 4)
    for _ in range(20):
        begin = time.monotonic()
        waits.append(lane.submit("light off", time.monotonic).result(5) - begin)
    assert sorted(waits)[10] < 0.1
    fresh = [manager.submit(f"fresh {number}", lambda: None) for number in range(8)]
    assert all(handle.wait(10) for handle in hung + fresh)
    assert {handle.outcome for handle in fresh} == {Outcome.DONE}
    assert manager.get_statistics()["quarantined_threads"] == 4
    gate.set()
    qtbot.waitUntil(lambda: manager.get_statistics()["quarantined_threads"] == 0)
    lane.close()


def test_row_31_a_hung_safety_call_does_not_keep_the_next(qtbot: QtBot) -> None:
    gate, lane = threading.Event(), SafetyLane()
    lane.submit("lamp that does not answer", lambda: gate.wait(60))
    assert lane.submit("next lamp", lambda: "off").result(5) == "off"
    gate.set()
    lane.close()


@pytest.mark.alone
def test_row_32_ten_thousand_previews_in_a_second(qtbot: QtBot, manager: WorkerManager) -> None:
    shown: list[int] = []
    process = psutil.Process()
    before = process.memory_info().rss
    begin = time.monotonic()
    for number in range(10_000):
        picture = bytearray(100_000)
        manager.submit(
            "preview",
            lambda number=number, picture=picture: (number, len(picture)),
            coalesce_key="preview",
            on_complete=lambda result: shown.append(result.value[0]),
        )
    took_s = time.monotonic() - begin
    assert process.memory_info().rss - before < 50e6
    qtbot.waitUntil(lambda: bool(shown) and shown[-1] == 9999, timeout=10_000)
    assert len(shown) <= 100 * max(1.0, took_s)


def test_row_33_a_deleted_receiver_gets_nothing(qtbot: QtBot, manager: WorkerManager) -> None:
    class Panel(QObject):
        shown: list[object] = []  # noqa: RUF012

        def show_result(self, result: WorkerResult) -> None:
            self.shown.append(self.objectName())

    panel, gate = Panel(), threading.Event()
    handle = manager.submit("work", lambda: gate.wait(30), on_complete=panel.show_result)
    by_lambda = manager.submit("other", lambda: gate.wait(30), on_complete=lambda _: panel.setObjectName("x"))
    manager.signals.completed.connect(panel.show_result)
    sip.delete(panel)
    gate.set()
    qtbot.waitUntil(lambda: handle.is_finished and by_lambda.is_finished)
    with qtbot.waitSignal(manager.signals.completed):
        manager.submit("after", lambda: None)
    assert handle.outcome is Outcome.DONE
    assert Panel.shown == []


def test_row_34_exceptions_in_slot_paint_event_and_thread_are_shown(tmp_path: Path) -> None:
    child = _run_child(
        """
        import os, threading
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        from PyQt5.QtCore import QTimer
        from PyQt5.QtWidgets import QApplication, QWidget
        from squid.utils.exception_hook import ExceptionHook

        class Broken(QWidget):
            def paintEvent(self, event):
                raise ValueError("paint")

        def fail():
            raise ValueError("slot")

        def fail_in_thread():
            raise ValueError("thread")

        app = QApplication([])
        shown = []
        def show(text):
            shown.append((text.strip().splitlines()[-1], threading.current_thread().name))

        hook = ExceptionHook(show)
        hook.install()
        widget = Broken()
        widget.resize(50, 50)
        widget.show()
        QTimer.singleShot(0, fail)
        threading.Thread(target=fail_in_thread).start()
        QTimer.singleShot(500, app.quit)
        app.exec_()
        hook.remove()
        print(sorted(set(shown)))
        sys.stdout.flush()
        os._exit(0)
        """,
        tmp_path,
    )
    expected = [(f"ValueError: {where}", "MainThread") for where in ("paint", "slot", "thread")]
    assert child.stdout.strip() == str(expected), child.stderr
    assert child.returncode == 0
    assert "unhandled exception" in child.stderr


def test_row_37_the_wall_clock_ends_no_task(
    qtbot: QtBot, manager: WorkerManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time
    handle = manager.submit("work", lambda: time.sleep(0.4), timeout_ms=20_000, progress_timeout_ms=20_000)
    for hours in (1, -1):
        monkeypatch.setattr(time, "time", lambda hours=hours: real() + 3600 * hours)
        assert not handle.wait(0.1)
    assert handle.wait(10)
    assert handle.outcome is Outcome.DONE
