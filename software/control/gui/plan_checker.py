"""Plan page: has what is on the screen checked, again and again while it is seen, with a bar when that takes long."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from control.core.planning import PlanCheck, PlanDraft, Verdict
from control.gui.work_bar import WorkBar
from squid.utils.task import TaskHandle
from squid.utils.task_bridge import submit_with_progress
from squid.utils.worker_manager import WorkerManager

_FRESH_MS = 10_000
"""So often totals are worked out anew while the page is shown: the disk fills, the end moves."""


class PlanChecker(QObject):
    """Asks for verdicts.

    Parameters
    ----------
    page : QObject
        With its end, verdicts end.
    check : PlanCheck
        Makes them.
    manager : WorkerManager
        Runs them.
    work : WorkBar
        Shows those that take long; its button cancels them.
    draft_now, folder_now : callable
        What is on the screen: the draft, and the output folder (None: none).

    Attributes
    ----------
    verdict : pyqtSignal(object)
        A `Verdict` on what is on the screen.
    """

    verdict = pyqtSignal(object)

    def __init__(
        self,
        page: QObject,
        check: PlanCheck,
        manager: WorkerManager,
        work: WorkBar,
        draft_now: Callable[[], PlanDraft],
        folder_now: Callable[[], Path | None],
    ) -> None:
        super().__init__(page)
        self._plan_check, self._manager, self._work = check, manager, work
        self._draft_now, self._folder_now = draft_now, folder_now
        self._is_cancelled = False
        self._fresh = QTimer(self)
        self._fresh.setInterval(_FRESH_MS)
        self._fresh.timeout.connect(self._renew)

    def check(self) -> None:
        """Check what is on the screen, soon; a check of something older is dropped."""
        self._is_cancelled = False
        self._plan_check.check(self._draft_now(), self._folder_now(), self._tell, self._submit)

    def _tell(self, verdict: Verdict) -> None:
        self.verdict.emit(verdict)

    def follow(self) -> None:
        """Check now, and again every few seconds."""
        self._fresh.start()
        self.check()

    def rest(self) -> None:
        """Leave the disk alone."""
        self._fresh.stop()

    def _renew(self) -> None:
        """Check again, unless a check is under way, or a person has cancelled the last one and changed nothing."""
        if not (self._is_cancelled or self._plan_check.is_under_way):
            self.check()

    def _submit(self, *arguments: object, **options: object) -> TaskHandle:
        work = self._work.begin("Checking the plan")
        work.canceled.connect(partial(setattr, self, "_is_cancelled", True))
        return submit_with_progress(self._manager, work, *arguments, **options)  # type: ignore[arg-type]
