"""The four pages and what passes between them: the only place that knows them all.

Imported in a task while the window is already shown, since the pages bring half a second of imports with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from PyQt5.QtCore import QObject
from PyQt5.QtWidgets import QWidget

from control.core.contrast import Contrast
from control.core.session import Session
from control.core.words import in_words
from control.gui.look_page import LookPage
from control.gui.plan_page import PlanPage
from control.gui.review_page import ReviewPage
from control.gui.run_page import RunPage
from squid.models.plan import AcquisitionPlan


class Shell(Protocol):
    """What passes between pages and needs the window around them."""

    def show_page(self, name: str) -> None:
        """Show a page."""

    def say(self, text: str) -> None:
        """Show a message."""


@dataclass(frozen=True)
class Pages:
    """The pages of one session."""

    look: LookPage
    plan: PlanPage
    run: RunPage
    review: ReviewPage

    def by_name(self) -> dict[str, QWidget]:
        """Return them in the order of the work."""
        return {"look": self.look, "plan": self.plan, "run": self.run, "review": self.review}


def build_pages(session: Session, shell: Shell) -> Pages:
    """Return the pages, wired to one another."""
    contrast = Contrast()
    pages = Pages(
        LookPage(session, contrast), PlanPage(session), RunPage(session, contrast), ReviewPage(session, contrast)
    )
    wires = Wires(session, pages, shell)
    pages.plan.start_requested.connect(wires.start)
    pages.plan.queue_requested.connect(wires.put_in_queue)
    pages.plan.go_to_requested.connect(wires.go_to)
    pages.run.review_requested.connect(wires.review)
    pages.look.view.polygon_drawn.connect(wires.add_region)
    return pages


class Wires(QObject):
    """What one page asks of another; lives as long as the plan page (a connection alone keeps no receiver alive).

    Parameters
    ----------
    session : Session
        Does it.
    pages : Pages
        Show it.
    shell : Shell
        The window.
    """

    def __init__(self, session: Session, pages: Pages, shell: Shell) -> None:
        super().__init__(pages.plan)
        self._session, self._pages, self._shell = session, pages, shell

    def start(self, plan: AcquisitionPlan, output: Path) -> None:
        """Start a plan before all others; the queue ends live view first."""
        self._session.queue.enqueue(plan, output, start=True, front=True, on_error=self._shell.say)
        self._shell.show_page("run")

    def put_in_queue(self, plan: AcquisitionPlan, output: Path) -> None:
        """Let a plan wait behind the others."""
        self._session.queue.enqueue(plan, output, on_error=self._shell.say)
        self._shell.show_page("run")

    def go_to(self, x_um: float, y_um: float, z_um: float | None) -> None:
        """Move the stage there; z None: leave the focus alone."""
        self._session.manual.move_to(x_um, y_um, z_um, on_error=lambda result: self._shell.say(in_words(result.error)))

    def add_region(self, corners_um: Sequence[tuple[float, float]]) -> None:
        """Take a polygon drawn over the live image into the plan."""
        self._pages.plan.positions.add_region(corners_um)
        self._shell.show_page("plan")

    def review(self, folder: Path) -> None:
        """Open a run folder."""
        self._shell.show_page("review")
        self._pages.review.open_folder(folder)
