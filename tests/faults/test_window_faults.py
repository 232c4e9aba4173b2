"""Fault cases 7, 35 and 36 with the whole window: the program can always leave, and says where it was blocked.

Many exits are made by children that a small parent forks after its imports, before it has any thread or Qt
application. ``SQUID_TEST_EXITS=100`` makes a hundred of each kind.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests import rig

from control.core.journal import read_journal

pytestmark = pytest.mark.alone

ROOT = Path(__file__).resolve().parents[2]
EXITS = int(os.environ.get("SQUID_TEST_EXITS", "5"))

_START = """
import json, os, signal, sys, time
sys.path[:0] = [{software!r}, {root!r}]
from pathlib import Path
from PyQt5.QtCore import QTimer
from PyQt5.QtWidgets import QApplication
import control.core.session, control.gui.pages, control.gui.follower, control.gui.devices_panel, control.gui.questions
from control.gui.app import Program
from squid.models.plan import read_plan
from squid.utils.leaving import leave

FOLDER = Path({folder!r})
"""

_EXITS = (
    _START
    + """
HOW, COUNT = {how!r}, {count}


def program(number):
    os.environ["SQUID_SETTINGS_FOLDER"] = str(FOLDER / f"user {{number}}")
    app = QApplication([])

    def note_and_leave(code, steps, limit_s):
        (FOLDER / f"asked {{number}}").write_text(str(time.monotonic()))

        def dark():
            (FOLDER / f"lit {{number}}").write_text(str(program.window.session.microscope.illumination.lit))

        leave(code, [*steps, ("note", dark)], limit_s)

    program = Program(app, FOLDER / f"user {{number}}", ["camera.hang@frame=6"], note_and_leave)
    program.window.show()
    program.begin(FOLDER / "machine.yaml")
    look = QTimer()
    hung_since = []

    def watch():
        session = program.window.session
        if session is None:
            return
        if session.queue.current is None:
            if not hung_since:
                hung_since.append(0.0)
                session.queue.enqueue(read_plan(FOLDER / "plan.yaml"), FOLDER / f"out {{number}}", start=True)
        elif session.status.snapshot().stored >= 4:
            look.stop()
            QTimer.singleShot(150, in_the_hang)

    def in_the_hang():
        (FOLDER / f"ready {{number}}").write_text(str(time.monotonic()))
        if HOW == "quit":
            program.quit()

    look.timeout.connect(watch)
    look.start(5)
    app.exec_()


def start(number):
    pid = os.fork()
    if pid == 0:
        program(number)
    numbers[pid] = number


numbers, ended, sent = {{}}, {{}}, {{}}
next_number = 0
while len(ended) < COUNT:
    while next_number < COUNT and len(numbers) < 4:
        start(next_number)
        next_number += 1
    for pid, number in list(numbers.items()):
        ready = FOLDER / f"ready {{number}}"
        if number not in sent and ready.exists() and ready.read_text():
            sent[number] = time.monotonic() if HOW == "signal" else float(ready.read_text())
            if HOW == "signal":
                os.kill(pid, signal.SIGTERM)
    pid, status = os.waitpid(-1, os.WNOHANG)
    if pid:
        ended[numbers.pop(pid)] = (status, time.monotonic())
    time.sleep(0.002)
print(json.dumps({{
    "bad": [status for status, _ in ended.values() if status],
    "worst_s": max(ended[number][1] - sent.get(number, 0.0) for number in ended),
    "handled_s": [float((FOLDER / f"asked {{n}}").read_text()) - sent[n] for n in ended],
    "lit": [(FOLDER / f"lit {{n}}").read_text() for n in ended if (FOLDER / f"lit {{n}}").exists()],
}}))
"""
)


def child(code: str, folder: Path, timeout_s: float = 110, **values: object) -> dict[str, object]:
    rig.machine(folder)
    text = code.format(software=str(ROOT / "software"), root=str(ROOT), folder=str(folder), **values)
    environment = {
        **os.environ,
        "SQUID_LOG_FOLDER": str(folder / "log"),
        "SQUID_SETTINGS_FOLDER": str(folder / "user"),
        "QT_QPA_PLATFORM": "offscreen",
        "OPENBLAS_NUM_THREADS": "1",  # its threads would not live on in forked children
    }
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=timeout_s, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.timeout(900)
@pytest.mark.parametrize("how", ["quit", "signal"])
def test_rows_35_and_36_the_window_leaves_while_a_device_call_hangs(tmp_path: Path, how: str) -> None:
    rig.plan(tmp_path)
    seen = child(_EXITS, tmp_path, timeout_s=850, how=how, count=EXITS)
    assert seen["bad"] == []
    assert seen["worst_s"] < 3.0  # type: ignore[operator]
    assert seen["lit"] == ["()"] * EXITS
    if how == "signal":  # median: four programs share two cores here
        assert sorted(seen["handled_s"])[EXITS // 2] < 0.1  # type: ignore[call-overload]
    for number in range(EXITS):
        (folder,) = (tmp_path / f"out {number}").iterdir()
        assert len(read_journal(folder).stored) >= 4


_BLOCKED = (
    _START
    + """
app = QApplication([])
seen = {{}}
program = Program(app, FOLDER / "user", leave=lambda *_: (print(json.dumps(seen), flush=True), os._exit(0)))
program.window.show()
program.begin(FOLDER / "machine.yaml")
dumps = FOLDER / "log" / "stacks.log"
look, asked = QTimer(), []


def block_here():
    status = program.window.session.status
    before, begin = status.snapshot().stored, time.monotonic()
    while time.monotonic() - begin < 20 and "in block_here" not in dumps.read_text():
        time.sleep(0.01)
    seen["dumped_s"] = time.monotonic() - begin
    while time.monotonic() - begin < 20 and status.snapshot().stored <= before:
        time.sleep(0.01)
    seen["stored_meanwhile"] = status.snapshot().stored - before
    QTimer.singleShot(300, said)


def said():
    seen["log"] = [line.text for line in program.log.since(0) if "did not answer" in line.text]
    program.quit()


def watch():
    session = program.window.session
    if session is not None and not asked:
        asked.append(session.queue.enqueue(read_plan(FOLDER / "plan.yaml"), FOLDER / "out", start=True))
    elif asked and session.status.snapshot().stored > 0:
        look.stop()
        block_here()


look.timeout.connect(watch)
look.start(5)
app.exec_()
"""
)


def test_row_7_a_blocked_window_is_dumped_and_the_run_goes_on(tmp_path: Path) -> None:
    rig.plan(tmp_path, wells="A1:H12", fields={"rows": 4, "columns": 4})
    seen = child(_BLOCKED, tmp_path)
    assert seen["dumped_s"] < 1.2  # type: ignore[operator]
    assert seen["stored_meanwhile"] > 0  # type: ignore[operator]
    assert len(seen["log"]) == 1  # type: ignore[arg-type]
