"""How long a plan takes by physics alone: exposures, and the moves and read-outs that nothing can hide.

::

    ──exposure── │ read-out ───────┐
                 │ stage move ─────┤ longest of the three │ time point due? │ light on │ ──exposure──
                 │ filter wheel ───┘                       (waits)           (latency, unless it stayed on)

The run starts with the way to the first frame, and ends when the last frame is read out. `ideal_s` gives the same as
adding up the events one by one (`sum_of_events_s`), but computes blocks that repeat (the channels and planes of a
field, the fields of a time point) once, so that millions of events take no time. For that, a stage's travel time may
depend on distances only, not on where the stage is.

Owns no device: asks those of the microscope for their times.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from control.core.schedule import Schedule
from control.core.schedule.loops import SubLoops, Turn
from squid.abc.camera import Camera
from squid.abc.camera_trigger import CameraTrigger
from squid.abc.filter_wheel import FilterWheel
from squid.abc.illumination import Illumination
from squid.abc.stage import Stage
from squid.microscope import Microscope
from squid.models.channel import ChannelLayout
from squid.models.event import AcquisitionEvent
from squid.models.geometry import StagePosition
from squid.utils.task import stop_if_cancelled


@dataclass(frozen=True, slots=True)
class Step:
    """What lies between two exposures.

    Attributes
    ----------
    moves_s : float
        Until stage and filter wheel are there and the frame before is read out.
    light_s : float
        Until the light is on.
    """

    moves_s: float
    light_s: float


class Physics:
    """The times of one microscope, with the settings in force.

    Parameters
    ----------
    stage, camera, illumination, filter_wheel
        Its devices.
    channels : tuple of ChannelLayout
        The channels of the plan.
    trigger : CameraTrigger, optional
        Its strobe's delay lengthens each exposure.
    readout_ms : float, optional
        Of a run's frame; None: with the camera's settings in force.
    """

    def __init__(
        self,
        stage: Stage,
        camera: Camera,
        illumination: Illumination,
        filter_wheel: FilterWheel | None,
        channels: tuple[ChannelLayout, ...],
        trigger: CameraTrigger | None = None,
        readout_ms: float | None = None,
    ) -> None:
        self._strobe_delay_ms = trigger.strobe_delay_ms if trigger is not None else 0.0
        self._stage = stage
        self._camera = camera
        self._wheel = filter_wheel
        self.readout_s = (camera.readout_ms if readout_ms is None else readout_ms) / 1000
        self._on_s = illumination.on_latency_ms / 1000
        self._lights = [(channel.preset.source, channel.preset.intensity) for channel in channels]
        self._filters = _filters(channels)
        self._first_filter = filter_wheel.current if filter_wheel is not None and filter_wheel.is_open else None

    @classmethod
    def of(cls, microscope: Microscope, channels: tuple[ChannelLayout, ...]) -> Physics:
        """Return the physics of a microscope."""
        wheel, line = microscope.filter_wheel, microscope.camera_trigger
        readout_ms = microscope.camera_for_runs.readout_ms
        return cls(microscope.stage, microscope.camera, microscope.illumination, wheel, channels, line, readout_ms)

    def exposure_s(self, event_exposure_ms: float) -> float:
        """Return how long an exposure takes."""
        return self._camera.exposure_duration_s(event_exposure_ms + self._strobe_delay_ms)

    def first_step(self, origin: StagePosition, target: StagePosition, c: int) -> Step:
        """Return the way from where the stage stands to the first exposure, as far as it is known; see `lead_s`."""
        wheel_s = 0.0 if self._first_filter is None else self._wheel_s(self._first_filter, c)
        return Step(max(self._stage.travel_time_s(origin, target), wheel_s), self._on_s)

    def lead_s(self, c: int) -> float:
        """Return the longest that the wheel may take to the first exposure when nobody knows how it stands, else 0."""
        return self._wheel_s(None, c) if self._first_filter is None else 0.0

    def step(self, start: StagePosition, c: int, target: StagePosition, next_c: int, *, stays_open: bool) -> Step:
        """Return what lies between two exposures, from their places and channels."""
        travel_s = self._stage.travel_time_s(start, target) if start != target else 0.0
        wheel_s = self._wheel_s(self._filters[c], next_c) if c != next_c else 0.0
        lit = stays_open and self._lights[c] == self._lights[next_c]
        return Step(max(self.readout_s, travel_s, wheel_s), 0.0 if lit else self._on_s)

    def step_ideal_s(self, previous: AcquisitionEvent, event: AcquisitionEvent) -> float:
        """Return the time from the end of one exposure to the end of the next, when no time point is waited for."""
        step = self.step(previous.target, previous.c, event.target, event.c, stays_open=previous.keep_shutter_open)
        return step.moves_s + step.light_s + self.exposure_s(event.exposure_ms)

    def _wheel_s(self, start: str | None, c: int) -> float:
        target = self._filters[c]
        if self._wheel is None or target is None or start == target:
            return 0.0
        return self._wheel.travel_time_s(start, target)


def _filters(channels: tuple[ChannelLayout, ...]) -> list[str | None]:
    """Return the filter in the beam during each channel: a channel that names none has that of the one before."""
    named = [channel.preset.filter for channel in channels]
    last = next((name for name in reversed(named) if name is not None), None)
    found: list[str | None] = []
    for name in named:
        last = name if name is not None else last
        found.append(last)
    return found


def sum_of_events_s(schedule: Schedule, physics: Physics) -> float:
    """Return what `ideal_s` returns, by going through the events: the definition, and slow for millions."""
    previous: AcquisitionEvent | None = None
    now_s = clock_s = 0.0
    for event in schedule.events():
        if event.restarts_clock:
            clock_s = now_s
        if previous is None:
            step = physics.first_step(schedule.origin, event.target, event.c)
        else:
            stays_open = previous.keep_shutter_open
            step = physics.step(previous.target, previous.c, event.target, event.c, stays_open=stays_open)
        now_s = max(now_s + step.moves_s, clock_s + (event.min_start_s or 0.0))
        now_s += step.light_s + physics.exposure_s(event.exposure_ms)
        previous = event
    return now_s + (physics.readout_s if previous is not None else 0.0)


def ideal_s(schedule: Schedule, physics: Physics) -> float:
    """Return how long the plan takes when the program itself takes no time, in seconds."""
    if not schedule.frames:
        return 0.0
    return _Blocks(schedule, physics).total_s()


@dataclass(frozen=True, slots=True)
class _Block:
    """A part of the loops, from its first exposure on.

    When the step to its first exposure takes s, the block ends max(s + work_s, timed_s) after the exposure before.

    Attributes
    ----------
    first, last : tuple of int
        Values of the inner loops at its first and last turn.
    work_s : float
        What it takes when no time point is waited for.
    timed_s : float
        What it takes at least, because of the time points in it.
    """

    first: tuple[int, ...]
    last: tuple[int, ...]
    work_s: float
    timed_s: float


class _Blocks:
    """Adds up the loops of one schedule, block by block."""

    def __init__(self, schedule: Schedule, physics: Physics) -> None:
        self._schedule = schedule
        self._physics = physics
        self._order = schedule.loops.axes.order
        self._known: dict[tuple[object, ...], _Block] = {}
        mixed = any(schedule.sub_at(number) for number in range(len(schedule.places)))
        place = self._order.find("p")
        self._by_value = set(self._order[: max(place, 0)]) - {"t"} if mixed else set()

    def total_s(self) -> float:
        whole = self._block(())
        target, use, _ = self._schedule.target(self._turn(whole.first))
        step = self._physics.first_step(self._schedule.origin, target, use.c)
        return max(step.moves_s + step.light_s + whole.work_s, whole.timed_s) + self._physics.readout_s

    def _block(self, path: tuple[int, ...]) -> _Block:
        """Return the block of all turns inside `path`."""
        key = tuple(self._kinds(path))
        if key not in self._known:
            axis = self._axis(path)
            self._known[key] = self._leaf(path) if axis is None else self._loop(path, axis)
        return self._known[key]

    def _leaf(self, path: tuple[int, ...]) -> _Block:
        _, use, _ = self._schedule.target(self._turn(path))
        return _Block((), (), self._physics.exposure_s(use.exposure_ms), -math.inf)

    def _loop(self, path: tuple[int, ...], axis: str) -> _Block:
        first: tuple[int, ...] | None = None
        last: tuple[int, ...] = ()
        work_s, timed_s = 0.0, -math.inf
        steps: dict[tuple[int, int], Step] = {}
        for value in self._values(path):
            stop_if_cancelled()  # a plan of many thousand places takes seconds
            block = self._block((*path, value))
            due_s = self._due_s((*path, value)) if axis == "t" else None
            if first is None:
                first = (value, *block.first)
                work_s, timed_s = block.work_s, block.timed_s
            else:
                step = self._step(path, last, (value, *block.first), steps if axis == "t" else None)
                if due_s is None:
                    more_s = max(step.moves_s + step.light_s + block.work_s, block.timed_s)
                    timed_s += more_s
                else:
                    more_s = step.moves_s + step.light_s + block.work_s
                    timed_s = max(timed_s + step.moves_s, due_s) + step.light_s + block.work_s
                work_s += more_s
            last = (value, *block.last)
        assert first is not None  # only blocks that count something are entered
        return _Block(first, last, work_s, timed_s)

    def _step(
        self,
        path: tuple[int, ...],
        last: tuple[int, ...],
        first: tuple[int, ...],
        known: dict[tuple[int, int], Step] | None,
    ) -> Step:
        """Return what lies between two turns; between time points of the same kind it is always the same."""
        key = (self._kind(len(path), last[0], path), self._kind(len(path), first[0], path))
        if known is not None and key in known:
            return known[key]
        before, after = self._turn((*path, *last)), self._turn((*path, *first))
        (start, use, _), (target, next_use, _) = self._schedule.target(before), self._schedule.target(after)
        stays_open = self._schedule.stays_open(before, after)
        step = self._physics.step(start, use.c, target, next_use.c, stays_open=stays_open)
        if known is not None:
            known[key] = step
        return step

    def _axis(self, path: tuple[int, ...]) -> str | None:
        """Return the loop inside `path`; None when there is no further one."""
        outer = len(self._order)
        if len(path) < outer:
            return self._order[len(path)]
        sub = self._sub(path)
        return (
            sub.axes.order[len(path) - outer] if sub is not None and len(path) - outer < len(sub.axes.order) else None
        )

    def _values(self, path: tuple[int, ...]) -> Iterator[int]:
        outer = len(self._order)
        if len(path) < outer:
            return self._schedule.loops.nest.values(path)
        sub = self._sub(path)
        assert sub is not None
        return sub.nest.values(path[outer:])

    def _kinds(self, path: tuple[int, ...]) -> Iterator[int]:
        for depth, value in enumerate(path):
            yield self._kind(depth, value, path)

    def _kind(self, depth: int, value: int, path: tuple[int, ...]) -> int:
        """Return the first value that makes the blocks inside take the same time."""
        outer = len(self._order)
        if depth >= outer:
            sub = self._sub(path)
            assert sub is not None
            axis, nest, depth = sub.axes.order[depth - outer], sub.nest, depth - outer
        else:
            axis, nest = self._order[depth], self._schedule.loops.nest
        return value if axis == "c" or axis in self._by_value else nest.kind(depth, value)

    def _sub(self, path: tuple[int, ...]) -> SubLoops | None:
        place = self._order.find("p")
        return self._schedule.sub_at(path[place]) if 0 <= place < len(path) else None

    def _turn(self, path: tuple[int, ...]) -> Turn:
        outer = len(self._order)
        at = dict(zip(self._order, path, strict=False))
        sub = self._sub(path)
        own = dict(zip(sub.axes.order, path[outer:], strict=True)) if sub is not None else {}
        return Turn(at, own)

    def _due_s(self, path: tuple[int, ...]) -> float:
        sub = self._sub(path)
        axes = sub.axes if sub is not None and len(path) > len(self._order) else self._schedule.loops.axes
        return axes.times_s[path[-1]]
