"""Nested loops that are counted and entered without being run.

A plan's axes are nested loops, and what some of their values have in common decides which turns are left out. `Nest`
is told, for every value, an earlier value that behaves the same, and how much the innermost turn counts; from that it
finds the turn with a given number by bisection, one search for each loop, however many turns there are.

Knows nothing of wells, channels or useq.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

Weight = Callable[[tuple[int, ...]], int]


class Nest:
    """Nested loops, the first the outermost.

    Parameters
    ----------
    alike : sequence of sequence of int
        For each loop and each of its values, the first value of that loop that counts the same.
    weight : callable
        Given one such first value for every loop: what that turn counts, 0 when it is left out.
    """

    def __init__(self, alike: Sequence[Sequence[int]], weight: Weight) -> None:
        self._alike = alike
        self._weight = weight
        self._ends: dict[tuple[int, ...], list[int]] = {}
        self.count = self._ends_of(())[-1] if alike and all(len(values) for values in alike) else 0

    def locate(self, number: int) -> tuple[tuple[int, ...], int]:
        """Return the value of every loop at turn `number`, and what is left of it within that turn."""
        values: list[int] = []
        path: tuple[int, ...] = ()
        for alike in self._alike:
            ends = self._ends_of(path)
            value = bisect_right(ends, number)
            number -= ends[value - 1] if value else 0
            values.append(value)
            path = (*path, alike[value])
        return tuple(values), number

    def values(self, path: tuple[int, ...]) -> Iterator[int]:
        """Yield the values of the next loop that count something, given one value of each loop around it."""
        alike = self._alike[len(path)]
        kinds = tuple(self.kind(depth, value) for depth, value in enumerate(path))
        counts = {kind: self._count_of((*kinds, kind)) for kind in set(alike)}
        return (value for value, kind in enumerate(alike) if counts[kind])

    def kind(self, depth: int, value: int) -> int:
        """Return the first value of the loop at `depth` that counts the same as `value`."""
        return self._alike[depth][value]

    def _ends_of(self, path: tuple[int, ...]) -> list[int]:
        """Return the running total after each value of the next loop, given the kinds of those around it."""
        if path not in self._ends:
            counts: dict[int, int] = {}
            for kind in self._alike[len(path)]:
                if kind not in counts:
                    counts[kind] = self._count_of((*path, kind))
            self._ends[path] = list(accumulate(counts[kind] for kind in self._alike[len(path)]))
        return self._ends[path]

    def _count_of(self, path: tuple[int, ...]) -> int:
        return self._ends_of(path)[-1] if len(path) < len(self._alike) else self._weight(path)


def alike_by(keys: Sequence[object]) -> list[int]:
    """Return, for each value, the first one with an equal key."""
    first: dict[object, int] = {}
    return [first.setdefault(key, number) for number, key in enumerate(keys)]
