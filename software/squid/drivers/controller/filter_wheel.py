"""A filter wheel on the controller's motor outputs W or W2 (section 5.9). Needs firmware 1.2 or later."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Future
from typing import ClassVar, Final, Literal

from pydantic import BaseModel, Field

from squid.abc.device import Device
from squid.abc.filter_wheel import FilterWheel
from squid.drivers.controller.axis import FULL_STEPS, driver_fields, ramp_fields
from squid.drivers.controller.link import ControllerLink
from squid.drivers.controller.motion import LANE, is_standing
from squid.drivers.controller.packets import StatusFrame
from squid.drivers.controller.protocol_table import AxisCode, Code, HomeType, Page, StepField, StepTarget
from squid.drivers.controller.requests import Command, Delay, Job, Until
from squid.errors import DeviceClosedError, DeviceError
from squid.models.base import FileModel

_HOME_S: Final = 20.0
_TRIES: Final = 3
_MARGIN_S: Final = 1.0


class FilterWheelOptions(FileModel):
    """Options of a filter wheel.

    Attributes
    ----------
    filters : tuple of str
        Names in order of the positions, 1 to 8.
    output : str
        Motor output, ``w`` or ``w2``.
    offset_turns : float
        From the wheel's reference to its first position.
    direction : int
        1 or -1: the way to higher positions.
    microsteps : int
        Microsteps per full step.
    speed_turns_s, acceleration_turns_s2 : float
        Largest speed and acceleration.
    current_ma : int
        RMS motor current.
    hold_fraction : float
        Part of it at standstill.
    settle_ms : float
        Time after a move until the wheel stands still.
    """

    filters: tuple[str, ...] = Field(min_length=1, max_length=8)
    output: Literal["w", "w2"] = "w"
    offset_turns: float = 0.008
    direction: Literal[1, -1] = 1
    microsteps: Literal[1, 2, 4, 8, 16, 32, 64, 128, 256] = 64
    speed_turns_s: float = Field(default=3.19, ge=0.01, le=655.35)
    acceleration_turns_s2: float = Field(default=300.0, ge=0.1, le=6553.5)
    current_ma: int = Field(default=1900, gt=0, le=3000)
    hold_fraction: float = Field(default=0.5, ge=0, le=1)
    settle_ms: float = Field(default=20.0, ge=0)


class ControllerFilterWheel(FilterWheel):
    """A wheel of up to eight filters; its first move homes it."""

    Options = FilterWheelOptions
    Uses: ClassVar[Mapping[str, type[Device]]] = {"link": ControllerLink}

    def __init__(self, label: str, options: FilterWheelOptions, link: ControllerLink) -> None:
        super().__init__(label)
        self._options = options
        self._link = link
        self._is_w2 = options.output == "w2"
        self._axis = AxisCode.W2 if self._is_w2 else AxisCode.W
        self._lock = threading.Lock()
        self._standing: str | None = None
        self._moving: Future[str] | None = None
        self._is_turning = False
        self._homed_at: int | None = None

    @classmethod
    def create(cls, label: str, options: BaseModel, uses: Mapping[str, Device]) -> ControllerFilterWheel:
        """Build it; see `Device.create`."""
        link = uses["link"]
        assert isinstance(options, FilterWheelOptions)
        assert isinstance(link, ControllerLink)
        return cls(label, options, link)

    @property
    def filters(self) -> tuple[str, ...]:
        """Names of the filters, in order of the positions."""
        return self._options.filters

    @property
    def current(self) -> str | None:
        """The filter in the beam; None while moving and before homing."""
        return self._standing if self._is_homed else None

    @property
    def _lane(self) -> str:
        """Stock firmware has one status for all that moves; 2.0 lets wheel and stage move at the same time."""
        return self.label if self._link.capabilities.is_ours else LANE

    @property
    def _is_homed(self) -> bool:
        return self._homed_at == self._link.restarts

    def travel_time_s(self, start: str | None, target: str) -> float:
        """Return how long the move takes; from None with homing before it."""
        if start == target:
            return 0.0
        if start is None:
            return _HOME_S + self._motion_s(1.0) + self._options.settle_ms / 1000
        steps = abs(self.filters.index(start) - self.filters.index(target))
        return self._motion_s(steps / 8) + self._options.settle_ms / 1000

    def _motion_s(self, turns: float) -> float:
        speed, acceleration = self._options.speed_turns_s, self._options.acceleration_turns_s2
        if turns < speed**2 / acceleration:
            return float(2 * (turns / acceleration) ** 0.5)
        return turns / speed + speed / acceleration

    def usteps(self, filter_name: str) -> int:
        """Return where a filter is, in microsteps from the reference."""
        per_turn = FULL_STEPS * self._options.microsteps
        turns = self._options.offset_turns + self.filters.index(filter_name) / 8
        return int(self._options.direction * per_turn * turns)

    # ---- for sequences, which turn the wheel without its own moves ---------------------------------------------------

    @property
    def step_target(self) -> StepTarget:
        """Bit of this wheel among a sequence's targets."""
        return StepTarget.W2 if self._is_w2 else StepTarget.W

    @property
    def step_field(self) -> StepField:
        """The register of this wheel's position."""
        return StepField.W2 if self._is_w2 else StepField.W

    @property
    def settle_ms(self) -> float:
        """Time after a move until the wheel stands still."""
        return self._options.settle_ms

    def is_at(self, filter_name: str) -> None:
        """Note where a sequence has left the wheel."""
        with self._lock:
            self._standing = filter_name

    def _do_move_to(self, filter_name: str) -> Future[str]:
        with self._lock:
            if self._is_turning:
                raise DeviceError(self.label, "is turning already; the new move was not started")
            self._is_turning = True
            before, self._standing = self._standing, None
        try:
            future = self._link.submit(self._move_job(filter_name, before if self._is_homed else None), self._lane)
        except DeviceError:
            self._is_turning = False
            raise
        self._moving = future
        future.add_done_callback(lambda _: self._stop_turning())
        return future

    def _stop_turning(self) -> None:
        self._is_turning = False

    def _move_job(self, target: str, start: str | None) -> Job[str]:
        try:
            if start is None:
                yield from self._home()
            if start != target:
                yield from self._turn(target)
            self._standing = target
            return target
        finally:
            self._is_turning = False

    def _home(self) -> Job[None]:
        o = self._options
        restarts = self._link.restarts
        yield Command(Code.INITFILTERWHEEL_W2 if self._is_w2 else Code.INITFILTERWHEEL)
        yield Command(Code.SET_LEAD_SCREW_PITCH, {"axis": self._axis, "pitch_um": 1000})  # a "mm" is a turn
        yield Command(
            Code.CONFIGURE_STEPPER_DRIVER, driver_fields(self._axis, o.microsteps, o.current_ma, o.hold_fraction)
        )
        yield Command(
            Code.SET_MAX_VELOCITY_ACCELERATION, ramp_fields(self._axis, o.speed_turns_s, o.acceleration_turns_s2)
        )
        kind = HomeType.NEGATIVE if o.direction > 0 else HomeType.POSITIVE
        frame = yield Command(Code.HOME_OR_ZERO, {"axis": self._axis, "kind": kind}, repeatable=True)
        yield from self._wait_standing(frame, _HOME_S)
        self._homed_at = restarts

    def _turn(self, target: str) -> Job[None]:
        usteps = self.usteps(target)
        limit_s = 2 * self._motion_s(1.0) + _MARGIN_S
        for _ in range(_TRIES):
            frame = yield self._move(usteps)
            yield from self._wait_standing(frame, limit_s)
            if not self._link.capabilities.is_ours:
                break  # stock firmware does not say where its wheels are (section 2.2)
            if (yield from self._is_at(usteps)):
                break
        else:
            self._homed_at = None
            raise DeviceError(self.label, f"did not turn to {target}")
        yield Delay(self._options.settle_ms / 1000)

    def _wait_standing(self, frame: StatusFrame, limit_s: float) -> Job[None]:
        def stands(now: StatusFrame) -> bool:
            if self._link.capabilities.is_ours:
                return now.page is Page.AXES and not now.axis_bits(self._axis).is_moving
            return is_standing(now)

        if not stands(frame):
            yield Until(stands, limit_s, f"motion of {self.label}")

    def _is_at(self, usteps: int) -> Job[bool]:
        """Read the wheel's position; asking for the pages anew brings it at once."""
        page = Page.W2_POSITION if self._is_w2 else Page.W_POSITION

        def shows_wheel(frame: StatusFrame) -> bool:
            return frame.page is page

        if not shows_wheel((yield self._link.ask_pages())):
            yield Until(shows_wheel, _MARGIN_S, f"position of {self.label}")
        return self._link.reports.wheel_usteps(page) == usteps

    def _move(self, usteps: int) -> Command:
        plain, checked = (
            (Code.MOVETO_W2, Code.GUARDED_MOVETO_W2) if self._is_w2 else (Code.MOVETO_W, Code.GUARDED_MOVETO_W)
        )
        return Command(checked if self._link.capabilities.is_ours else plain, {"target_usteps": usteps})

    def _do_open(self) -> None:
        if not self._link.capabilities.has_filter_wheels:
            major, minor = self._link.capabilities.version
            raise DeviceError(
                self.label, f"firmware {major}.{minor} cannot turn filter wheels (allowed: 1.2 and later)"
            )
        self._standing = None
        self._homed_at = None

    def _do_close(self) -> None:
        if self._moving is not None:
            self._link.cancel(self._moving, DeviceClosedError(self.label, "was closed while turning"))
