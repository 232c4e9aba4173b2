"""The order of waiting tasks: priority with ageing, and one waiting task per coalescing key.

A task's place is fixed when it comes: its time of arrival plus `ageing_s` per step of priority. So a waiting task
moves up one step per `ageing_s` against newer ones, and none starves.

A coalescing key is a lane: at most one task of it waits (a newer one takes the place of an older one, with its turn)
and at most one runs, no more often than once per `interval_s`::

    (no lane) ──put──▶ READY ──pop──▶ SHUT (runs, or cools down) ──release──▶ READY, or no lane if nothing waits

No lock: its owner guards it. Knows no thread and no clock: the time is an argument.
"""

from __future__ import annotations

import heapq
import itertools

from squid.utils.task import Task


class _Place:
    """A turn in the queue; the task in it may be replaced or taken out."""

    __slots__ = ("task",)

    def __init__(self, task: Task) -> None:
        self.task: Task | None = task


class _Lane:
    __slots__ = ("is_shut", "open_at", "place")

    def __init__(self, place: _Place) -> None:
        self.place: _Place | None = place
        self.is_shut = False
        self.open_at = 0.0


class TaskQueue:
    """Waiting tasks.

    Parameters
    ----------
    ageing_s : float
        Waiting time, in seconds, that is worth one step of priority.
    interval_s : float
        Least time between two starts with the same coalescing key, in seconds.
    """

    def __init__(self, ageing_s: float, interval_s: float) -> None:
        self._ageing_s = ageing_s
        self._interval_s = interval_s
        self._heap: list[tuple[float, int, _Place]] = []
        self._count = itertools.count()
        self._lanes: dict[str, _Lane] = {}
        self._places: dict[Task, _Place] = {}

    def __len__(self) -> int:
        return len(self._places)

    def put(self, task: Task, now: float) -> Task | None:
        """Let `task` wait; return the older task that it supersedes, if any."""
        lane = self._lanes.get(task.coalesce_key) if task.coalesce_key is not None else None
        if lane is not None and lane.place is not None:
            return self._replace(lane.place, task)
        place = self._places[task] = _Place(task)
        if lane is not None:
            lane.place = place
            return None
        if task.coalesce_key is not None:
            self._lanes[task.coalesce_key] = _Lane(place)
        self._push(place, task, now)
        return None

    def pop(self, now: float) -> Task | None:
        """Take the task whose turn it is; None if none is ready."""
        while self._heap:
            task = heapq.heappop(self._heap)[2].task
            if task is None:
                continue
            del self._places[task]
            if task.coalesce_key is not None:
                lane = self._lanes[task.coalesce_key]
                lane.place, lane.is_shut, lane.open_at = None, True, now + self._interval_s
            return task
        return None

    def remove(self, task: Task) -> bool:
        """Take a waiting task out; False if it does not wait."""
        place = self._places.pop(task, None)
        if place is None:
            return False
        place.task = None
        if task.coalesce_key is not None:
            lane = self._lanes[task.coalesce_key]
            lane.place = None
            if not lane.is_shut:
                del self._lanes[task.coalesce_key]
        return True

    def open_time(self, key: str) -> float:
        """When the lane of a task that has run may be released, in monotonic seconds."""
        return self._lanes[key].open_at

    def release(self, key: str, now: float) -> None:
        """Open the lane again: the task that waits in it, if any, gets its turn."""
        lane = self._lanes[key]
        lane.is_shut = False
        if lane.place is None or lane.place.task is None:
            del self._lanes[key]
        else:
            self._push(lane.place, lane.place.task, now)

    def _push(self, place: _Place, task: Task, now: float) -> None:
        heapq.heappush(self._heap, (now + task.priority * self._ageing_s, next(self._count), place))

    def _replace(self, place: _Place, task: Task) -> Task | None:
        old, place.task = place.task, task
        if old is not None:
            del self._places[old]
        self._places[task] = place
        return old
