"""What to image, as a person edits it: drafts of plans, their parts, lists of positions, the check beside the typing.

::

    plan file ─▶ AcquisitionPlan ─▶ PlanDraft ─edited─▶ PlanDraft ─▶ AcquisitionPlan ─▶ plan file, run
                                        └──▶ PlanCheck ─▶ Verdict: totals, refusals by section, outlines of fields

Owns no widget and no run.
"""

from control.core.planning.draft import PlanDraft
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
from control.core.planning.well_text import wells_text

__all__ = [
    "ChannelChoice",
    "FieldsChoice",
    "FreePosition",
    "GridFields",
    "Kept",
    "PlanDraft",
    "RandomFields",
    "RegionPolygon",
    "SingleField",
    "TimeLapse",
    "Use",
    "ZStack",
    "tiles_of",
    "wells_text",
]
