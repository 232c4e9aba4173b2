"""One useq sequence as plain axes: time points, grid points, channels and planes, ready to be counted and entered.

Follows useq-schema 0.9.2 (`useq._iter_sequence`), to which it is held by property tests; differs from it where
``docs/decisions/0031`` says. Knows no position, no well and no microscope.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate
from typing import overload

from useq import (
    GridFromEdges,
    GridFromPolygon,
    GridRowsColumns,
    GridWidthHeight,
    MDASequence,
    MultiPhaseTimePlan,
    RandomPoints,
    RelativePosition,
    TDurationLoops,
    TIntervalDuration,
    TIntervalLoops,
)

from control.core.schedule.channels import ChannelUse

AnyGrid = GridRowsColumns | GridWidthHeight | GridFromEdges | GridFromPolygon | RandomPoints | RelativePosition
AnyTime = TIntervalLoops | TDurationLoops | TIntervalDuration | MultiPhaseTimePlan

RANDOM_SEED = 0
"""Seed of random points whose plan names none: a resumed run has to find the same places."""


@dataclass(frozen=True, slots=True)
class Axes:
    """The loops of one sequence.

    Attributes
    ----------
    order : str
        The axes that have values, the outermost first; of ``tpgcz``.
    times_s : sequence of float
        Start of each time point.
    points : tuple of (float, float)
        Grid points, µm.
    points_relative : bool
        They count from the position.
    channels : tuple of ChannelUse
        In the order of the sequence.
    planes_um : tuple of float
        Planes in the order in which they are taken.
    planes_relative : bool
        They count from the position's z.
    middle : int
        The plane of channels that take no stack.
    positions : int
        Number of positions; 0 when the sequence has none.
    has_times, has_grid, has_planes, has_any : bool
        The sequence has such a plan (or any, or channels), be it an empty one.
    """

    order: str
    times_s: Sequence[float]
    points: tuple[tuple[float, float], ...]
    points_relative: bool
    channels: tuple[ChannelUse, ...]
    planes_um: tuple[float, ...]
    planes_relative: bool
    middle: int
    positions: int
    has_times: bool
    has_grid: bool
    has_planes: bool
    has_any: bool

    def size(self, axis: str) -> int:
        """Return the number of values of an axis."""
        if axis == "p":
            return self.positions
        values = {"t": self.times_s, "g": self.points, "c": self.channels, "z": self.planes_um}[axis]
        return len(values)

    def takes(self, t: int | None, c: int | None, z: int | None) -> bool:
        """Return whether a channel is taken at this time point and plane; None: no such axis."""
        if c is None:
            return True
        use = self.channels[c]
        if t is not None and t % use.acquire_every:
            return False
        return use.do_stack or z is None or z == self.middle


def axes_of(
    sequence: MDASequence, channels: tuple[ChannelUse, ...], positions: int, fov_um: tuple[float, float]
) -> Axes:
    """Return the loops of a sequence.

    Parameters
    ----------
    sequence : MDASequence
        The sequence.
    channels : tuple of ChannelUse
        Its channels, resolved.
    positions : int
        Number of its positions.
    fov_um : (float, float)
        Width and height of a frame at the sample; used by grids that name none.
    """
    grid, planes = sequence.grid_plan, sequence.z_plan
    times_s: Sequence[float] = Times(sequence.time_plan) if sequence.time_plan else ()
    points = grid_points(grid, fov_um) if grid else ()
    planes_um = tuple(planes) if planes else ()
    sizes = {"t": len(times_s), "p": positions, "g": len(points), "c": len(channels), "z": len(planes_um)}
    return Axes(
        order="".join(axis for axis in sequence.axis_order if sizes[axis]),
        times_s=times_s,
        points=points,
        points_relative=bool(grid is None or grid.is_relative),
        channels=channels,
        planes_um=planes_um,
        planes_relative=bool(planes is None or planes.is_relative),
        middle=planes.num_positions() // 2 if planes else 0,
        positions=positions,
        has_times=sequence.time_plan is not None,
        has_grid=grid is not None,
        has_planes=planes is not None,
        has_any=bool(sequence.time_plan or grid or planes or channels or positions),
    )


def grid_points(grid: AnyGrid, fov_um: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    """Return the points of a grid in µm, in the order in which they are visited."""
    filled = with_fov(grid, fov_um)
    return tuple((float(point.x or 0.0), float(point.y or 0.0)) for point in filled)


def with_fov(grid: AnyGrid, fov_um: tuple[float, float]) -> AnyGrid:
    """Return the grid with the size of a frame where it names none, and with a seed where it is random."""
    if isinstance(grid, RelativePosition):
        return grid
    wanted: dict[str, float] = {}
    if not (isinstance(grid, RandomPoints) and grid.allow_overlap):
        wanted = {
            name: size
            for name, size in zip(("fov_width", "fov_height"), fov_um, strict=True)
            if getattr(grid, name) is None
        }
    if isinstance(grid, RandomPoints) and grid.random_seed is None:
        wanted["random_seed"] = RANDOM_SEED
    return grid.replace(**wanted) if wanted else grid


class Times(Sequence[float]):
    """The time points of a plan, seconds from the first; computed on demand.

    Parameters
    ----------
    plan : AnyTime
        useq's time plan.
    """

    def __init__(self, plan: AnyTime) -> None:
        phases = plan.phases if isinstance(plan, MultiPhaseTimePlan) else (plan,)
        self._intervals = [_interval(phase) for phase in phases]
        counts = [phase.loops - 1 for phase in phases]  # the last of a phase is the first of the next
        self._starts = list(
            accumulate((n * i for n, i in zip(counts, self._intervals, strict=True)), initial=timedelta())
        )
        self._firsts = list(accumulate(counts, initial=0))

    def __len__(self) -> int:
        return self._firsts[-1] + 1

    @overload
    def __getitem__(self, number: int) -> float: ...

    @overload
    def __getitem__(self, number: slice) -> list[float]: ...

    def __getitem__(self, number: int | slice) -> float | list[float]:
        if isinstance(number, slice):
            return [self[one] for one in range(*number.indices(len(self)))]
        if not 0 <= number < len(self):
            raise IndexError(f"time point {number} of {len(self)}")
        phase = min(bisect_right(self._firsts, number), len(self._intervals)) - 1
        inside = number - self._firsts[phase]
        return (self._starts[phase] + inside * self._intervals[phase]).total_seconds()

    @property
    def interval_s(self) -> float | None:
        """The interval, when there is one and it never changes."""
        used = {i for i, n, m in zip(self._intervals, self._firsts, self._firsts[1:], strict=False) if m > n}
        return used.pop().total_seconds() if len(used) == 1 else None


def _interval(phase: TIntervalLoops | TDurationLoops | TIntervalDuration) -> timedelta:
    if isinstance(phase, TDurationLoops) and phase.loops == 1:
        return timedelta()  # useq divides by zero
    return phase.interval
