"""Getting there: stage, filter wheel and objective, moved together, waited for, and read back.

What was sent is remembered, so that only what differs is sent again; after any failure it is forgotten.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field

from control.core.device_calls import CALL_S, MOVE_MARGIN_S, DeviceCalls
from squid.errors import DeviceError, StageMoveError
from squid.microscope import Microscope
from squid.models.geometry import StagePosition


@dataclass(slots=True)
class Moves:
    """Moves under way to an event.

    Attributes
    ----------
    stage, filter_wheel : Future or None
        None: nothing to move.
    stage_s, filter_wheel_s : float
        Deadlines, from `started_s` on.
    """

    stage: Future[StagePosition] | None = None
    stage_s: float = 0.0
    filter_wheel: Future[str] | None = None
    filter_wheel_s: float = 0.0
    started_s: float = field(default_factory=time.monotonic)


class Travel:
    """Moves one microscope for one run.

    Parameters
    ----------
    microscope : Microscope
        Open, reserved by the caller.
    calls : DeviceCalls
        How its devices are called.
    """

    def __init__(self, microscope: Microscope, calls: DeviceCalls) -> None:
        self._stage = microscope.stage
        self._wheel = microscope.filter_wheel
        self._changer = microscope.objective_changer
        self._calls = calls
        self._sent: StagePosition | None = None

    def prepare(self, objective: str) -> None:
        """Make positions mean something, and bring the objective into the beam."""
        self.home_if_lost()
        changer = self._changer
        if changer is not None and changer.current != objective:
            limit_s = 2 * changer.travel_time_s(changer.current, objective) + MOVE_MARGIN_S
            change = self._calls.call(changer.label, CALL_S + limit_s, changer.move_to, objective)
            self._calls.wait(change, time.monotonic() + limit_s, changer.label, "move_to")

    def start(self, target: StagePosition, filter_name: str | None) -> Moves:
        """Send stage and filter wheel on their way; sends only what differs from what was sent last.

        Raises
        ------
        DeviceError
            One of them did not start; the other has come to rest.
        """
        moves = Moves()
        self._start_stage(target, moves)
        try:
            self._start_wheel(filter_name, moves)
        except DeviceError:
            self.finish(moves)
            raise
        return moves

    def _start_stage(self, target: StagePosition, moves: Moves) -> None:
        stage, sent = self._stage, self._sent
        axes: Mapping[str, float] = target._asdict()
        if sent is None:
            start = self.position()
        else:
            start = sent
            axes = {name: value for name, value in axes.items() if value != getattr(sent, name)}
        if axes:
            moves.stage_s = 2 * stage.travel_time_s(start, target) + MOVE_MARGIN_S
            self._sent = None
            try:
                moves.stage = self._calls.call(stage.label, CALL_S + moves.stage_s, stage.move_to, **axes)
            except DeviceError as e:
                raise self._lost(f"did not start for {_text(target)}: {e.message}") from e
            self._sent = target

    def _start_wheel(self, filter_name: str | None, moves: Moves) -> None:
        wheel = self._wheel
        if wheel is not None and filter_name is not None and wheel.current != filter_name:
            moves.filter_wheel_s = 2 * wheel.travel_time_s(wheel.current, filter_name) + MOVE_MARGIN_S
            moves.filter_wheel = self._calls.call(
                wheel.label, CALL_S + moves.filter_wheel_s, wheel.move_to, filter_name
            )

    def arrive(self, target: StagePosition, moves: Moves) -> StagePosition:
        """Wait for the moves and read the position back.

        Raises
        ------
        StageMoveError
            The stage did not arrive in time, or is out of tolerance; it was told to stop.
        DeviceError
            The filter wheel did not arrive.
        """
        stage, wheel = self._stage, self._wheel
        if moves.stage is not None:
            try:
                self._calls.wait(moves.stage, moves.started_s + moves.stage_s, stage.label, "move_to")
            except DeviceError as e:
                raise self._lost(f"did not arrive at {_text(target)}: {e.message}") from e
        if moves.filter_wheel is not None and wheel is not None:
            until_s = moves.started_s + moves.filter_wheel_s
            self._calls.wait(moves.filter_wheel, until_s, wheel.label, "move_to")
        actual = self.position()  # now: the move may have ended hours ago, before the wait for a time point
        if not stage.is_at(target, actual):
            raise self._lost(f"is at {_text(actual)}, not at {_text(target)}")
        return actual

    def finish(self, moves: Moves) -> None:
        """Let moves that are no longer wanted come to their end; how they end is seen by the next `arrive`."""
        self._sent = None
        if moves.stage is not None:
            with suppress(DeviceError):
                self._calls.wait(moves.stage, moves.started_s + moves.stage_s, self._stage.label, "move_to")
        if moves.filter_wheel is not None and self._wheel is not None:
            with suppress(DeviceError):
                until_s = moves.started_s + moves.filter_wheel_s
                self._calls.wait(moves.filter_wheel, until_s, self._wheel.label, "move_to")

    def moved_to(self, target: StagePosition | None) -> None:
        """Note that somebody else has moved the stage to `target`; None: nobody knows where."""
        self._sent = target

    def position(self) -> StagePosition:
        """Read the stage's position."""
        return self._calls.call(self._stage.label, CALL_S, self._stage.position)

    def home_if_lost(self) -> None:
        """Home the stage when it no longer knows where it is."""
        stage = self._stage
        if not stage.is_homed:
            self._sent = None
            limit_s = 2 * stage.homing_time_s() + MOVE_MARGIN_S
            homing = self._calls.call(stage.label, CALL_S + limit_s, stage.home)
            self._calls.wait(homing, time.monotonic() + limit_s, stage.label, "home")

    def _lost(self, message: str) -> StageMoveError:
        """Stop the stage and forget where it was sent; return the error to raise."""
        self._sent = None
        self._calls.call(self._stage.label, CALL_S, self._stage.stop)
        return StageMoveError(self._stage.label, message)


def _text(position: StagePosition) -> str:
    return f"({position.x_um:.1f}, {position.y_um:.1f}, {position.z_um:.2f}) µm"
