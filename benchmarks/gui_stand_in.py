"""How a window feels on the worker layer alone: start-up, longest block, tab switch, refresh latency; a JSON line each.

``.venv/bin/python benchmarks/gui_stand_in.py [--window MODULE:FUNCTION] [--seconds 5]``

`FUNCTION` takes nothing and returns the widget to show; without it a stand-in with three tabs is measured, so that
the figures of the worker layer alone are known. While it is measured, tasks run and report progress as fast as they
can.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import sys
import tempfile
import time

_BEGIN = time.perf_counter()  # before Qt is imported: that is part of the start-up

from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "software"))

from PyQt5.QtCore import QEventLoop, QTimer
from PyQt5.QtWidgets import QApplication, QLabel, QPlainTextEdit, QTableWidget, QTabWidget, QWidget

from squid.utils import WorkerManager, current_task
from squid.utils.task_bridge import TaskBridge

_BEAT_MS = 1


class BlockProbe:
    """The longest time between two turns of the event loop, in ms."""

    def __init__(self) -> None:
        self.worst_ms = 0.0
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.timeout.connect(self._beat)
        self._timer.start(_BEAT_MS)

    def _beat(self) -> None:
        now = time.perf_counter()
        self.worst_ms = max(self.worst_ms, (now - self._last) * 1e3 - _BEAT_MS)
        self._last = now


def stand_in() -> QWidget:
    tabs = QTabWidget()
    tabs.addTab(QTableWidget(96, 12), "plate")
    tabs.addTab(QPlainTextEdit("log\n" * 5000), "log")
    tabs.addTab(QLabel("image"), "image")
    tabs.resize(1000, 700)
    return tabs


def load(spec: str | None) -> Callable[[], QWidget]:
    if spec is None:
        return stand_in
    module, _, name = spec.partition(":")
    function: Callable[[], QWidget] = getattr(importlib.import_module(module), name)
    return function


def say(case: str, **figures: Any) -> None:
    print(json.dumps({"program": "squid", "case": case} | figures), flush=True)


def spin(seconds: float) -> None:
    loop = QEventLoop()
    QTimer.singleShot(int(seconds * 1000), loop.quit)
    loop.exec_()


def keep_busy(manager: WorkerManager, bridge: TaskBridge) -> None:
    def work() -> None:
        task = current_task()
        assert task is not None
        while True:
            task.report_progress(time.perf_counter() % 1.0, "working")
            task.pause(0.0005)

    for number in range(3):
        bridge.submit(manager, f"work {number}", work)


def measure_tabs(window: QWidget) -> None:
    for tabs in [*window.findChildren(QTabWidget), *([window] if isinstance(window, QTabWidget) else [])]:
        times = []
        for index in [*range(tabs.count())] * 5:
            begin = time.perf_counter()
            tabs.setCurrentIndex(index)
            tabs.repaint()
            QApplication.processEvents()
            times.append((time.perf_counter() - begin) * 1e3)
        if times:
            median = round(statistics.median(times), 2)
            say("tab switch", tabs=tabs.count(), median_ms=median, worst_ms=round(max(times), 2))


def measure_refresh(manager: WorkerManager, seconds: float) -> None:
    """From the end of a task in its thread to its callback in the GUI thread."""
    waits: list[float] = []
    end = time.perf_counter() + seconds
    loop = QEventLoop()

    def next_one(result: object = None) -> None:
        if result is not None:
            waits.append((time.perf_counter() - result.value) * 1e3)  # type: ignore[attr-defined]
        if time.perf_counter() < end:
            manager.submit(f"refresh {len(waits)}", time.perf_counter, on_complete=next_one)
        else:
            loop.quit()

    next_one()
    loop.exec_()
    ordered = sorted(waits)
    p99 = round(ordered[int(0.99 * len(ordered))], 3)
    say("refresh latency", median_ms=round(statistics.median(waits), 3), p99_ms=p99, worst_ms=round(max(waits), 3))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--window", help="MODULE:FUNCTION that returns the widget")
    parser.add_argument("--seconds", type=float, default=5.0)
    arguments = parser.parse_args()
    app = QApplication(sys.argv[:1])
    window = load(arguments.window)()
    window.show()
    app.processEvents()
    say("start-up", ms=round((time.perf_counter() - _BEGIN) * 1e3))
    manager, bridge = WorkerManager(4, dump_file=Path(tempfile.mkdtemp()) / "stacks.log"), TaskBridge()
    keep_busy(manager, bridge)
    probe = BlockProbe()
    spin(arguments.seconds)
    say("longest block", seconds=arguments.seconds, ms=round(probe.worst_ms, 2))
    measure_tabs(window)
    measure_refresh(manager, arguments.seconds / 2)
    manager.cancel_all()
    manager.shutdown()
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
