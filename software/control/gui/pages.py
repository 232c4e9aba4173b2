"""The four pages and what passes between them: the only place that knows them all.

Imported in a task while the window is already shown, since the pages bring half a second of imports with them.
"""

from __future__ import annotations

import importlib
import logging
from pathlib import Path
from typing import Any, Protocol

from PyQt5.QtWidgets import QLabel

from control.core.session import Session
from control.core.words import in_words
from squid.models.plan import AcquisitionPlan

_log = logging.getLogger(__name__)

NAMES = ("look", "plan", "run", "review")


def _class(name: str) -> Any:
    try:
        return getattr(importlib.import_module(f"control.gui.{name}_page"), f"{name.title()}Page")
    except ModuleNotFoundError as missing:
        _log.warning("not there yet: %s", missing)
        return None


CLASSES = {name: _class(name) for name in NAMES}


class Shell(Protocol):
    """What a page may want of the window around it."""

    def show_page(self, name: str) -> None:
        """Show a page."""

    def say(self, text: str) -> None:
        """Show a message."""


def build_pages(session: Session, shell: Shell) -> dict[str, Any]:
    """Return the pages by name, wired to one another."""
    pages: dict[str, Any] = {}
    for name, page in CLASSES.items():
        try:
            pages[name] = page(session) if page else QLabel(f"{name}: under construction")
        except Exception as unfinished:
            _log.exception("page %s", name)
            pages[name] = QLabel(f"{name}: {unfinished}")
    wires = _Wires(session, pages, shell)
    plan = pages["plan"]
    if hasattr(plan, "start_requested"):
        plan.start_requested.connect(wires.start)
        plan.queue_requested.connect(wires.put_in_queue)
        plan.go_to_requested.connect(wires.go_to)
    if hasattr(pages["run"], "review_requested"):
        pages["run"].review_requested.connect(wires.review)
    return pages


class _Wires:
    """What happens between pages."""

    def __init__(self, session: Session, pages: dict[str, Any], shell: Shell) -> None:
        self._session, self._pages, self._shell = session, pages, shell

    def start(self, plan: AcquisitionPlan, output: Path) -> None:
        """Start a plan before all others; live view ends by itself."""
        self._session.queue.enqueue(plan, output, start=True, front=True, on_error=self._shell.say)
        self._shell.show_page("run")

    def put_in_queue(self, plan: AcquisitionPlan, output: Path) -> None:
        """Let a plan wait behind the others."""
        self._session.queue.enqueue(plan, output, on_error=self._shell.say)
        self._shell.show_page("run")

    def go_to(self, x_um: float, y_um: float, z_um: float | None = None) -> None:
        """Move the stage there; z None: leave the focus alone."""
        self._session.manual.move_to(x_um, y_um, z_um, on_error=lambda result: self._shell.say(in_words(result.error)))

    def review(self, folder: Path) -> None:
        """Open a run folder."""
        self._shell.show_page("review")
        self._pages["review"].open_folder(folder)
