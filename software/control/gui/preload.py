"""What is wanted later and slow to import or make: made while nobody waits for it.

::

    begin() ──▶ pages that are not there: imported in a task, made in one turn of the event loop each
                    └──a while later──▶ libraries of snaps and plots ──▶ what is there is not searched for garbage

An import holds up the window whichever thread asks for it, and most when a run or live view is under way. So does
Python's search for garbage, 40 to 80 ms each time, as long as it looks through everything that the start has made.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable
from functools import partial
from importlib import import_module

from PyQt5.QtCore import QObject, QTimer

from control.gui.navigation import PAGES
from control.gui.pages import Pages
from squid.utils.task import TaskPriority, WorkerResult
from squid.utils.worker_manager import WorkerManager

SNAPS = "tifffile"

DELAY_MS = 1500
"""After the pages are there: the window is painted, its first click answered."""

PAUSE_MS = 50
"""Between two pages: clicks, keys and painting have their turn."""

_log = logging.getLogger(__name__)


class Preload(QObject):
    """Makes what is wanted later.

    Parameters
    ----------
    manager : WorkerManager
        Imports, after all other tasks that wait.
    pages : Pages
        Those that are not there yet are made.
    """

    def __init__(self, manager: WorkerManager, pages: Pages) -> None:
        super().__init__(pages)
        self._manager, self._pages = manager, pages
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MS)
        self._pause.timeout.connect(self.begin)

    def begin(self) -> None:
        """Begin with the first page that is not there; returns at once."""
        if self._manager.is_shut_down:
            return
        name = next((name for name in PAGES if not self._pages.is_made(name)), None)
        if name is None:
            self._submit("load what is wanted later", load, _keep_what_is_there, DELAY_MS)
        else:
            self._submit(f"load the page {name}", partial(import_module, f"control.gui.{name}_page"), self._make)

    def _make(self, result: WorkerResult) -> None:
        """Make the page that was imported, and go on; one that cannot be made tells why when it is wanted."""
        if not result.success or self._manager.is_shut_down:
            return
        name = result.value.__name__.removeprefix("control.gui.").removesuffix("_page")
        self._pages.by_name(name)
        self._pause.start()  # posted events go before a person's: without a pause all would be one long turn

    def _submit(
        self, name: str, task: Callable[[], object], then: Callable[[WorkerResult], None], delay_ms: int = 0
    ) -> None:
        self._manager.submit(
            name,
            task,
            delay_ms=delay_ms,
            priority=TaskPriority.LOW,
            coalesce_key=name,
            on_error=_not_loaded,
            on_finished=then,
        )


def load() -> None:
    """Import what snaps and the plot of the focus need."""
    import_module(SNAPS)
    import_module("control.gui.focus_plot").load_plots()


def _not_loaded(result: WorkerResult) -> None:
    _log.warning("%s; who needs it will hear why", result.error)


def _keep_what_is_there(_: WorkerResult) -> None:
    gc.freeze()
