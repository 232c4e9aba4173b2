"""What a plan says that no machine of ours can carry out: useq features that have no meaning here, and contradictions.

Each is refused by its key, never left out silently. Knows no microscope.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from useq import (
    MDASequence,
    MultiPhaseTimePlan,
    Position,
    RandomPoints,
    RelativePosition,
    TIntervalDuration,
    WellPlatePlan,
)

from control.core.schedule.axes import AnyGrid, with_fov
from squid.errors import ConfigurationError, PlanError
from squid.models.plan import AcquisitionPlan

MOST_VALUES = 1_000_000
"""Largest number of values on one axis; more is a slip of the pen (a step of 0.001 instead of 1)."""

MOST_ORDERED_POINTS = 500
"""Random points are put in order by useq in a time that grows with the square of their number, or worse."""

_PLANS = {"t": "time_plan", "p": "stage_positions", "g": "grid_plan", "c": "channels", "z": "z_plan"}

Refusals = Iterator[ConfigurationError]


def unsupported(plan: AcquisitionPlan) -> list[ConfigurationError]:
    """Return one refusal for each thing in a plan that cannot be carried out on any machine."""
    sequence, key = plan.sequence, plan.sequence_key
    found = list(_of_sequence(sequence, key))
    positions = sequence.stage_positions
    if isinstance(positions, WellPlatePlan):
        found += _of_point(positions.well_points_plan, f"{key}stage_positions.well_points_plan")
    else:
        for number, position in enumerate(positions):
            found += _of_position(position, sequence, f"{key}stage_positions.{number}.")
    found += _of_point(plan.fields, "fields")
    return found


def impossible(plan: AcquisitionPlan, fov_um: tuple[float, float]) -> list[ConfigurationError]:
    """Return one refusal for each thing for which a plan cannot even be worked out; `fov_um`: size of a frame."""
    sequence, key = plan.sequence, plan.sequence_key
    positions = sequence.stage_positions
    found = list(_sizes(sequence, key, fov_um))
    if isinstance(positions, tuple):
        for number, position in enumerate(positions):
            if position.sequence is not None:
                found += _sizes(position.sequence, f"{key}stage_positions.{number}.sequence.", fov_um)
    else:
        found += _fields(positions.well_points_plan, f"{key}stage_positions.well_points_plan", fov_um)
    found += _fields(plan.fields, "fields", fov_um)
    if not sequence.channels and not _all_have_channels(positions):
        found.append(PlanError("every frame needs a channel", key=f"{key}channels", allowed="at least one channel"))
    return found


def _of_sequence(sequence: MDASequence, key: str) -> Refusals:
    if sequence.autofocus_plan is not None:
        yield _refused("autofocus by useq's autofocus_plan is not carried out", f"{key}autofocus_plan")
    if sequence.setup is not None:
        yield _refused("a setup event is not carried out", f"{key}setup")
    for number, channel in enumerate(sequence.channels):
        if channel.camera is not None:
            message = f"{channel.camera!r}: the imaging camera of the machine file takes all channels"
            yield _refused(message, f"{key}channels.{number}.camera")
    for name, count in Counter(channel.config for channel in sequence.channels).items():
        if count > 1:
            message = f"'{name}' stands {count} times, and would be stored in one place"
            yield PlanError(message, key=f"{key}channels", allowed="each channel once")
    for axis, name in _PLANS.items():
        if axis not in sequence.axis_order and getattr(sequence, name):
            order = "".join(sequence.axis_order)
            message = f"'{order}' has no {axis}, so that {name} would be left out"
            yield PlanError(message, key=f"{key}axis_order", allowed=f"an order with {axis}, or no {name}")
    for axis in sequence.keep_shutter_open_across:
        if axis not in _PLANS:
            yield PlanError(f"{axis!r} is no axis", key=f"{key}keep_shutter_open_across", allowed="t, p, g, c, z")


def _of_position(position: Position, around: MDASequence, key: str) -> Refusals:
    if position.properties:
        yield _refused("device properties are not set by a plan", f"{key}properties")
    own = position.sequence
    if own is None:
        return
    yield from _of_sequence(own, f"{key}sequence.")
    if own.stage_positions:
        yield _refused("positions within a position are not carried out", f"{key}sequence.stage_positions")
    if own.time_plan is not None and around.time_plan is not None:
        message = "a position's own time plan within the plan's would take the same time points again"
        yield PlanError(message, key=f"{key}sequence.time_plan", allowed="one of the two")


def _of_point(point: object, key: str) -> Refusals:
    """Refuse what useq would drop from the points in a well."""
    if isinstance(point, RelativePosition):
        for name in ("sequence", "properties"):
            if getattr(point, name):
                yield _refused("is not carried out in each well", f"{key}.{name}")


def _sizes(sequence: MDASequence, key: str, fov_um: tuple[float, float]) -> Refusals:
    times = sequence.time_plan
    phases = times.phases if isinstance(times, MultiPhaseTimePlan) else (times,) if times else ()
    for number, phase in enumerate(phases):
        where = f"{key}time_plan.{number}" if isinstance(times, MultiPhaseTimePlan) else f"{key}time_plan"
        if isinstance(phase, TIntervalDuration) and phase.interval.total_seconds() <= 0:
            yield PlanError(f"{phase.interval.total_seconds():g}", key=f"{where}.interval", allowed="more than 0 s")
        elif phase.loops > 1 and phase.interval.total_seconds() < 0:
            yield PlanError(f"{phase.interval.total_seconds():g}", key=where, allowed="intervals of 0 s or more")
        else:
            yield from _size(lambda phase=phase: int(phase.loops), where, "time points")  # type: ignore[misc]
    if sequence.z_plan is not None:
        yield from _size(sequence.z_plan.num_positions, f"{key}z_plan", "planes")
    yield from _fields(sequence.grid_plan, f"{key}grid_plan", fov_um)


def _fields(grid: AnyGrid | None, key: str, fov_um: tuple[float, float]) -> Refusals:
    """Refuse a grid without fields, or with too many."""
    if isinstance(grid, RandomPoints) and grid.order is not None and grid.num_points > MOST_ORDERED_POINTS:
        message = f"{grid.num_points} random points take too long to put in order"
        yield PlanError(message, key=f"{key}.num_points", allowed=f"1 to {MOST_ORDERED_POINTS}, or order: null")
    elif grid is not None:
        yield from _size(lambda: with_fov(grid, fov_um).num_positions(), key, "fields")


def _size(count: Callable[[], int], key: str, what: str) -> Refusals:
    """Refuse an axis without values, or with more than any run could take."""
    try:
        number = count()
    except (ValueError, ZeroDivisionError, OverflowError) as e:
        yield PlanError(f"gives no {what}: {e}", key=key)
        return
    if not 0 < number <= MOST_VALUES:
        yield PlanError(f"gives {number} {what}", key=key, allowed=f"1 to {MOST_VALUES}")


def _all_have_channels(positions: object) -> bool:
    if not isinstance(positions, tuple) or not positions:
        return False
    return all(position.sequence is not None and position.sequence.channels for position in positions)


def _refused(message: str, key: str) -> PlanError:
    return PlanError(message, key=key, allowed="leave it out")
