"""Machine file (YAML) -> `MachineConfig`: which devices there are, how they are wired, what they can do.

Owns the file's schema and its cross checks; builds and opens nothing (`squid.microscope` does).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import Field

from squid.abc.camera import PixelFormat, TriggerMode
from squid.errors import MachineFileError
from squid.models.base import FileModel
from squid.models.channel import ChannelPreset
from squid.models.file import read_mapping, validate
from squid.models.geometry import Orientation, StageLimits
from squid.models.objective import Objective
from squid.models.plate import PlateGeometry

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
"""Folder of the files that come with the program."""


class Role(StrEnum):
    """What a device does for the microscope; each role is taken at most once."""

    CAMERA = "camera"
    STAGE = "stage"
    ILLUMINATION = "illumination"
    FILTER_WHEEL = "filter_wheel"
    OBJECTIVE_CHANGER = "objective_changer"
    CAMERA_TRIGGER = "camera_trigger"
    SEQUENCER = "sequencer"


class DeviceConfig(FileModel):
    """One device.

    Attributes
    ----------
    driver : str
        Name in the registry.
    role : Role or None
        None: it only serves other devices.
    uses : mapping of str to str
        What the driver needs, by label.
    options : mapping
        The driver's own settings, checked by the driver's `Options`.
    """

    driver: str
    role: Role | None = None
    uses: Mapping[str, str] = Field(default_factory=dict)
    options: Mapping[str, Any] = Field(default_factory=dict)


class CameraConfig(FileModel):
    """How the imaging camera is mounted and used.

    Attributes
    ----------
    sensor_pixel_um : float
        Pixel pitch of the sensor.
    orientation : Orientation
        Turns frames so that stage +x points right and +y down.
    binning : int
        Binning for runs.
    pixel_format : PixelFormat
        Pixel format for runs.
    roi_px : (int, int) or None
        Width and height, in binned pixels, of a centred region; None: the whole sensor.
    trigger : TriggerMode
        ``hardware`` needs a device in the role camera_trigger.
    """

    sensor_pixel_um: float = Field(gt=0)
    orientation: Orientation = Orientation()
    binning: int = Field(default=1, gt=0)
    pixel_format: PixelFormat = PixelFormat.MONO12
    roi_px: tuple[int, int] | None = None
    trigger: TriggerMode = TriggerMode.SOFTWARE


class LoadingPosition(FileModel):
    """Where the stage takes a plate, in µm of stage coordinates; z goes to the lower end of its travel first."""

    x: float
    y: float


class MachineConfig(FileModel):
    """A microscope.

    Attributes
    ----------
    name : str
        For people.
    devices : mapping of str to DeviceConfig
        By label.
    camera : CameraConfig
        Mounting and use of the imaging camera.
    stage_limits : StageLimits or None
        Narrow the hardware's travel.
    loading_position_um : LoadingPosition or None
        Where the stage goes to take a plate; None: the middle of x at the upper end of y.
    tube_lens_mm : float
        Focal length of the microscope's tube lens.
    objectives : mapping of str to Objective or None
        What is mounted; None: taken from ``configs/objectives.csv`` by name.
    objective : str
        The one used when a plan names none.
    channels : mapping of str to mapping of str to ChannelPreset
        Presets per objective, by name; the key ``default`` serves objectives that have none of their own.
    plates : mapping of str to PlateGeometry
        Custom plates; the key is the name.
    """

    name: str
    devices: Mapping[str, DeviceConfig]
    camera: CameraConfig
    stage_limits: StageLimits | None = None
    loading_position_um: LoadingPosition | None = None
    tube_lens_mm: float = Field(default=180.0, gt=0)
    objectives: Mapping[str, Objective | None]
    objective: str
    channels: Mapping[str, Mapping[str, ChannelPreset]]
    plates: Mapping[str, PlateGeometry] = Field(default_factory=dict)

    def channels_of(self, objective: str) -> Mapping[str, ChannelPreset]:
        """Return the channel presets of an objective, by channel name."""
        return {**self.channels.get("default", {}), **self.channels.get(objective, {})}

    def optics_of(self, objective: str) -> Objective:
        """Return what is known of an objective."""
        optics = self.objectives[objective]
        assert optics is not None  # `read_machine_file` put the table's entry there
        return optics

    def label_of(self, role: Role) -> str | None:
        """Return the label of the device in a role; None when nobody has it."""
        return next((label for label, device in self.devices.items() if device.role is role), None)


def read_machine_file(path: Path) -> MachineConfig:
    """Read and check a machine file.

    Raises
    ------
    MachineFileError
        Names the file, the key, the value found and what is allowed.
    """
    data = read_mapping(path, MachineFileError)
    for name, plate in (data.get("plates") or {}).items():
        if isinstance(plate, dict):
            plate.setdefault("name", name)
    config = validate(data, MachineConfig, MachineFileError, file=path)
    config = config.model_copy(update={"objectives": _with_table(config, path)})
    _check(config, path)
    return config


def _with_table(config: MachineConfig, file: Path) -> dict[str, Objective]:
    table = read_objectives()
    found = {}
    for name, objective in config.objectives.items():
        if objective is None and name not in table:
            raise MachineFileError(
                "is not in the table of objectives", file=file, key=f"objectives.{name}", allowed=", ".join(table)
            )
        found[name] = objective or table[name]
    return found


def _check(config: MachineConfig, file: Path) -> None:
    """Refuse what the schema cannot see: labels, roles and objectives that do not exist."""

    def refuse(key: str, message: str, allowed: str) -> None:
        raise MachineFileError(message, file=file, key=key, allowed=allowed)

    roles: dict[Role, str] = {}
    for label, device in config.devices.items():
        if device.role is not None and roles.setdefault(device.role, label) != label:
            refuse(f"devices.{label}.role", f"role {device.role} is taken by {roles[device.role]}", "one device a role")
        for key, used in device.uses.items():
            if used not in config.devices:
                refuse(f"devices.{label}.uses.{key}", f"no device '{used}'", ", ".join(config.devices))
    for role in (Role.CAMERA, Role.STAGE, Role.ILLUMINATION):
        if role not in roles:
            refuse("devices", f"no device has the role {role}", f"exactly one device with role: {role}")
    if config.camera.trigger is TriggerMode.HARDWARE and Role.CAMERA_TRIGGER not in roles:
        refuse("camera.trigger", "hardware trigger without a device in the role camera_trigger", "software")
    if config.objective not in config.objectives:
        refuse("objective", f"no objective '{config.objective}'", ", ".join(config.objectives))
    for name in config.channels:
        if name != "default" and name not in config.objectives:
            refuse(f"channels.{name}", "is no objective", ", ".join(("default", *config.objectives)))


def read_objectives(path: Path = CONFIGS / "objectives.csv") -> dict[str, Objective]:
    """Return the table of known objectives by name."""
    return {row.pop("name"): Objective.model_validate(row) for row in _rows(path)}


def read_plates(path: Path = CONFIGS / "plates.csv") -> dict[str, PlateGeometry]:
    """Return the table of known plates by name.

    Wells of 6 to 96 well plates are round, of denser plates and slides square.
    """
    plates = {}
    for row in _rows(path):
        name = row.pop("format")
        round_wells = 1 < int(row["rows"]) * int(row["columns"]) <= 96
        plates[name] = PlateGeometry.model_validate({"name": name, "round_wells": round_wells, **row})
    return plates


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))
