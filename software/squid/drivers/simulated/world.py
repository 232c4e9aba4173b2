"""The simulated world: seed, time, plate, specimen, optics and faults, shared by the simulated devices.

A device without role. The others name it under ``uses: {world: …}`` and, when built, are attached as what stands in
the light path; the camera then asks for the `Scene` of its exposure. So no driver needs to know another.

The world is the truth of the simulation; the machine file is what its user believes. Numbers that both need (sensor
pixel, tube lens, objectives) have the same defaults in both and are overridden here only to simulate a wrong belief.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Protocol

import cv2
from pydantic import BaseModel, Field, field_validator

from squid.abc.device import Device
from squid.abc.illumination import LightSource
from squid.drivers.simulated.cells import CellOptions, CellSpecimen
from squid.drivers.simulated.faults import FaultPlan, parse_fault
from squid.drivers.simulated.images import ImageOptions, ImageSpecimen
from squid.drivers.simulated.optics import VISIBLE, Bands
from squid.drivers.simulated.plate_map import PlateMap
from squid.drivers.simulated.scene import Dose, Scene
from squid.drivers.simulated.specimen import PlateSurface, Specimen
from squid.errors import ConfigurationError
from squid.machine_file import read_objectives, read_plates
from squid.models.base import FileModel
from squid.models.geometry import StagePosition
from squid.models.objective import Objective
from squid.models.plate import PlateGeometry

_FIRST_PLATE = "96 well plate"
_INSTANTS = 5  # of a moving stage that are averaged into one frame


class FocusOptions(FileModel):
    """Where the specimen is sharp.

    Attributes
    ----------
    z_um : float
        Stage z of focus in the middle of the plate.
    tilt_x_um_per_mm, tilt_y_um_per_mm : float
        Slope of the plate.
    bow_um : float
        How much higher the plate's middle lies than its corners.
    """

    z_um: float = 3000.0
    tilt_x_um_per_mm: float = 0.05
    tilt_y_um_per_mm: float = -0.03
    bow_um: float = 2.0


class WorldOptions(FileModel):
    """Options of the simulated world.

    Attributes
    ----------
    seed : int
        Everything random follows from it.
    time_scale : float
        How many times faster than real all simulated hardware is.
    plate : str or PlateGeometry, optional
        What lies on the stage whatever a plan believes: a name in ``configs/plates.csv``, or a plate of one's own.
        None: the plate that was named last, as if a person had put it there; at first one of 96 wells.
    specimen : CellOptions or ImageOptions
        Simulated cells, or ``{images: FOLDER}``.
    focus : FocusOptions
        Where it is sharp.
    objective : str
        The objective in the light path of a machine without a turret.
    objectives : mapping of str to Objective
        Objectives that differ from ``configs/objectives.csv``, by name.
    tube_lens_mm : float
        Focal length of the tube lens.
    faults : tuple of str
        See `squid.drivers.simulated.faults`.
    """

    seed: int = Field(default=1, ge=0)
    time_scale: float = Field(default=1.0, gt=0)
    plate: str | PlateGeometry | None = None
    specimen: CellOptions | ImageOptions = CellOptions()
    focus: FocusOptions = FocusOptions()
    objective: str = "20x"
    objectives: Mapping[str, Objective] = Field(default_factory=dict)
    tube_lens_mm: float = Field(default=180.0, gt=0)
    faults: tuple[str, ...] = ()

    @field_validator("specimen", mode="before")
    @classmethod
    def _one_kind(cls, value: Any) -> Any:
        """Choose the model by its keys, so that an error names the right one's."""
        if isinstance(value, Mapping):
            return (ImageOptions if "images" in value else CellOptions).model_validate(dict(value))
        return value

    @field_validator("faults")
    @classmethod
    def _understood(cls, faults: tuple[str, ...]) -> tuple[str, ...]:
        for text in faults:
            try:
                parse_fault(text)
            except ConfigurationError as e:
                raise ValueError(str(e)) from e
        return faults


class StageProbe(Protocol):
    """A stage as the light path sees it."""

    def position_at(self, instant_s: float) -> StagePosition:
        """Return the true position at an instant of the recent past."""


class LightProbe(Protocol):
    """An illumination as the light path sees it."""

    def mean_levels(self, start_s: float, end_s: float) -> tuple[tuple[LightSource, float], ...]:
        """Return each source's mean level (power × fraction) between two instants, dark ones left out."""


class FilterProbe(Protocol):
    """A filter wheel as the light path sees it."""

    @property
    def bands(self) -> Bands | None:
        """Pass bands in the beam; None while turning."""


class TurretProbe(Protocol):
    """An objective changer as the light path sees it."""

    @property
    def current(self) -> str | None:
        """Name of the objective in the beam; None while turning."""


class SimulatedWorld(Device):
    """What the simulated devices share. See the module docstring."""

    Options = WorldOptions

    def __init__(self, label: str, options: WorldOptions, specimen: Specimen, table: Mapping[str, Objective]) -> None:
        super().__init__(label)
        self.seed = options.seed
        self.time_scale = options.time_scale
        self.faults = FaultPlan([parse_fault(text) for text in options.faults])
        self.specimen = specimen
        self._options = options
        self._objectives = table
        self._stage: StageProbe | None = None
        self._light: LightProbe | None = None
        self._filter: FilterProbe | None = None
        self._turret: TurretProbe | None = None

    @classmethod
    def create(cls, label: str, options: BaseModel, uses: Mapping[str, Device]) -> SimulatedWorld:
        """Build the world; see `Device.create`."""
        assert isinstance(options, WorldOptions)
        table = {**read_objectives(), **options.objectives}
        if options.objective not in table:
            raise ConfigurationError(
                f"no objective '{options.objective}'", key=f"{label}.objective", allowed=", ".join(table)
            )
        return cls(label, options, _specimen(label, options), table)

    def plate_placed(self, plate: PlateGeometry) -> None:
        """Lay this plate under the objective, unless the machine file says what lies there."""
        if self._options.plate is None and plate != self.specimen.plate_map.plate:
            plate_map = PlateMap(plate)
            self.specimen = self.specimen.on_plate(plate_map, _surface(plate_map, self._options.focus))

    def attach_stage(self, stage: StageProbe) -> None:
        """Put a stage under the objective."""
        self._stage = stage

    def attach_light(self, light: LightProbe) -> None:
        """Put an illumination into the light path."""
        self._light = light

    def attach_filter(self, wheel: FilterProbe) -> None:
        """Put an emission filter wheel into the light path."""
        self._filter = wheel

    def attach_turret(self, turret: TurretProbe) -> None:
        """Put an objective changer into the light path."""
        self._turret = turret

    @property
    def start_position(self) -> StagePosition:
        """Where a stage stands when the program starts: in a well in the middle of the plate, in focus."""
        plate_map = self.specimen.plate_map
        well = plate_map.well(plate_map.plate.rows // 2, plate_map.plate.columns // 2)
        return StagePosition(well.x_um, well.y_um, self._options.focus.z_um)

    def objective_named(self, label: str, name: str) -> Objective:
        """Return the optics of an objective.

        Raises
        ------
        ConfigurationError
            Nobody knows it; `label` is the device that has it.
        """
        if name not in self._objectives:
            raise ConfigurationError(f"no objective '{name}'", key=label, allowed=", ".join(self._objectives))
        return self._objectives[name]

    def scene(self, start_s: float, end_s: float, exposure_s: float) -> Scene:
        """Return what stood in the light path between two instants of `time.monotonic`.

        Parameters
        ----------
        start_s, end_s : float
            The instants; equal ones tell what stands there now.
        exposure_s : float
            Length of the exposure at time scale 1: the mean levels, times this, are the doses.
        """
        name = self._turret.current if self._turret else self._options.objective
        levels = self._light.mean_levels(start_s, end_s) if self._light else ()
        return Scene(
            positions=self._positions(start_s, end_s),
            doses=tuple(Dose(source, level * exposure_s) for source, level in levels),
            bands=self._filter.bands if self._filter else VISIBLE,
            objective=self._objectives[name] if name else None,
            tube_lens_mm=self._options.tube_lens_mm,
        )

    def _positions(self, start_s: float, end_s: float) -> tuple[StagePosition, ...]:
        if self._stage is None:
            return (self.start_position,)
        if start_s == end_s:
            return (self._stage.position_at(start_s),)
        step_s = (end_s - start_s) / (_INSTANTS - 1)
        seen = tuple(self._stage.position_at(start_s + step_s * i) for i in range(_INSTANTS))
        return seen if len(set(seen)) > 1 else seen[:1]

    def _do_open(self) -> None:
        cv2.setNumThreads(1)  # one camera, one core: frames of a simulated rig must not take the program's cores
        self.specimen.load()

    def _do_close(self) -> None:
        pass


class HangSwitch:
    """Where a call that hangs waits, for ever or until its device is closed."""

    def __init__(self) -> None:
        self._released = threading.Event()

    def arm(self) -> None:
        """Let later hangs hang."""
        self._released.clear()

    def release(self) -> None:
        """Let every hanging call go on."""
        self._released.set()

    def wait(self) -> None:
        """Hang."""
        self._released.wait()


def _specimen(label: str, options: WorldOptions) -> Specimen:
    plate_map = PlateMap(_plate(label, options.plate or _FIRST_PLATE))
    surface = _surface(plate_map, options.focus)
    if isinstance(options.specimen, ImageOptions):
        return ImageSpecimen(plate_map, surface, options.specimen)
    return CellSpecimen(plate_map, surface, options.specimen, options.seed)


def _surface(plate_map: PlateMap, focus: FocusOptions) -> PlateSurface:
    x_um, y_um = plate_map.centre_um
    return PlateSurface(x_um, y_um, focus.z_um, focus.tilt_x_um_per_mm, focus.tilt_y_um_per_mm, focus.bow_um)


def _plate(label: str, plate: str | PlateGeometry) -> PlateGeometry:
    if isinstance(plate, PlateGeometry):
        return plate
    known = read_plates()
    if plate not in known:
        raise ConfigurationError(f"no plate '{plate}'", key=f"{label}.plate", allowed=", ".join(known))
    return known[plate]
