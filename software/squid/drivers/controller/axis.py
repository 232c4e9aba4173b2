"""One motor axis: its options, µm ↔ microsteps, the time of a move, the commands that configure it.

Pure; sections 5.1 and 5.2 of the protocol. Host coordinates grow away from home; motor coordinates may run the other
way (`direction`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from pydantic import Field

from squid.drivers.controller.protocol_table import AxisCode, Code, HomeType, LimitCode
from squid.drivers.controller.requests import Command
from squid.models.base import FileModel
from squid.models.geometry import AxisRange

FULL_STEPS: Final = 200
_MAX_ACCELERATION_USTEPS: Final = 4_194_303.75
"""24 bits of 22.2 fixed point in the motion chip: at 256 microsteps a Squid's x and y reach 208 mm/s²."""


class AxisOptions(FileModel):
    """How an axis is built and moved.

    Attributes
    ----------
    pitch_mm : float
        Travel per turn of the screw.
    microsteps : int
        Microsteps per full step: a power of two.
    direction : int
        1 or -1: sign of motor coordinates in host coordinates.
    speed_mm_s, acceleration_mm_s2 : float
        Largest speed and acceleration.
    current_ma : int
        RMS motor current.
    hold_fraction : float
        Part of it at standstill.
    home_margin_um : int
        How far from the switch home is still taken to be reached; 0 leaves the firmware's own.
    settle_ms : float
        Time after the motion until the axis stands still.
    tolerance_um : float
        Largest distance from the target that counts as arrived; at least a microstep.
    backlash_um : float
        Play of the screw: a move away from larger positions goes so much further, and comes back, so that each ends
        in the same direction; 0: straight there. The existing program takes 5 for z (section 5.6).
    travel : AxisRange
        Where it may go; 0 is home.
    """

    pitch_mm: float = Field(gt=0, le=65.535)
    microsteps: Literal[1, 2, 4, 8, 16, 32, 64, 128, 256]
    direction: Literal[1, -1] = 1
    speed_mm_s: float = Field(ge=0.01, le=655.35)
    acceleration_mm_s2: float = Field(ge=0.1, le=6553.5)
    current_ma: int = Field(gt=0, le=3000)
    hold_fraction: float = Field(ge=0, le=1)
    home_margin_um: int = Field(default=0, ge=0, le=65535)
    settle_ms: float = Field(default=20.0, ge=0)
    tolerance_um: float = Field(gt=0)
    backlash_um: float = Field(default=0.0, ge=0, le=1000)
    travel: AxisRange


def xy_axis(low_mm: float, high_mm: float) -> AxisOptions:
    """Return the options of a Squid+'s x or y axis."""
    return AxisOptions(
        pitch_mm=2.54,
        microsteps=16,
        speed_mm_s=30,
        acceleration_mm_s2=500,
        current_ma=1000,
        hold_fraction=0.25,
        home_margin_um=50,
        settle_ms=25,
        tolerance_um=1.0,
        travel=AxisRange(min_um=low_mm * 1000, max_um=high_mm * 1000),
    )


def z_axis() -> AxisOptions:
    """Return the options of a Squid+'s focus."""
    return AxisOptions(
        pitch_mm=0.3,
        microsteps=16,
        direction=-1,
        speed_mm_s=3.8,
        acceleration_mm_s2=100,
        current_ma=500,
        hold_fraction=0.5,
        home_margin_um=100,
        settle_ms=20,
        tolerance_um=0.2,
        travel=AxisRange(min_um=50, max_um=6000),
    )


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis.

    Attributes
    ----------
    code : AxisCode
        X, Y or Z.
    options : AxisOptions
        How it is built.
    """

    code: AxisCode
    options: AxisOptions

    @property
    def usteps_per_um(self) -> float:
        """Microsteps per µm, always positive."""
        return FULL_STEPS * self.options.microsteps / self.options.pitch_mm / 1000

    def to_usteps(self, position_um: float) -> int:
        """Return a host position in motor coordinates; never beyond what the limits become."""
        return round(position_um * self.usteps_per_um) * self.options.direction

    def to_um(self, usteps: int) -> float:
        """Return motor coordinates as host position."""
        return usteps * self.options.direction / self.usteps_per_um

    @property
    def nearest_home_usteps(self) -> int:
        """The microstep inside the limits that is nearest to home."""
        low, high = self.options.travel.min_um, self.options.travel.max_um
        steps = round(min(max(0.0, low), high) * self.usteps_per_um)
        steps += (steps / self.usteps_per_um < low) - (steps / self.usteps_per_um > high)
        return steps * self.options.direction

    @property
    def tolerance_um(self) -> float:
        """Largest distance from the target that counts as arrived."""
        return max(self.options.tolerance_um, 1.0 / self.usteps_per_um)

    @property
    def acceleration_um_s2(self) -> float:
        """Acceleration that the motion chip can hold."""
        return min(self.options.acceleration_mm_s2 * 1000, _MAX_ACCELERATION_USTEPS / self.usteps_per_um)

    def motion_s(self, distance_um: float) -> float:
        """Return the time of a move from rest to rest, without settling; 0 for no move."""
        distance = abs(distance_um)
        speed, acceleration = self.options.speed_mm_s * 1000, self.acceleration_um_s2
        if distance < speed**2 / acceleration:
            return float(2 * (distance / acceleration) ** 0.5)
        return distance / speed + speed / acceleration

    def turning_point_um(self, start_um: float, target_um: float, low_um: float) -> float | None:
        """Return where a move goes first to take up the play; None: straight to its target.

        Parameters
        ----------
        start_um, target_um : float
            The move.
        low_um : float
            It goes no further than this.
        """
        first_um = max(low_um, target_um - self.options.backlash_um)
        return first_um if first_um < target_um < start_um else None

    def travel_s(self, start_um: float, target_um: float, low_um: float) -> float:
        """Return the time of a move, without settling; parameters as of `turning_point_um`."""
        turn_um = self.turning_point_um(start_um, target_um, low_um)
        if turn_um is None:
            return self.motion_s(target_um - start_um)
        return self.motion_s(turn_um - start_um) + self.motion_s(target_um - turn_um)

    @property
    def settle_s(self) -> float:
        """Time after the motion until the axis stands still."""
        return self.options.settle_ms / 1000

    def homing_s(self) -> float:
        """Return the longest time that homing takes: all of the travel and back, at the firmware's homing speed."""
        travel = self.options.travel
        length_um = max(abs(travel.min_um), abs(travel.max_um), travel.max_um - travel.min_um)
        fraction = 0.5 if self.code is AxisCode.Z else 0.8
        return length_um * 1.2 / (self.options.speed_mm_s * 1000 * fraction) + 2.0

    def move(self, usteps: int, *, guarded: bool) -> Command:
        """Return an absolute move; only those may be repeated (section 3.4)."""
        plain, checked = _MOVES[self.code]
        return Command(checked if guarded else plain, {"target_usteps": usteps})

    def home(self) -> Command:
        """Return the command that homes towards the end where host coordinates begin.

        It may be repeated: homing that is sent twice begins again and ends at the same place.
        """
        kind = HomeType.NEGATIVE if self.options.direction > 0 else HomeType.POSITIVE
        return Command(Code.HOME_OR_ZERO, {"axis": self.code, "kind": kind}, repeatable=True)

    def step(self, usteps: int) -> Command:
        """Return a relative move, which stock firmware ends at its limits; never to be sent twice (section 3.4)."""
        return Command(_STEPS[self.code], {"delta_usteps": usteps}, repeatable=False)

    def stop(self) -> Command:
        """Return the command that stops this axis on stock firmware: a move by nothing from where it is now."""
        return Command(_STEPS[self.code], {"delta_usteps": 0}, repeatable=True)

    def configure(self) -> tuple[Command, ...]:
        """Return the settings in the order that the firmware needs (section 5.2); nothing moves."""
        o = self.options
        commands = [
            Command(Code.SET_LEAD_SCREW_PITCH, {"axis": self.code, "pitch_um": round(o.pitch_mm * 1000)}),
            Command(
                Code.CONFIGURE_STEPPER_DRIVER, driver_fields(self.code, o.microsteps, o.current_ma, o.hold_fraction)
            ),
            Command(Code.SET_MAX_VELOCITY_ACCELERATION, ramp_fields(self.code, o.speed_mm_s, o.acceleration_mm_s2)),
        ]
        if o.home_margin_um:
            margin = {"axis": self.code, "margin_um": o.home_margin_um}
            commands.append(Command(Code.SET_HOME_SAFETY_MARGIN, margin))
        return tuple(commands)

    def limit_commands(self) -> tuple[Command, ...]:
        """Return the software limits; z moves at once when it stands outside of them (section 5.5)."""
        upper, lower = LimitCode(2 * self.code), LimitCode(2 * self.code + 1)
        ends = sorted((self.to_usteps(self.options.travel.min_um), self.to_usteps(self.options.travel.max_um)))
        return (
            Command(Code.SET_LIM, {"limit": lower, "position_usteps": ends[0]}),
            Command(Code.SET_LIM, {"limit": upper, "position_usteps": ends[1]}),
        )


def driver_fields(axis: AxisCode, microsteps: int, current_ma: int, hold_fraction: float) -> dict[str, int]:
    """Return the fields of CONFIGURE_STEPPER_DRIVER; 1 microstep is sent as 0, 256 as 255."""
    coded = {1: 0, 256: 255}.get(microsteps, microsteps)
    return {"axis": axis, "microsteps": coded, "current_ma": current_ma, "hold_255": int(hold_fraction * 255)}


def ramp_fields(axis: AxisCode, speed_mm_s: float, acceleration_mm_s2: float) -> dict[str, int]:
    """Return the fields of SET_MAX_VELOCITY_ACCELERATION."""
    return {
        "axis": axis,
        "velocity_centi_mm_s": round(speed_mm_s * 100),
        "acceleration_deci_mm_s2": round(acceleration_mm_s2 * 10),
    }


_MOVES: Final = {
    AxisCode.X: (Code.MOVETO_X, Code.GUARDED_MOVETO_X),
    AxisCode.Y: (Code.MOVETO_Y, Code.GUARDED_MOVETO_Y),
    AxisCode.Z: (Code.MOVETO_Z, Code.GUARDED_MOVETO_Z),
}
_STEPS: Final = {AxisCode.X: Code.MOVE_X, AxisCode.Y: Code.MOVE_Y, AxisCode.Z: Code.MOVE_Z}
