"""Camera: settings, and exposures with two ends.

::

    trigger() ──▶ Exposure:  sensor exposes ──ended──▶ read-out ──frame──▶
                             light off and stage may move at `ended`; `frame` is the image

A camera takes one exposure at a time: the next trigger comes after the previous frame or its failure. A late frame
settles only its own exposure, found by trigger id; one that fits none is dropped and counted.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import StrEnum

from squid.abc.device import Device, StateValue
from squid.errors import DeviceError
from squid.models.frame import CameraFrame
from squid.models.geometry import Roi


class TriggerMode(StrEnum):
    """What starts an exposure."""

    SOFTWARE = "software"
    HARDWARE = "hardware"


class PixelFormat(StrEnum):
    """How a pixel is delivered: MONO8 as uint8, the others as uint16 with that many significant bits."""

    MONO8 = "mono8"
    MONO12 = "mono12"
    MONO16 = "mono16"

    @property
    def bits(self) -> int:
        """Significant bits."""
        return int(self.value.removeprefix("mono"))

    @property
    def dtype(self) -> str:
        """Name of the numpy type."""
        return "uint8" if self.bits == 8 else "uint16"


@dataclass(frozen=True, slots=True)
class Exposure:
    """One exposure under way.

    Attributes
    ----------
    trigger_id : int
        Number of this exposure, 1 … since the camera was opened.
    ended : Future of float
        Settled with `time.monotonic` when the sensor is done: light off, stage may move.
    frame : Future of CameraFrame
        Settled when the image is read out, or with a `DeviceError`.
    """

    trigger_id: int
    ended: Future[float] = field(default_factory=Future)
    frame: Future[CameraFrame] = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class BurstShot:
    """One exposure of a burst: the event's index in the plan, and its exposure time."""

    plan_index: int
    exposure_ms: float


class Camera(Device):
    """A camera. Settings are latched at the next trigger; a setter that raises has changed nothing."""

    @property
    @abstractmethod
    def sensor_shape_px(self) -> tuple[int, int]:
        """Height and width of the whole sensor, unbinned."""

    @property
    @abstractmethod
    def binnings(self) -> tuple[int, ...]:
        """Supported binnings (same in x and y)."""

    @property
    @abstractmethod
    def pixel_formats(self) -> tuple[PixelFormat, ...]:
        """Supported pixel formats."""

    @property
    @abstractmethod
    def trigger_modes(self) -> tuple[TriggerMode, ...]:
        """Supported trigger modes."""

    @property
    @abstractmethod
    def exposure_range_ms(self) -> tuple[float, float]:
        """Shortest and longest exposure in ms."""

    @property
    @abstractmethod
    def gain_range(self) -> tuple[float, float]:
        """Lowest and highest analogue gain (factor; (1, 1) when fixed)."""

    @property
    @abstractmethod
    def exposure_ms(self) -> float:
        """Exposure time in force."""

    @property
    @abstractmethod
    def gain(self) -> float:
        """Analogue gain in force (factor)."""

    @property
    @abstractmethod
    def binning(self) -> int:
        """Binning in force."""

    @property
    @abstractmethod
    def pixel_format(self) -> PixelFormat:
        """Pixel format in force."""

    @property
    @abstractmethod
    def trigger_mode(self) -> TriggerMode:
        """Trigger mode in force."""

    @property
    @abstractmethod
    def roi(self) -> Roi:
        """Region of interest in force, in binned pixels."""

    @property
    @abstractmethod
    def readout_ms(self) -> float:
        """Time from the end of an exposure to its frame by the wall clock, with the settings in force."""

    @property
    def burst_limit(self) -> int:
        """Most exposures that `arm_burst` takes; 0: the camera cannot be armed for several pulses."""
        return 0

    @property
    def varies_exposure_in_burst(self) -> bool:
        """Whether the shots of a burst may differ in exposure time."""
        return False

    def exposure_duration_s(self, exposure_ms: float) -> float:
        """Return how long such an exposure takes by the wall clock; a simulated camera may run fast."""
        return exposure_ms / 1000

    @property
    def frame_shape_px(self) -> tuple[int, int]:
        """Height and width of the next frame, before orientation."""
        roi = self.roi
        return roi.height_px, roi.width_px

    def set_exposure_ms(self, exposure_ms: float) -> None:
        """Set the exposure time."""
        self._check_access()
        low, high = self.exposure_range_ms
        self._require(low <= exposure_ms <= high, "exposure_ms", exposure_ms, f"{low:g} to {high:g} ms")
        self._do_set_exposure_ms(exposure_ms)

    def set_gain(self, gain: float) -> None:
        """Set the analogue gain (factor)."""
        self._check_access()
        low, high = self.gain_range
        self._require(low <= gain <= high, "gain", gain, f"{low:g} to {high:g}")
        self._do_set_gain(gain)

    def set_binning(self, binning: int) -> None:
        """Set the binning; the ROI becomes the whole sensor."""
        self._check_access()
        self._require(binning in self.binnings, "binning", binning, self.binnings)
        self._do_set_binning(binning)

    def set_pixel_format(self, pixel_format: PixelFormat) -> None:
        """Set the pixel format."""
        self._check_access()
        self._require(pixel_format in self.pixel_formats, "pixel_format", pixel_format, self.pixel_formats)
        self._do_set_pixel_format(pixel_format)

    def set_trigger_mode(self, mode: TriggerMode) -> None:
        """Set what starts an exposure."""
        self._check_access()
        self._require(mode in self.trigger_modes, "trigger_mode", mode, self.trigger_modes)
        self._do_set_trigger_mode(mode)

    def set_roi(self, roi: Roi) -> None:
        """Set the region of interest, in binned pixels."""
        self._check_access()
        height, width = (side // self.binning for side in self.sensor_shape_px)
        inside = (
            roi.x_px >= 0
            and roi.y_px >= 0
            and roi.width_px > 0
            and roi.height_px > 0
            and roi.x_px + roi.width_px <= width
            and roi.y_px + roi.height_px <= height
        )
        self._require(inside, "roi", roi, f"inside {width} x {height} px")
        self._do_set_roi(roi)

    def trigger(self, plan_index: int = 0) -> Exposure:
        """Start an exposure now (software), or get ready for the next hardware pulse.

        Parameters
        ----------
        plan_index : int
            The event's index in the plan; a camera may store it with the frame. The simulated one draws its noise from
            it, so that a retaken frame equals the first.

        Raises
        ------
        DeviceError
            The previous exposure is not over; nothing was started.
        """
        self._check_access()
        return self._do_trigger(plan_index)

    def arm_burst(self, shots: Sequence[BurstShot]) -> tuple[Exposure, ...]:
        """Get ready for as many hardware pulses, one exposure each, in this order.

        The pulses may come as fast as read-out allows; frames are delivered in their order. A pulse that the camera
        misses shifts the frames by one and leaves the last exposure without: whoever arms a burst believes no frame
        of it before the last has come. Exposure time and gain in force stay as they are.

        Raises
        ------
        SettingError
            Too many shots, an exposure that is not allowed, or the trigger mode is not hardware; nothing was armed.
        DeviceError
            The previous exposure is not over; nothing was armed.
        """
        self._check_access()
        hardware = self.trigger_mode is TriggerMode.HARDWARE
        self._require(hardware, "burst in trigger mode", self.trigger_mode.value, TriggerMode.HARDWARE.value)
        self._require(1 <= len(shots) <= self.burst_limit, "number of shots", len(shots), f"1 to {self.burst_limit}")
        low, high = self.exposure_range_ms
        for shot in shots:
            self._require(low <= shot.exposure_ms <= high, "exposure_ms", shot.exposure_ms, f"{low:g} to {high:g} ms")
        times = {shot.exposure_ms for shot in shots}
        self._require(self.varies_exposure_in_burst or len(times) == 1, "exposure_ms", sorted(times), "one for all")
        return self._do_arm_burst(tuple(shots))

    def cancel(self) -> None:
        """Give up what is under way or armed, if anything: its futures fail with `FrameLostError`."""
        self._check_access()
        self._do_cancel()

    def state(self) -> dict[str, StateValue]:
        """Return the settings in force."""
        if not self.is_open:
            return super().state()
        roi = self.roi
        return super().state() | {
            "exposure_ms": self.exposure_ms,
            "gain": self.gain,
            "binning": self.binning,
            "pixel_format": self.pixel_format.value,
            "trigger_mode": self.trigger_mode.value,
            "roi_px": f"{roi.width_px} x {roi.height_px} at ({roi.x_px}, {roi.y_px})",
            "readout_ms": self.readout_ms,
        }

    @abstractmethod
    def _do_set_exposure_ms(self, exposure_ms: float) -> None: ...
    @abstractmethod
    def _do_set_gain(self, gain: float) -> None: ...
    @abstractmethod
    def _do_set_binning(self, binning: int) -> None: ...
    @abstractmethod
    def _do_set_pixel_format(self, pixel_format: PixelFormat) -> None: ...
    @abstractmethod
    def _do_set_trigger_mode(self, mode: TriggerMode) -> None: ...
    @abstractmethod
    def _do_set_roi(self, roi: Roi) -> None: ...
    @abstractmethod
    def _do_trigger(self, plan_index: int) -> Exposure: ...
    @abstractmethod
    def _do_cancel(self) -> None: ...

    def _do_arm_burst(self, shots: tuple[BurstShot, ...]) -> tuple[Exposure, ...]:
        """Arm a burst; called only where `burst_limit` is not 0."""
        raise DeviceError(self.label, f"cannot be armed for {len(shots)} pulses")

    def _busy(self) -> DeviceError:
        return DeviceError(self.label, "was triggered while an exposure was under way")
