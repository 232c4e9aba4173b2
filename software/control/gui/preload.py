"""Libraries that are wanted later and slow to import: loaded while nobody waits for them.

An import holds up the window whichever thread asks for it, and most when a run or live view is under way.
"""

from __future__ import annotations

import logging
from importlib import import_module

from squid.utils.task import WorkerResult
from squid.utils.task_queue import TaskPriority
from squid.utils.worker_manager import WorkerManager

LIBRARIES = ("tifffile", "pyqtgraph")
"""For snaps; for the plot of the focus."""

DELAY_MS = 1500
"""After the pages are there: the window is painted, its first click answered."""

_TASK = "load what is wanted later"
_log = logging.getLogger(__name__)


def preload(manager: WorkerManager) -> None:
    """Import them in a task, after all others that wait."""
    manager.submit(
        _TASK, _load, delay_ms=DELAY_MS, priority=TaskPriority.LOW, coalesce_key=_TASK, on_error=_not_loaded
    )


def _load() -> None:
    for name in LIBRARIES:
        import_module(name)


def _not_loaded(result: WorkerResult) -> None:
    _log.warning("%s; who needs it will hear why", result.error)
