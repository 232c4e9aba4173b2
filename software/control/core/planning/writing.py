"""From the parts that a person edited to a plan.

What did not change is the opened plan's own object; what did change is written anew, and takes along what the window
cannot show of it: the wheel's filter of a channel, the own sequence of a position.
"""

from __future__ import annotations

from dataclasses import fields as fields_of_class
from datetime import timedelta
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from useq import (
    Channel,
    GridRowsColumns,
    MDASequence,
    Position,
    RandomPoints,
    TIntervalLoops,
    WellPlatePlan,
    ZAboveBelow,
    ZRangeAround,
    ZTopBottom,
)

from control.core.planning.parts import (
    ChannelChoice,
    DraftParts,
    FreePosition,
    GridFields,
    Kept,
    RandomFields,
    TimeLapse,
    ZStack,
)
from control.core.planning.polygon_fields import grid_over
from control.core.planning.reading import AXES, ROW, SNAKE, grid_of
from control.core.planning.unused import UNUSED_KEY, note_unused
from squid.errors import PlanError
from squid.models.file import explain, validate
from squid.models.plan import AcquisitionPlan, ChannelOverride, Storage, sequence_channels
from squid.models.wells import select_wells

_PLACE = {"use", "plate", "wells", "positions", "regions", "positions_in_wells", "fields"}
ModelT = TypeVar("ModelT", bound=BaseModel)
_Z_PLANS = (ZRangeAround, ZAboveBelow, ZTopBottom)


def plan_of(parts: DraftParts, base: AcquisitionPlan | None, shown: DraftParts | None) -> AcquisitionPlan:
    """Return the plan of these parts.

    Parameters
    ----------
    parts : DraftParts
        As edited.
    base, shown : AcquisitionPlan, DraftParts or None
        The plan that was opened, and what the window showed of it; None: a new plan.

    Raises
    ------
    PlanError
        The parts make no plan; names the key.
    """
    return _Writer(parts, base, shown).plan()


class _Writer:
    """Writes one plan."""

    def __init__(self, parts: DraftParts, base: AcquisitionPlan | None, shown: DraftParts | None) -> None:
        self._parts = parts
        self._base = base
        self._shown = shown
        every = [field.name for field in fields_of_class(DraftParts)]
        self._changed = {name for name in every if shown is None or getattr(parts, name) != getattr(shown, name)}
        self._keys = _said(base)
        self._sequence = _said(base.sequence) if base is not None else {}

    def plan(self) -> AcquisitionPlan:
        """Return the plan."""
        if self._base is not None and not self._changed:
            return self._base
        parts, keys = self._parts, self._keys
        keys["name"] = parts.name
        for name in ("objective", "z_um"):
            _put(keys, name, getattr(parts, name))
        self._write_storage()
        self._write_channels()
        self._write_axes()
        drawn = parts.use == "regions" and self._changed & {"channels", "z", "axis_order"}
        if self._changed & _PLACE or drawn:
            self._write_places()
        self._note_unused()
        sequence = keys["sequence"] = _made(MDASequence, self._sequence, "sequence")
        used = {channel.config for channel in sequence_channels(sequence)}
        overrides = {name: value for name, value in keys.get("channels", {}).items() if name in used}
        _put(keys, "channels", overrides or None)
        return validate(keys, AcquisitionPlan, PlanError, file=None)

    def _write_storage(self) -> None:
        parts = self._parts
        storage = _said(self._base.storage) if self._base is not None else {}
        if self._changed & {"storage_format", "compression"}:
            storage |= {"format": parts.storage_format, "compression": parts.compression}
        if storage and _made(Storage, storage, "storage") != Storage():
            self._keys["storage"] = storage
        elif self._changed & {"storage_format", "compression"}:
            self._keys.pop("storage", None)

    def _write_axes(self) -> None:
        """Write planes and time points, and give each axis that is used its place in the order."""
        parts, sequence = self._parts, self._sequence
        if "z" in self._changed and not isinstance(parts.z, Kept):
            _put(sequence, "z_plan", None if parts.z is None else _z_plan(parts.z, sequence.get("z_plan")))
        if "time" in self._changed and not isinstance(parts.time, Kept):
            _put(
                sequence, "time_plan", None if parts.time is None else _time_plan(parts.time, sequence.get("time_plan"))
            )
        order = _with_axes(parts.axis_order, {"z": parts.z, "t": parts.time})
        if order != "".join(sequence.get("axis_order", AXES)):
            sequence["axis_order"] = order

    def _write_channels(self) -> None:
        if "channels" not in self._changed:
            return
        old = {channel.config: channel for channel in self._sequence.get("channels", ())}
        before = {choice.name: choice for choice in self._shown.channels} if self._shown is not None else {}
        overrides: dict[str, Any] = dict(self._keys.get("channels", {}))
        channels = []
        for choice in self._parts.channels:
            channel, override = _channel(
                choice, before.get(choice.name), old.get(choice.name), overrides.get(choice.name)
            )
            channels.append(channel)
            _put(overrides, choice.name, override)
        self._sequence["channels"] = tuple(channels)
        _put(self._keys, "channels", overrides or None)

    def _write_places(self) -> None:
        keys, sequence, parts = self._keys, self._sequence, self._parts
        where, old = grid_of(self._base) if self._base is not None else ("fields", None)
        grid = old if isinstance(parts.fields, Kept) else grid_written(parts.fields, old)
        same_use = self._shown is not None and self._shown.use == parts.use
        for key in ("wells", "fields"):
            keys.pop(key, None)
        if parts.use != "regions":
            sequence.pop("grid_plan", None)
            self._write_clip()
        wells = sequence.pop("stage_positions", None)
        if parts.use == "wells":
            if isinstance(wells, WellPlatePlan) and same_use and "plate" not in self._changed:
                sequence["stage_positions"] = self._useq_wells(wells, where, grid)
                return
            self._write_plate(parts.plate)
            if parts.plate is None:
                raise PlanError("no plate is chosen", key="plate", allowed="a plate, or free positions")
            keys["wells"] = parts.wells
            self._place_grid(grid, where if same_use else "fields")
            return
        self._write_plate(parts.plate if parts.positions_in_wells else None)
        if parts.use == "positions":
            listed = wells if isinstance(wells, tuple) else ()
            _put(sequence, "stage_positions", tuple(_position(p, listed) for p in parts.positions) or None)
            self._place_grid(grid, "grid_plan")
            return
        if not parts.regions:
            raise PlanError("no region is drawn", key="sequence.stage_positions", allowed="at least one region")
        sequence["stage_positions"] = tuple(self._region(number) for number in range(len(parts.regions)))

    def _write_plate(self, plate: str | None) -> None:
        """Write the plate's name; one that means the same as before stays as it was written."""
        if "plate" in self._changed or plate is None or self._keys.get("plate") is None:
            _put(self._keys, "plate", plate)

    def _write_clip(self) -> None:
        if "fields" in self._changed:
            clip = isinstance(self._parts.fields, (GridFields, RandomFields)) and self._parts.fields.clip
            _put(self._keys, "clip_fields", clip or None)

    def _place_grid(self, grid: Any, where: str) -> None:
        if grid is None:
            return
        if where == "grid_plan":
            self._sequence["grid_plan"] = grid
        elif getattr(grid, "is_relative", True):
            self._keys["fields"] = grid
        else:
            raise PlanError(
                "the fields of the opened file are at fixed places of the stage",
                key="fields",
                allowed="fields around the centre of each well, or free positions",
            )

    def _useq_wells(self, wells: WellPlatePlan, where: str, grid: Any) -> WellPlatePlan:
        """Return the opened file's own plan of the plate, its calibration with it, with other wells or fields."""
        updates: dict[str, Any] = {}
        if "wells" in self._changed:
            try:
                chosen = select_wells(self._parts.wells, wells.plate.rows, wells.plate.columns)
            except ValueError as e:
                raise PlanError(str(e), key="wells") from e
            updates["selected_wells"] = (tuple(row for row, _ in chosen), tuple(column for _, column in chosen))
        if where == "grid_plan":
            self._place_grid(grid, where)
        elif "fields" in self._changed:
            updates["well_points_plan"] = grid if grid is not None else {"x": 0, "y": 0}
        return _made(WellPlatePlan, {**_said(wells), **updates}, "sequence.stage_positions")

    def _region(self, number: int) -> Position:
        """Return a region as useq says it: a position whose own sequence covers a polygon, field by field."""
        region, sequence = self._parts.regions[number], self._sequence
        key = f"sequence.stage_positions.{number}"
        own: dict[str, Any] = {"grid_plan": grid_over(region, key=key)}
        channels = sequence.get("channels", ())
        if all(channel.acquire_every == 1 for channel in channels):  # else they must loop outside, with the times
            own |= {name: sequence[name] for name in ("channels", "z_plan", "axis_order") if sequence.get(name)}
        position: dict[str, Any] = {"name": region.name, "sequence": _made(MDASequence, own, f"{key}.sequence")}
        if region.z_um is not None:
            position["z"] = region.z_um
        return _made(Position, position, key)

    def _note_unused(self) -> None:
        unused = note_unused(self._parts)
        others = {key: value for key, value in self._sequence.get("metadata", {}).items() if key != UNUSED_KEY}
        _put(self._sequence, "metadata", {**others, **({UNUSED_KEY: unused} if unused else {})} or None)


def _channel(
    choice: ChannelChoice, before: ChannelChoice | None, old: Channel | None, override: ChannelOverride | None
) -> tuple[Channel, ChannelOverride | None]:
    """Return useq's channel, and what the plan changes of its preset."""
    channel = _said(old) if old is not None else {"config": choice.name}
    also = _said(override)
    for name, useqs in (("exposure_ms", "exposure"), ("intensity", None), ("z_offset_um", "z_offset")):
        value = getattr(choice, name)
        if before is not None and value == getattr(before, name):
            continue
        _put(also, name, value)
        if useqs is not None:
            channel.pop(useqs, None)
    key = f"channels.{choice.name}"
    return _made(Channel, channel, key), _made(ChannelOverride, also, key) if also else None


def grid_written(fields: object, old: Any = None) -> Any:
    """Return useq's plan of the fields; what the window cannot show comes from the opened one of the same kind."""
    if isinstance(fields, GridFields):
        mode = SNAKE if fields.order == "snake" else ROW
        keys = {"rows": fields.rows, "columns": fields.columns, "overlap": fields.overlap_pct, "mode": mode}
        return _made(GridRowsColumns, {**_rest(old, GridRowsColumns), **keys}, "fields")
    if isinstance(fields, RandomFields):
        size = {"max_width": fields.width_um, "max_height": fields.height_um}
        keys = {"num_points": fields.count, "random_seed": fields.seed, **size}
        return _made(RandomPoints, {**_rest(old, RandomPoints), **keys}, "fields")
    return None


def _z_plan(z: ZStack, old: Any) -> Any:
    key = "sequence.z_plan"
    if z.step_um <= 0:
        raise PlanError(f"a step of {z.step_um:g} µm", key=key, allowed="more than 0 µm")
    if z.span_um < 0:
        message = f"from {z.bottom_um:g} to {z.top_um:g} µm" if z.kind == "range" else f"a range of {z.range_um:g} µm"
        raise PlanError(message, key=key, allowed="the top above the bottom")
    keys: dict[str, Any] = {"step": z.step_um}
    if isinstance(old, _Z_PLANS) and "go_up" in old.model_fields_set:
        keys["go_up"] = old.go_up
    if z.kind == "range":
        return _made(ZTopBottom, {**keys, "bottom": z.bottom_um, "top": z.top_um}, key)
    if z.kind == "bottom":
        return _made(ZAboveBelow, {**keys, "above": z.range_um, "below": 0.0}, key)
    return _made(ZRangeAround, {**keys, "range": z.range_um}, key)


def _time_plan(time: TimeLapse, old: Any) -> TIntervalLoops:
    keys = {**_rest(old, TIntervalLoops), "interval": timedelta(seconds=time.interval_s), "loops": time.count}
    return _made(TIntervalLoops, keys, "sequence.time_plan")


def _position(position: FreePosition, listed: tuple[Position, ...]) -> Position:
    """Return useq's position; its own sequence and the like come from the opened file."""
    origin = position.origin
    keys = _said(listed[origin]) if origin is not None and origin < len(listed) else {}
    for name, value in (("x", position.x_um), ("y", position.y_um), ("z", position.z_um), ("name", position.name)):
        _put(keys, name, None if value == "" else value)
    return _made(Position, keys, "sequence.stage_positions")


def _with_axes(order: str, plans: dict[str, object]) -> str:
    """Return the order with a place for each axis that is used and not yet in it; places always get one."""
    for axis in AXES:
        if axis not in order and (axis not in plans or plans[axis] is not None):
            after = [order.index(later) for later in AXES[AXES.index(axis) + 1 :] if later in order]
            at = min(after, default=len(order))
            order = order[:at] + axis + order[at:]
    return order


def _said(part: BaseModel | None) -> dict[str, Any]:
    """Return what was said of a model, not its defaults; values are its own objects."""
    return {name: getattr(part, name) for name in part.model_fields_set} if part is not None else {}


def _rest(old: object, kind: type[BaseModel]) -> dict[str, Any]:
    return _said(old) if isinstance(old, kind) else {}


def _put(keys: dict[str, Any], name: str, value: object) -> None:
    """Set a key; None removes it."""
    if value is None:
        keys.pop(name, None)
    else:
        keys[name] = value


def _made(kind: type[ModelT], keys: dict[str, Any], key: str) -> ModelT:
    """Return a model, or a `PlanError` that names the key."""
    try:
        return kind(**keys)
    except ValidationError as e:
        raise explain(e, PlanError, file=None, key=key, model=kind) from e
