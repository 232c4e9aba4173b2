"""The controller's stage: x, y and z motors, and a piezo that takes the small steps of z where there is one."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, ClassVar, Final

from pydantic import BaseModel, Field

from squid.abc.device import Device
from squid.abc.stage import Stage
from squid.drivers.controller.axis import Axis, AxisOptions, xy_axis, z_axis
from squid.drivers.controller.link import ControllerLink
from squid.drivers.controller.motion import LANE, STOP_S, Motion, is_standing
from squid.drivers.controller.packets import StatusFrame
from squid.drivers.controller.piezo import Piezo, PiezoOptions
from squid.drivers.controller.protocol_table import AxisCode
from squid.drivers.controller.requests import Delay, Job, Until, send_all
from squid.errors import DeviceClosedError, DeviceError, DeviceTimeoutError, StageMoveError
from squid.models.base import FileModel
from squid.models.geometry import StageLimits, StagePosition

_CONFIGURE_S: Final = 5.0


class StageOptions(FileModel):
    """Options of the stage.

    Attributes
    ----------
    x, y, z : AxisOptions
        The axes.
    piezo : PiezoOptions or None
        A piezo on the controller's DAC.
    clear_y_um, clear_x_um : float
        How far y moves away from home before x is homed, and x before y is homed: a plate holder may be in the way.
    keep_home : bool
        Whether to believe firmware 2.0 that its axes are homed when the program starts; False when another program
        with other microsteps uses this microscope, too.
    """

    x: AxisOptions = Field(default_factory=lambda: xy_axis(5, 115))
    y: AxisOptions = Field(default_factory=lambda: xy_axis(4, 76))
    z: AxisOptions = Field(default_factory=z_axis)
    piezo: PiezoOptions | None = None
    clear_y_um: float = Field(default=0.0, ge=0)
    clear_x_um: float = Field(default=0.0, ge=0)
    keep_home: bool = False


class ControllerStage(Stage):
    """Three axes on the controller. A second move of an axis that moves is refused; of another one it waits."""

    Options = StageOptions
    Uses: ClassVar[Mapping[str, type[Device]]] = {"link": ControllerLink}

    def __init__(self, label: str, options: StageOptions, link: ControllerLink) -> None:
        super().__init__(label)
        self._options = options
        self._link = link
        self._x = Axis(AxisCode.X, options.x)
        self._y = Axis(AxisCode.Y, options.y)
        self._z = Axis(AxisCode.Z, options.z)
        self._axes = (self._x, self._y, self._z)
        self._piezo = Piezo(options.piezo) if options.piezo else None
        self._motion = Motion(label, link)
        self._limits = StageLimits(x=options.x.travel, y=options.y.travel, z=options.z.travel)
        self._lock = threading.Lock()
        self._under_way: dict[object, tuple[Axis, ...]] = {}
        self._futures: set[Future[Any]] = set()
        self._homed_at: int | None = None

    @classmethod
    def create(cls, label: str, options: BaseModel, uses: Mapping[str, Device]) -> ControllerStage:
        """Build it; see `Device.create`."""
        link = uses["link"]
        assert isinstance(options, StageOptions)
        assert isinstance(link, ControllerLink)
        return cls(label, options, link)

    @property
    def hardware_limits(self) -> StageLimits:
        """Where the hardware can go."""
        return self._limits

    @property
    def tolerance_um(self) -> StagePosition:
        """Largest distance from the target, per axis, that counts as arrived."""
        return StagePosition(*(axis.tolerance_um for axis in self._axes))

    @property
    def is_homed(self) -> bool:
        """Whether positions mean anything; no more after the controller restarted."""
        return self._homed_at == self._link.restarts

    @property
    def is_moving(self) -> bool:
        """Whether any axis moves or settles."""
        with self._lock:
            return bool(self._under_way)

    def travel_time_s(self, start: StagePosition, target: StagePosition) -> float:
        """Return how long a move takes, settling included; axes one after the other on stock firmware."""
        moves = [(axis, a, b) for axis, a, b in zip(self._axes, start, target, strict=True) if a != b]
        piezo = self._options.piezo
        if piezo is not None and [axis for axis, *_ in moves] == [self._z]:
            _, a, b = moves[0]
            if abs(b - a) <= piezo.range_um / 2:
                return piezo.settle_ms / 1000
        times = [axis.travel_s(a, b, self._low_um(axis)) for axis, a, b in moves] or [0.0]
        settle_s = max((axis.settle_s for axis, *_ in moves), default=0.0)
        return (max(times) if self._link.capabilities.is_ours else sum(times)) + settle_s

    def homing_time_s(self) -> float:
        """Return the longest time that homing can take."""
        clear_s = self._y.motion_s(self._options.clear_y_um) + self._x.motion_s(self._options.clear_x_um)
        return sum(axis.homing_s() + axis.motion_s(axis.options.travel.min_um) for axis in self._axes) + clear_s

    def _do_position(self) -> StagePosition:
        return self.position_in(self._link.frame)

    def position_at(self, instant_s: float) -> StagePosition:
        """Return the position at an instant (`time.monotonic`) of the recent past, between the frames around it."""
        past = self._link.reports.past
        at = min(max(1, bisect_left([instant for instant, _ in past], instant_s)), len(past) - 1)
        (start_s, first), (end_s, second) = past[at - 1], past[at]
        part = min(1.0, max(0.0, (instant_s - start_s) / max(end_s - start_s, 1e-9)))
        ends = zip(self.position_in(first), self.position_in(second), strict=True)
        return StagePosition(*(a + (b - a) * part for a, b in ends))

    def position_of(self, usteps: Sequence[int]) -> StagePosition:
        """Return a position of the motors in µm, the piezo as last sent."""
        x, y, z = (axis.to_um(position) for axis, position in zip(self._axes, usteps, strict=True))
        return StagePosition(x, y, z + (self._piezo.offset_um or 0.0 if self._piezo else 0.0))

    def position_in(self, frame: StatusFrame, piezo_offset_um: float | None = None) -> StagePosition:
        """Return the position that a frame tells of; the piezo's part is as last sent unless it is given."""
        x, y, z = (axis.to_um(usteps) for axis, usteps in zip(self._axes, frame.usteps, strict=True))
        if piezo_offset_um is None:
            piezo_offset_um = self._piezo.offset_um or 0.0 if self._piezo else 0.0
        return StagePosition(x, y, z + piezo_offset_um)

    # ---- for sequences, which move z without the stage's own moves ---------------------------------------------------

    def z_usteps(self, z_um: float) -> int:
        """Return a position of the z motor."""
        return self._z.to_usteps(z_um)

    def z_settle_ms(self, by_piezo: bool) -> float:
        """Return how long z takes to stand still after a step."""
        return self._piezo.options.settle_ms if by_piezo and self._piezo else self._options.z.settle_ms

    def piezo_offsets(self, z_um: Sequence[float]) -> tuple[float, ...] | None:
        """Return where the piezo goes for these z, the motor standing; None when the motor takes them."""
        piezo = self._piezo
        if piezo is None:
            return None
        motor_um = self._z.to_um(self._link.frame.z_usteps)
        return tuple(z - motor_um for z in z_um)

    def why_no_z_steps(self, z_um: Sequence[float]) -> str | None:
        """Return why a sequence cannot step to these z.

        Those of a piezo must all be within its stroke; a motor whose play has to be taken up must go upwards only.
        """
        offsets = self.piezo_offsets(z_um)
        if offsets is None or self._piezo is None:
            goes_down = any(after < before for before, after in pairwise(z_um))
            if goes_down and self._z.options.backlash_um:
                return f"z of {self.label} goes down between the steps, and a sequence does not take up its backlash"
            return None
        if all(self._piezo.reaches(offset) for offset in offsets):
            return None
        return f"the piezo of {self.label} does not reach every z from here"

    def ends_with_stop(self, job: Future[int]) -> None:
        """Let a job that moves z be cancelled by `stop`, even before it moves."""
        self._futures.add(job)
        job.add_done_callback(self._futures.discard)

    def piezo_value(self, offset_um: float) -> int:
        """Return the DAC's value for an offset of the piezo."""
        assert self._piezo is not None
        return self._piezo.value(offset_um)

    def piezo_is_at(self, offset_um: float) -> None:
        """Note where a sequence has left the piezo."""
        assert self._piezo is not None
        self._piezo.offset_um = offset_um

    def _do_move_to(self, x_um: float | None, y_um: float | None, z_um: float | None) -> Future[StagePosition]:
        wanted = {a: um for a, um in zip(self._axes, (x_um, y_um, z_um), strict=True) if um is not None}
        if not self.is_homed:
            raise StageMoveError(self.label, "is not homed; nothing moved")
        return self._submit(tuple(wanted), lambda token: self._move_job(wanted, token))

    def _do_home(self) -> Future[StagePosition]:
        return self._submit(self._axes, self._home_job)

    def _submit(self, axes: tuple[Axis, ...], make: Callable[[object], Job[StagePosition]]) -> Future[StagePosition]:
        token = object()
        with self._lock:
            busy = sorted(
                {axis.code.name.lower() for moving in self._under_way.values() for axis in moving if axis in axes}
            )
            if busy:
                raise StageMoveError(self.label, f"axis {', '.join(busy)} is moving already; nothing else moved")
            self._under_way[token] = axes
        try:
            future = self._link.submit(make(token), LANE)
        except DeviceError:
            self._forget(token)
            raise
        self._futures.add(future)
        future.add_done_callback(self._futures.discard)
        future.add_done_callback(lambda _: self._forget(token))
        return future

    def _forget(self, token: object) -> None:
        with self._lock:
            self._under_way.pop(token, None)

    @contextmanager
    def _until_done(self, token: object) -> Iterator[None]:
        """Stop counting as moving at the end of a job, before anybody hears of it."""
        try:
            yield
        finally:
            self._forget(token)

    def _move_job(self, wanted: Mapping[Axis, float], token: object) -> Job[StagePosition]:
        with self._until_done(token):
            targets = {axis: axis.to_usteps(um) for axis, um in wanted.items()}
            settle_s = yield from self._step_piezo(wanted, targets)
            frame = self._link.frame
            targets = {axis: usteps for axis, usteps in targets.items() if frame.usteps[axis.code] != usteps}
            if targets or not is_standing(frame):
                settle_s = max(settle_s, *(axis.settle_s for axis in targets), 0.0)
                first = self._turning_points(frame, targets)
                if first:
                    yield from self._motion.arrive(targets | first)
                    targets = {axis: targets[axis] for axis in first}
                frame = yield from self._motion.arrive(targets)
            if settle_s:
                frame = yield Delay(settle_s)
            return self.position_in(frame)

    def _turning_points(self, frame: StatusFrame, targets: Mapping[Axis, int]) -> dict[Axis, int]:
        """Return where axes with play go first, in microsteps, so that they come to their targets from below."""
        found = {}
        for axis, usteps in targets.items():
            start_um, target_um = axis.to_um(frame.usteps[axis.code]), axis.to_um(usteps)
            turn_um = axis.turning_point_um(start_um, target_um, self._low_um(axis))
            if turn_um is not None:
                found[axis] = axis.to_usteps(turn_um)
        return found

    def _low_um(self, axis: Axis) -> float:
        limits = self.limits
        return {AxisCode.X: limits.x, AxisCode.Y: limits.y, AxisCode.Z: limits.z}[axis.code].min_um

    def _step_piezo(self, wanted: Mapping[Axis, float], targets: dict[Axis, int]) -> Job[float]:
        """Let the piezo do what it can of z; return its time to settle, in s."""
        piezo, z_um = self._piezo, wanted.get(self._z)
        if piezo is None or z_um is None:
            return 0.0
        offset_um = z_um - self._z.to_um(self._link.frame.z_usteps)
        if piezo.reaches(offset_um):
            del targets[self._z]
        else:
            offset_um = 0.0  # the motor goes there, and the piezo has its whole stroke again
        if offset_um == piezo.offset_um:
            return 0.0
        yield piezo.command(offset_um)
        piezo.offset_um = offset_um
        return piezo.options.settle_ms / 1000

    def _home_job(self, token: object) -> Job[StagePosition]:
        with self._until_done(token):
            self._homed_at = None
            restarts = self._link.restarts
            yield from self._configure()
            if self._piezo is not None:
                yield self._piezo.command(0.0)
                self._piezo.offset_um = 0.0
            yield from self._motion.home(self._z)
            yield from self._motion.clear(self._y, self._options.clear_y_um)
            yield from self._motion.home(self._x)
            yield from self._motion.clear(self._x, self._options.clear_x_um)
            frame = yield from self._motion.home(self._y)
            self._homed_at = restarts
            return self.position_in(frame)

    def _configure(self) -> Job[None]:
        """Send what the controller forgets when it restarts; nothing moves."""
        for axis in self._axes:
            yield from send_all(axis.configure())
        if self._piezo is not None:
            yield self._piezo.configure()

    def _do_stop(self) -> None:
        self._halt(StageMoveError(self.label, "was stopped"))

    def _halt(self, error: DeviceError) -> None:
        """Fail what is under way, and return when the stage stands; sends nothing when it stood already."""
        stood = not self._futures
        for future in tuple(self._futures):
            self._link.cancel(future, error)
        if not self._link.is_connected or (stood and is_standing(self._link.frame)):
            return
        try:
            self._link.submit(self._stop_job(), urgent=True).result(STOP_S)
        except TimeoutError as e:
            raise DeviceTimeoutError(self.label, f"did not stop within {STOP_S:g} s") from e

    def _stop_job(self) -> Job[None]:
        yield from self._motion.stop(dict.fromkeys(self._axes, 0))
        yield Until(is_standing, STOP_S, "stop")

    def _do_open(self) -> None:
        self._homed_at = None
        if self._piezo is not None:
            self._piezo.offset_um = None
        try:
            self._link.submit(self._configure()).result(_CONFIGURE_S)
        except TimeoutError as e:
            raise DeviceTimeoutError(self.label, f"could not be configured within {_CONFIGURE_S:g} s") from e
        if self._options.keep_home and all(self._link.reports.is_homed(axis.code) for axis in self._axes):
            self._homed_at = self._link.restarts

    def _do_close(self) -> None:
        self._halt(DeviceClosedError(self.label, "was closed during a move"))
