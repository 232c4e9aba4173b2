"""Plan page: once, or again and again."""

from __future__ import annotations

import dataclasses

from PyQt5.QtWidgets import QCheckBox

from control.core.planning import Kept, PlanDraft, TimeLapse
from control.core.words import duration
from control.gui.parts import CountEdit, NumberEdit, faint_label
from control.gui.plan_section import Form, PlanSection, choices, row, show_choice, show_number

_UNITS = (("s", 1.0), ("min", 60.0), ("h", 3600.0))
_NEW = TimeLapse(interval_s=600.0, count=6)


class TimeSection(PlanSection):
    """Time-lapse: from start to start of a time point, and how many."""

    def __init__(self) -> None:
        super().__init__("Time-lapse")
        self.is_on = QCheckBox("Repeat the plan")
        self.is_on.setObjectName("timeOn")
        self.is_on.setToolTip("Take every field again after an interval")
        self.kept = faint_label()
        self.interval = NumberEdit("", 0, 1_000_000, 10, decimals=2, tip="From the start of a time point to the next")
        self.interval.setObjectName("timeInterval")
        self.unit = choices("timeUnit", _UNITS, "Unit of the interval")
        self.unit.setMinimumContentsLength(3)
        self.count = CountEdit("", 1, 100_000, 6, tip="Number of time points")
        self.count.setObjectName("timeCount")
        self.total = faint_label()
        self._form = Form()
        self._every = row(self.interval, self.unit)
        self._form.add("Every", self._every)
        self._form.add("Time points", self.count)
        self.body.addWidget(self.is_on)
        self.body.addWidget(self.kept)
        self.body.addLayout(self._form)
        self.body.addWidget(self.total)
        self.is_on.toggled.connect(lambda on: self.change(time=_NEW if on else None))
        self.interval.valueChanged.connect(lambda value: self._set(interval_s=value * self.unit.currentData()))
        self.unit.activated.connect(lambda _: self._set(interval_s=self.interval.value() * self.unit.currentData()))
        self.count.valueChanged.connect(lambda value: self._set(count=value))

    def _set(self, **changes: float) -> None:
        if isinstance(self.draft.time, TimeLapse):
            self.change(time=dataclasses.replace(self.draft.time, **changes))  # type: ignore[arg-type]

    def _show(self, draft: PlanDraft) -> None:
        time = draft.time
        self.is_on.setChecked(time is not None)
        self.kept.setText(
            f"as in the file: {time.text}; untick and tick to choose anew" if isinstance(time, Kept) else ""
        )
        self.kept.setVisible(isinstance(time, Kept))
        lapse = time if isinstance(time, TimeLapse) else None
        for part in (self._every, self.count):
            self._form.show_row(part, lapse is not None)
        self.total.setVisible(lapse is not None)
        if lapse is not None:
            self._show_interval(lapse.interval_s)
            show_number(self.count, lapse.count)
            self.total.setText(_total(lapse))

    def _show_interval(self, interval_s: float) -> None:
        """Show an interval in the unit that is chosen, unless it came from elsewhere: then in the largest that fits."""
        if abs(self.interval.value() * self.unit.currentData() - interval_s) > 0.005 * self.unit.currentData():
            factor = max((factor for _, factor in _UNITS if interval_s >= factor), default=1.0)
            show_choice(self.unit, factor, "")
        show_number(self.interval, interval_s / self.unit.currentData())


def _total(lapse: TimeLapse) -> str:
    if lapse.interval_s == 0:
        return "one time point after the other, without a wait"
    return f"the last one starts after {duration((lapse.count - 1) * lapse.interval_s)}" if lapse.count > 1 else ""
