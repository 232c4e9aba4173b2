"""`Microscope`: the devices by role, opened in dependency order, closed in reverse.

::

    Microscope.build(config) ──▶ built ──open()──▶ open ──close()──▶ closed

Owns the devices and who may use them (`reserve`); knows nothing of runs, plans or files.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from squid.abc.camera import Camera, PixelFormat
from squid.abc.camera_trigger import CameraTrigger
from squid.abc.device import Device
from squid.abc.filter_wheel import FilterWheel
from squid.abc.illumination import Illumination
from squid.abc.objective_changer import ObjectiveChanger
from squid.abc.sequencer import Sequencer
from squid.abc.stage import Stage
from squid.errors import ConfigurationError, DeviceError, MachineFileError
from squid.machine_file import MachineConfig, Role
from squid.models.file import validate
from squid.models.geometry import Roi
from squid.models.plate import PlateGeometry
from squid.registry import driver_class

_log = logging.getLogger(__name__)

KINDS: Mapping[Role, type[Device]] = {
    Role.CAMERA: Camera,
    Role.STAGE: Stage,
    Role.ILLUMINATION: Illumination,
    Role.FILTER_WHEEL: FilterWheel,
    Role.OBJECTIVE_CHANGER: ObjectiveChanger,
    Role.CAMERA_TRIGGER: CameraTrigger,
    Role.SEQUENCER: Sequencer,
}

DeviceT = TypeVar("DeviceT", bound=Device)


@dataclass(frozen=True, slots=True)
class CameraState:
    """What a frame of the camera looks like.

    Attributes
    ----------
    binning : int
        Sensor pixels added to one, along each side.
    pixel_format : PixelFormat
        Of a pixel.
    roi : Roi
        In binned pixels of the sensor.
    readout_ms : float
        Time to read such a frame.
    """

    binning: int
    pixel_format: PixelFormat
    roi: Roi
    readout_ms: float = field(compare=False)

    @classmethod
    def of(cls, camera: Camera) -> CameraState:
        """Return what is in force."""
        return cls(camera.binning, camera.pixel_format, camera.roi, camera.readout_ms)

    @property
    def frame_shape_px(self) -> tuple[int, int]:
        """Height and width, before orientation."""
        return self.roi.height_px, self.roi.width_px

    def __str__(self) -> str:
        """Return it for a message."""
        roi = self.roi
        region = f"{roi.width_px} x {roi.height_px} px at ({roi.x_px}, {roi.y_px})"
        return f"binning {self.binning}, {self.pixel_format.value}, {region}"


class Microscope:
    """A microscope.

    Parameters
    ----------
    config : MachineConfig
        What it was built from.
    devices : mapping of str to Device
        By label, each after those it uses.
    """

    def __init__(self, config: MachineConfig, devices: Mapping[str, Device]) -> None:
        self.config = config
        self.devices = devices
        self._owner: str | None = None
        self._camera_for_runs: CameraState | None = None
        self._usual_gain: float | None = None
        self._owner_lock = threading.Lock()
        self.camera = self._required(Role.CAMERA, Camera)
        self.stage = self._required(Role.STAGE, Stage)
        self.illumination = self._required(Role.ILLUMINATION, Illumination)
        self.filter_wheel = self._optional(Role.FILTER_WHEEL, FilterWheel)
        self.objective_changer = self._optional(Role.OBJECTIVE_CHANGER, ObjectiveChanger)
        self.camera_trigger = self._optional(Role.CAMERA_TRIGGER, CameraTrigger)
        self.sequencer = self._optional(Role.SEQUENCER, Sequencer)

    @classmethod
    def build(cls, config: MachineConfig, file: Path | None = None) -> Microscope:
        """Build every device, touching no hardware.

        Raises
        ------
        MachineFileError
            A driver is unknown, its options are wrong, or devices use one another in a circle.
        """
        devices: dict[str, Device] = {}
        for label in _in_order(config, file):
            devices[label] = _build_device(label, config, devices, file)
        microscope = cls(config, devices)
        if config.stage_limits:
            try:
                microscope.stage.restrict(config.stage_limits)
                _ = microscope.stage.limits
            except ValueError as e:
                raise MachineFileError(f"leave no travel: {e}", file=file, key="stage_limits") from e
        return microscope

    def open(self, on_device: Callable[[str], object] | None = None) -> None:
        """Open every device, then apply the camera settings of the machine file; nothing moves, no light goes on.

        Parameters
        ----------
        on_device : callable, optional
            Told the label of each device before it is opened.

        Raises
        ------
        Exception
            A device did not open; those opened before are closed again.
        """
        try:
            for device in self.devices.values():
                if on_device is not None:
                    on_device(device.label)
                device.open()
            self.apply_camera_config()
            self._usual_gain = self.camera.gain
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close every device, users before the used; a device that fails to close stops no other."""
        for device in reversed(tuple(self.devices.values())):
            try:
                device.close()
            except Exception:  # a driver's edge: the others must be closed
                _log.exception("%s did not close", device.label)

    def beat(self) -> None:
        """Tell every device that the application is alive and ticking; see `Device.beat`."""
        for device in self.devices.values():
            device.beat()

    def place_plate(self, plate: PlateGeometry) -> None:
        """Tell every device which plate a person says lies on the stage; see `Device.plate_placed`."""
        for device in self.devices.values():
            device.plate_placed(plate)

    def __enter__(self) -> Microscope:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def owner(self) -> str | None:
        """Who has reserved the microscope; None: nobody."""
        return self._owner

    @contextmanager
    def reserve(self, owner: str) -> Iterator[None]:
        """Keep the microscope for `owner` during the block.

        Raises
        ------
        DeviceError
            Somebody else has it; the message says who.
        """
        with self._owner_lock:
            if self._owner is not None:
                raise DeviceError("microscope", f"is in use by {self._owner}; {owner} has to wait")
            self._owner = owner
        try:
            yield
        finally:
            self._owner = None

    @property
    def objective(self) -> str:
        """The objective in use: the changer's, or the one that the machine file says is mounted."""
        current = self.objective_changer.current if self.objective_changer else None
        return current or self.config.objective

    def pixel_size_um(self, objective: str, binning: int | None = None) -> float:
        """Return the pixel size at the sample in µm; None for `binning`: the one in force."""
        optics, binning = self.config.optics_of(objective), binning or self.camera.binning
        return optics.pixel_size_um(self.config.camera.sensor_pixel_um, binning, self.config.tube_lens_mm)

    @property
    def camera_for_runs(self) -> CameraState:
        """What the camera gives a run, whatever live view uses meanwhile; before `open`, what is in force."""
        return self._camera_for_runs or CameraState.of(self.camera)

    @property
    def usual_gain(self) -> float:
        """The camera's gain for channels that name none: what it had when it was opened, whoever changed it since."""
        return self.camera.gain if self._usual_gain is None else self._usual_gain

    @property
    def stored_shape_px(self) -> tuple[int, int]:
        """Height and width of a run's frame once it is turned into stage orientation."""
        return self.config.camera.orientation.shape(self.camera_for_runs.frame_shape_px)

    def apply_camera_config(self) -> None:
        """Give the camera the settings of the machine file, which runs use: binning, pixel format, trigger, ROI."""
        wanted = self.config.camera
        self.camera.set_binning(wanted.binning)
        self.camera.set_pixel_format(wanted.pixel_format)
        self.camera.set_trigger_mode(wanted.trigger)
        if wanted.roi_px is not None:
            height, width = (side // wanted.binning for side in self.camera.sensor_shape_px)
            roi_width, roi_height = wanted.roi_px
            self.camera.set_roi(Roi((width - roi_width) // 2, (height - roi_height) // 2, roi_width, roi_height))
        self._camera_for_runs = CameraState.of(self.camera)

    def check_camera_config(self) -> None:
        """Refuse to go on when the camera has other settings than `apply_camera_config` gave it; asks no hardware.

        Raises
        ------
        DeviceError
            Names both: whoever changed them could not give the camera back.
        """
        now = CameraState.of(self.camera)
        if self._camera_for_runs not in (None, now):
            raise DeviceError(
                self.camera.label,
                f"has {now}, but {self._camera_for_runs} for runs: start and stop live view, or open it anew",
            )

    def _required(self, role: Role, kind: type[DeviceT]) -> DeviceT:
        device = self._optional(role, kind)
        if device is None:
            raise MachineFileError(f"no device has the role {role}", key="devices")
        return device

    def _optional(self, role: Role, kind: type[DeviceT]) -> DeviceT | None:
        label = self.config.label_of(role)
        device = self.devices[label] if label else None
        if device is not None and not isinstance(device, kind):
            raise MachineFileError(f"is no {kind.__name__}", key=f"devices.{label}.role")
        return device


def _in_order(config: MachineConfig, file: Path | None) -> list[str]:
    """Return the labels, each after those it uses."""
    order: list[str] = []
    under_way: list[str] = []

    def visit(label: str) -> None:
        if label in order:
            return
        if label in under_way:
            circle = " -> ".join((*under_way[under_way.index(label) :], label))
            raise MachineFileError(f"devices use one another in a circle: {circle}", file=file, key=f"devices.{label}")
        under_way.append(label)
        for used in config.devices[label].uses.values():
            visit(used)
        under_way.pop()
        order.append(label)

    for label in config.devices:
        visit(label)
    return order


def _build_device(label: str, config: MachineConfig, built: Mapping[str, Device], file: Path | None) -> Device:
    wanted = config.devices[label]
    key = f"devices.{label}"
    try:
        driver = driver_class(wanted.driver)
    except ConfigurationError as e:
        raise MachineFileError(e.message, file=file, key=f"{key}.driver", allowed=e.allowed) from e
    options = validate(wanted.options, driver.Options, MachineFileError, file=file, key=f"{key}.options")
    if set(wanted.uses) != set(driver.Uses):
        allowed = ", ".join(driver.Uses) or "nothing"
        raise MachineFileError(f"{sorted(wanted.uses)}", file=file, key=f"{key}.uses", allowed=allowed)
    uses = {name: built[used] for name, used in wanted.uses.items()}
    for name, device in uses.items():
        if not isinstance(device, driver.Uses[name]):
            kind = driver.Uses[name].__name__
            raise MachineFileError(f"{device.label} is no {kind}", file=file, key=f"{key}.uses.{name}", allowed=kind)
    if wanted.role is not None and not issubclass(driver, KINDS[wanted.role]):
        raise MachineFileError(f"driver {wanted.driver} cannot be a {wanted.role}", file=file, key=f"{key}.role")
    return driver.create(label, options, uses)
