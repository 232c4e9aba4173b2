"""Plan page: the right column, its sections in the order of the work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from control.core.planning import PlanDraft, Verdict
from control.core.planning import Section as Part
from control.gui import theme
from control.gui.channels_section import ChannelsSection
from control.gui.fields_section import FieldsSection
from control.gui.plan_section import PlanSection, make_narrow
from control.gui.plate_section import PlateSection
from control.gui.storage_section import StorageSection
from control.gui.time_section import TimeSection
from control.gui.z_section import ZSection
from squid.models.channel import ChannelPreset

WIDTH_PX = 376


@dataclass(frozen=True)
class Knows:
    """What the sections ask for.

    Attributes
    ----------
    plates, objectives : tuple of str
        Names to choose from.
    presets_of : callable
        Presets by channel name of an objective (None: the one in use).
    edit_presets, make_plate : callable
        Open the dialog that edits presets, the one that makes a plate.
    z_now_um : callable
        Where the stage's z is; None: not known.
    z_range_um : (float, float)
        Travel of the stage's z.
    """

    plates: tuple[str, ...]
    objectives: tuple[str, ...]
    presets_of: Callable[[str | None], Mapping[str, ChannelPreset]]
    edit_presets: Callable[[], None]
    make_plate: Callable[[], None]
    z_now_um: Callable[[], float | None]
    z_range_um: tuple[float, float]


class PlanColumn(QScrollArea):
    """The sections of the plan, one under the other.

    Parameters
    ----------
    knows : Knows
        What they ask for.

    Attributes
    ----------
    changed : pyqtSignal(object)
        Mapping of the draft's attributes to their new values.
    """

    changed = pyqtSignal(object)

    def __init__(self, knows: Knows) -> None:
        super().__init__()
        self.plate = PlateSection(knows.plates, knows.objectives, knows.make_plate)
        self.fields = FieldsSection()
        self.channels = ChannelsSection(knows.presets_of, knows.edit_presets)
        self.z = ZSection(knows.z_now_um, knows.z_range_um)
        self.time = TimeSection()
        self.storage = StorageSection()
        self.sections: dict[Part, PlanSection] = {
            Part.PLATE: self.plate,
            Part.FIELDS: self.fields,
            Part.CHANNELS: self.channels,
            Part.Z: self.z,
            Part.TIME: self.time,
            Part.STORAGE: self.storage,
        }
        inside = QWidget()
        layout = QVBoxLayout(inside)
        layout.setContentsMargins(theme.GAP_PX, 0, theme.GAP_PX, 0)
        layout.setSpacing(theme.GAP_PX)
        for part, section in self.sections.items():
            section.setObjectName(f"section_{part.value}")
            section.changed.connect(self.changed)
            make_narrow(section)
            layout.addWidget(section)
        layout.addStretch(1)
        self.setWidget(inside)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedWidth(WIDTH_PX)

    def show_draft(self, draft: PlanDraft) -> None:
        """Show a draft in every section."""
        for section in self.sections.values():
            section.show_draft(draft)

    def show_section(self, part: Part) -> None:
        """Scroll to a section."""
        if part in self.sections:
            self.ensureWidgetVisible(self.sections[part], 0, theme.GAP_PX)

    def show_verdict(self, verdict: Verdict) -> None:
        """Show each refusal in the section that causes it."""
        for part, section in self.sections.items():
            section.refuse(*verdict.text_of(part))
