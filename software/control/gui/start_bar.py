"""Plan page: the bar below, always in sight: what the plan takes, what is in its way, and the start."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from PyQt5.QtCore import pyqtBoundSignal, pyqtSignal
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QWidget

from control.core.planning import PlanDraft, Verdict
from control.core.planning import Section as Part
from control.gui import theme
from control.gui.parts import button_for, make_action
from control.gui.totals_bar import TotalsBar


class StartBar(QWidget):
    """Totals, remarks, and the two buttons that carry a plan out.

    Parameters
    ----------
    page : QWidget
        Where the shortcuts work.
    draft_now : callable
        The draft on the screen: a verdict on an older one starts nothing.
    folder_now : callable
        The output folder; None: none is chosen.

    Attributes
    ----------
    start_requested, queue_requested : pyqtSignal(object, object)
        An `AcquisitionPlan` that passed the check, and the output folder.
    """

    start_requested = pyqtSignal(object, object)
    queue_requested = pyqtSignal(object, object)

    def __init__(
        self, page: QWidget, draft_now: Callable[[], PlanDraft], folder_now: Callable[[], Path | None]
    ) -> None:
        super().__init__()
        self._page = page
        self._draft_now, self._folder_now = draft_now, folder_now
        self._verdict: Verdict | None = None
        self._waiting: pyqtBoundSignal | None = None
        self.totals = TotalsBar()
        self.says = QLabel()
        self.says.setObjectName("planSays")
        self.says.setWordWrap(True)
        self.start_action = make_action(
            page, "Start &run", lambda: self._request(self.start_requested), shortcut="Ctrl+R", image="play"
        )
        self.queue_action = make_action(
            page,
            "&Add to queue",
            lambda: self._request(self.queue_requested),
            shortcut="Ctrl+Shift+R",
            image="playlist-plus",
        )
        self._tips = {action: action.toolTip() for action in (self.start_action, self.queue_action)}
        self._lay_out()
        for action in self._tips:
            action.setEnabled(False)

    def _lay_out(self) -> None:
        self.queue_button, self.start_button = button_for(self.queue_action), button_for(self.start_action, "main")
        self.queue_button.setObjectName("queueButton")
        self.start_button.setObjectName("startButton")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.GAP_PX, 0, theme.GAP_PX, 0)
        layout.setSpacing(2 * theme.GAP_PX)
        layout.addWidget(self.totals)
        layout.addWidget(self.says, 1)
        layout.addWidget(self.queue_button)
        layout.addWidget(self.start_button)

    def show_verdict(self, verdict: Verdict) -> None:
        """Show the newest verdict, and start what waited for it."""
        self._verdict = verdict
        nothing = {Part.WELLS, Part.POSITIONS} & {refusal.section for refusal in verdict.refusals}
        self.totals.show_totals(None if nothing else verdict.totals, datetime.now())
        reasons = self._reasons(verdict)
        more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        self.says.setText(f"{reasons[0]}{more}" if reasons else "\n".join(verdict.notes[:2]))
        self.says.setToolTip("\n".join(reasons or verdict.notes))
        self.says.setProperty("role", "refusal" if reasons else "faint")
        style = self.says.style()
        assert style is not None
        style.unpolish(self.says)
        style.polish(self.says)
        for action, tip in self._tips.items():
            action.setEnabled(not reasons)
            action.setToolTip(f"Not yet: {reasons[0]}" if reasons else tip)
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self._emit(waiting)

    def _reasons(self, verdict: Verdict) -> list[str]:
        """Return why the plan cannot be started; empty: it can."""
        reasons = [refusal.text for refusal in verdict.refusals]
        return reasons if self._folder_now() is not None else [*reasons, "choose an output folder"]

    def _request(self, signal: pyqtBoundSignal) -> None:
        """Carry out what is on the screen: a number that is being typed counts, and is checked first."""
        focused = self._page.focusWidget()
        if focused is not None:
            focused.clearFocus()
        if self._verdict is not None and self._verdict.draft == self._draft_now():
            self._emit(signal)
        else:
            self._waiting = signal

    def _emit(self, signal: pyqtBoundSignal) -> None:
        folder = self._folder_now()
        if self._verdict is not None and self._verdict.is_runnable and folder is not None:
            signal.emit(self._verdict.plan, folder)
