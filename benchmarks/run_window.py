"""One case with the whole window, in a process of its own: ``run_window.py CASE FOLDER SECONDS BEGIN``.

BEGIN is the monotonic time just before the process was started.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "software")]

from PyQt5.QtCore import QEventLoop, QTimer
from PyQt5.QtWidgets import QApplication

from control.core.user_folder import SIMULATION
from control.gui.app import Program
from control.gui.theme import apply_theme

_BEAT_MS = 4
_EXPOSURE_MS = {"live": 10.0, "live30": 1000 / 30 - 10.0}
"""Of a camera that reads out in 10 ms: 50 frames per second and 30, were there nothing else to do."""


class BlockProbe:
    """How long the event loop did not turn: each gap between two beats of a timer, in ms."""

    def __init__(self) -> None:
        self._gaps_ms: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.timeout.connect(self._beat)
        self._timer.start(_BEAT_MS)

    def figures(self) -> dict[str, float]:
        ordered = sorted(self._gaps_ms)
        return {"worst_ms": round(ordered[-1], 1), "p99_ms": round(ordered[int(0.99 * len(ordered))], 1)}

    def _beat(self) -> None:
        now = time.perf_counter()
        self._gaps_ms.append(max(0.0, (now - self._last) * 1e3 - _BEAT_MS))
        self._last = now


def spin(seconds: float) -> None:
    loop = QEventLoop()
    QTimer.singleShot(int(seconds * 1000), loop.quit)
    loop.exec_()


def until(condition: Callable[[], bool], limit_s: float = 120.0, every_s: float = 0.01) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("did not come in time")
        spin(every_s)


def peak_rss_mb() -> int:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def rss_mb() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20)


def cpu_s() -> float:
    use = resource.getrusage(resource.RUSAGE_SELF)
    return use.ru_utime + use.ru_stime


def idle(program: Program, shown_ms: int, usable_ms: int) -> dict[str, Any]:
    spin(3.0)
    begin_cpu_s, begin_s = cpu_s(), time.monotonic()
    spin(10.0)
    share = (cpu_s() - begin_cpu_s) / (time.monotonic() - begin_s)
    memory = {"rss_mb": rss_mb(), "peak_rss_mb": peak_rss_mb(), "idle_cpu": round(share, 3)}
    return {"shown_ms": shown_ms, "usable_ms": usable_ms, **memory}


def live(program: Program, exposure_ms: float, seconds: float) -> dict[str, Any]:
    session = program.window.session
    assert session is not None
    program.window.show_page("look")
    session.live.set(channel="Brightfield")
    session.live.set(exposure_ms=exposure_ms)
    session.live.start()
    until(lambda: session.live.newest() is not None)
    spin(3.0)  # the simulator draws its cells once
    painted = Painted(program)
    first, begin, begin_cpu_s, probe = session.live.newest(), time.perf_counter(), time.thread_time(), BlockProbe()
    spin(seconds)
    last, took_s, gui_cpu_s = session.live.newest(), time.perf_counter() - begin, time.thread_time() - begin_cpu_s
    assert first is not None
    assert last is not None
    figures = probe.figures()
    rates = {"taken_hz": round((last.number - first.number) / took_s, 1), "shown_hz": round(painted.count / took_s, 1)}
    session.live.stop()
    return {
        **rates,
        **figures,
        "gui_cpu": round(gui_cpu_s / took_s, 3),
        "rss_mb": rss_mb(),
        "peak_rss_mb": peak_rss_mb(),
    }


class Painted:
    """Counts the live frames whose picture was painted."""

    def __init__(self, program: Program) -> None:
        session, pages = program.window.session, program.window.pages
        assert session is not None
        assert pages is not None
        view = pages.look.view
        self._seen: set[int] = set()
        paint = view.paintEvent

        def painted(event: Any) -> None:
            paint(event)
            frame = session.live.newest()
            if frame is not None:
                self._seen.add(frame.number)

        view.paintEvent = painted  # type: ignore[method-assign]

    @property
    def count(self) -> int:
        return len(self._seen)


class Ended:
    """When a run ended."""

    def __init__(self, run: Any) -> None:
        self._run = run
        self.at_s: float | None = None

    def wait(self) -> None:
        """Wait for it; in a task."""
        self._run.wait()
        self.at_s = time.perf_counter()


def run(program: Program, folder: Path, *, is_probed: bool) -> dict[str, Any]:
    from cases import CASES
    from run_squid_hcs import warm_up

    from control.core.run_record import read_summary
    from control.core.run_view import RunState
    from squid.models.plan import AcquisitionPlan

    session = program.window.session
    assert session is not None
    machine = session.machine
    stains = [name for name, preset in machine.channels_of(machine.objective).items() if preset.excitation_nm]
    plan = AcquisitionPlan.model_validate({"name": "reference", "sequence": CASES["reference"].sequence(stains)})
    warm = session.manager.submit("warm up", lambda: warm_up(session.microscope, plan))
    until(lambda: warm.is_finished)
    program.window.show_page("run")
    spin(3.0)  # what is loaded after the start has come
    probe = BlockProbe() if is_probed else None
    begin, begin_cpu_s = time.perf_counter(), time.thread_time()
    session.queue.enqueue(plan, folder, start=True)
    until(lambda: session.queue.current is not None)
    ended = Ended(session.queue.current)
    session.manager.submit("wait for the end", ended.wait)
    until(lambda: ended.at_s is not None, 600.0, every_s=0.2)  # looking often would be work of its own
    assert ended.at_s is not None
    wall_s, gui_cpu_s = ended.at_s - begin, time.thread_time() - begin_cpu_s
    until(lambda: session.status.snapshot().state is RunState.FINISHED)
    run_folder = session.status.snapshot().folder
    assert run_folder is not None
    summary = read_summary(run_folder)
    if summary.status != "completed":
        raise SystemExit(f"{summary.status}: {summary.reason}")
    counts = {"frames": summary.frames_stored, "wall_s": round(wall_s, 2), "ideal_s": summary.ideal_s}
    return {
        **counts,
        "loop_wall_s": summary.wall_s,
        **(probe.figures() if probe else {}),
        "gui_cpu": round(gui_cpu_s / wall_s, 3),
        "rss_mb": rss_mb(),
        "peak_rss_mb": peak_rss_mb(),
    }


def main() -> None:
    kind, folder, seconds, begin_s = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    app = QApplication(sys.argv[:1])
    apply_theme(app)
    program = Program(app, folder / "user")
    program.window.resize(1366, 740)
    program.window.show()
    app.processEvents()
    shown_ms = round(1000 * (time.monotonic() - begin_s))
    program.begin(SIMULATION)
    until(lambda: program.window.pages is not None)
    app.processEvents()
    usable_ms = round(1000 * (time.monotonic() - begin_s))
    match kind:
        case "start":
            figures = idle(program, shown_ms, usable_ms)
        case "live" | "live30":
            figures = live(program, _EXPOSURE_MS[kind], seconds)
        case _:
            figures = run(program, folder, is_probed=kind == "run")
    print(json.dumps(figures), flush=True)
    program.quit()


if __name__ == "__main__":
    main()
