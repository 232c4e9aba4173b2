"""One planned exposure on the devices: go there, light, trigger, collect. Knows nothing of plans, retries or disks.

::

    start_moves(event) ──▶ arrive(event, moves) ──▶ expose(event, actual) ──▶ collect(pending)
      sends what differs     waits, reads back,       light on, trigger,        waits for the read-out,
      from the last event    refuses off-target       until the sensor is done  checks id, shape, type
                                                      light off

The next event's `start_moves` may come before `collect`: read-out and move overlap. A setting that was not applied
raises; nothing is ever assumed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from control.core.device_calls import CALL_S, DeviceCalls
from control.core.frame_check import FrameCheck
from control.core.hardware_sequence import FIRST_FRAME_S, HardwareSequences, PendingSequence
from control.core.lighting import Lighting
from control.core.outages import Outages
from control.core.travel import Moves, Travel
from squid.abc.camera import Exposure, TriggerMode
from squid.abc.camera_trigger import CameraTrigger
from squid.errors import DeviceError, DeviceTimeoutError, FrameTimeoutError, LightLostError
from squid.microscope import Microscope
from squid.models.channel import ChannelLayout
from squid.models.event import AcquisitionEvent
from squid.models.frame import FrameRecord
from squid.models.geometry import Pixels, StagePosition

EXPOSURE_TOLERANCE = 0.05
"""A camera may round an exposure time by this fraction, or by 0.1 ms; a larger difference is a setting not applied."""


SLOW_LIGHT = 0.01
"""Part of an exposure that a strobed light may take to come on."""


@dataclass(frozen=True, slots=True)
class Pending:
    """An exposure whose sensor is done and whose frame is being read out."""

    event: AcquisitionEvent
    actual: StagePosition
    exposure: Exposure
    exposure_ms: float
    ended_s: float
    interruptions: int


class Imaging:
    """Carries out events on the devices of one microscope.

    Parameters
    ----------
    microscope : Microscope
        Open, reserved by the caller.
    channels : tuple of ChannelLayout
        The channel axis; an event's `c` points into it.
    calls : DeviceCalls
        How devices are called.
    """

    def __init__(self, microscope: Microscope, channels: tuple[ChannelLayout, ...], calls: DeviceCalls) -> None:
        self._camera = microscope.camera
        self._trigger_line = (
            microscope.camera_trigger if microscope.camera.trigger_mode is TriggerMode.HARDWARE else None
        )
        self._presets = tuple(channel.preset for channel in channels)
        self._calls = calls
        self._light = microscope.illumination
        self.outages = Outages(microscope)
        self._lighting = Lighting(microscope.illumination, calls)
        self._travel = Travel(microscope, calls)
        self._frames = FrameCheck(microscope, channels)
        self.sequences = HardwareSequences(microscope, channels, calls, self._frames)
        self._asked_exposure_ms: float | None = None
        self._asked_gain: float | None = None

    @property
    def frames_collected(self) -> int:
        """Frames of this run that were good."""
        return self._frames.collected

    def prepare(self, objective: str) -> None:
        """Make the rig ready for a run: no light, a known position, the wanted objective."""
        self.dark()
        self._travel.prepare(objective)

    def start_moves(self, event: AcquisitionEvent) -> Moves:
        """Send stage and filter wheel on their way to an event."""
        return self._travel.start(event.target, self._presets[event.c].filter)

    def arrive(self, event: AcquisitionEvent, moves: Moves) -> StagePosition:
        """Wait for the moves and read the position back; `StageMoveError` when it is not the event's."""
        return self._travel.arrive(event.target, moves)

    def finish(self, moves: Moves) -> None:
        """Let moves that are no longer wanted come to their end."""
        self._travel.finish(moves)

    def home_if_lost(self) -> None:
        """Home the stage when it no longer knows where it is."""
        self._travel.home_if_lost()

    def dark(self) -> None:
        """Switch all light off; see `Lighting.dark`."""
        self._lighting.dark()

    def expose(self, event: AcquisitionEvent, actual: StagePosition) -> Pending:
        """Take the exposure: returns when the sensor is done, while the image is still being read out.

        Raises
        ------
        DeviceError
            A setting was not applied, or the exposure did not end; the light is off and the camera idle.
        """
        preset = self._presets[event.c]
        line = self._strobe_for(event)
        interruptions = self._light.interruptions  # what goes off from here on was to light this exposure
        try:
            exposure_ms = self._set_exposure(event.exposure_ms + (line.strobe_delay_ms if line else 0.0))
            self._set_gain(preset.gain)
            if line is None:
                self._lighting.on(preset.source, preset.intensity)
            else:
                self._lighting.off()
            pending = self._trigger(event, actual, exposure_ms, line, interruptions)
        except BaseException:
            self.dark()
            raise
        if not event.keep_shutter_open:
            try:
                self._lighting.off()
            except BaseException:
                self._give_up_exposure()
                raise
        return pending

    def expose_sequence(
        self,
        group: tuple[AcquisitionEvent, ...],
        stops: Callable[[], bool],
        on_event: Callable[[AcquisitionEvent], None],
    ) -> PendingSequence:
        """Take the exposures of a group by the hardware; see `HardwareSequences.expose`.

        Raises
        ------
        SequenceFailedError
            See there.
        """
        try:
            self._set_gain(self._presets[group[0].c].gain)
            self._lighting.off()
        except DeviceError as failure:
            raise self.sequences.failed(failure, 0) from failure
        self._travel.moved_to(None)
        pending = self.sequences.expose(group, stops, on_event)
        if pending.events:
            self._travel.moved_to(pending.events[-1].target)
        return pending

    def _set_exposure(self, exposure_ms: float) -> float:
        """Set the exposure time unless it was asked for last; return the one in force."""
        camera = self._camera
        if self._asked_exposure_ms != exposure_ms:
            self._asked_exposure_ms = None
            self._calls.call(camera.label, CALL_S, camera.set_exposure_ms, exposure_ms)
            off_ms = abs(camera.exposure_ms - exposure_ms)
            if off_ms > max(0.1, EXPOSURE_TOLERANCE * exposure_ms):
                raise DeviceError(camera.label, f"set to {exposure_ms:g} ms, but exposes {camera.exposure_ms:g} ms")
            self._asked_exposure_ms = exposure_ms
        return camera.exposure_ms

    def _set_gain(self, gain: float | None) -> None:
        if gain is not None and self._asked_gain != gain:
            self._asked_gain = None
            self._calls.call(self._camera.label, CALL_S, self._camera.set_gain, gain)
            self._asked_gain = gain

    def _strobe_for(self, event: AcquisitionEvent) -> CameraTrigger | None:
        """Return the trigger when it lights this exposure by itself: a light that comes on at once, and goes off."""
        line = self._trigger_line
        if line is None or line.strobes is not self._light or event.keep_shutter_open:
            return None
        is_quick = self._light.on_latency_ms <= SLOW_LIGHT * event.exposure_ms
        return line if is_quick else None

    def _trigger(
        self,
        event: AcquisitionEvent,
        actual: StagePosition,
        exposure_ms: float,
        strobe: CameraTrigger | None,
        interruptions: int,
    ) -> Pending:
        camera = self._camera
        limit_s = camera.exposure_duration_s(exposure_ms) + (CALL_S if self.frames_collected else FIRST_FRAME_S)
        exposure = self._calls.call(camera.label, limit_s, camera.trigger, event.index)
        try:
            if strobe is not None:
                preset = self._presets[event.c]
                exposure_ms = round(exposure_ms - strobe.strobe_delay_ms, 6)  # recorded is how long there was light
                lit = (preset.source, preset.intensity, exposure_ms)
                self._calls.call(strobe.label, CALL_S, strobe.strobe, *lit)
            elif self._trigger_line is not None:
                self._calls.call(self._trigger_line.label, CALL_S, self._trigger_line.pulse)
            until_s = time.monotonic() + limit_s
            ended_s = self._calls.wait(exposure.ended, until_s, camera.label, "trigger", hears_abort=False)
        except DeviceTimeoutError as e:
            self._give_up_exposure()
            raise FrameTimeoutError(camera.label, f"the exposure did not end within {limit_s:.2f} s") from e
        except DeviceError:
            self._give_up_exposure()
            raise
        return Pending(event, actual, exposure, exposure_ms, ended_s, interruptions)

    def collect(self, pending: Pending) -> tuple[FrameRecord, Pixels]:
        """Wait for the frame and check that it is this exposure's.

        Returns
        -------
        record : FrameRecord
            With `attempts` = 1 and `clock_s` = 0; the caller knows better.
        pixels : ndarray, shape (Y, X)
            In stage orientation; maybe a view.

        Raises
        ------
        FrameTimeoutError
            No frame came in time.
        LightLostError
            The light may not have been what it was meant to be.
        BadFrameError
            What came cannot be this exposure's image.
        DeviceError
            The camera's own.
        """
        camera = self._camera
        limit_s = camera.readout_ms / 1000 + (CALL_S if self.frames_collected else FIRST_FRAME_S)
        until_s = pending.ended_s + limit_s
        try:
            frame = self._calls.wait(pending.exposure.frame, until_s, camera.label, "frame", hears_abort=False)
        except DeviceTimeoutError as e:
            self._give_up_exposure()
            raise FrameTimeoutError(camera.label, f"no frame within {limit_s:.2f} s of the end of exposure") from e
        except DeviceError:
            self._frames.forget()
            raise
        if self._light.interruptions != pending.interruptions:
            self._frames.forget()
            raise LightLostError(self._light.label, "may have gone out by itself during an exposure")
        return self._frames.accept(
            frame, pending.exposure.trigger_id, pending.event, pending.actual, pending.exposure_ms
        )

    def _give_up_exposure(self) -> None:
        self._frames.forget()
        self._calls.call(self._camera.label, CALL_S, self._camera.cancel)
