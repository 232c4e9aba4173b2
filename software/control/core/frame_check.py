"""Whether a frame can be an exposure's image, and what is recorded of it.

Remembers the camera's frame counter from frame to frame: a gap means that the camera skipped one. Commands no device.
"""

from __future__ import annotations

from squid.errors import BadFrameError
from squid.microscope import Microscope
from squid.models.channel import ChannelLayout, ChannelPreset
from squid.models.event import AcquisitionEvent
from squid.models.frame import CameraFrame, FrameRecord
from squid.models.geometry import Pixels, StagePosition


class FrameCheck:
    """Judges the frames of one run.

    Parameters
    ----------
    microscope : Microscope
        Its camera's settings of now are those that every frame must have.
    channels : tuple of ChannelLayout
        The channel axis.

    Attributes
    ----------
    collected : int
        Frames that were good.
    """

    def __init__(self, microscope: Microscope, channels: tuple[ChannelLayout, ...]) -> None:
        camera = microscope.camera
        self._label = camera.label
        self._expected = (camera.frame_shape_px, camera.pixel_format.dtype)
        self._orientation = microscope.config.camera.orientation
        self._presets: tuple[ChannelPreset, ...] = tuple(channel.preset for channel in channels)
        self._last_hardware_id: int | None = None
        self.collected = 0

    def forget(self) -> None:
        """Take the next hardware id as it comes: an exposure was given up."""
        self._last_hardware_id = None

    def accept(
        self,
        frame: CameraFrame | None,
        trigger_id: int,
        event: AcquisitionEvent,
        actual: StagePosition,
        exposure_ms: float,
    ) -> tuple[FrameRecord, Pixels]:
        """Check a frame; return its record and its pixels in stage orientation.

        Returns
        -------
        record : FrameRecord
            With `attempts` = 1 and `clock_s` = 0; the caller knows better.
        pixels : ndarray, shape (Y, X)
            Maybe a view.

        Raises
        ------
        BadFrameError
            It cannot be this exposure's image.
        """
        good = self._checked(frame, trigger_id)
        self.collected += 1
        preset = self._presets[event.c]
        record = FrameRecord(
            event=event,
            actual=actual,
            exposure_ms=exposure_ms,
            source=preset.source,
            intensity=preset.intensity,
            hardware_id=good.hardware_id,
            monotonic_s=good.monotonic_s,
            utc_s=good.utc_s,
        )
        return record, self._orientation.apply(good.pixels)

    def _checked(self, frame: CameraFrame | None, trigger_id: int) -> CameraFrame:
        """Return the frame unless it cannot be; after a refusal the next hardware id is taken as it comes."""
        last, self._last_hardware_id = self._last_hardware_id, None
        label = self._label
        if frame is None or frame.pixels is None:
            raise BadFrameError(label, "delivered nothing instead of a frame")
        got = (frame.pixels.shape, str(frame.pixels.dtype))
        if got != self._expected:
            raise BadFrameError(
                label, f"delivered {got[0]} {got[1]} instead of {self._expected[0]} {self._expected[1]}"
            )
        if frame.trigger_id != trigger_id:
            raise BadFrameError(
                label, f"delivered the frame of trigger {frame.trigger_id}, not of trigger {trigger_id}"
            )
        if last is not None and frame.hardware_id != last + 1:
            raise BadFrameError(label, f"skipped from hardware frame {last} to {frame.hardware_id}")
        self._last_hardware_id = frame.hardware_id
        return frame
