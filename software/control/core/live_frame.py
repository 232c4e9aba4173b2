"""What live view shows and how it is taken: settings, a frame with everything known of it, parts of the sensor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from squid.abc.camera import Camera, PixelFormat
from squid.errors import SettingError
from squid.models.channel import ChannelPreset
from squid.models.geometry import Orientation, Pixels, Roi, StagePosition

ROI_STEP_PX = 8
"""Edges of a region that a person draws are rounded outwards to multiples of this: sensors read in blocks."""


class ChannelPresets(Protocol):
    """Where the channel presets come from."""

    def names(self, objective: str) -> Sequence[str]:
        """Return the channels of an objective."""

    def get(self, objective: str, name: str) -> ChannelPreset:
        """Return how a channel is taken."""


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """How live frames are taken.

    Attributes
    ----------
    channel : str
        Name of the channel preset that they began with.
    exposure_ms : float
        Exposure time.
    intensity : float
        Of the channel's light source, 0…1.
    gain : float
        Analogue gain (factor).
    """

    channel: str
    exposure_ms: float
    intensity: float
    gain: float


@dataclass(frozen=True, slots=True)
class CameraView:
    """Which part of the sensor is read, and how finely.

    Attributes
    ----------
    binning : int
        Sensor pixels added to one, along each side.
    roi : Roi
        In binned pixels of the sensor.
    pixel_format : PixelFormat or None
        Of a pixel; None: whichever the camera has.
    """

    binning: int
    roi: Roi
    pixel_format: PixelFormat | None = None


@dataclass(frozen=True, slots=True)
class CameraChoices:
    """What the camera can do.

    Attributes
    ----------
    binnings : tuple of int
        Allowed binnings.
    sensor_shape_px : (int, int)
        Height and width, unbinned, before the frame is turned.
    exposure_range_ms, gain_range : (float, float)
        Both ends allowed.
    pixel_formats : tuple of PixelFormat
        Allowed formats.
    """

    binnings: tuple[int, ...]
    sensor_shape_px: tuple[int, int]
    exposure_range_ms: tuple[float, float]
    gain_range: tuple[float, float]
    pixel_formats: tuple[PixelFormat, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Everything that the next frame shall be taken with; `preset` gives light source, filter and colour."""

    settings: LiveSettings
    preset: ChannelPreset
    view: CameraView


@dataclass(frozen=True, slots=True, eq=False)
class LiveFrame:
    """One live frame or snap, and what it was really taken with.

    Attributes
    ----------
    pixels : ndarray, shape (Y, X), uint8 or uint16
        Stage +x points right, +y down. Nobody writes to them again. May be a view.
    number : int
        Counts the frames of this program, from 1.
    channel, source, colour : str
        Channel, its light source, its colour ``#RRGGBB``.
    exposure_ms, intensity, gain : float
        In force for this frame.
    objective : str
        In the beam.
    position : StagePosition
        Read during the exposure; of the optical axis, which is the middle of the sensor.
    pixel_size_um : float
        At the sample.
    view : CameraView
        Binning and ROI.
    significant_bits : int
        A pixel's largest value is ``2**significant_bits - 1``.
    monotonic_s, utc_s : float
        End of the exposure.
    """

    pixels: Pixels
    number: int
    channel: str
    source: str
    colour: str
    exposure_ms: float
    intensity: float
    gain: float
    objective: str
    position: StagePosition
    pixel_size_um: float
    view: CameraView
    significant_bits: int
    monotonic_s: float
    utc_s: float


def checked_view(camera: Camera, binning: int, roi: Roi | None, pixel_format: PixelFormat | None = None) -> CameraView:
    """Return a view of the sensor; None for `roi` is the whole of it. `SettingError` names what is allowed."""
    if pixel_format is not None and pixel_format not in camera.pixel_formats:
        allowed = ", ".join(camera.pixel_formats)
        raise SettingError(camera.label, f"pixel format {pixel_format} is not allowed (allowed: {allowed})")
    if binning not in camera.binnings:
        raise SettingError(camera.label, f"binning {binning} is not allowed (allowed: {camera.binnings})")
    height, width = (side // binning for side in camera.sensor_shape_px)
    roi = roi or Roi(0, 0, width, height)
    inside = 0 <= roi.x_px < roi.x_px + roi.width_px <= width and 0 <= roi.y_px < roi.y_px + roi.height_px <= height
    if not inside:
        raise SettingError(camera.label, f"{roi} is not allowed (allowed: inside {width} x {height} px)")
    return CameraView(binning, roi, pixel_format)


def sensor_roi(orientation: Orientation, view: CameraView, sensor_shape_px: tuple[int, int], part: Roi) -> Roi:
    """Return the region of the sensor that a part of a live frame shows, a little larger.

    Parameters
    ----------
    orientation : Orientation
        How the frame was turned.
    view : CameraView
        What the frame shows of the sensor.
    sensor_shape_px : (int, int)
        Height and width of the whole sensor, unbinned.
    part : Roi
        In pixels of the frame as it is shown; what lies outside is cut off.
    """
    height, width = orientation.shape((view.roi.height_px, view.roi.width_px))
    left, right = max(0, part.x_px), min(width, part.x_px + part.width_px)
    top, bottom = max(0, part.y_px), min(height, part.y_px + part.height_px)
    if orientation.flip_x:
        left, right = width - right, width - left
    if orientation.flip_y:
        top, bottom = height - bottom, height - top
    for _ in range(orientation.rotate_deg // 90):  # undo a clockwise quarter: (x, y) came from (y, width - x)
        left, top, right, bottom = top, width - right, bottom, width - left
        width, height = height, width
    rows, columns = (side // view.binning for side in sensor_shape_px)
    x_px, width_px = _blocks(view.roi.x_px + left, view.roi.x_px + right, columns)
    y_px, height_px = _blocks(view.roi.y_px + top, view.roi.y_px + bottom, rows)
    return Roi(x_px, y_px, width_px, height_px)


def _blocks(first: int, end: int, size: int) -> tuple[int, int]:
    """Return start and length of the whole blocks that hold first … end, at least one, inside `size`."""
    start = min(max(0, first), size - 1) // ROI_STEP_PX * ROI_STEP_PX
    stop = min(size, max(start + 1, end) + (-max(start + 1, end)) % ROI_STEP_PX)
    return start, stop - start
