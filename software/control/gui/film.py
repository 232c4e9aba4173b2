"""Plays through the planes or time points of an image, one after the other, and begins again at the end."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtCore import QTimer
from PyQt5.QtWidgets import QAction, QWidget

from control.gui.axis_slider import AxisSlider
from control.gui.view_tools import make_switch

FILM_MS = 150
"""Between two pictures of a film."""


class Film:
    """Moves one of two sliders.

    Parameters
    ----------
    parent : QWidget
        Where the shortcuts work.
    is_waiting : callable
        Whether the picture before is still to come: then the next has to wait.
    """

    def __init__(self, parent: QWidget, is_waiting: Callable[[], bool]) -> None:
        self._is_waiting = is_waiting
        self._axes: tuple[AxisSlider, ...] = ()
        self._played: AxisSlider | None = None
        tip = "Show one after the other"
        self.play_z = make_switch(parent, "Play through &z", "Ctrl+Shift+Z", tip, "play", lambda: self._play(0))
        self.play_t = make_switch(parent, "Play through &time", "Ctrl+Shift+T", tip, "play", lambda: self._play(1))
        self._timer = QTimer(parent)
        self._timer.setInterval(FILM_MS)
        self._timer.timeout.connect(self._next)

    def set_axes(self, z: AxisSlider, t: AxisSlider) -> None:
        """Say which sliders are moved."""
        self._axes = (z, t)

    def stop(self) -> None:
        """Stop."""
        self._played = None
        self._timer.stop()
        for action in self._actions():
            action.setChecked(False)

    def _actions(self) -> tuple[QAction, QAction]:
        return self.play_z, self.play_t

    def _play(self, number: int) -> None:
        """Start or stop, as the action says; the other one stops."""
        self._actions()[1 - number].setChecked(False)
        axis = self._axes[number]
        if self._actions()[number].isChecked() and axis.count > 1:
            self._played = axis
            self._timer.start()
        else:
            self.stop()

    def _next(self) -> None:
        if self._played is not None and not self._is_waiting():
            self._played.step()
