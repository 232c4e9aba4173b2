"""One live frame on the devices: apply what differs, light, trigger, collect, label with what was in force.

Settings change only between a frame and the next trigger, so no frame bears another's. A frame during which objective
or filter was not in place is not shown. Knows neither threads nor windows.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ParamSpec

from control.core import device_calls
from control.core.device_calls import Abort, DeviceCalls
from control.core.hardware_sequence import FIRST_FRAME_S
from control.core.imaging import EXPOSURE_TOLERANCE
from control.core.lighting import Lighting
from control.core.live_frame import CameraView, LiveFrame, LiveSettings, Wanted
from control.core.run_control import RunAborted
from squid.abc.camera import Exposure, TriggerMode
from squid.errors import BadFrameError, DeviceError, DeviceTimeoutError, FrameTimeoutError
from squid.microscope import Microscope
from squid.models.frame import CameraFrame
from squid.models.geometry import StagePosition

P = ParamSpec("P")

LIVE_INDEX = 10**9
"""What live frames tell the camera as their index in a plan: beyond every plan, so that faults injected into the frames
of a run wait for that run."""


class LiveCamera:
    """Takes live frames; camera, light and filter wheel are this object's alone while it is in use.

    Parameters
    ----------
    microscope : Microscope
        Open, reserved by the caller.
    calls : DeviceCalls
        How devices are called.
    control : Abort
        Looked at right before and after the light goes on: who stops live view must not find it lit again.
    gain : float
        What `restore` gives the camera back with.
    """

    def __init__(self, microscope: Microscope, calls: DeviceCalls, control: Abort, gain: float) -> None:
        self._microscope = microscope
        self._camera = microscope.camera
        self._calls = calls
        self._control = control
        self._lighting = Lighting(microscope.illumination, calls)
        self._gain_before = gain
        self._applied: LiveSettings | None = None
        self._under_way: Exposure | None = None
        self._taken = 0

    def take(self, wanted: Wanted, number: int, *, keep_lit: bool) -> LiveFrame | None:
        """Take one frame.

        Parameters
        ----------
        wanted : Wanted
            How.
        number : int
            Of the frame.
        keep_lit : bool
            Leave the light on afterwards.

        Returns
        -------
        LiveFrame or None
            None when the objective was not in place during the exposure.

        Raises
        ------
        DeviceError
            A setting was not applied, or no frame came; the light is off and the camera idle.
        RunAborted
            A wait was cut short; the same.
        """
        try:
            objective = self._objective()
            self._apply(wanted)
            if objective is None:
                self._lighting.off()
                return None
            self._go_on()
            self._lighting.on(wanted.preset.source, wanted.settings.intensity)
            self._go_on()
            exposure, position = self._expose(wanted, number)
            if not keep_lit:
                self._lighting.off()
            frame = self._collect(exposure)
        except BaseException:
            self._applied = None
            self.dark()
            self._cancel()
            raise
        if self._objective() != objective:
            return None
        return self._labelled(frame, wanted, number, objective, position)

    def dark(self) -> None:
        """Switch all light off."""
        self._lighting.dark()

    def restore(self) -> None:
        """Give the camera back as runs expect it: the machine file's settings, and the gain it had before."""
        camera = self._camera
        self._applied = None
        self._call(self._microscope.apply_camera_config)
        if camera.gain != self._gain_before:
            self._call(camera.set_gain, self._gain_before)

    # --- settings ---------------------------------------------------------------------------------------------------

    def _apply(self, wanted: Wanted) -> None:
        """Bring camera and filter wheel to `wanted`; what is so already is left alone."""
        settings, before = wanted.settings, self._applied
        self._applied = None
        self._apply_view(wanted.view)
        if before is None or before.exposure_ms != settings.exposure_ms:
            self._call(self._camera.set_exposure_ms, settings.exposure_ms)
            off_ms = abs(self._camera.exposure_ms - settings.exposure_ms)
            if off_ms > max(0.1, EXPOSURE_TOLERANCE * settings.exposure_ms):
                raise DeviceError(
                    self._camera.label,
                    f"set to {settings.exposure_ms:g} ms, but exposes {self._camera.exposure_ms:g} ms",
                )
        if before is None or before.gain != settings.gain:
            self._call(self._camera.set_gain, settings.gain)
        self._turn_wheel(wanted.preset.filter)
        self._applied = settings

    def _apply_view(self, view: CameraView) -> None:
        camera = self._camera
        if camera.binning != view.binning:
            self._call(camera.set_binning, view.binning)
        if camera.roi != view.roi:
            self._call(camera.set_roi, view.roi)
        if view.pixel_format is not None and camera.pixel_format is not view.pixel_format:
            self._call(camera.set_pixel_format, view.pixel_format)

    def _turn_wheel(self, name: str | None) -> None:
        wheel = self._microscope.filter_wheel
        if wheel is None or name is None or wheel.current == name:
            return
        self._lighting.off()
        limit_s = 2 * wheel.travel_time_s(wheel.current, name) + device_calls.MOVE_MARGIN_S
        turning = self._calls.call(wheel.label, device_calls.CALL_S + limit_s, wheel.move_to, name)
        self._calls.wait(turning, time.monotonic() + limit_s, wheel.label, "move_to", hears_abort=False)

    def _objective(self) -> str | None:
        """Return the objective in the beam; None while the turret turns."""
        changer = self._microscope.objective_changer
        return changer.current if changer is not None else self._microscope.objective

    # --- the exposure -----------------------------------------------------------------------------------------------

    def _expose(self, wanted: Wanted, number: int) -> tuple[Exposure, StagePosition]:
        """Expose, and read the position meanwhile; returns when the sensor is done."""
        camera, stage = self._camera, self._microscope.stage
        margin_s = device_calls.CALL_S if self._taken else FIRST_FRAME_S
        limit_s = camera.exposure_duration_s(wanted.settings.exposure_ms) + margin_s
        exposure = self._calls.call(camera.label, limit_s, camera.trigger, LIVE_INDEX + number)
        self._under_way = exposure
        until_s = time.monotonic() + limit_s
        line = self._microscope.camera_trigger
        if line is not None and camera.trigger_mode is TriggerMode.HARDWARE:
            self._calls.call(line.label, device_calls.CALL_S, line.pulse)
        position = self._calls.call(stage.label, device_calls.CALL_S, stage.position)
        try:
            self._calls.wait(exposure.ended, until_s, camera.label, "trigger")
        except DeviceTimeoutError as e:
            raise FrameTimeoutError(camera.label, f"the exposure did not end within {limit_s:.2f} s") from e
        return exposure, position

    def _collect(self, exposure: Exposure) -> CameraFrame:
        camera = self._camera
        limit_s = camera.readout_ms / 1000 + (device_calls.CALL_S if self._taken else FIRST_FRAME_S)
        try:
            frame = self._calls.wait(
                exposure.frame, time.monotonic() + limit_s, camera.label, "frame", hears_abort=False
            )
        except DeviceTimeoutError as e:
            raise FrameTimeoutError(camera.label, f"no frame within {limit_s:.2f} s of the end of exposure") from e
        self._under_way = None
        expected = (camera.frame_shape_px, camera.pixel_format.dtype)
        if frame is None or frame.trigger_id != exposure.trigger_id:
            raise BadFrameError(camera.label, "delivered something else than the frame of its last exposure")
        if (frame.pixels.shape, str(frame.pixels.dtype)) != expected:
            raise BadFrameError(camera.label, f"delivered {frame.pixels.shape} instead of {expected[0]}")
        self._taken += 1
        return frame

    def _labelled(
        self, frame: CameraFrame, wanted: Wanted, number: int, objective: str, position: StagePosition
    ) -> LiveFrame:
        settings = wanted.settings
        return LiveFrame(
            pixels=self._microscope.config.camera.orientation.apply(frame.pixels),
            number=number,
            channel=settings.channel,
            source=wanted.preset.source,
            colour=wanted.preset.colour,
            exposure_ms=self._camera.exposure_ms,
            intensity=settings.intensity,
            gain=self._camera.gain,
            objective=objective,
            position=position,
            pixel_size_um=self._microscope.pixel_size_um(objective),
            view=wanted.view,
            significant_bits=self._camera.pixel_format.bits,
            monotonic_s=frame.monotonic_s,
            utc_s=frame.utc_s,
        )

    def _go_on(self) -> None:
        if self._control.abort_reason is not None:
            raise RunAborted

    def _cancel(self) -> None:
        if self._under_way is not None:
            self._under_way = None
            self._call(self._camera.cancel)

    def _call(self, function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        self._calls.call(self._camera.label, device_calls.CALL_S, function, *args, **kwargs)
