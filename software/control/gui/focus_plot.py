"""Where the focus lay over the plate: actual z of each field in colour, at its place; pyqtgraph comes when needed."""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from types import ModuleType
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtGui import QShowEvent
from PyQt5.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from control.core.review.focus import fit_plane, focus_points, signed
from control.core.stored_run import StoredRun
from control.core.words import counted, in_words
from control.gui import theme
from control.gui.parts import CountEdit, faint_label
from squid.utils.worker_manager import WorkerManager, WorkerResult

FOLLOW_GROWTH = 1.02
"""A plot of a run that goes on is drawn anew when there are so many times more frames."""

AT_ONCE = 4000
"""So many points are drawn in one turn of the event loop: 10 to 20 ms."""

_COLOURS = "viridis"
_SHADES = 128  # pyqtgraph draws one stamp for each


class FocusPlot(QWidget):
    """A plot of actual z over x and y, for one time point and plane.

    Parameters
    ----------
    manager : WorkerManager
        Loads the plotting library, which takes half a second, beside the window.
    """

    def __init__(self, manager: WorkerManager) -> None:
        super().__init__()
        self.setObjectName("focusPlot")
        self._manager = manager
        self._run: StoredRun | None = None
        self._plot: Any = None
        self._scatter: Any = None
        self._bar: Any = None
        self._map: Any = None
        self._brushes: npt.NDArray[np.object_] = np.array([], object)
        self._points_seen = -1
        self._todo: deque[Callable[[], object]] = deque()
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.timeout.connect(self._next)
        self._z_um: dict[int, float] = {}
        self._text = faint_label("Open a run to see where its focus lay.")
        self._text.setObjectName("focusText")
        self._time = CountEdit("", 1, 1, 1, tip="Time point")
        self._plane = CountEdit("", 1, 1, 1, tip="z plane, counted from the lowest")
        self._time.setPrefix("time point ")
        self._plane.setPrefix("z plane ")
        self._time.valueChanged.connect(self.redraw)
        self._plane.valueChanged.connect(self.redraw)
        head = QHBoxLayout()
        head.addWidget(self._text, 1)
        head.addWidget(self._plane, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self._time, 0, Qt.AlignmentFlag.AlignTop)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, theme.GAP_PX, 0, 0)
        self._layout.addLayout(head)
        self._space: Any = QWidget()
        self._layout.addWidget(self._space, 1)

    @property
    def text(self) -> str:
        """What is said of the focus in words."""
        return self._text.text()

    @property
    def is_drawn(self) -> bool:
        """Whether the plot stands."""
        return self._bar is not None and not self._todo

    def set_run(self, run: StoredRun | None) -> None:
        """Show another run."""
        self._run, self._points_seen = run, -1
        if run is not None:
            for edit, most in ((self._time, run.extent.t), (self._plane, run.extent.z)):
                edit.setRange(1, most)
                edit.setVisible(most > 1)
        self.redraw()

    def follow(self) -> None:
        """Draw what has come since, while it is seen."""
        if self._run is not None and len(self._run.frames) > FOLLOW_GROWTH * self._points_seen:
            self.redraw()

    def redraw(self) -> None:
        """Draw time point and plane that are chosen; the library is loaded first, if need be."""
        if self._run is None or not self.isVisible():
            return
        if self._bar is None:
            self._manager.submit(
                "load the plots",
                load_plots,
                on_complete=self._on_loaded,
                on_error=self._on_error,
                coalesce_key="load the plots",
            )
            return
        self._points_seen = len(self._run.frames)
        rows = focus_points(self._run.frames, self._time.value() - 1, self._plane.value() - 1)
        self._draw(rows["actual_um"], rows["image"])

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Draw what was not drawn while nobody saw it."""
        self.redraw()

    def _on_error(self, result: WorkerResult) -> None:
        self._text.setText(in_words(result.error))

    def _on_loaded(self, result: WorkerResult) -> None:
        if self._plot is None:
            self._do([partial(self._build, result.value), partial(self._build_bar, result.value), self.redraw])

    def _do(self, steps: Iterable[Callable[[], object]]) -> None:
        """Do this instead of what is left to do, one step in each turn of the event loop: together they take 0.1 s."""
        self._todo = deque(steps)
        self._next()

    def _next(self) -> None:
        if self._todo:
            self._todo.popleft()()
        if self._todo:
            self._turn.start(0)

    def _build(self, pyqtgraph: Any) -> None:
        """Make the plot: x to the right and y down, as the plate lies in its map."""
        self._map = pyqtgraph.colormap.get(_COLOURS)
        shades = self._map.getLookupTable(nPts=_SHADES, mode="qcolor")
        self._brushes = np.array([pyqtgraph.mkBrush(shade) for shade in shades], object)
        widget = pyqtgraph.GraphicsLayoutWidget()
        widget.setBackground(theme.BACKGROUND)
        self._plot = widget.addPlot()
        self._plot.setLabel("bottom", "stage x (mm)")
        self._plot.setLabel("left", "stage y (mm)")
        self._plot.invertY(True)
        self._plot.setAspectLocked(True)
        self._plot.showGrid(x=True, y=True, alpha=0.2)
        self._scatter = pyqtgraph.ScatterPlotItem(pen=None, hoverable=True, tip=self._tip)
        self._plot.addItem(self._scatter)
        self._layout.replaceWidget(self._space, widget)
        self._space.deleteLater()
        self._space = widget

    def _build_bar(self, pyqtgraph: Any) -> None:
        """Make the scale of colours beside it."""
        self._bar = pyqtgraph.ColorBarItem(colorMap=self._map, label="actual z (µm)", interactive=False, width=16)
        self._bar.getAxis("right").setWidth(72)  # room for 12345.67
        self._space.addItem(self._bar)

    def _draw(self, actual_um: npt.NDArray[np.float64], images: npt.NDArray[np.int32]) -> None:
        """Draw one point per field; `actual_um` has the shape (N, 3)."""
        if not len(actual_um):
            self._todo.clear()
            self._scatter.clear()
            self._text.setText("No frame of this time point and plane is stored.")
            return
        x_um, y_um, z_um = actual_um.T
        low_um, high_um = float(z_um.min()), float(z_um.max())
        if high_um - low_um < 0.1:  # a flat plate is one colour, not noise stretched to all of them
            middle_um = (low_um + high_um) / 2
            low_um, high_um = middle_um - 0.05, middle_um + 0.05
        brushes = self._brushes[((z_um - low_um) / (high_um - low_um) * (_SHADES - 1)).astype(np.intp)]
        size_px = float(np.clip(400 / np.sqrt(len(z_um)), 5, 16))

        def add(first: int) -> None:
            part = slice(first, first + AT_ONCE)
            places = {"x": x_um[part] / 1000, "y": y_um[part] / 1000}
            self._scatter.addPoints(**places, brush=brushes[part], size=size_px, symbol="s", data=images[part])

        self._scatter.clear()
        self._z_um = dict(zip(images.tolist(), z_um.tolist(), strict=True))
        self._bar.setLevels((low_um, high_um))
        self._text.setText(_in_words(x_um, y_um, z_um))
        self._do([*(partial(add, first) for first in range(0, len(z_um), AT_ONCE)), self._plot.autoRange])

    def _tip(self, x: float, y: float, data: np.int32) -> str:
        name = self._run.layout.images[int(data)].name if self._run is not None else ""
        return f"{name}: z {self._z_um[int(data)]:.2f} µm\nx {x:.3f} mm, y {y:.3f} mm"


def _in_words(x_um: npt.NDArray[np.float64], y_um: npt.NDArray[np.float64], z_um: npt.NDArray[np.float64]) -> str:
    text = (
        f"{counted(len(z_um), 'field')}, z from {z_um.min():.2f} to {z_um.max():.2f} µm (range {np.ptp(z_um):.2f} µm)."
    )
    plane = fit_plane(x_um, y_um, z_um)
    if plane is None:
        return text
    return (
        f"{text} Tilt {signed(plane.tilt_x_um_per_mm)} µm per mm along x, {signed(plane.tilt_y_um_per_mm)} µm per mm "
        f"along y; the fields lie within {plane.spread_um:.2f} µm (standard deviation) of that plane."
    )


def load_plots() -> ModuleType:
    """Import the plot library, which takes most of a second: in a task. Hooks for errors stay as they were."""
    hooks = sys.excepthook, threading.excepthook
    import pyqtgraph  # puts hooks of its own in their place

    sys.excepthook, threading.excepthook = hooks
    return cast(ModuleType, pyqtgraph)
