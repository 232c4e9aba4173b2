"""Simulated camera: exposure, read-out, triggers and faults; `sensor` makes the pixels.

Two threads: one settles `ended` to the instant, the other renders during the exposure, from the light and position at
its start, and again after it should they have changed. So rendering delays no exposure, and hides behind it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import ClassVar, cast

from pydantic import BaseModel, Field

from squid.abc.camera import BurstShot, Camera, Exposure, PixelFormat, TriggerMode
from squid.abc.device import Device, StateValue
from squid.drivers.simulated.faults import Fault
from squid.drivers.simulated.sensor import Sensor, SensorPhysics, SensorSettings
from squid.drivers.simulated.timing import TimedFuture, TimerThread, fail, settle
from squid.drivers.simulated.world import HangSwitch, SimulatedWorld
from squid.errors import DeviceClosedError, DeviceError, FrameLostError
from squid.models.base import FileModel
from squid.models.frame import CameraFrame
from squid.models.geometry import Orientation, Pixels, Roi
from squid.utils.thread_priority import stand_back

_READOUT_ROWS = 2048  # rows of the sensor that `readout_ms` refers to
_BURST_LIMIT = 512
_STANDS_BACK = 5  # before who compresses, since its frame is waited for; behind everybody else
_EARLY_S = 0.0005  # clocks of trigger and camera differ: a pulse of a burst may come this much before the read-out ends


class CameraOptions(FileModel):
    """Options of the simulated camera.

    Attributes
    ----------
    sensor_shape_px : (int, int)
        Height and width.
    pixel_um : float
        Pixel pitch of the sensor.
    readout_ms : float
        Read-out of 2048 unbinned rows; fewer rows take less.
    exposure_range_ms : (float, float)
        Shortest and longest exposure.
    gain_range : (float, float)
        Lowest and highest gain (factor).
    full_well_e, read_noise_e, offset_fraction, vignetting, mounting
        See `squid.drivers.simulated.sensor.SensorPhysics`.
    """

    sensor_shape_px: tuple[int, int] = (2048, 2048)
    pixel_um: float = Field(default=6.5, gt=0)
    readout_ms: float = Field(default=10.0, ge=0)
    exposure_range_ms: tuple[float, float] = (0.02, 30000.0)
    gain_range: tuple[float, float] = (1.0, 16.0)
    full_well_e: float = Field(default=10000.0, gt=0)
    read_noise_e: float = Field(default=1.6, ge=0.5)
    offset_fraction: float = Field(default=100 / 4095, ge=0.01, lt=0.5)
    vignetting: float = Field(default=0.2, ge=0, lt=1)
    mounting: Orientation = Orientation()

    def physics(self) -> SensorPhysics:
        """Return what the sensor is like."""
        return SensorPhysics(
            shape_px=self.sensor_shape_px,
            pixel_um=self.pixel_um,
            full_well_e=self.full_well_e,
            read_noise_e=self.read_noise_e,
            offset_fraction=self.offset_fraction,
            vignetting=self.vignetting,
            mounting=self.mounting,
        )


@dataclass(eq=False)
class _Shot:
    """One exposure under way, with the settings latched for it."""

    exposure: Exposure
    ended: TimedFuture[float]  # the exposure's
    settings: SensorSettings
    plan_index: int
    dose_s: float  # exposure at time scale 1
    exposure_s: float  # by the wall clock, like all that follow
    readout_s: float
    fault: Fault | None
    hardware_id: int = 0
    start_s: float = 0.0
    end_s: float = 0.0
    end_utc_s: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)  # the sensor is done, or the shot given up
    given_up: threading.Event = field(default_factory=threading.Event)

    @property
    def trouble(self) -> str | None:
        """Kind of the injected fault, if any."""
        return self.fault.kind if self.fault else None


class SimulatedCamera(Camera):
    """A camera over the world's specimen."""

    Options = CameraOptions
    Uses: ClassVar[Mapping[str, type[Device]]] = {"world": SimulatedWorld}

    def __init__(self, label: str, options: CameraOptions, world: SimulatedWorld) -> None:
        super().__init__(label)
        self._options = options
        self._world = world
        height, width = options.sensor_shape_px
        self._sensor = Sensor(options.physics(), world.seed)
        self._exposure_ms = 10.0
        self._gain = options.gain_range[0]
        self._binning = 1
        self._format = PixelFormat.MONO12
        self._mode = TriggerMode.SOFTWARE
        self._roi = Roi(0, 0, width, height)
        self._lock = threading.Lock()
        self._shot: _Shot | None = None
        self._row: deque[_Shot] = deque()  # a burst: waits for pulses
        self._shots: list[_Shot] = []  # a burst: not yet delivered
        self._ready_s = 0.0
        self._armed = False
        self._trigger_id = 0
        self._hardware_id = 0
        self._dropped = 0
        self._missed_pulses = 0
        self._timer = TimerThread(f"{label} exposure")
        self._jobs: SimpleQueue[_Shot | None] = SimpleQueue()
        self._reader: threading.Thread | None = None
        self._hang = HangSwitch()

    @classmethod
    def create(cls, label: str, options: BaseModel, uses: Mapping[str, Device]) -> SimulatedCamera:
        """Build it; see `Device.create`."""
        world = uses["world"]
        assert isinstance(options, CameraOptions)
        assert isinstance(world, SimulatedWorld)
        return cls(label, options, world)

    @property
    def sensor_shape_px(self) -> tuple[int, int]:
        """Height and width of the whole sensor, unbinned."""
        return self._options.sensor_shape_px

    @property
    def binnings(self) -> tuple[int, ...]:
        """Supported binnings."""
        return 1, 2, 4

    @property
    def pixel_formats(self) -> tuple[PixelFormat, ...]:
        """Supported pixel formats."""
        return tuple(PixelFormat)

    @property
    def trigger_modes(self) -> tuple[TriggerMode, ...]:
        """Supported trigger modes."""
        return tuple(TriggerMode)

    @property
    def exposure_range_ms(self) -> tuple[float, float]:
        """Shortest and longest exposure."""
        return self._options.exposure_range_ms

    @property
    def gain_range(self) -> tuple[float, float]:
        """Lowest and highest gain."""
        return self._options.gain_range

    @property
    def exposure_ms(self) -> float:
        """Exposure time in force."""
        return self._exposure_ms

    @property
    def gain(self) -> float:
        """Gain in force."""
        return self._gain

    @property
    def binning(self) -> int:
        """Binning in force."""
        return self._binning

    @property
    def pixel_format(self) -> PixelFormat:
        """Pixel format in force."""
        return self._format

    @property
    def trigger_mode(self) -> TriggerMode:
        """Trigger mode in force."""
        return self._mode

    @property
    def roi(self) -> Roi:
        """Region of interest in force, in binned pixels."""
        return self._roi

    @property
    def readout_ms(self) -> float:
        """Read-out time by the wall clock: by rows of the sensor, whatever the binning."""
        rows = self._roi.height_px * self._binning
        return self._options.readout_ms * rows / _READOUT_ROWS / self._world.time_scale

    def exposure_duration_s(self, exposure_ms: float) -> float:
        """Return how long such an exposure takes by the wall clock."""
        return exposure_ms / 1000 / self._world.time_scale

    @property
    def burst_limit(self) -> int:
        """Most exposures that can be armed at once."""
        return _BURST_LIMIT

    @property
    def varies_exposure_in_burst(self) -> bool:
        """Whether the shots of a burst may differ in exposure time: like a camera that exposes as long as the pulse."""
        return True

    def state(self) -> dict[str, StateValue]:
        """Return the settings in force, and what came that nobody waited for."""
        if not self.is_open:
            return super().state()
        return super().state() | {"late_frames_dropped": self._dropped, "missed_pulses": self._missed_pulses}

    def hardware_pulse(self, instant_s: float | None = None) -> None:
        """Take an edge of the trigger line: start the exposure that was armed; without one, count it as missed.

        Parameters
        ----------
        instant_s : float, optional
            When the edge was (`time.monotonic`), where its messenger is slower than a wire; None: now.
        """
        instant_s = time.monotonic() if instant_s is None else instant_s
        with self._lock:
            shot = self._armed_shot(instant_s)
            if shot is None:
                self._missed_pulses += 1
            else:
                self._start(shot, instant_s)

    def _armed_shot(self, instant_s: float) -> _Shot | None:
        """Return the shot that a pulse starts; None when nothing is armed, or a burst still reads out."""
        if self._row:
            return self._row.popleft() if instant_s >= self._ready_s - _EARLY_S else None
        shot = self._shot if self._armed else None
        self._armed = False
        return shot

    def _do_set_exposure_ms(self, exposure_ms: float) -> None:
        self._exposure_ms = exposure_ms

    def _do_set_gain(self, gain: float) -> None:
        self._gain = gain

    def _do_set_binning(self, binning: int) -> None:
        height, width = self._options.sensor_shape_px
        self._binning = binning
        self._roi = Roi(0, 0, width // binning, height // binning)

    def _do_set_pixel_format(self, pixel_format: PixelFormat) -> None:
        self._format = pixel_format

    def _do_set_trigger_mode(self, mode: TriggerMode) -> None:
        self._mode = mode

    def _do_set_roi(self, roi: Roi) -> None:
        self._roi = roi

    def _do_trigger(self, plan_index: int) -> Exposure:
        asked_s = time.monotonic()  # the sensor begins to expose: what is worked out from here on takes it no time
        self._refuse_when_busy()
        fault = self._world.faults.for_frame(plan_index)
        if fault is not None and fault.kind == "hang":
            self._hang.wait()
            raise DeviceClosedError(self.label, "was closed during a trigger")
        if fault is not None and fault.kind == "exception":
            raise DeviceError(self.label, f"injected fault: frame {plan_index} was not triggered")
        with self._lock:
            self._refuse_when_busy()
            shot = self._shot = self._latched(plan_index, self._exposure_ms, fault)
            if self._mode is TriggerMode.HARDWARE:
                self._armed = True
            else:
                self._start(shot, asked_s)
        return shot.exposure

    def _do_arm_burst(self, shots: tuple[BurstShot, ...]) -> tuple[Exposure, ...]:
        with self._lock:
            self._refuse_when_busy()
            faults = [self._world.faults.for_frame(shot.plan_index) for shot in shots]
            self._shots = [
                self._latched(shot.plan_index, shot.exposure_ms, fault)
                for shot, fault in zip(shots, faults, strict=True)
            ]
            self._row.extend(self._shots)
            self._ready_s = 0.0
            return tuple(shot.exposure for shot in self._shots)

    def _refuse_when_busy(self) -> None:
        if self._shot is not None or self._shots:
            raise self._busy()

    def _latched(self, plan_index: int, exposure_ms: float, fault: Fault | None) -> _Shot:
        self._trigger_id += 1
        ended: TimedFuture[float] = TimedFuture()
        exposure = Exposure(self._trigger_id, ended)
        exposure.frame.set_running_or_notify_cancel()
        return _Shot(
            exposure=exposure,
            ended=ended,
            settings=SensorSettings(self._roi, self._binning, self._format.bits, self._gain),
            plan_index=plan_index,
            dose_s=exposure_ms / 1000,
            exposure_s=self.exposure_duration_s(exposure_ms),
            readout_s=self.readout_ms / 1000,
            fault=fault,
        )

    def _start(self, shot: _Shot, instant_s: float) -> None:
        """Begin to expose; the lock is held."""
        self._hardware_id += 2 if shot.trouble == "skip_id" else 1
        shot.hardware_id = self._hardware_id
        shot.start_s = instant_s
        self._ready_s = instant_s + shot.exposure_s + shot.readout_s
        if shot.trouble == "no_frame":
            return  # the sensor never answers; only `cancel` ends this
        shot.end_s = shot.start_s + shot.exposure_s
        self._timer.settle_at(shot.end_s, shot.ended, lambda: self._ended(shot))
        self._jobs.put(shot)

    def _ended(self, shot: _Shot) -> None:
        shot.end_utc_s = time.time() - (time.monotonic() - shot.end_s)
        settle(shot.ended, shot.end_s)
        shot.over.set()

    def _read_frames(self) -> None:
        """Run the reader thread: render and deliver one shot after the other.

        It stands back: a real sensor needs no processor, so this one shall not keep it from those who wait for it.
        """
        stand_back(_STANDS_BACK)
        while (shot := self._jobs.get()) is not None:
            try:
                self._read(shot)
            except Exception as e:  # the thread's edge: the receiver gets it
                self._free(shot)
                fail(shot.exposure.frame, DeviceError(self.label, f"could not make a frame: {e!r}"))

    def _read(self, shot: _Shot) -> None:
        guess = self._world.scene(shot.start_s, shot.start_s, shot.dose_s)
        pixels = self._sensor.expose(self._world.specimen, guess, shot.settings, shot.plan_index)
        if not shot.over.wait(max(0.0, shot.end_s - time.monotonic())):
            self._ended(shot)
        if not shot.given_up.is_set():
            scene = self._world.scene(shot.start_s, shot.end_s, shot.dose_s)
            if scene != guess:
                pixels = self._sensor.expose(self._world.specimen, scene, shot.settings, shot.plan_index)
        late_s = shot.fault.values["delay_s"] if shot.fault and shot.trouble == "late_frame" else 0.0
        shot.given_up.wait(max(0.0, shot.end_s + shot.readout_s + late_s - time.monotonic()))
        self._deliver(shot, pixels)

    def _deliver(self, shot: _Shot, pixels: Pixels) -> None:
        if not self._free(shot):
            self._dropped += 1
            return
        if shot.trouble == "lost_frame":
            lost = FrameLostError(self.label, f"frame of trigger {shot.exposure.trigger_id} was lost (injected fault)")
            fail(shot.exposure.frame, lost)
            return
        settle(shot.exposure.frame, self._frame(shot, pixels))

    def _frame(self, shot: _Shot, pixels: Pixels) -> CameraFrame:
        """Return the frame, or what a broken driver would hand over in its place."""
        earlier = 1 if shot.trouble == "duplicate" else 0
        if shot.trouble == "none":
            return cast(CameraFrame, None)
        if shot.trouble == "wrong_shape":
            pixels = pixels[: max(1, len(pixels) // 2)].copy()
        return CameraFrame(
            pixels=pixels,
            trigger_id=shot.exposure.trigger_id - earlier,
            hardware_id=shot.hardware_id - earlier,
            monotonic_s=shot.end_s,
            utc_s=shot.end_utc_s,
        )

    def _free(self, shot: _Shot) -> bool:
        """Get ready for the next trigger; False when the shot was given up before."""
        with self._lock:
            if shot in self._shots:
                self._shots.remove(shot)
                return True
            if self._shot is not shot:
                return False
            self._shot = None
            return True

    def _do_cancel(self) -> None:
        self._give_up(FrameLostError(self.label, "the exposure was cancelled"))

    def _give_up(self, reason: DeviceError) -> None:
        with self._lock:
            shots = [*([self._shot] if self._shot else []), *self._shots]
            self._shot, self._armed = None, False
            self._row.clear()
            self._shots = []
        for shot in shots:
            shot.given_up.set()
            shot.over.set()
            fail(shot.exposure.ended, reason)
            fail(shot.exposure.frame, reason)

    def _do_open(self) -> None:
        self._trigger_id = self._hardware_id = 0
        self._dropped = self._missed_pulses = 0
        self._hang.arm()
        self._timer.start()
        self._reader = threading.Thread(target=self._read_frames, name=f"{self.label} reader", daemon=True)
        self._reader.start()

    def _do_close(self) -> None:
        self._hang.release()
        self._give_up(DeviceClosedError(self.label, "was closed during an exposure"))
        self._timer.stop()
        self._jobs.put(None)
        if self._reader is not None:
            self._reader.join()
