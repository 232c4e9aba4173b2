"""One planned exposure on the devices: go there, light, trigger, collect. Knows nothing of plans, retries or disks.

::

    start_moves(event) ──▶ arrive(event, moves) ──▶ expose(event, actual) ──▶ collect(pending)
      sends what differs     waits, reads back,       light on, trigger,        waits for the read-out,
      from the last event    refuses off-target       until the sensor is done  checks id, shape, type
                                                      light off

The next event's `start_moves` may come before `collect`: read-out and move overlap. A setting that was not applied
raises; nothing is ever assumed. Every device call runs under a step deadline; every wait hears an abort.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from control.core.run_control import RunControl
from control.core.step_watch import StepWatch
from squid.abc.camera import Exposure, TriggerMode
from squid.errors import BadFrameError, DeviceError, DeviceTimeoutError, FrameLostError, SquidError, StageMoveError
from squid.microscope import Microscope
from squid.models.channel import ChannelLayout
from squid.models.event import AcquisitionEvent
from squid.models.frame import CameraFrame, FrameRecord
from squid.models.geometry import Pixels, StagePosition
from squid.utils.epoch import check_access

CALL_S = 2.0
"""Deadline of a device call that only sends something, and margin of those that take their time."""

MOVE_MARGIN_S = 1.0
"""Added to twice the computed travel time."""

FIRST_FRAME_S = 5.0
"""What the first frame of a run gets beyond its exposure and read-out."""

_SLICE_S = 0.05
"""How often a wait looks whether the run was aborted."""

_FINISHED_BEFORE_ABORT = ("trigger", "frame")
"""Waits that an abort does not cut short: an exposure under way is kept."""

ResultT = TypeVar("ResultT")


class RunAborted(Exception):
    """The run shall end now; raised out of a wait."""


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


@dataclass(frozen=True, slots=True)
class Pending:
    """An exposure whose sensor is done and whose frame is being read out."""

    event: AcquisitionEvent
    actual: StagePosition
    exposure: Exposure
    source: str
    intensity: float
    ended_s: float


class Imaging:
    """Carries out events on the devices of one microscope.

    Parameters
    ----------
    microscope : Microscope
        Open, reserved by the caller.
    channels : tuple of ChannelLayout
        The channel axis; an event's `c` points into it.
    steps : StepWatch
        Guards the device calls.
    control : RunControl
        Its abort ends every wait.
    """

    def __init__(
        self, microscope: Microscope, channels: tuple[ChannelLayout, ...], steps: StepWatch, control: RunControl
    ) -> None:
        self._scope = microscope
        self._camera = microscope.camera
        self._stage = microscope.stage
        self._light = microscope.illumination
        self._presets = tuple(channel.preset for channel in channels)
        self._steps = steps
        self._control = control
        self._orientation = microscope.config.camera.orientation
        self._expected_shape = microscope.camera.frame_shape_px
        self._expected_dtype = microscope.camera.pixel_format.dtype
        self._is_hardware = microscope.camera.trigger_mode is TriggerMode.HARDWARE
        self._sent: StagePosition | None = None
        self._lit: tuple[str, float] | None = None
        self._darkening: Future[None] | None = None
        self._last_hardware_id: int | None = None
        self.frames_collected = 0

    def prepare(self, objective: str) -> None:
        """Make the rig ready for a run: a known position, the wanted objective, no light."""
        self.dark()
        self.home_if_lost()
        changer = self._scope.objective_changer
        if changer is not None and changer.current != objective:
            limit_s = 2 * changer.travel_time_s(changer.current, objective) + MOVE_MARGIN_S
            with self._steps.step(changer.label, "move_to", CALL_S + limit_s):
                change = changer.move_to(objective)
            self._wait(change, time.monotonic() + limit_s, changer.label, "move_to")

    def start_moves(self, event: AcquisitionEvent) -> Moves:
        """Send stage and filter wheel on their way; sends only what differs from the last event."""
        moves = Moves()
        self._start_stage(event.target, moves)
        wheel, wanted = self._scope.filter_wheel, self._presets[event.c].filter
        if wheel is not None and wanted is not None and wheel.current != wanted:
            moves.filter_wheel_s = 2 * wheel.travel_time_s(wheel.current, wanted) + MOVE_MARGIN_S
            with self._steps.step(wheel.label, "move_to", CALL_S + moves.filter_wheel_s):
                moves.filter_wheel = wheel.move_to(wanted)
        return moves

    def _start_stage(self, target: StagePosition, moves: Moves) -> None:
        sent = self._sent
        if sent is None:
            with self._steps.step(self._stage.label, "position", CALL_S):
                start = self._stage.position()
            axes: Mapping[str, float] = target._asdict()
        else:
            start = sent
            axes = {name: value for name, value in target._asdict().items() if value != getattr(sent, name)}
        if axes:
            moves.stage_s = 2 * self._stage.travel_time_s(start, target) + MOVE_MARGIN_S
            self._sent = None
            try:
                with self._steps.step(self._stage.label, "move_to", CALL_S + moves.stage_s):
                    moves.stage = self._stage.move_to(**axes)
            except DeviceError as e:
                raise self.lost_stage(f"did not start for {_text(target)}: {e.message}") from e
            self._sent = target

    def arrive(self, event: AcquisitionEvent, moves: Moves) -> StagePosition:
        """Wait for the moves and read the position back.

        Raises
        ------
        StageMoveError
            The stage did not arrive in time, or is out of tolerance; it was told to stop.
        DeviceTimeoutError
            The filter wheel did not arrive in time.
        """
        if moves.stage is not None:
            try:
                self._wait(moves.stage, moves.started_s + moves.stage_s, self._stage.label, "move_to")
            except DeviceError as e:
                raise self.lost_stage(f"did not arrive at {_text(event.target)}: {e.message}") from e
        if moves.filter_wheel is not None and self._scope.filter_wheel is not None:
            label = self._scope.filter_wheel.label
            self._wait(moves.filter_wheel, moves.started_s + moves.filter_wheel_s, label, "move_to")
        with self._steps.step(self._stage.label, "position", CALL_S):
            actual = self._stage.position()
        if not self._stage.is_at(event.target, actual):
            raise self.lost_stage(f"is at {_text(actual)}, not at {_text(event.target)}")
        return actual

    def finish(self, moves: Moves) -> None:
        """Let moves that are no longer wanted come to their end; how they end is seen by the next `arrive`."""
        self._sent = None
        under_way: list[tuple[Future[Any] | None, float]] = [
            (moves.stage, moves.stage_s),
            (moves.filter_wheel, moves.filter_wheel_s),
        ]
        for future, limit_s in under_way:
            if future is not None:
                with suppress(DeviceError):
                    self._wait(future, moves.started_s + limit_s, "moves", "finish")

    def lost_stage(self, message: str) -> StageMoveError:
        """Stop the stage and forget where it was sent; return the error to raise."""
        self._sent = None
        with self._steps.step(self._stage.label, "stop", CALL_S):
            self._stage.stop()
        return StageMoveError(self._stage.label, message)

    def home_if_lost(self) -> None:
        """Home the stage when it no longer knows where it is."""
        if not self._stage.is_homed:
            limit_s = 2 * self._stage.homing_time_s() + MOVE_MARGIN_S
            with self._steps.step(self._stage.label, "home", CALL_S + limit_s):
                homing = self._stage.home()
            self._wait(homing, time.monotonic() + limit_s, self._stage.label, "home")

    def expose(self, event: AcquisitionEvent, actual: StagePosition) -> Pending:
        """Take the exposure: returns when the sensor is done, while the image is still being read out.

        Raises
        ------
        DeviceError
            A setting was not applied, or the exposure did not end; the light is off.
        """
        preset = self._presets[event.c]
        camera = self._camera
        try:
            if camera.exposure_ms != event.exposure_ms:
                with self._steps.step(camera.label, "set_exposure_ms", CALL_S):
                    camera.set_exposure_ms(event.exposure_ms)
            if preset.gain is not None and camera.gain != preset.gain:
                with self._steps.step(camera.label, "set_gain", CALL_S):
                    camera.set_gain(preset.gain)
            self._light_on(preset.source, preset.intensity)
            ended_s, exposure = self._trigger(event)
        except BaseException:
            self.dark()
            raise
        if not event.keep_shutter_open:
            self._light_off()
        return Pending(event, actual, exposure, preset.source, preset.intensity, ended_s)

    def _trigger(self, event: AcquisitionEvent) -> tuple[float, Exposure]:
        camera = self._camera
        duration_s = camera.exposure_duration_s(event.exposure_ms)
        limit_s = duration_s + (CALL_S if self.frames_collected else FIRST_FRAME_S)
        with self._steps.step(camera.label, "trigger", limit_s):
            exposure = camera.trigger(event.index)
        if self._is_hardware and self._scope.camera_trigger is not None:
            with self._steps.step(self._scope.camera_trigger.label, "pulse", CALL_S):
                self._scope.camera_trigger.pulse()
        try:
            return self._wait(exposure.ended, time.monotonic() + limit_s, camera.label, "trigger"), exposure
        except DeviceTimeoutError as e:
            self._give_up_exposure()
            raise FrameLostError(camera.label, f"the exposure did not end within {limit_s:.2f} s") from e

    def collect(self, pending: Pending) -> tuple[FrameRecord, Pixels]:
        """Wait for the frame and check that it is this exposure's.

        Returns
        -------
        record : FrameRecord
            With `attempts` = 1; the caller counts.
        pixels : ndarray, shape (Y, X)
            In stage orientation; maybe a view.

        Raises
        ------
        FrameLostError
            No frame came in time.
        BadFrameError
            What came cannot be this exposure's image.
        """
        camera = self._camera
        limit_s = camera.readout_ms / 1000 + (CALL_S if self.frames_collected else FIRST_FRAME_S)
        try:
            frame = self._wait(pending.exposure.frame, pending.ended_s + limit_s, camera.label, "frame")
        except DeviceTimeoutError as e:
            self._give_up_exposure()
            raise FrameLostError(camera.label, f"no frame within {limit_s:.2f} s of the end of exposure") from e
        except DeviceError:
            self._last_hardware_id = None
            raise
        self._check_frame(frame, pending)
        self.frames_collected += 1
        record = FrameRecord(
            event=pending.event,
            actual=pending.actual,
            exposure_ms=pending.event.exposure_ms,
            source=pending.source,
            intensity=pending.intensity,
            hardware_id=frame.hardware_id,
            monotonic_s=frame.monotonic_s,
            utc_s=frame.utc_s,
        )
        return record, self._orientation.apply(frame.pixels)

    def _check_frame(self, frame: CameraFrame | None, pending: Pending) -> None:
        """Refuse what cannot be this exposure's image; after a refusal the next hardware id is taken as it comes."""
        last, self._last_hardware_id = self._last_hardware_id, None
        if frame is None or frame.pixels is None:
            raise BadFrameError(self._camera.label, "delivered nothing instead of a frame")
        shape, dtype = frame.pixels.shape, str(frame.pixels.dtype)
        if shape != self._expected_shape or dtype != self._expected_dtype:
            wanted = f"{self._expected_shape} {self._expected_dtype}"
            raise BadFrameError(self._camera.label, f"delivered {shape} {dtype} instead of {wanted}")
        if frame.trigger_id != pending.exposure.trigger_id:
            wanted = f"trigger {pending.exposure.trigger_id}"
            raise BadFrameError(
                self._camera.label, f"delivered the frame of trigger {frame.trigger_id}, not of {wanted}"
            )
        if last is not None and frame.hardware_id != last + 1:
            raise BadFrameError(self._camera.label, f"skipped from hardware frame {last} to {frame.hardware_id}")
        self._last_hardware_id = frame.hardware_id

    def dark(self) -> None:
        """Switch all light off; refused to a task that was revoked: the light may be another run's by now."""
        check_access(self._light.label)
        self._lit = None
        with self._steps.step(self._light.label, "all_off", CALL_S):
            self._light.all_off()

    def _light_on(self, source: str, intensity: float) -> None:
        if self._lit == (source, intensity):
            return
        if self._lit is not None:
            self._light_off()
        if self._darkening is not None:
            self._wait(self._darkening, time.monotonic() + CALL_S, self._light.label, "turn_off")
            self._darkening = None
        with self._steps.step(self._light.label, "turn_on", CALL_S):
            lit = self._light.turn_on(source, intensity)
        self._wait(lit, time.monotonic() + CALL_S, self._light.label, "turn_on")
        self._lit = (source, intensity)

    def _light_off(self) -> None:
        """Switch the light off without waiting: it darkens while the stage moves, and is waited for before the next."""
        if self._lit is None:
            return
        source, _ = self._lit
        with self._steps.step(self._light.label, "turn_off", CALL_S):
            self._darkening = self._light.turn_off(source)
        self._lit = None

    def _give_up_exposure(self) -> None:
        self._last_hardware_id = None
        with self._steps.step(self._camera.label, "cancel", CALL_S):
            self._camera.cancel()

    def _wait(self, future: Future[ResultT], until_s: float, device: str, call: str) -> ResultT:
        """Wait for a device's future; hears an abort.

        Raises
        ------
        DeviceTimeoutError
            It was not settled by `until_s` (`time.monotonic`).
        RunAborted
            The run shall end.
        DeviceError
            The future's own.
        """
        while True:
            left_s = until_s - time.monotonic()
            try:
                return future.result(max(0.0, min(left_s, _SLICE_S)))
            except TimeoutError as e:
                if future.done():
                    raise DeviceError(device, f"{call} failed: {e!r}") from e
                if self._control.abort_reason is not None and call not in _FINISHED_BEFORE_ABORT:
                    raise RunAborted from None
                if left_s <= 0:
                    raise DeviceTimeoutError(device, f"{call} was not done in time") from None
            except SquidError:
                raise
            except Exception as e:  # the driver's edge: a foreign error becomes one of this device
                raise DeviceError(device, f"{call} failed: {e!r}") from e


def _text(position: StagePosition) -> str:
    return f"({position.x_um:.1f}, {position.y_um:.1f}, {position.z_um:.2f}) µm"
