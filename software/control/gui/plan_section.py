"""What the sections of the Plan page have in common: they show a draft, and say which values a person has changed.

::

    page ──show_draft(draft)──▶ section ──changed({"wells": "A1"})──▶ page ──▶ draft.replace(…) ──▶ all sections

A section writes only the value that was edited, so that nothing is rounded which nobody touched.
"""

from __future__ import annotations

from collections.abc import Iterable

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QWheelEvent
from PyQt5.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QLabel, QLineEdit, QSpinBox, QVBoxLayout, QWidget

from control.core.planning import PlanDraft
from control.gui import theme
from control.gui.parts import Section

_NARROW_PX = 62
_LABEL_PX = 120


class PlanSection(Section):
    """A part of the plan.

    Parameters
    ----------
    title : str
        As shown.

    Attributes
    ----------
    changed : pyqtSignal(object)
        Mapping of the draft's attributes to their new values.
    """

    changed = pyqtSignal(object)

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self._is_showing = False
        self.draft = PlanDraft()

    def show_draft(self, draft: PlanDraft) -> None:
        """Show a draft; emits nothing."""
        self.draft = draft
        self._is_showing = True
        try:
            self._show(draft)
        finally:
            self._is_showing = False

    def change(self, **changes: object) -> None:
        """Say what a person has changed; while a draft is being shown nobody has."""
        if not self._is_showing:
            self.changed.emit(changes)

    def _show(self, draft: PlanDraft) -> None:
        raise NotImplementedError


def show_number(edit: QSpinBox | QDoubleSpinBox, value: float) -> None:
    """Show a value; leaves an edit alone that shows it already, and so the cursor of whoever types."""
    if isinstance(edit, QSpinBox):
        if edit.value() != int(value):
            edit.setValue(int(value))
    elif edit.value() != round(value, edit.decimals()):
        edit.setValue(value)


def show_text(edit: QLineEdit, text: str) -> None:
    """Show a text; leaves an edit alone that shows it already."""
    if edit.text() != text:
        edit.setText(text)


class _Combo(QComboBox):
    """A list to choose from that leaves the wheel to the scrolling panel."""

    def wheelEvent(self, e: QWheelEvent | None) -> None:  # noqa: N802 - Qt's name
        if e is not None:
            e.ignore()


def choices(name: str, items: Iterable[tuple[str, object]], tip: str) -> QComboBox:
    """Return a list to choose from: (text, value) each; the wheel scrolls the panel, not the choice."""
    combo = _Combo()
    combo.setObjectName(name)
    combo.setToolTip(tip)
    combo.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(12)
    for text, value in items:
        combo.addItem(text, value)
    return combo


def show_choice(combo: QComboBox, value: object, text: str) -> None:
    """Show a value; one that is not in the list is added to it as `text`."""
    at = next((n for n in range(combo.count()) if combo.itemData(n) == value), -1)
    if at < 0:
        combo.addItem(text, value)
        at = combo.count() - 1
    combo.setCurrentIndex(at)


class Form(QVBoxLayout):
    """Labels and edits one under the other; a hidden row leaves no gap, and all forms of the column are aligned."""

    def __init__(self) -> None:
        super().__init__()
        self.setContentsMargins(0, 0, 0, 0)
        self.setSpacing(theme.GAP_PX // 2)
        self._rows: dict[QWidget, QWidget] = {}

    def add(self, label: str, field: QWidget) -> None:
        """Add a row."""
        caption = QLabel(label)
        caption.setFixedWidth(_LABEL_PX)
        line = row(caption, field)
        box = line.layout()
        assert isinstance(box, QHBoxLayout)
        box.setStretch(1, 1)
        self._rows[field] = line
        self.addWidget(line)

    def show_row(self, field: QWidget, is_visible: bool) -> None:
        """Show or hide the row of a field."""
        self._rows[field].setVisible(is_visible)


def row(*widgets: QWidget) -> QWidget:
    """Return widgets side by side, as one."""
    together = QWidget()
    layout = QHBoxLayout(together)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(theme.GAP_PX)
    for widget in widgets:
        layout.addWidget(widget)
    return together


def make_narrow(section: QWidget) -> None:
    """Let numbers and choices be as narrow as the column wants them."""
    for kind in (QSpinBox, QDoubleSpinBox, QComboBox):
        for edit in section.findChildren(kind):
            edit.setMinimumWidth(_NARROW_PX)
