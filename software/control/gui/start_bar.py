"""Plan page: the bar below, always in sight: what the plan takes, what is in its way, and the start."""

from __future__ import annotations

import html
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from PyQt5.QtCore import Qt, pyqtBoundSignal, pyqtSignal
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QWidget

from control.core.planning import PlanDraft, Verdict
from control.core.planning import Section as Part
from control.gui import theme
from control.gui.parts import button_for, make_action
from control.gui.totals_bar import TotalsBar

_NO_FOLDER = "choose an output folder"
_TITLES = {
    Part.PLATE: "Plate",
    Part.WELLS: "Wells",
    Part.FIELDS: "Fields",
    Part.CHANNELS: "Channels",
    Part.Z: "Focus and z-stack",
    Part.TIME: "Time-lapse",
    Part.POSITIONS: "Positions or regions",
    Part.STORAGE: "Storage",
}
"""Sections that show what is refused in them; anything else is told in the bar."""


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
    section_wanted : pyqtSignal(object)
        A person wants to see the section that holds up the start.
    """

    start_requested = pyqtSignal(object, object)
    queue_requested = pyqtSignal(object, object)
    section_wanted = pyqtSignal(object)

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
        self.says.linkActivated.connect(lambda name: self.section_wanted.emit(Part(name)))
        self.start_action = make_action(
            page,
            "Start &run",
            lambda: self._request(self.start_requested),
            shortcut="Ctrl+R",
            image="play",
            tip="Check the plan once more and run it before all others",
        )
        self.queue_action = make_action(
            page,
            "&Add to queue",
            lambda: self._request(self.queue_requested),
            shortcut="Ctrl+Shift+R",
            image="playlist-plus",
            tip="Let the plan wait behind those that are in the queue",
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
        self.says.setTextFormat(Qt.TextFormat.RichText if reasons else Qt.TextFormat.PlainText)
        self.says.setText(self._waits_for(verdict) if reasons else "\n".join(verdict.notes[:2]))
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

    def start_when_checked(self) -> None:
        """Start what is on the screen as soon as it has passed the check."""
        self._request(self.start_requested)

    def _waits_for(self, verdict: Verdict) -> str:
        """Return which sections hold up the start, as links: each says itself why; what has none is told here."""
        sections = dict.fromkeys(refusal.section for refusal in verdict.refusals if refusal.section in _TITLES)
        links = [f'<a style="color: {theme.BAD}" href="{part.value}">{_TITLES[part]}</a>' for part in sections]
        told = [refusal.text for refusal in verdict.refusals if refusal.section not in _TITLES]
        told += [] if self._folder_now() is not None else [_NO_FOLDER]
        waits = [f"Cannot start yet: look at {', '.join(links)}"] if links else []
        return "<br>".join([*waits, *(html.escape(text) for text in told[:2])])

    def _reasons(self, verdict: Verdict) -> list[str]:
        """Return why the plan cannot be started; empty: it can."""
        reasons = [refusal.text for refusal in verdict.refusals]
        return reasons if self._folder_now() is not None else [*reasons, _NO_FOLDER]

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
