"""What a person has prepared in the window and the plan does not use: noted in the sequence's free ``metadata``.

A plan images wells, or positions, or regions; whoever switches to the other and saves finds the first again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from control.core.planning.parts import (
    DraftParts,
    FreePosition,
    GridFields,
    RandomFields,
    RegionPolygon,
)
from squid.errors import PlanError
from squid.models.base import FileModel
from squid.models.file import validate
from squid.models.plan import AcquisitionPlan

UNUSED_KEY = "squid_hcs_unused"
"""Under it in the sequence's ``metadata``."""


class Unused(FileModel):
    """As in `DraftParts`: only what differs from the default and the plan does not image."""

    plate: str | None = None
    wells: str = ""
    positions: tuple[FreePosition, ...] = ()
    regions: tuple[RegionPolygon, ...] = ()
    positions_in_wells: bool = False
    grid: GridFields | None = None
    random: RandomFields | None = None


def unused_of(plan: AcquisitionPlan) -> Unused:
    """Return what a plan has noted; `PlanError` when it is damaged."""
    data = plan.sequence.metadata.get(UNUSED_KEY, {})
    key = f"{plan.sequence_key}metadata.{UNUSED_KEY}"
    if not isinstance(data, dict):
        raise PlanError(f"{data!r}", key=key, allowed="leave it out")
    return validate(data, Unused, PlanError, file=None, key=key)


def note_unused(parts: DraftParts) -> dict[str, Any]:
    """Return what a plan of these parts must note."""
    wells, positions, regions = (parts.use == use for use in ("wells", "positions", "regions"))
    fields = parts.fields if regions else None
    unused = Unused(
        plate=None if wells or parts.positions_in_wells else parts.plate,
        wells="" if wells else parts.wells,
        positions=() if positions else tuple(replace(position, origin=None) for position in parts.positions),
        regions=() if regions else parts.regions,
        positions_in_wells=parts.positions_in_wells and (wells or parts.plate is None),
        grid=fields if isinstance(fields, GridFields) else None,
        random=fields if isinstance(fields, RandomFields) else None,
    )
    return unused.model_dump(mode="json", exclude_defaults=True)
