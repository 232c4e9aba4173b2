"""The loops of a plan and of the positions that have a sequence of their own, as `Nest`s.

Says which turns there are, in useq's terms (indexes of time, position, grid point, channel, plane); not where they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from control.core.schedule.axes import Axes
from control.core.schedule.nest import Nest, alike_by


class SubLoops:
    """A position's own sequence, and what it makes of the loops around it.

    Parameters
    ----------
    axes : Axes
        Its loops.
    grid_kept : tuple of bool
        For each of its grid points, whether it is taken; empty: all are.
    """

    def __init__(self, axes: Axes, grid_kept: tuple[bool, ...]) -> None:
        self.axes = axes
        self.grid_kept = grid_kept
        alike = [_alike(axes, axis, grid_kept) for axis in axes.order]
        self.nest = Nest(alike, self._weight)

    @property
    def weight(self) -> int:
        """How often a turn of the loops around it is taken."""
        return self.nest.count if self.axes.has_any else 1

    def _weight(self, values: tuple[int, ...]) -> int:
        at = dict(zip(self.axes.order, values, strict=True))
        kept = not self.grid_kept or self.grid_kept[at.get("g", 0)]
        return int(kept and self.axes.takes(at.get("t"), at.get("c"), at.get("z")))

    def leaves_out(self, at: Mapping[str, int]) -> bool:
        """Return whether a turn of the loops around it is one that this sequence stands for."""
        axes = self.axes
        plans = axes.has_grid or axes.has_planes or axes.has_times
        if at.get("c", 0) and (bool(axes.channels) or not plans):
            return True
        return bool((at.get("z", 0) and axes.has_planes) or (at.get("g", 0) and axes.has_grid))


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn: index of each axis, None where there is no such axis.

    Attributes
    ----------
    at : mapping of str to int
        Of the plan's loops.
    own : mapping of str to int
        Of the loops of the position's own sequence; they stand in for the plan's.
    """

    at: Mapping[str, int]
    own: Mapping[str, int]

    def index(self) -> Mapping[str, int]:
        """Return the index of every axis, as useq counts."""
        return {**self.at, **self.own}

    def starts_series(self, before: Turn | None) -> bool:
        """Return whether a series of time points starts here: at the first one, when a loop around time has moved."""
        if before is None:
            return True
        if self.index().get("t") != 0:
            return False
        if "t" not in self.own:
            return any(before.at[axis] != self.at[axis] for axis in _before_time(self.at))
        outside = _before_time(self.own)
        return before.at != self.at or any(before.own[axis] != self.own[axis] for axis in outside)


def _before_time(at: Mapping[str, int]) -> tuple[str, ...]:
    names = tuple(at)
    return names[: names.index("t")]


class Loops:
    """The loops of a plan.

    Parameters
    ----------
    axes : Axes
        Of the plan's sequence.
    subs : sequence of (SubLoops or None)
        One for each position; a single None when the plan has no positions.
    grid_kept : sequence of tuple of bool
        For each position the grid points of the plan that are taken; an empty tuple: all are.
    """

    def __init__(self, axes: Axes, subs: Sequence[SubLoops | None], grid_kept: Sequence[tuple[bool, ...]]) -> None:
        self.axes = axes
        self._subs = subs
        self._grid_kept = grid_kept
        self._positions = alike_by([(id(sub), kept) for sub, kept in zip(subs, grid_kept, strict=True)])
        any_kept = next((kept for kept in grid_kept if kept), ())
        self.nest = Nest([self._alike(axis, any_kept) for axis in axes.order], self._weight)
        self.count = self.nest.count

    def turn(self, number: int) -> Turn:
        """Return turn `number`."""
        values, inside = self.nest.locate(number)
        at = dict(zip(self.axes.order, values, strict=True))
        sub = self._subs[at.get("p", 0)]
        if sub is None or not sub.axes.has_any:
            return Turn(at, {})
        own, _ = sub.nest.locate(inside)
        return Turn(at, dict(zip(sub.axes.order, own, strict=True)))

    def _alike(self, axis: str, any_kept: tuple[bool, ...]) -> Sequence[int]:
        return self._positions if axis == "p" else _alike(self.axes, axis, any_kept)

    def _weight(self, values: tuple[int, ...]) -> int:
        at = dict(zip(self.axes.order, values, strict=True))
        if not self.axes.takes(at.get("t"), at.get("c"), at.get("z")):
            return 0
        sub, kept = self._subs[at.get("p", 0)], self._grid_kept[at.get("p", 0)]
        if sub is not None and sub.leaves_out(at):
            return 0
        if kept and "g" in at and not (sub is not None and sub.axes.has_grid) and not kept[at["g"]]:
            return 0
        return 1 if sub is None else sub.weight


def _alike(axes: Axes, axis: str, grid_kept: tuple[bool, ...]) -> Sequence[int]:
    """Return for each value of an axis the first that is treated the same."""
    every = sorted({use.acquire_every for use in axes.channels} - {1})
    stacks = all(use.do_stack for use in axes.channels)
    if axis == "t":
        return alike_by([tuple(t % n == 0 for n in every) for t in range(axes.size("t"))]) if every else _all(axes, "t")
    if axis == "c":
        return alike_by([(use.acquire_every, use.do_stack, c == 0) for c, use in enumerate(axes.channels)])
    if axis == "z":
        return alike_by([(z == 0, not stacks and z == axes.middle) for z in range(axes.size("z"))])
    if axis == "g" and grid_kept:
        return range(axes.size("g"))
    return alike_by([g == 0 for g in range(axes.size("g"))])


def _all(axes: Axes, axis: str) -> Sequence[int]:
    return [0] * axes.size(axis)
