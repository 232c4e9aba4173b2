"""Plan page: which channels are taken, in which order, and what of their presets the plan changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PyQt5.QtWidgets import QPushButton, QVBoxLayout

from control.core.planning import ChannelChoice, PlanDraft
from control.gui import theme
from control.gui.parts import faint_label, icon, tab_through
from control.gui.plan_channel_row import ChannelRow
from control.gui.plan_section import PlanSection
from squid.models.channel import ChannelPreset


class ChannelsSection(PlanSection):
    """The channels in the order in which they are taken.

    Parameters
    ----------
    presets_of : callable
        Presets by channel name of an objective (None: the one in use).
    edit_presets : callable
        Opens the dialog that edits them.
    """

    def __init__(
        self, presets_of: Callable[[str | None], Mapping[str, ChannelPreset]], edit_presets: Callable[[], None]
    ) -> None:
        super().__init__("Channels")
        self._presets_of = presets_of
        self.rows: list[ChannelRow] = []
        self.words = faint_label("exposure · intensity · z offset")
        self._lines = QVBoxLayout()
        self._lines.setSpacing(theme.GAP_PX)
        self.edit_presets = QPushButton("Edit presets")
        self.edit_presets.setObjectName("editPresets")
        self.edit_presets.setIcon(icon("tune-variant"))
        self.edit_presets.setToolTip("How each channel is taken with each objective, unless a plan says otherwise")
        self.edit_presets.clicked.connect(edit_presets)
        self.body.addWidget(self.words)
        self.body.addLayout(self._lines)
        self.body.addWidget(self.edit_presets)

    def row(self, name: str) -> ChannelRow:
        """Return the row of a channel; `KeyError` when there is none."""
        found = next((row for row in self.rows if row.name == name), None)
        if found is None:
            raise KeyError(name)
        return found

    def _show(self, draft: PlanDraft) -> None:
        presets = self._presets_of(draft.objective)
        choices = {choice.name: choice for choice in draft.channels}
        self._order(_ordered([row.name for row in self.rows], list(choices), list(presets)))
        for row in self.rows:
            row.show_choice(choices.get(row.name), presets.get(row.name))

    def _order(self, names: list[str]) -> None:
        """Have exactly these rows in this order."""
        if names == [row.name for row in self.rows]:
            return
        known = {row.name: row for row in self.rows}
        for name in known.keys() - set(names):
            self._lines.removeWidget(known[name])
            known[name].deleteLater()
        self.rows = [known[name] if name in known else self._new_row(name) for name in names]
        for at, row in enumerate(self.rows):
            self._lines.removeWidget(row)
            self._lines.insertWidget(at, row)
        tab_through(self.words, [part for row in self.rows for part in row.parts])

    def _new_row(self, name: str) -> ChannelRow:
        row = ChannelRow(name)
        row.edited.connect(lambda choice: self._edit(name, choice))
        row.handle.dragged.connect(lambda y_px: self._drag(row, y_px))
        row.handle.dropped.connect(self._take_order)
        row.handle.stepped.connect(lambda step: self._step(row, step))
        return row

    def _edit(self, name: str, choice: ChannelChoice | None) -> None:
        choices = {one.name: one for one in self.draft.channels}
        if choice is None:
            choices.pop(name, None)
        else:
            choices[name] = choice
        self.change(channels=tuple(choices[row.name] for row in self.rows if row.name in choices))

    def _drag(self, row: ChannelRow, screen_y_px: int) -> None:
        """Put a row where the mouse is, among the rows that are not dragged."""
        others = [one for one in self.rows if one is not row]
        middles = [one.mapToGlobal(one.rect().center()).y() for one in others]
        self._put(row, sum(middle < screen_y_px for middle in middles))

    def _step(self, row: ChannelRow, step: int) -> None:
        self._put(row, min(max(self.rows.index(row) + step, 0), len(self.rows) - 1))
        self._take_order()

    def _put(self, row: ChannelRow, at: int) -> None:
        names = [one.name for one in self.rows if one is not row]
        self._order([*names[:at], row.name, *names[at:]])

    def _take_order(self) -> None:
        choices = {one.name: one for one in self.draft.channels}
        channels = tuple(choices[row.name] for row in self.rows if row.name in choices)
        if channels != self.draft.channels:
            self.change(channels=channels)


def _ordered(shown: list[str], chosen: list[str], known: list[str]) -> list[str]:
    """Return the order of rows: as shown when that agrees with the plan, else the plan's channels first."""
    kept = [name for name in shown if name in known or name in chosen]
    names = list(dict.fromkeys([*kept, *chosen, *known])) if shown else list(dict.fromkeys([*known, *chosen]))
    if [name for name in names if name in chosen] == chosen:
        return names
    return [*chosen, *(name for name in names if name not in chosen)]
