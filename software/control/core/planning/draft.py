"""`PlanDraft`: a plan as the window edits it.

::

    PlanDraft.new(machine) ─┐
    PlanDraft.of(plan) ─────┴─▶ draft ──replace(wells="A1:C6")──▶ draft ──to_plan()──▶ AcquisitionPlan
                                  └ base: the opened plan; what the window cannot show of it is written back unchanged

Immutable: the window keeps the newest one, undo is an older one. Knows no device and no widget.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from control.core.planning.parts import ChannelChoice, DraftParts
from control.core.planning.reading import kept_as_is, parts_of
from control.core.planning.writing import plan_of
from control.core.whole_file import whole_file
from squid.machine_file import MachineConfig
from squid.models.plan import AcquisitionPlan, plan_text, read_plan
from squid.models.plate import PlateGeometry
from squid.utils.task import tell_progress


@dataclass(frozen=True)
class PlanDraft(DraftParts):
    """A plan as the window edits it; equal when all that the window shows is equal.

    Attributes
    ----------
    base : AcquisitionPlan or None
        The plan that was opened; None: a new one.
    shown : DraftParts or None
        What the window showed of `base` at first.
    """

    base: AcquisitionPlan | None = field(default=None, compare=False, repr=False)
    shown: DraftParts | None = field(default=None, compare=False, repr=False)

    @classmethod
    def new(cls, machine: MachineConfig, objective: str | None = None) -> PlanDraft:
        """Return the draft that a newcomer begins with: a 96 well plate, no well chosen, the first channel.

        Parameters
        ----------
        machine : MachineConfig
            Its first channel preset is chosen.
        objective : str, optional
            The one in use; by default that of the machine file.
        """
        names = tuple(machine.channels_of(objective or machine.objective))
        return cls(channels=tuple(ChannelChoice(name) for name in names[:1]))

    @classmethod
    def of(cls, plan: AcquisitionPlan, plates: Mapping[str, PlateGeometry] | None = None) -> PlanDraft:
        """Return a plan for editing.

        Parameters
        ----------
        plan : AcquisitionPlan
            Any plan.
        plates : mapping of str to PlateGeometry, optional
            Known plates, as in `parts_of`.
        """
        shown = parts_of(plan, plates)
        return cls(**_values(shown), base=plan, shown=shown)

    @classmethod
    def read(cls, path: Path, plates: Mapping[str, PlateGeometry] | None = None) -> PlanDraft:
        """Open a plan file or a bare useq file; `PlanError` names file, key, value and what is allowed."""
        plan = read_plan(path)
        tell_progress(0.7, "shows it")
        return cls.of(plan, plates)

    def write(self, path: Path) -> None:
        """Save as a plan file, whole or not at all; JSON when the name ends so.

        Raises
        ------
        PlanError
            The draft makes no plan.
        StorageError
            The file could not be written; the old one is as it was.
        TaskCancelledError
            The task was cancelled; the old file is as it was.
        """
        with whole_file(path) as beside:
            beside.write_text(plan_text(self.to_plan(), as_json=path.suffix == ".json"), encoding="utf-8")

    def replace(self, **changes: Any) -> PlanDraft:
        """Return the draft with other values."""
        return dataclasses.replace(self, **changes)

    def to_plan(self) -> AcquisitionPlan:
        """Return the plan; the opened one itself when nothing was changed.

        Raises
        ------
        PlanError
            The values make no plan; names the key. A plan without wells is made, and refused by the check.
        """
        return plan_of(DraftParts(**_values(self)), self.base, self.shown)

    @property
    def kept_as_is(self) -> tuple[str, ...]:
        """What the opened plan says and the window cannot show, ``key: value``; it is written back unchanged."""
        return kept_as_is(self.base, self.shown) if self.base is not None and self.shown is not None else ()


def _values(parts: DraftParts) -> dict[str, Any]:
    return {one.name: getattr(parts, one.name) for one in dataclasses.fields(DraftParts)}
