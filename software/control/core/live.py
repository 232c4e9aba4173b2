"""Live view: the newest frame of a channel, as fast as the camera gives it, and snaps.

::

    start() ──▶ running ──stop()──▶ stopped            any thread; both return at once
                   └── a device fails or hangs ──▶ stopped, and `failure` says why

The window pulls: it calls `tick` and `newest` from its timer. What it sets is refused at once when it is out of range,
and applies from the next frame on. Knows no widget and no Qt.
"""

from __future__ import annotations

import itertools
import math
import threading
import time
from dataclasses import replace
from pathlib import Path

from control.core.hands import Hands
from control.core.handwork import HandTools, Handwork
from control.core.live_camera import LiveCamera
from control.core.live_frame import (
    CameraChoices,
    CameraView,
    ChannelPresets,
    LiveFrame,
    LiveSettings,
    Wanted,
    checked_view,
    sensor_roi,
)
from control.core.live_loop import FrameRate, LiveLoop, LiveSource
from control.core.run_control import RunControl
from control.core.seen_focus import SeenFocus
from control.core.snap_file import write_snap
from squid.abc.camera import PixelFormat
from squid.errors import DeviceError, FrameTimeoutError, SettingError
from squid.microscope import Microscope
from squid.models.geometry import Roi
from squid.utils.safety_lane import SafetyLane
from squid.utils.worker_manager import WorkerManager, WorkerResult

__all__ = ["CameraChoices", "CameraView", "ChannelPresets", "Live", "LiveFrame", "LiveSettings"]

_WHO = "live view"
_SNAP_MARGIN_S = 10.0

THREAD_S = 10.0
"""How long live view waits for a thread, and for the live view before it to end."""


class Live:
    """Live view of one microscope; every method may be called from any thread.

    Parameters
    ----------
    microscope : Microscope
        Open before `start` or `snap`.
    manager : WorkerManager
        Runs the loop, as the task ``live``.
    hands : Hands
        Keeps runs away while live runs.
    presets : ChannelPresets
        How channels are taken.
    lane : SafetyLane
        Switches the light off when a call hangs.

    Attributes
    ----------
    focus : SeenFocus
        Where a person has looked.
    """

    def __init__(
        self,
        microscope: Microscope,
        manager: WorkerManager,
        hands: Hands,
        presets: ChannelPresets,
        lane: SafetyLane,
    ) -> None:
        self._microscope = microscope
        self._manager = manager
        self._presets = presets
        self._tools = HandTools(microscope, manager, hands, lane)
        self._lock = threading.RLock()
        self._shown = threading.Condition()
        self._numbers = itertools.count(1)
        self._rate = FrameRate()
        self._ticked_s = -math.inf
        self._wanted: Wanted | None = None
        self._loop: LiveLoop | None = None
        self._newest: LiveFrame | None = None
        self.focus = SeenFocus(lambda: microscope.stage.limits.z)
        self._failure: str | None = None

    # --- settings ---------------------------------------------------------------------------------------------------

    @property
    def settings(self) -> LiveSettings:
        """How the next frame will be taken."""
        return self._next().settings

    @property
    def camera_view(self) -> CameraView:
        """Binning and ROI of the next frame."""
        return self._next().view

    @property
    def camera_choices(self) -> CameraChoices:
        """What the camera can do."""
        camera = self._microscope.camera
        return CameraChoices(
            camera.binnings,
            camera.sensor_shape_px,
            camera.exposure_range_ms,
            camera.gain_range,
            camera.pixel_formats,
        )

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels of the objective in use."""
        return tuple(self._presets.names(self._microscope.objective))

    def set(
        self,
        *,
        channel: str | None = None,
        exposure_ms: float | None = None,
        intensity: float | None = None,
        gain: float | None = None,
    ) -> None:
        """Change how frames are taken, from the next frame on; None leaves a setting alone.

        Parameters
        ----------
        channel : str, optional
            Takes its preset for the objective in use: light source, filter, exposure, intensity, gain.
        exposure_ms, intensity, gain : float, optional
            Over the preset's.

        Raises
        ------
        SettingError
            Names what is allowed; nothing changed.
        """
        with self._lock:
            wanted = self._next() if channel is None else self._of_channel(channel, self._next().view)
            before = wanted.settings
            settings = LiveSettings(
                before.channel,
                before.exposure_ms if exposure_ms is None else exposure_ms,
                before.intensity if intensity is None else intensity,
                before.gain if gain is None else gain,
            )
            self._check(settings)
            self._wanted = replace(wanted, settings=settings)

    def set_camera(
        self, *, binning: int | None = None, roi: Roi | None = None, pixel_format: PixelFormat | None = None
    ) -> None:
        """Change binning and pixel format (None: leave it) and ROI (None: the whole sensor), from the next frame on.

        Raises
        ------
        SettingError
            Names what is allowed; nothing changed.
        """
        with self._lock:
            wanted = self._next()
            view = checked_view(
                self._microscope.camera,
                wanted.view.binning if binning is None else binning,
                roi,
                pixel_format or wanted.view.pixel_format,
            )
            self._wanted = replace(wanted, view=view)

    def show_part(self, frame: LiveFrame, part: Roi) -> None:
        """Read only a part of the sensor, from the next frame on.

        Parameters
        ----------
        frame : LiveFrame
            In which a person drew it.
        part : Roi
            In pixels of that frame as it is shown.
        """
        orientation = self._microscope.config.camera.orientation
        shape_px = self._microscope.camera.sensor_shape_px
        self.set_camera(binning=frame.view.binning, roi=sensor_roi(orientation, frame.view, shape_px, part))

    # --- life -------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Show frames; nothing happens when it runs already.

        Raises
        ------
        DeviceError
            A run has the microscope.
        """
        with self._lock:
            if self.is_running:
                return
            self.tick()
            loop = LiveLoop(self._tools, self._source(), self._failed, self._microscope.usual_gain)
            loop.work.begin()
            self._failure = None
            self._loop = loop
        try:
            # one key: a loop that still ends and the next one never run at once
            self._manager.submit(
                "live",
                loop.run,
                coalesce_key="live",
                queue_timeout_ms=int(1000 * THREAD_S),
                on_finished=lambda result: self._finished(loop, result),
            )
        except BaseException:
            loop.work.end()
            raise

    def stop(self) -> None:
        """End it: light off within one exposure, 50 ms when that is a long one."""
        with self._lock:
            if self._loop is not None:
                self._loop.stop()

    def wait_stopped(self, timeout_s: float) -> bool:
        """Wait until the light is off, the camera is as runs expect it, and a run may start; from a task."""
        loop = self._loop
        return loop is None or loop.work.wait_ended(timeout_s)

    @property
    def is_running(self) -> bool:
        """Whether it shows frames and was not told to stop."""
        loop = self._loop
        return loop is not None and not loop.is_stopping

    def tick(self) -> None:
        """Hear that the window still shows frames; without that for 1 s the light goes off until the next tick."""
        self._ticked_s = time.monotonic()

    @property
    def failure(self) -> str | None:
        """Why it ended by itself: device, call, dump file; None when it did not. Cleared by `start`."""
        return self._failure

    def newest(self) -> LiveFrame | None:
        """Return the newest frame, of live view or a snap."""
        return self._newest

    @property
    def frame_rate_hz(self) -> float:
        """Frames per second now."""
        return self._rate.per_second(time.monotonic())

    # --- snaps ------------------------------------------------------------------------------------------------------

    def snap(self) -> LiveFrame:
        """Take one frame begun after this call; blocks, so call it in a task.

        Raises
        ------
        DeviceError
            It could not be taken, or a run has the microscope.
        """
        loop = self._loop
        if loop is not None and not loop.is_stopping:
            frame = self._next_of(loop)
            if frame is not None:
                return frame
        return self._take_one()

    def save_snap(self, frame: LiveFrame, path: Path) -> None:
        """Write a frame as OME-TIFF with everything known of it; call it in a task. `StorageError` when it fails."""
        optics = self._microscope.config.optics_of(frame.objective)
        write_snap(frame, path, optics, self._microscope.config.name)

    def _next_of(self, loop: LiveLoop) -> LiveFrame | None:
        """Return the first frame that the running loop begins from now on; None when it ends before."""
        begun = loop.started_frames
        camera = self._microscope.camera
        limit_s = 2 * camera.exposure_duration_s(self.settings.exposure_ms) + _SNAP_MARGIN_S
        until_s = time.monotonic() + limit_s
        with self._shown:
            while not loop.is_stopping:
                newest = self._newest
                if newest is not None and newest.number > begun:
                    return newest
                if time.monotonic() > until_s:
                    raise FrameTimeoutError(camera.label, f"live view gave no frame within {limit_s:.1f} s")
                self._shown.wait(0.05)
        return None

    def _take_one(self) -> LiveFrame:
        control = RunControl()
        work = Handwork(self._tools, control, self._microscope.beat, lambda _: None)
        work.begin()
        with work.entered() as calls:
            camera = LiveCamera(self._microscope, calls, control, self._microscope.usual_gain)
            try:
                frame = camera.take(self._next(), next(self._numbers), keep_lit=False)
            finally:
                camera.dark()
                camera.restore()
        if frame is None:
            raise DeviceError(self._microscope.camera.label, "took no frame: the objective was being changed")
        self._show(frame)
        return frame

    # --- for the loop -----------------------------------------------------------------------------------------------

    def _source(self) -> LiveSource:
        return LiveSource(self._next, lambda: self._ticked_s, self._show, lambda: next(self._numbers))

    def _show(self, frame: LiveFrame) -> None:
        self.focus.see(frame)
        with self._shown:
            self._newest = frame
            self._rate.note(time.monotonic())
            self._shown.notify_all()

    def _finished(self, loop: LiveLoop, result: WorkerResult) -> None:
        if result.timed_out and not loop.work.has_ended:  # it never began
            self._failed(str(result.error))
        loop.work.end()

    def _failed(self, reason: str) -> None:
        self._failure = self._failure or reason

    def _next(self) -> Wanted:
        with self._lock:
            if self._wanted is None:
                camera = self._microscope.camera
                view = CameraView(camera.binning, camera.roi, camera.pixel_format)
                self._wanted = self._of_channel(self.channels[0], view)
            return self._wanted

    def _of_channel(self, name: str, view: CameraView) -> Wanted:
        if name not in self.channels:
            raise SettingError(_WHO, f"no channel {name} (allowed: {', '.join(self.channels)})")
        preset = self._presets.get(self._microscope.objective, name)
        gain = self._microscope.usual_gain if preset.gain is None else preset.gain
        return Wanted(LiveSettings(name, preset.exposure_ms, preset.intensity, gain), preset, view)

    def _check(self, settings: LiveSettings) -> None:
        camera = self._microscope.camera
        ranges = {"exposure_ms": camera.exposure_range_ms, "gain": camera.gain_range, "intensity": (0.0, 1.0)}
        for name, (low, high) in ranges.items():
            value = getattr(settings, name)
            if not low <= value <= high:
                raise SettingError(_WHO, f"{name} {value:g} is not allowed (allowed: {low:g} to {high:g})")
