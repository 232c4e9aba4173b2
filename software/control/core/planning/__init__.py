"""What to image, as a person edits it: drafts of plans, their parts, lists of positions, the check beside the typing.

::

    plan file ─▶ AcquisitionPlan ─▶ PlanDraft ─edited─▶ PlanDraft ─▶ AcquisitionPlan ─▶ plan file, run
                                        └──▶ PlanCheck ─▶ Verdict: totals, refusals by section, outlines of fields

Owns no widget and no run.
"""

from control.core.planning.check import PlanCheck, Totals, Verdict, takes_z_of_stage
from control.core.planning.draft import PlanDraft
from control.core.planning.outlines import FieldOutlines
from control.core.planning.parts import (
    ChannelChoice,
    FieldsChoice,
    FreePosition,
    GridFields,
    Kept,
    RandomFields,
    RegionPolygon,
    SingleField,
    TimeLapse,
    Use,
    ZStack,
)
from control.core.planning.polygon_fields import tiles_of
from control.core.planning.positions_csv import read_positions, write_positions
from control.core.planning.sections import Refusal, Section, section_of
from control.core.planning.well_text import wells_text

__all__ = [
    "ChannelChoice",
    "FieldOutlines",
    "FieldsChoice",
    "FreePosition",
    "GridFields",
    "Kept",
    "PlanCheck",
    "PlanDraft",
    "RandomFields",
    "Refusal",
    "RegionPolygon",
    "Section",
    "SingleField",
    "TimeLapse",
    "Totals",
    "Use",
    "Verdict",
    "ZStack",
    "read_positions",
    "section_of",
    "takes_z_of_stage",
    "tiles_of",
    "wells_text",
    "write_positions",
]
