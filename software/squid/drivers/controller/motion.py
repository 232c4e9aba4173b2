"""Moving and homing axes truthfully on any firmware: the jobs, without the device around them.

A job ends when the controller says that nothing is under way *and* the position is the target's: a move into a limit
switch, or one whose packet became another one on its way, is "completed" for stock firmware (sections 3.1, 13).
Axes move together on firmware 2.0 and one after the other on stock firmware, whose one status flag serves all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from squid.drivers.controller.axis import Axis
from squid.drivers.controller.link import ControllerLink
from squid.drivers.controller.packets import StatusFrame
from squid.drivers.controller.protocol_table import AxisCode, Code, ExecutionStatus, Flag
from squid.drivers.controller.requests import Command, CommandDamagedError, CommandRefusedError, Job, Until, send_all
from squid.errors import DeviceTimeoutError, StageMoveError

LANE: Final = "motion"
"""Everything that moves takes turns in this lane of the link."""

STOP_S: Final = 2.0

_TRIES: Final = 4
_NEXT_FRAME_S: Final = 0.5
_MARGIN_S: Final = 1.0


def is_standing(frame: StatusFrame) -> bool:
    """Whether no commanded motion is under way, as far as this frame can tell."""
    at_rest = frame.status in (ExecutionStatus.COMPLETED, ExecutionStatus.EXECUTION_ERROR)
    return at_rest and not frame.has(Flag.MOVING)


class Motion:
    """Jobs that move the axes of one stage.

    Parameters
    ----------
    label : str
        The stage, for errors.
    link : ControllerLink
        The wire.
    """

    def __init__(self, label: str, link: ControllerLink) -> None:
        self._label = label
        self._link = link

    def arrive(self, targets: Mapping[Axis, int]) -> Job[StatusFrame]:
        """Move axes to positions in microsteps; together where the firmware can.

        Raises
        ------
        StageMoveError
            An axis did not arrive; it stands, or was told to stop.
        """
        frame = self._link.frame
        if self._link.capabilities.is_ours:
            return (yield from self._arrive_together(targets, frame))
        for axis, usteps in targets.items():
            frame = yield from self._arrive_together({axis: usteps}, frame)
        return frame

    def _arrive_together(self, targets: Mapping[Axis, int], frame: StatusFrame) -> Job[StatusFrame]:
        distances = [
            (axis, axis.to_um(usteps) - axis.to_um(frame.usteps[axis.code])) for axis, usteps in targets.items()
        ]
        limit_s = 2 * max((axis.motion_s(um) for axis, um in distances), default=0.0) + _MARGIN_S
        for _ in range(_TRIES):
            try:
                frame = yield from self._start_and_wait(targets, limit_s)
            except CommandRefusedError as e:
                raise StageMoveError(self._label, e.message) from e
            if _is_there(targets, frame):
                return frame
        where = ", ".join(
            f"{axis.code.name.lower()} is at {axis.to_um(frame.usteps[axis.code]):.2f} µm, "
            f"not at {axis.to_um(usteps):.2f} µm"
            for axis, usteps in targets.items()
        )
        raise StageMoveError(self._label, f"came to rest elsewhere: {where}")

    def _start_and_wait(self, targets: Mapping[Axis, int], limit_s: float) -> Job[StatusFrame]:
        guarded = self._link.capabilities.is_ours
        frame = self._link.frame
        for axis, usteps in targets.items():
            frame = yield axis.move(usteps, guarded=guarded)
        names = ", ".join(axis.code.name.lower() for axis in targets)
        frame = yield from self.wait_standing(frame, limit_s, f"move of {names}", targets)
        if not _is_there(targets, frame):  # one frame more: a single one may be wrong
            frame = yield Until(is_standing, _NEXT_FRAME_S, "confirmation of the position")
        return frame

    def wait_standing(
        self, frame: StatusFrame, limit_s: float, what: str, axes: Mapping[Axis, int]
    ) -> Job[StatusFrame]:
        """Wait until nothing moves; on time-out stop the axes, so that the controller listens again.

        Raises
        ------
        StageMoveError
            They did not come to rest in time.
        """
        if is_standing(frame):
            return frame
        try:
            return (yield Until(is_standing, limit_s, what))
        except DeviceTimeoutError as e:
            yield from self.stop(axes)
            if not self._link.capabilities.is_ours:
                yield from self._link.reset_controller()  # its flag would stay "in progress" for ever (section 3.1)
            raise StageMoveError(self._label, e.message) from e

    def stop(self, axes: Mapping[Axis, int]) -> Job[None]:
        """Tell axes to stop."""
        if self._link.capabilities.is_ours:
            yield Command(Code.STOP_MOTION)
        else:
            yield from send_all(axis.stop() for axis in axes)

    def home(self, axis: Axis) -> Job[StatusFrame]:
        """Find an axis' reference, go inside its limits, and send those again: stock loses them (section 5.4)."""
        name = axis.code.name.lower()
        try:
            frame = yield axis.home()
        except CommandRefusedError as e:
            raise StageMoveError(self._label, e.message) from e
        yield from self.wait_standing(frame, axis.homing_s(), f"homing of {name}", {axis: 0})
        if self._link.capabilities.is_ours:
            try:
                yield Until(lambda _: self._link.reports.is_homed(axis.code), _NEXT_FRAME_S, f"homing of {name}")
            except DeviceTimeoutError as e:
                raise StageMoveError(self._label, f"homing of {name} did not find its switch") from e
        frame = yield from self.arrive({axis: axis.nearest_home_usteps})
        yield from send_all(axis.limit_commands())
        return frame

    def clear(self, axis: Axis, distance_um: float) -> Job[None]:
        """Move an axis that is not homed away from its home, as far as it goes; it may end at a switch."""
        if distance_um == 0:
            return
        start, delta = self._link.frame.usteps[axis.code], axis.to_usteps(distance_um)
        try:
            if self._link.capabilities.is_ours:
                frame = yield axis.move(start + delta, guarded=True)
            else:  # an absolute move beyond the limits of an earlier session would never end (section 3.1)
                frame = yield from self._step(axis, delta)
        except CommandRefusedError:
            return  # beyond the limits of an earlier session: it is far enough away
        limit_s = 2 * axis.motion_s(distance_um) + _MARGIN_S
        yield from self.wait_standing(frame, limit_s, f"move of {axis.code.name.lower()}", {axis: start + delta})

    def _step(self, axis: Axis, usteps: int) -> Job[StatusFrame]:
        """Move by some microsteps; sent again only when the controller says that it was not carried out."""
        for _ in range(_TRIES - 1):
            try:
                return (yield axis.step(usteps))
            except CommandDamagedError:
                continue
        return (yield axis.step(usteps))


def _is_there(targets: Mapping[Axis, int], frame: StatusFrame) -> bool:
    return all(frame.usteps[AxisCode(axis.code)] == usteps for axis, usteps in targets.items())
