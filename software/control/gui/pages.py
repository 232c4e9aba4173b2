"""The four pages and what passes between them: the only place that knows them all.

::

    Pages ──first asked for, by a click or by the code──▶ imported, made, wired ──made(name)──▶ the window takes it

Imports no page before it is wanted: together they bring half a second of imports.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtWidgets import QWidget

from control.core.contrast import Contrast
from control.core.session import Session
from control.core.words import in_words
from squid.models.plan import AcquisitionPlan

if TYPE_CHECKING:
    from control.gui.look_page import LookPage
    from control.gui.plan_page import PlanPage
    from control.gui.review_page import ReviewPage
    from control.gui.run_page import RunPage


class Shell(Protocol):
    """What passes between pages and needs the window around them."""

    def show_page(self, name: str) -> None:
        """Show a page."""

    def say(self, text: str) -> None:
        """Show a message."""


class Pages(QObject):
    """The pages of one session; each is made when it is first asked for.

    Parameters
    ----------
    session : Session
        Open.
    shell : Shell
        The window.

    Attributes
    ----------
    contrast : Contrast
        Of the channels, on all pages.
    made : pyqtSignal(str)
        Name of a page that has been made; before it is shown.
    """

    made = pyqtSignal(str)

    def __init__(self, session: Session, shell: Shell) -> None:
        super().__init__()
        self._session, self.contrast = session, Contrast()
        self._wires = Wires(session, self, shell)
        self._look: LookPage | None = None
        self._plan: PlanPage | None = None
        self._run: RunPage | None = None
        self._review: ReviewPage | None = None

    def is_made(self, name: str) -> bool:
        """Whether a page (look, plan, run, review) is there already."""
        return getattr(self, f"_{name}") is not None

    def by_name(self, name: str) -> QWidget:
        """Return a page: look, plan, run or review."""
        page: QWidget = getattr(self, name)
        return page

    @property
    def look(self) -> LookPage:
        """Live view, and the stage by hand."""
        if self._look is None:
            from control.gui.look_page import LookPage

            self._look = LookPage(self._session, self.contrast)
            self._look.view.polygon_drawn.connect(self._wires.add_region)
            self.made.emit("look")
        return self._look

    @property
    def plan(self) -> PlanPage:
        """What to image."""
        if self._plan is None:
            from control.gui.plan_page import PlanPage

            self._plan = PlanPage(self._session)
            self._plan.start_requested.connect(self._wires.start)
            self._plan.queue_requested.connect(self._wires.put_in_queue)
            self._plan.go_to_requested.connect(self._wires.go_to)
            self.made.emit("plan")
        return self._plan

    @property
    def run(self) -> RunPage:
        """The run under way, and the queue."""
        if self._run is None:
            from control.gui.run_page import RunPage

            self._run = RunPage(self._session, self.contrast)
            self._run.review_requested.connect(self._wires.review)
            self._run.region_drawn.connect(self._wires.add_region)
            self.made.emit("run")
        return self._run

    @property
    def review(self) -> ReviewPage:
        """What has been stored."""
        if self._review is None:
            from control.gui.review_page import ReviewPage

            self._review = ReviewPage(self._session, self.contrast)
            self.made.emit("review")
        return self._review


class Wires(QObject):
    """What one page asks of another.

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
        super().__init__(pages)
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
        """Take a polygon drawn over an image into the plan."""
        self._pages.plan.positions.add_region(corners_um)
        self._shell.show_page("plan")

    def review(self, folder: Path) -> None:
        """Open a run folder."""
        self._shell.show_page("review")
        self._pages.review.open_folder(folder)
