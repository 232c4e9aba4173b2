"""What a camera hands over, and what is known of it once it belongs to a run."""

from __future__ import annotations

from dataclasses import dataclass

from squid.models.event import AcquisitionEvent
from squid.models.geometry import Pixels, StagePosition


@dataclass(frozen=True, slots=True)
class CameraFrame:
    """One image as the camera delivered it. The receiver owns the pixels: no driver writes to them again.

    Attributes
    ----------
    pixels : ndarray, shape (Y, X), uint8 or uint16
        In the sensor's own orientation.
    trigger_id : int
        Number of the exposure that the driver says this frame belongs to.
    hardware_id : int
        The camera's own frame counter; a gap means that the camera skipped a frame.
    monotonic_s : float
        `time.monotonic` at the end of the exposure.
    utc_s : float
        Seconds since 1970-01-01 UTC at the end of the exposure.
    """

    pixels: Pixels
    trigger_id: int
    hardware_id: int
    monotonic_s: float
    utc_s: float


@dataclass(frozen=True, slots=True)
class FrameRecord:
    """Everything known of one stored frame; the journal keeps it, the sink writes it next to the pixels.

    Attributes
    ----------
    event : AcquisitionEvent
        The planned exposure: index, place, channel, requested position.
    actual : StagePosition
        Read back from the stage before the exposure.
    exposure_ms : float
        Exposure time in force.
    source, intensity : str, float
        Light source and its intensity as a fraction 0…1.
    hardware_id, monotonic_s, utc_s
        As in `CameraFrame`.
    clock_s : float
        Reading of the plan's clock of time points when the frame was taken.
    attempts : int
        How many exposures this index took; 1 when the first was good.
    """

    event: AcquisitionEvent
    actual: StagePosition
    exposure_ms: float
    source: str
    intensity: float
    hardware_id: int
    monotonic_s: float
    utc_s: float
    clock_s: float = 0.0
    attempts: int = 1
