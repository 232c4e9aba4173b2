"""Libraries that are wanted later and slow to import: loaded while nobody waits for them.

An import holds up the window whichever thread asks for it, and most when a run or live view is under way. So does
Python's search for garbage, 40 to 80 ms each time, as long as it looks through everything that the start has made.
"""

from __future__ import annotations

import gc
import logging
from importlib import import_module

from control.gui.focus_plot import load_plots
from squid.utils.task import TaskPriority, WorkerResult
from squid.utils.worker_manager import WorkerManager

SNAPS = "tifffile"

DELAY_MS = 1500
"""After the pages are there: the window is painted, its first click answered."""

_TASK = "load what is wanted later"
_log = logging.getLogger(__name__)


def preload(manager: WorkerManager) -> None:
    """Import them in a task, after all others that wait; what is there then is not searched for garbage any more."""
    manager.submit(
        _TASK,
        load,
        delay_ms=DELAY_MS,
        priority=TaskPriority.LOW,
        coalesce_key=_TASK,
        on_error=_not_loaded,
        on_finished=_keep_what_is_there,
    )


def load() -> None:
    """Import what snaps and the plot of the focus need."""
    import_module(SNAPS)
    load_plots()


def _not_loaded(result: WorkerResult) -> None:
    _log.warning("%s; who needs it will hear why", result.error)


def _keep_what_is_there(_: WorkerResult) -> None:
    gc.freeze()
