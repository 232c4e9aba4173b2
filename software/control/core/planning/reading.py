"""From a plan to what the window shows of it (`parts_of`), and what it cannot show (`kept_as_is`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from useq import (
    GridFromPolygon,
    GridRowsColumns,
    MDASequence,
    Position,
    RandomPoints,
    RelativePosition,
    TIntervalLoops,
    WellPlatePlan,
    ZAboveBelow,
    ZRangeAround,
    ZTopBottom,
)

from control.core.planning.parts import (
    ChannelChoice,
    DraftParts,
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
from control.core.planning.unused import UNUSED_KEY, unused_of
from control.core.planning.well_text import wells_text
from control.core.schedule.places import find_plate
from squid.models.plan import AcquisitionPlan, ChannelOverride
from squid.models.plate import PlateGeometry

SNAKE, ROW = "row_wise_snake", "row_wise"
AXES = "tpgcz"


def parts_of(plan: AcquisitionPlan, plates: Mapping[str, PlateGeometry] | None = None) -> DraftParts:
    """Return what the window shows of a plan.

    Parameters
    ----------
    plan : AcquisitionPlan
        Any plan.
    plates : mapping of str to PlateGeometry, optional
        Known plates: a plate that the plan names otherwise (96, ``96-well``) is shown by its name there.

    Raises
    ------
    PlanError
        What the window noted in the plan for later is damaged.
    """
    unused = unused_of(plan)
    use = _use(plan)
    sequence = plan.sequence
    positions = sequence.stage_positions if isinstance(sequence.stage_positions, tuple) else ()
    regions = tuple(region for p in positions if (region := region_of(p, sequence)) is not None)
    return DraftParts(
        name=plan.name,
        plate=_plate(plan, plates or {}) or unused.plate,
        objective=plan.objective,
        use=use,
        wells=_wells(plan) if use == "wells" else unused.wells,
        positions=_positions(positions) if use == "positions" and positions else unused.positions,
        regions=regions if use == "regions" else unused.regions,
        positions_in_wells=unused.positions_in_wells or (use != "wells" and plan.plate is not None),
        fields=unused.grid or unused.random or fields_of(plan),
        channels=tuple(_channel(c, plan.channels.get(c.config)) for c in sequence.channels),
        z=_z(sequence.z_plan),
        time=_time(sequence.time_plan),
        z_um=plan.z_um,
        storage_format=plan.storage.format,
        compression=plan.storage.compression,
        axis_order="".join(sequence.axis_order),
    )


def _use(plan: AcquisitionPlan) -> Use:
    positions = plan.sequence.stage_positions
    if plan.wells is not None or isinstance(positions, WellPlatePlan):
        return "wells"
    drawn = positions and all(region_of(position, plan.sequence) is not None for position in positions)
    return "regions" if drawn else "positions"


def _plate(plan: AcquisitionPlan, plates: Mapping[str, PlateGeometry]) -> str | None:
    positions = plan.sequence.stage_positions
    wanted = plan.plate
    if wanted is None and isinstance(positions, WellPlatePlan):
        found = find_plate(positions.plate, plates)
        return found.name if found else positions.plate.name or f"{positions.plate.rows} x {positions.plate.columns}"
    if wanted is None:
        return None
    found = find_plate(wanted, plates)
    return found.name if found else f"{wanted} well plate" if isinstance(wanted, int) else wanted


def _wells(plan: AcquisitionPlan) -> str:
    if plan.wells is not None:
        return plan.wells if isinstance(plan.wells, str) else ", ".join(plan.wells)
    wells = plan.sequence.stage_positions
    assert isinstance(wells, WellPlatePlan)
    return wells_text((int(row), int(column)) for row, column in wells.selected_well_indices)


def _positions(positions: tuple[Position, ...]) -> tuple[FreePosition, ...]:
    return tuple(FreePosition(p.name or "", p.x, p.y, p.z, number) for number, p in enumerate(positions))


def region_of(position: Position, around: MDASequence) -> RegionPolygon | None:
    """Return the polygon that a position covers; None when it is anything else, or more."""
    own = position.sequence
    grid = own.grid_plan if own is not None else None
    if own is None or not isinstance(grid, GridFromPolygon) or position.x is not None or position.y is not None:
        return None
    if said(position, {"name", "z", "sequence"}) or said(grid, {"vertices", "overlap", "mode"}):
        return None
    if said(own, {"grid_plan", "channels", "z_plan", "axis_order"}) or not position.name:
        return None
    if own.channels and tuple(own.channels) != tuple(around.channels):
        return None
    same_planes = own.z_plan is None or own.z_plan == around.z_plan
    if not same_planes or grid.mode.value != SNAKE or grid.overlap[0] != grid.overlap[1]:
        return None
    return RegionPolygon(position.name, tuple((x, y) for x, y in grid.vertices), grid.overlap[0], position.z)


def grid_of(plan: AcquisitionPlan) -> tuple[str, Any]:
    """Return where the plan has its fields (``fields``, ``grid_plan`` or ``well_points_plan``), and what they are."""
    positions = plan.sequence.stage_positions
    points = positions.well_points_plan if isinstance(positions, WellPlatePlan) else None
    if plan.wells is not None and (plan.fields is not None or plan.sequence.grid_plan is None):
        return "fields", plan.fields
    if points is not None and (points != RelativePosition() or plan.sequence.grid_plan is None):
        return "well_points_plan", None if points == RelativePosition() else points
    return "grid_plan", plan.sequence.grid_plan


def fields_of(plan: AcquisitionPlan) -> FieldsChoice:
    """Return the fields of a plan as the window shows them."""
    _, grid = grid_of(plan)
    if grid is None or grid == RelativePosition(x=0, y=0):
        return SingleField()
    if isinstance(grid, GridRowsColumns) and grid.mode.value in (SNAKE, ROW) and grid.overlap[0] == grid.overlap[1]:
        order = "snake" if grid.mode.value == SNAKE else "row"
        return GridFields(grid.rows, grid.columns, grid.overlap[0], order, plan.clip_fields)  # type: ignore[arg-type]
    if isinstance(grid, RandomPoints) and grid.shape.value == "ellipse" and isinstance(grid.start_at, int):
        return RandomFields(grid.num_points, grid.random_seed or 0, grid.max_width, grid.max_height, plan.clip_fields)
    return Kept(short(grid))


def _channel(channel: Any, override: ChannelOverride | None) -> ChannelChoice:
    also = override or ChannelOverride()
    return ChannelChoice(
        name=channel.config,
        exposure_ms=channel.exposure if also.exposure_ms is None else also.exposure_ms,
        intensity=also.intensity,
        z_offset_um=(channel.z_offset or None) if also.z_offset_um is None else also.z_offset_um,
    )


def _z(plan: Any) -> ZStack | Kept | None:
    match plan:
        case None:
            return None
        case ZRangeAround():
            return ZStack("centre", plan.step, range_um=plan.range)
        case ZAboveBelow() if plan.below == 0 and plan.above >= 0:
            return ZStack("bottom", plan.step, range_um=plan.above)
        case ZTopBottom():
            return ZStack("range", plan.step, bottom_um=plan.bottom, top_um=plan.top)
        case _:
            return Kept(short(plan))


def _time(plan: Any) -> TimeLapse | Kept | None:
    if plan is None:
        return None
    if isinstance(plan, TIntervalLoops):
        return TimeLapse(plan.interval.total_seconds(), plan.loops)
    return Kept(short(plan))


def kept_as_is(plan: AcquisitionPlan, shown: DraftParts) -> tuple[str, ...]:
    """Return what a plan says and the window does not show, one line each, by key."""
    return tuple(_unseen(plan, shown))


def _unseen(plan: AcquisitionPlan, shown: DraftParts) -> Iterator[str]:
    sequence, key = plan.sequence, plan.sequence_key
    yield from said(plan.storage, {"format", "compression"}, "storage.")
    yield from said(plan.recovery, set(), "recovery.")
    for name, override in plan.channels.items():
        yield from said(override, {"exposure_ms", "intensity", "z_offset_um"}, f"channels.{name}.")
    where, grid = grid_of(plan)
    if plan.clip_fields and not isinstance(shown.fields, (GridFields, RandomFields)):
        yield "clip_fields: True"
    seen = {"stage_positions", "grid_plan", "channels", "time_plan", "z_plan", "axis_order", "metadata"}
    yield from said(sequence, seen, key)
    for name in sequence.metadata.keys() - {UNUSED_KEY}:
        yield f"{key}metadata.{name}"
    for number, channel in enumerate(sequence.channels):
        yield from said(channel, {"config", "exposure", "z_offset"}, f"{key}channels.{number}.")
    for name, part, value in (
        ("fields" if where == "fields" else f"{key}{where}", grid, shown.fields),
        (f"{key}z_plan", sequence.z_plan, shown.z),
        (f"{key}time_plan", sequence.time_plan, shown.time),
    ):
        yield from _rest_of(name, part, value)
    if where != "grid_plan" and sequence.grid_plan is not None:
        yield f"{key}grid_plan: {short(sequence.grid_plan)}"
    yield from _unseen_positions(plan, shown.use, f"{key}stage_positions.")


_SHOWN: dict[type[Any], set[str]] = {
    GridRowsColumns: {"rows", "columns", "overlap", "mode"},
    RandomPoints: {"num_points", "random_seed", "max_width", "max_height", "shape"},
    ZRangeAround: {"range", "step"},
    ZAboveBelow: {"above", "below", "step"},
    ZTopBottom: {"top", "bottom", "step"},
    TIntervalLoops: {"interval", "loops"},
}
"""What the window shows of a part of a sequence."""


def _rest_of(key: str, part: Any, shown: object) -> Iterator[str]:
    if isinstance(shown, Kept):
        yield f"{key}: {shown.text}"
    elif type(part) in _SHOWN:
        yield from said(part, _SHOWN[type(part)], f"{key}.")


def _unseen_positions(plan: AcquisitionPlan, use: Use, key: str) -> Iterator[str]:
    positions = plan.sequence.stage_positions
    if isinstance(positions, WellPlatePlan):
        if tuple(positions.a1_center_xy) != (0.0, 0.0):
            yield f"{key}a1_center_xy: {positions.a1_center_xy}"
        yield from said(positions, {"plate", "a1_center_xy", "selected_wells", "well_points_plan"}, key)
        return
    if use == "regions":
        return
    for number, position in enumerate(positions):
        yield from said(position, {"x", "y", "z", "name"}, f"{key}{number}.")


def said(part: BaseModel, shown: set[str], key: str = "") -> list[str]:
    """Return what a part says beside `shown` that is not its default: ``key: value``."""
    fields = type(part).model_fields
    names = [name for name in fields if name in part.model_fields_set and name not in shown]
    return [
        f"{key}{name}: {short(getattr(part, name))}"
        for name in names
        if getattr(part, name) != fields[name].get_default(call_default_factory=True)
    ]


def short(value: object) -> str:
    """Return a value in a few words, for a person."""
    data = value.model_dump(mode="json", exclude_unset=True) if isinstance(value, BaseModel) else value
    text = ", ".join(f"{key} {item}" for key, item in data.items()) if isinstance(data, dict) else str(data)
    return text if len(text) <= 80 else f"{text[:77]}…"
