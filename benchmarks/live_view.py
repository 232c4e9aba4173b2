"""How fast a 2048 x 2048 uint16 image reaches the screen: our view beside pyqtgraph's ImageItem, one JSON line each.

``.venv/bin/python benchmarks/live_view.py [--seconds 3] [--side 910]``; for the figures of a screen without OpenGL:
``xvfb-run -a -s "-screen 0 1920x1080x24" .venv/bin/python benchmarks/live_view.py``

Each case shows a ring of four noisy images in a square of `side` pixels. "as fast as it can": the next image as soon
as the last one is painted. "source of 30 per second": a thread hands over images, the window takes the newest by its
timer as the Look page does, and the longest time between two turns of the event loop is taken as well.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

if not os.environ.get("DISPLAY"):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "software"))

import numpy as np
from PyQt5.QtCore import QEventLoop, Qt, QTimer
from PyQt5.QtWidgets import QApplication, QWidget

from control.core.contrast import Contrast
from control.core.grey_values import GreyCounts
from control.core.rendering import Layer
from control.gui.contrast_control import ContrastControl
from control.gui.image_view import ImageView
from control.gui.live_image import MEASURE_S
from control.gui.view_transform import Placement
from squid.models.geometry import Pixels

SHAPE_PX = (2048, 2048)
BITS = 12
PLACE = Placement(0.0, 0.0, 0.325)

Show = Callable[[Pixels], None]


class BlockProbe:
    """The longest time between two turns of the event loop, in ms."""

    def __init__(self) -> None:
        self.worst_ms = 0.0
        self._last_s = time.perf_counter()
        self._timer = QTimer()
        self._timer.timeout.connect(self._beat)
        self._timer.start(1)

    def _beat(self) -> None:
        now_s = time.perf_counter()
        self.worst_ms = max(self.worst_ms, (now_s - self._last_s) * 1e3 - 1)
        self._last_s = now_s


def spin(seconds: float) -> None:
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec_()


def images() -> list[Pixels]:
    random = np.random.default_rng(1)
    return [random.integers(100, 4000, SHAPE_PX, dtype=np.uint16) for _ in range(4)]


def ours() -> tuple[QWidget, Show]:
    view = ImageView()
    return view, lambda pixels: view.show_image([Layer(pixels, (100, 4000), "#00FF00")], BITS, PLACE)


def ours_with_histogram() -> tuple[QWidget, Show]:
    view, show = ours()
    control = ContrastControl(Contrast())
    control.setParent(view)
    measured_s = 0.0

    def both(pixels: Pixels) -> None:
        nonlocal measured_s
        show(pixels)
        if time.perf_counter() - measured_s >= MEASURE_S:
            measured_s = time.perf_counter()
            counts = GreyCounts.of(pixels, BITS)
            control.show_counts("FITC", counts, counts.limits(), "#00FF00")

    return view, both


def pyqtgraph_image(step: int) -> tuple[QWidget, Show]:
    import pyqtgraph  # only where it is measured

    widget = pyqtgraph.GraphicsLayoutWidget()
    box = widget.addViewBox(lockAspect=True)
    item = pyqtgraph.ImageItem(axisOrder="row-major")
    box.addItem(item)
    box.setRange(xRange=(0, SHAPE_PX[1] / step), yRange=(0, SHAPE_PX[0] / step), padding=0)
    return widget, lambda pixels: item.setImage(pixels[::step, ::step], levels=(100, 4000))


def measure(case: str, make: Callable[[], tuple[QWidget, Show]], side: int, seconds: float) -> None:
    widget, show = make()
    widget.resize(side, side)
    widget.show()
    spin(0.3)
    ring = images()
    begin, cpu, frames = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - begin < seconds:
        show(ring[frames % len(ring)])
        QApplication.processEvents()
        frames += 1
    wall = time.perf_counter() - begin
    say(case, "as fast as it can", side, fps=frames / wall, cpu_ms_per_frame=(time.process_time() - cpu) / frames * 1e3)
    paced(case, show, side, seconds, ring)
    widget.hide()
    widget.deleteLater()


def paced(case: str, show: Show, side: int, seconds: float, ring: list[Pixels]) -> None:
    """Show the newest image of a source of 30 per second, by the timer of the Look page."""
    slot: list[tuple[int, Pixels]] = [(-1, ring[0])]
    is_over = threading.Event()

    def deliver() -> None:
        for number in range(10**9):
            if is_over.wait(max(0.0, begin + number / 30 - time.perf_counter())):
                return
            slot[0] = (number, ring[number % len(ring)])

    shown: list[int] = [-1]

    def take() -> None:
        number, pixels = slot[0]
        if number != shown[-1]:
            shown.append(number)
            show(pixels)

    begin = time.perf_counter()
    source = threading.Thread(target=deliver)
    source.start()
    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(take)
    timer.start(16)
    probe, cpu = BlockProbe(), time.process_time()
    spin(seconds)
    timer.stop()
    is_over.set()
    source.join()
    used = time.process_time() - cpu
    figures = {"fps": (len(shown) - 1) / seconds, "longest_block_ms": probe.worst_ms, "cpu_share": used / seconds}
    say(case, "source of 30 per second", side, **figures)


def say(program: str, case: str, side: int, **figures: float) -> None:
    rounded: dict[str, Any] = {name: round(value, 2) for name, value in figures.items()}
    print(json.dumps({"program": program, "case": case, "side_px": side} | rounded), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--side", type=int, default=910, help="of the widget, in pixels")
    arguments = parser.parse_args()
    app = QApplication(sys.argv[:1])
    for case, make in (
        ("squid ImageView", ours),
        ("squid ImageView with histogram", ours_with_histogram),
        ("pyqtgraph ImageItem", lambda: pyqtgraph_image(1)),
        ("pyqtgraph ImageItem, every second pixel", lambda: pyqtgraph_image(2)),
    ):
        measure(case, make, arguments.side, arguments.seconds)
    app.processEvents()
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
