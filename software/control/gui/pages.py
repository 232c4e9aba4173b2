"""The four pages and what passes between them: the only place that knows them all.

Imported in a task while the window is already shown, since the pages bring half a second of imports with them.
"""

from __future__ import annotations

import importlib
import logging
from typing import Any

from PyQt5.QtWidgets import QLabel, QWidget

from control.core.session import Session

_log = logging.getLogger(__name__)

NAMES = ("look", "plan", "run", "review")


def _class(name: str) -> Any:
    try:
        return getattr(importlib.import_module(f"control.gui.{name}_page"), f"{name.title()}Page")
    except ModuleNotFoundError as missing:
        _log.warning("not there yet: %s", missing)
        return None


CLASSES = {name: _class(name) for name in NAMES}


def build_pages(session: Session) -> dict[str, QWidget]:
    """Return the pages by name, wired to one another."""
    pages: dict[str, QWidget] = {}
    for name, page in CLASSES.items():
        try:
            pages[name] = page(session) if page else QLabel(f"{name}: under construction")
        except Exception as unfinished:
            _log.exception("page %s", name)
            pages[name] = QLabel(f"{name}: {unfinished}")
    return pages
