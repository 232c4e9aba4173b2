"""Qt without a display, and stack dumps that stay out of the user's folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from squid.utils.worker_manager import WorkerManager

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture
def make_manager(tmp_path: Path) -> Iterator[Callable[..., WorkerManager]]:
    """Makes managers that are shut down after the test."""
    managers: list[WorkerManager] = []

    def make(*args: Any, **kwargs: Any) -> WorkerManager:
        kwargs.setdefault("dump_file", tmp_path / "stacks.log")
        managers.append(WorkerManager(*args, **kwargs))
        return managers[-1]

    yield make
    for manager in managers:
        manager.shutdown(wait=False)
