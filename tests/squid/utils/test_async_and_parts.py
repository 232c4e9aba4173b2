"""The asyncio loop, and the parts of others that the worker layer is used with."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from cachetools import TTLCache, cached
from pytestqt.qtbot import QtBot
from superqt.utils import QSignalDebouncer, QSignalThrottler

from squid.errors import ShutDownError
from squid.utils.async_loop import AsyncLoop
from squid.utils.incident import CommandLog, write_incident

SOFTWARE = Path(__file__).resolve().parents[3] / "software"


def test_coroutines_run_in_their_own_thread_and_are_cancelled_at_the_end() -> None:
    loop, started, cancelled = AsyncLoop(), threading.Event(), threading.Event()

    async def answer() -> str:
        await asyncio.sleep(0.001)
        return threading.current_thread().name

    async def endless() -> None:
        started.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    assert loop.submit(answer()).result(5) == "asyncio"
    loop.submit(endless())
    assert started.wait(5)
    loop.close()
    loop.close()
    assert cancelled.is_set()
    with pytest.raises(ShutDownError):
        loop.submit(answer())


def test_await_in_slots(tmp_path: Path) -> None:
    code = f"""
    import asyncio, os, sys
    sys.path.insert(0, {str(SOFTWARE)!r})
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    import qasync
    from pathlib import Path
    from PyQt5.QtWidgets import QApplication, QPushButton
    from squid.utils import WorkerManager
    from squid.utils.async_loop import AsyncLoop

    app = QApplication([])
    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    background, button = AsyncLoop(), QPushButton("read")

    async def read():
        return 42

    @qasync.asyncSlot(bool)
    async def on_click(checked):
        print(await asyncio.wrap_future(background.submit(read())))
        sys.stdout.flush()
        os._exit(0)

    button.clicked.connect(on_click)
    loop.call_soon(button.click)
    loop.run_forever()
    """
    child = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60, check=False
    )
    assert child.stdout == "42\n", child.stderr


def test_throttled_and_debounced_refresh(qtbot: QtBot) -> None:
    throttled, debounced = [], []
    throttler, debouncer = QSignalThrottler(), QSignalDebouncer()
    for timer, seen in ((throttler, throttled), (debouncer, debounced)):
        timer.setTimeout(50)
        timer.triggered.connect(lambda seen=seen: seen.append(time.monotonic()))
    begin = time.monotonic()
    while time.monotonic() - begin < 0.3:
        throttler.throttle()
        debouncer.throttle()
        qtbot.wait(5)
    assert debounced == []
    assert 2 <= len(throttled) <= 8
    qtbot.waitUntil(lambda: len(debounced) == 1)


def test_read_only_calls_are_cached_for_a_time() -> None:
    now, calls = [0.0], []

    @cached(TTLCache(maxsize=16, ttl=1.0, timer=lambda: now[0]), lock=threading.Lock())
    def firmware_version(device: str) -> str:
        calls.append(device)
        return f"{device} 1.0"

    assert firmware_version("stage") == firmware_version("stage") == "stage 1.0"
    now[0] = 2.0
    firmware_version("stage")
    assert calls == ["stage", "stage"]


def test_an_incident_keeps_what_was_known(tmp_path: Path) -> None:
    commands = CommandLog()
    for number in range(2000):
        commands.note("stage", "move_to", number)
    bundle = write_incident(
        tmp_path, "stage.move_to overdue", tasks=[{"name": "run"}], commands=commands, queue_sizes={"frames": 3}
    )
    assert bundle.parent == tmp_path
    assert "in test_an_incident_keeps_what_was_known" in (bundle / "stacks.log").read_text()
    summary = json.loads((bundle / "incident.json").read_text())
    assert summary["reason"] == "stage.move_to overdue"
    assert summary["tasks"] == [{"name": "run"}]
    assert summary["queue_sizes"] == {"frames": 3}
    lines = [json.loads(line) for line in (bundle / "commands.jsonl").read_text().splitlines()]
    assert len(lines) == 1024
    assert lines[-1]["detail"] == "1999"
    assert lines[0]["age_s"] >= lines[-1]["age_s"] >= 0


def test_without_any_qt_application(tmp_path: Path) -> None:
    code = f"""
    import sys, threading, time
    sys.path.insert(0, {str(SOFTWARE)!r})
    from pathlib import Path
    from squid.utils import WorkerManager
    manager = WorkerManager(2, dump_file=Path({str(tmp_path)!r}) / "stacks.log")
    seen, three = [], threading.Event()

    def note(result):
        seen.append((result.success, result.timed_out, threading.current_thread().name))
        if len(seen) == 3:
            three.set()

    manager.submit("good", lambda: 1, on_complete=note)
    manager.submit("bad", lambda: 1 / 0, on_error=note)
    manager.submit("slow", lambda: time.sleep(30), 100, on_error=note)
    assert three.wait(10)
    begin = time.monotonic()
    manager.shutdown()
    assert time.monotonic() - begin < 2
    print(sorted(seen))
    """
    child = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=25, check=False
    )
    place = "result delivery"
    assert child.stdout.strip() == str([(False, False, place), (False, True, place), (True, False, place)]), (
        child.stderr
    )
    assert child.returncode == 0
