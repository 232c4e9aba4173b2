"""Simulated stage: trapezoidal moves of each axis, settling, limits, homing, a small repeatable error.

The error of an axis is a fixed function of seed and target, so that a resumed run sees what an uninterrupted one saw.
"""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel, Field

from squid.abc.device import Device
from squid.abc.stage import Stage
from squid.drivers.simulated.faults import Fault
from squid.drivers.simulated.motion import move_time_s, travelled_fraction
from squid.drivers.simulated.timing import TimedFuture, TimerThread, fail, settle
from squid.drivers.simulated.world import HangSwitch, SimulatedWorld
from squid.errors import DeviceClosedError, StageMoveError
from squid.models.base import FileModel
from squid.models.geometry import AxisRange, StageLimits, StagePosition

_PAST_MOVES = 8  # per axis, kept for exposures that look back
_NEVER_S = math.inf


class AxisOptions(FileModel):
    """How one axis moves.

    Attributes
    ----------
    speed_mm_s, acceleration_mm_s2 : float
        Largest speed and acceleration.
    settle_ms : float
        Time after the motion until the axis stands still.
    repeatability_um : float
        Largest distance from the target at which it comes to rest.
    tolerance_um : float
        Largest distance that counts as arrived.
    travel : AxisRange
        Where it can go.
    """

    speed_mm_s: float = Field(gt=0)
    acceleration_mm_s2: float = Field(gt=0)
    settle_ms: float = Field(ge=0)
    repeatability_um: float = Field(ge=0)
    tolerance_um: float = Field(gt=0)
    travel: AxisRange


def _xy_axis(low_mm: float, high_mm: float) -> AxisOptions:
    return AxisOptions(
        speed_mm_s=30,
        acceleration_mm_s2=500,
        settle_ms=25,
        repeatability_um=0.3,
        tolerance_um=1.0,
        travel=AxisRange(min_um=low_mm * 1000, max_um=high_mm * 1000),
    )


_Z_AXIS = AxisOptions(
    speed_mm_s=3.8,
    acceleration_mm_s2=100,
    settle_ms=20,
    repeatability_um=0.05,
    tolerance_um=0.2,
    travel=AxisRange(min_um=-1000, max_um=6500),
)


class StageOptions(FileModel):
    """Options of the simulated stage.

    Attributes
    ----------
    x, y, z : AxisOptions
        The axes.
    homed : bool
        Whether the stage knows where it is when the program starts.
    takes_no_time : bool
        Moves, settling and homing are over at once.
    """

    x: AxisOptions = _xy_axis(-10, 130)
    y: AxisOptions = _xy_axis(-100, 100)
    z: AxisOptions = _Z_AXIS
    homed: bool = True
    takes_no_time: bool = False


@dataclass(frozen=True, slots=True)
class _Leg:
    """One motion of one axis; `start_s` and `settled_s` by the wall clock, positions are true ones."""

    start_s: float
    settled_s: float
    from_um: float
    to_um: float
    planned_um: float
    stopped_s: float = _NEVER_S


class _Axis:
    """One axis: its recent motions, and where it was sent last."""

    def __init__(self, name: str, options: AxisOptions, position_um: float, speed_up: float, seed: int) -> None:
        self.options = options
        self.commanded_um = position_um
        self._speed_up = speed_up
        self._key = f"{seed}:{name}"
        rest = self._rest_um(position_um)
        self._legs = deque([_Leg(0.0, 0.0, rest, rest, 0.0)], maxlen=_PAST_MOVES)

    def duration_s(self, distance_um: float) -> float:
        """Return how long a move takes by the wall clock, settling included; 0 for no move."""
        if distance_um == 0 or math.isinf(self._speed_up):
            return 0.0
        moving_s = move_time_s(distance_um, self.options.speed_mm_s * 1e3, self.options.acceleration_mm_s2 * 1e3)
        return (moving_s + self.options.settle_ms / 1000) / self._speed_up

    def start(self, target_um: float, start_s: float, off_by_um: float = 0.0) -> float:
        """Start a move and return the instant at which it has settled."""
        planned = target_um - self.commanded_um
        settled_s = start_s + self.duration_s(planned)
        if planned or off_by_um:
            rest = self._rest_um(target_um) + off_by_um
            self._legs.append(_Leg(start_s, settled_s, self.position_at(start_s), rest, planned))
        self.commanded_um = target_um + off_by_um  # the encoder shows where it is: the next move corrects it
        return settled_s

    def stop(self, now_s: float) -> None:
        """Stand still here and now."""
        here = self.position_at(now_s)
        self._legs.append(_Leg(now_s, now_s, here, here, 0.0))
        self.commanded_um = here

    def position_at(self, instant_s: float) -> float:
        """Return the true position at an instant of the recent past, or now."""
        leg = next((leg for leg in reversed(self._legs) if leg.start_s <= instant_s), self._legs[0])
        if instant_s >= leg.settled_s:
            return leg.to_um
        done = travelled_fraction(
            (instant_s - leg.start_s) * self._speed_up,
            leg.planned_um,
            self.options.speed_mm_s * 1e3,
            self.options.acceleration_mm_s2 * 1e3,
        )
        return leg.from_um + (leg.to_um - leg.from_um) * done

    def _rest_um(self, target_um: float) -> float:
        """Return where the axis comes to rest: a fixed function of seed, axis and target."""
        digest = hashlib.blake2b(f"{self._key}:{target_um:.4f}".encode(), digest_size=8).digest()
        return target_um + self.options.repeatability_um * (int.from_bytes(digest, "big") / 2**63 - 1)


class SimulatedStage(Stage):
    """Three axes that move at the same time. A second move of an axis that moves is refused."""

    Options = StageOptions
    Uses: ClassVar[Mapping[str, type[Device]]] = {"world": SimulatedWorld}

    def __init__(self, label: str, options: StageOptions, world: SimulatedWorld) -> None:
        super().__init__(label)
        self._options = options
        self._world = world
        speed_up = math.inf if options.takes_no_time else world.time_scale
        given = zip("xyz", (options.x, options.y, options.z), world.start_position, strict=True)
        self._axes = {name: _Axis(name, axis, start_um, speed_up, world.seed) for name, axis, start_um in given}
        self._limits = StageLimits(x=options.x.travel, y=options.y.travel, z=options.z.travel)
        self._tolerance = StagePosition(options.x.tolerance_um, options.y.tolerance_um, options.z.tolerance_um)
        self._lock = threading.Lock()
        self._under_way: dict[Future[StagePosition], frozenset[str]] = {}
        self._homed = options.homed
        self._timer = TimerThread(f"{label} motion")
        self._hang = HangSwitch()

    @classmethod
    def create(cls, label: str, options: BaseModel, uses: Mapping[str, Device]) -> SimulatedStage:
        """Build it and put it under the world's objective."""
        world = uses["world"]
        assert isinstance(options, StageOptions)
        assert isinstance(world, SimulatedWorld)
        stage = cls(label, options, world)
        world.attach_stage(stage)
        return stage

    @property
    def hardware_limits(self) -> StageLimits:
        """Where the hardware can go."""
        return self._limits

    @property
    def tolerance_um(self) -> StagePosition:
        """Largest distance from the target, per axis, that counts as arrived."""
        return self._tolerance

    @property
    def is_homed(self) -> bool:
        """Whether positions mean anything."""
        return self._homed

    @property
    def is_moving(self) -> bool:
        """Whether any axis moves or settles."""
        with self._lock:
            return bool(self._under_way)

    def position_at(self, instant_s: float) -> StagePosition:
        """Return the true position at an instant of the recent past; the world looks here."""
        with self._lock:
            return StagePosition(*(axis.position_at(instant_s) for axis in self._axes.values()))

    def travel_time_s(self, start: StagePosition, target: StagePosition) -> float:
        """Return how long a move takes by the wall clock: the slowest axis, settling included; 0 for no move."""
        axes = zip(self._axes.values(), start, target, strict=True)
        return max(axis.duration_s(to_um - from_um) for axis, from_um, to_um in axes)

    def homing_time_s(self) -> float:
        """Return the longest time that homing can take: all of z, then all of x and y."""
        x, y, z = (axis.duration_s(_length(axis)) for axis in self._axes.values())
        return z + max(x, y)

    def _do_position(self) -> StagePosition:
        return self.position_at(time.monotonic())

    def _do_move_to(self, x_um: float | None, y_um: float | None, z_um: float | None) -> Future[StagePosition]:
        asked_s = time.monotonic()  # the controller begins to move: what is worked out from here on takes it no time
        fault = self._world.faults.for_call("stage")
        if fault is not None and fault.kind == "hang":
            self._hang.wait()
            raise DeviceClosedError(self.label, "was closed during a move")
        if fault is not None and fault.kind == "exception":
            raise StageMoveError(self.label, "injected fault: the controller refused the move")
        targets = {name: um for name, um in zip("xyz", (x_um, y_um, z_um), strict=True) if um is not None}
        with self._lock:
            self._refuse_if_busy(targets)
            if not self._homed:
                raise StageMoveError(self.label, "is not homed; nothing moved")
            done, settled_s = self._start(targets, asked_s, fault)
        if fault is None or fault.kind != "never_arrives":
            self._finish_at(settled_s, done)
        return done

    def _refuse_if_busy(self, names: Mapping[str, float]) -> None:
        busy = sorted({name for moving in self._under_way.values() for name in moving if name in names})
        if busy:
            raise StageMoveError(self.label, f"axis {', '.join(busy)} is moving already; nothing else moved")

    def _start(
        self, targets: Mapping[str, float], asked_s: float, fault: Fault | None
    ) -> tuple[TimedFuture[StagePosition], float]:
        """Start the axes and return when they will have settled; the lock is held."""
        done: TimedFuture[StagePosition] = TimedFuture()
        off_by_um = fault.values["by_um"] if fault is not None and fault.kind == "off_target" else 0.0
        settled_s = max(
            (self._axes[name].start(target, asked_s, off_by_um) for name, target in targets.items()), default=asked_s
        )
        self._under_way[done] = frozenset(targets)
        return done, settled_s

    def _finish_at(self, settled_s: float, done: TimedFuture[StagePosition]) -> None:
        if settled_s <= time.monotonic():
            self._arrived(done, settled_s)
        else:
            self._timer.settle_at(settled_s, done, lambda: self._arrived(done, settled_s))

    def _arrived(self, done: Future[StagePosition], settled_s: float) -> None:
        with self._lock:
            self._under_way.pop(done, None)
            here = StagePosition(*(axis.position_at(settled_s) for axis in self._axes.values()))
        settle(done, here)

    def _do_home(self) -> Future[StagePosition]:
        done: TimedFuture[StagePosition] = TimedFuture()
        with self._lock:
            self._refuse_if_busy(dict.fromkeys("xyz", 0.0))
            self._under_way[done] = frozenset("xyz")
            self._homed = False
            z_down_s = self._axes["z"].start(self._limits.z.min_um, time.monotonic())
        self._timer.call_at(z_down_s, lambda: self._home_xy(done))
        return done

    def _home_xy(self, done: Future[StagePosition]) -> None:
        with self._lock:
            if done not in self._under_way:
                return  # stopped meanwhile
            now = time.monotonic()
            ends = (
                self._axes["x"].start(self._limits.x.min_um, now),
                self._axes["y"].start(self._limits.y.min_um, now),
            )
        self._timer.call_at(max(ends), lambda: self._homed_now(done))

    def _homed_now(self, done: Future[StagePosition]) -> None:
        with self._lock:
            if done not in self._under_way:
                return
            self._homed = True
        self._arrived(done, time.monotonic())

    def _do_stop(self) -> None:
        self._halt(StageMoveError(self.label, "was stopped in mid-move"))

    def _halt(self, reason: StageMoveError | DeviceClosedError) -> None:
        """Stop every axis and fail what was under way."""
        with self._lock:
            failed = tuple(self._under_way)
            self._under_way.clear()
            now = time.monotonic()
            for axis in self._axes.values():
                if failed:
                    axis.stop(now)
        for done in failed:
            fail(done, reason)

    def _do_open(self) -> None:
        self._hang.arm()
        self._timer.start()

    def _do_close(self) -> None:
        self._hang.release()
        self._halt(DeviceClosedError(self.label, "was closed in mid-move"))
        self._timer.stop()


def _length(axis: _Axis) -> float:
    return axis.options.travel.max_um - axis.options.travel.min_um
