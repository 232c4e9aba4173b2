"""Driving the stage by hand: legs in a safe order, each waited for and read back; limits said as people read them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from control.core import device_calls
from control.core.device_calls import DeviceCalls
from control.core.run_control import RunAborted
from squid.abc.stage import Stage
from squid.errors import DeviceTimeoutError, SettingError, StageMoveError
from squid.models.geometry import StagePosition

Axes = Mapping[str, float]
"""Targets in µm by axis: ``x_um``, ``y_um``, ``z_um``."""


class StageDrive:
    """Moves the stage for one job: one leg after the other, waited for and read back.

    Parameters
    ----------
    stage : Stage
        Open.
    calls : DeviceCalls
        How it is called.
    """

    def __init__(self, stage: Stage, calls: DeviceCalls) -> None:
        self._stage = stage
        self._calls = calls

    def position(self) -> StagePosition:
        """Read the position."""
        return self._calls.call(self._stage.label, device_calls.CALL_S, self._stage.position)

    def go(self, axes: Axes) -> None:
        """Go there: down first when z goes down, up last when z goes up.

        Raises
        ------
        StageMoveError
            It did not arrive, or not where it was sent; it was stopped.
        RunAborted
            The job was stopped; so was the stage.
        """
        here = self.position()
        z_um = axes.get("z_um")
        across = {name: value for name, value in axes.items() if name != "z_um"}
        height = {} if z_um is None else {"z_um": z_um}
        legs = (height, across) if z_um is not None and z_um < here.z_um else (across, height)
        for leg in legs:
            if leg:
                self._leg(leg)

    def home(self) -> None:
        """Find the reference of every axis."""
        stage = self._stage
        limit_s = 2 * stage.homing_time_s() + device_calls.MOVE_MARGIN_S
        homing = self._calls.call(stage.label, device_calls.CALL_S + limit_s, stage.home)
        self._wait(lambda: self._calls.wait(homing, time.monotonic() + limit_s, stage.label, "home"), "home")

    def _leg(self, axes: Axes) -> None:
        stage, start = self._stage, self.position()
        target = start._replace(**axes)
        limit_s = 2 * stage.travel_time_s(start, target) + device_calls.MOVE_MARGIN_S
        moving = self._calls.call(stage.label, device_calls.CALL_S + limit_s, stage.move_to, **axes)
        until_s = time.monotonic() + limit_s
        self._wait(lambda: self._calls.wait(moving, until_s, stage.label, "move_to"), _text(axes))
        actual = self.position()
        for name, tolerance_um in zip(actual._fields, stage.tolerance_um, strict=True):
            if name in axes and abs(getattr(actual, name) - axes[name]) > tolerance_um:
                raise StageMoveError(
                    stage.label,
                    f"is at {name[0]} = {_place(name[0], getattr(actual, name))}, not at {_place(name[0], axes[name])}",
                )

    def _wait(self, wait: Callable[[], object], where: str) -> None:
        try:
            wait()
        except RunAborted:
            self._calls.call(self._stage.label, device_calls.CALL_S, self._stage.stop)
            raise
        except DeviceTimeoutError as e:
            self._calls.call(self._stage.label, device_calls.CALL_S, self._stage.stop)
            raise StageMoveError(self._stage.label, f"did not arrive ({where}) in time; it was stopped") from e


def require_inside(stage: Stage, axes: Axes) -> None:
    """Refuse a target outside the limits; `SettingError` names the axis and its range."""
    limits = stage.limits
    for name, value_um in axes.items():
        axis, allowed = name[0], getattr(limits, name[0])
        if value_um not in allowed:
            ends = f"{_place(axis, allowed.min_um)} to {_place(axis, allowed.max_um)}"
            raise SettingError(
                stage.label, f"{axis} = {_place(axis, value_um)} is outside the limits (allowed: {ends})"
            )


def _place(axis: str, value_um: float) -> str:
    """Return a coordinate as the window shows it."""
    return f"{value_um:.2f} µm" if axis == "z" else f"{value_um / 1000:.3f} mm"


def _text(axes: Axes) -> str:
    return ", ".join(f"{name[0]} = {_place(name[0], value)}" for name, value in axes.items())
