"""What the worker layer costs, beside the parts that a Qt program could use instead.

``.venv/bin/python benchmarks/workers.py [CASE …]`` prints one JSON line per program and case:

- ``gui``: an empty task with its result delivered in the GUI thread, one by one and in bursts of 100; median µs per
  task over rounds in which the programs take turns, and the median of each round's ratio to ThreadPoolExecutor's
- ``throughput``: 10 000 empty tasks without delivery; tasks per second
- ``coalescing``: 10 000 requests with one key within a second; runs, and whether the last one had the last arguments
- ``memory``: bytes per waiting task
- ``safety``: milliseconds until the safety lane starts a task while every worker hangs
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "software"))

import psutil
from PyQt5.QtCore import QCoreApplication, QEventLoop, QObject, QRunnable, Qt, QThreadPool, pyqtSignal

from squid.utils import WorkerManager
from squid.utils.safety_lane import SafetyLane

ROUNDS, ONE_BY_ONE, BURST, TASKS, REPEATS = 100, 40, 100, 10_000, 3
EXECUTOR = "ThreadPoolExecutor + signal"


class _Bridge(QObject):
    done = pyqtSignal(object)


class _Runnable(QRunnable):
    def __init__(self, bridge: _Bridge) -> None:
        super().__init__()
        self._bridge = bridge

    def run(self) -> None:
        self._bridge.done.emit(None)


def _manager() -> WorkerManager:
    return WorkerManager(4, dump_file=Path(tempfile.mkdtemp()) / "stacks.log")


def _say(program: str, case: str, **figures: Any) -> None:
    print(json.dumps({"program": program, "case": case} | figures), flush=True)


def _empty() -> None:
    return None


def _gui_round(start: Callable[[Callable[[], None]], None], count: int, size: int) -> float:
    """Microseconds per task of `count` bursts of `size`; `start(done)` begins one, which calls `done` in here."""
    loop, left = QEventLoop(), 0

    def done() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            loop.quit()

    begin = time.perf_counter()
    for _ in range(count):
        left = size
        for _ in range(size):
            start(done)
        loop.exec_()
    return (time.perf_counter() - begin) / count / size * 1e6


def _gui_peers() -> dict[str, tuple[Callable[[Callable[[], None]], None], Callable[[], None]]]:
    """Name -> how to start one task, how to stop the program."""
    executor, bridge, qbridge = ThreadPoolExecutor(4), _Bridge(), _Bridge()
    pool, manager = QThreadPool(), _manager()
    pool.setMaxThreadCount(4)
    calls: list[Callable[[], None]] = []
    for each in (bridge, qbridge):
        each.done.connect(lambda _: calls.pop()(), Qt.QueuedConnection)  # a future may be done at once: in this thread
    names = itertools.cycle(range(BURST))  # a program does the same few hundred things again and again

    def with_executor(done: Callable[[], None]) -> None:
        calls.append(done)
        executor.submit(_empty).add_done_callback(lambda future: bridge.done.emit(future.result()))

    def with_qt(done: Callable[[], None]) -> None:
        calls.append(done)
        pool.start(_Runnable(qbridge))

    def with_us(done: Callable[[], None]) -> None:
        manager.submit(f"task {next(names)}", _empty, 60_000, on_complete=lambda _: done())

    return {
        EXECUTOR: (with_executor, executor.shutdown),
        "QThreadPool + signal": (with_qt, lambda: pool.waitForDone() and None),
        "squid": (with_us, manager.shutdown),
        **_superqt(),
    }


def _superqt() -> dict[str, tuple[Callable[[Callable[[], None]], None], Callable[[], None]]]:
    try:
        from superqt.utils import create_worker
    except ImportError:
        return {}

    def start(done: Callable[[], None]) -> None:
        create_worker(_empty, _start_thread=True, _connect={"returned": lambda _: done()})

    return {"superqt": (start, _empty)}


def gui() -> None:
    """Let the programs take turns of a few milliseconds, in any order: what else the machine does meets all alike."""
    peers, dice = _gui_peers(), random.Random(1)
    singles: dict[str, list[float]] = {program: [] for program in peers}
    bursts: dict[str, list[float]] = {program: [] for program in peers}
    for _ in range(ROUNDS):
        for program, (start, _stop) in dice.sample(sorted(peers.items()), len(peers)):
            singles[program].append(_gui_round(start, ONE_BY_ONE, 1))
            bursts[program].append(_gui_round(start, 1, BURST))
    for program, (_start, stop) in peers.items():
        stop()
        ratios = [own / peer for own, peer in zip(singles[program], singles[EXECUTOR], strict=True)]
        _say(
            program,
            "gui",
            us_one_by_one=round(statistics.median(singles[program]), 1),
            us_in_bursts=round(statistics.median(bursts[program]), 1),
            one_by_one_of_executor=round(statistics.median(ratios), 3),
        )


def throughput() -> None:
    for _ in range(REPEATS):
        begin = time.perf_counter()
        with ThreadPoolExecutor(4) as executor:
            for _ in range(TASKS):
                executor.submit(_empty)
        bare = TASKS / (time.perf_counter() - begin)
        _say("ThreadPoolExecutor", "throughput", tasks_per_s=round(bare))
        manager = _manager()
        begin = time.perf_counter()
        for number in range(TASKS):
            manager.submit(f"task {number}", _empty)
        manager.wait_for_done()
        ours = TASKS / (time.perf_counter() - begin)
        manager.shutdown()
        _say("squid", "throughput", tasks_per_s=round(ours), of_bare=round(ours / bare, 2))


def coalescing() -> None:
    manager, runs = _manager(), []
    begin = time.perf_counter()
    for number in range(10_000):
        manager.submit("preview", lambda number=number: runs.append(number), coalesce_key="preview")
        while time.perf_counter() - begin < number / 10_000:
            time.sleep(0)
    manager.wait_for_done()
    manager.shutdown()
    _say("squid", "coalescing", requests=10_000, runs=len(runs), last_is_newest=runs[-1] == 9999)


def memory() -> None:
    manager, process = _manager(), psutil.Process()
    manager.pause()
    gc.collect()
    before = process.memory_info().rss
    for number in range(50_000):
        manager.submit(f"task {number}", _empty)
    gc.collect()
    _say("squid", "memory", bytes_per_task=round((process.memory_info().rss - before) / 50_000))
    manager.shutdown()


def safety() -> None:
    manager, gate, lane = _manager(), threading.Event(), SafetyLane()
    for number in range(4):
        manager.submit(f"hung {number}", gate.wait)
    waits = []
    for _ in range(500):
        begin = time.perf_counter()
        waits.append(lane.submit("light off", time.perf_counter).result(5) - begin)
        time.sleep(0.001)
    gate.set()
    lane.close()
    manager.shutdown()
    _say("squid", "safety", median_ms=round(statistics.median(waits) * 1e3, 3), worst_ms=round(max(waits) * 1e3, 3))


CASES = {case.__name__: case for case in (gui, throughput, coalescing, memory, safety)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    arguments = parser.parse_args()
    app = QCoreApplication(sys.argv[:1])
    for case in arguments.cases or CASES:
        CASES[case]()
    del app
    sys.stdout.flush()
    os._exit(0)  # superqt's QThreadPool threads may still live


if __name__ == "__main__":
    main()
