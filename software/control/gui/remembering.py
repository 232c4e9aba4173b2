"""Keeps the window's settings on disk while it is open: what is on the screen outlives a power cut, too.

::

    every two seconds: what do the pages say? ──the same──▶ nothing
                                              └──another──▶ task: the file, replaced whole

Asks, rather than being told: a page need not know that it is remembered, and typing is not written letter by letter.
"""

from __future__ import annotations

import logging

from PyQt5.QtCore import QObject, QTimer

from control.gui.main_window import MainWindow
from control.gui.settings import SettingsFile
from squid.utils.task import TaskPriority, WorkerResult
from squid.utils.worker_manager import WorkerManager

_log = logging.getLogger(__name__)

PERIOD_MS = 2000
WRITE_MS = 10_000
"""So long may a write to the user's folder take; the next one tries again."""


class Remembering(QObject):
    """Writes the settings soon after each change.

    Parameters
    ----------
    window : MainWindow
        Is asked what is to be remembered.
    settings : SettingsFile
        Where that goes.
    manager : WorkerManager
        Writes.
    """

    def __init__(self, window: MainWindow, settings: SettingsFile, manager: WorkerManager) -> None:
        super().__init__(window)
        self._window, self._settings, self._manager = window, settings, manager
        self._complaint = ""
        self._timer = QTimer(self)
        self._timer.setInterval(PERIOD_MS)
        self._timer.timeout.connect(self.look)

    def begin(self) -> None:
        """Look again and again, from now on."""
        self._timer.start()

    def end(self) -> None:
        """Look no more: the program leaves, and writes for the last time."""
        self._timer.stop()

    def look(self) -> None:
        """Write what has changed since the last time; returns at once."""
        try:
            self._window.remember()
        except Exception as mistake:  # a page's edge: told once, and the window goes on
            self._complain(f"what the pages remember is not kept: {mistake!r}")
            return
        if self._settings.is_changed and not self._manager.is_shut_down:
            self._manager.submit(
                "write the settings",
                self._settings.save,
                timeout_ms=WRITE_MS,
                priority=TaskPriority.LOW,
                coalesce_key="write the settings",
                on_error=self._not_written,
            )

    def _not_written(self, result: WorkerResult) -> None:
        self._complain(f"the settings are not written: {result.error}")

    def _complain(self, text: str) -> None:
        if text != self._complaint:
            self._complaint = text
            _log.warning("%s", text)
