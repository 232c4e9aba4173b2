"""The parts of a plan as a person edits them in the window: plain frozen values, no file language, no device.

Lengths in µm of stage coordinates, overlaps in per cent, intensities as fractions 0…1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

Use = Literal["wells", "positions", "regions"]
"""What the plan images: wells of a plate, free positions, or regions drawn as polygons."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A part of the plan's file that the window cannot show; it is written back as it was until it is replaced.

    Attributes
    ----------
    text : str
        What the file says, in short.
    """

    text: str


@dataclass(frozen=True, slots=True)
class SingleField:
    """One field, in the centre."""


@dataclass(frozen=True, slots=True)
class GridFields:
    """Fields on a grid around the centre.

    Attributes
    ----------
    rows, columns : int
        1 or more.
    overlap_pct : float
        Of neighbouring fields; below 100.
    order : str
        ``snake``: every other row backwards; ``row``: all rows in the same direction.
    clip : bool
        Leave out the fields whose centre is not inside the well.
    """

    rows: int = 2
    columns: int = 2
    overlap_pct: float = 0.0
    order: Literal["snake", "row"] = "snake"
    clip: bool = False


@dataclass(frozen=True, slots=True)
class RandomFields:
    """Fields at random places of an ellipse around the centre, the same in every well.

    Attributes
    ----------
    count : int
        1 or more.
    seed : int
        Other seeds give other places.
    width_um, height_um : float
        Of the ellipse that holds the fields' centres.
    clip : bool
        Leave out the fields whose centre is not inside the well.
    """

    count: int = 5
    seed: int = 0
    width_um: float = 4000.0
    height_um: float = 4000.0
    clip: bool = False


FieldsChoice = SingleField | GridFields | RandomFields | Kept


@dataclass(frozen=True, slots=True)
class ChannelChoice:
    """A channel of the plan; None: as in the preset.

    Attributes
    ----------
    name : str
        Of the preset.
    exposure_ms, intensity, z_offset_um : float or None
        What differs from it.
    """

    name: str
    exposure_ms: float | None = None
    intensity: float | None = None
    z_offset_um: float | None = None


@dataclass(frozen=True, slots=True)
class ZStack:
    """Planes, from the lowest to the highest. What a kind does not use is set to 0.

    Attributes
    ----------
    kind : str
        ``centre``: `range_um` around the position's z; ``bottom``: `range_um` upwards from it; ``range``: from
        `bottom_um` to `top_um` of the stage.
    step_um : float
        Distance of planes, above 0.
    range_um : float
        From the lowest to the highest plane (``centre``, ``bottom``).
    bottom_um, top_um : float
        Lowest and highest z of the stage (``range``).
    """

    kind: Literal["centre", "bottom", "range"] = "centre"
    step_um: float = 2.0
    range_um: float = 0.0
    bottom_um: float = 0.0
    top_um: float = 0.0

    def __post_init__(self) -> None:
        for name in ("range_um",) if self.kind == "range" else ("bottom_um", "top_um"):
            object.__setattr__(self, name, 0.0)

    @property
    def span_um(self) -> float:
        """From the lowest to the highest plane."""
        return self.top_um - self.bottom_um if self.kind == "range" else self.range_um

    @property
    def planes(self) -> int:
        """Number of planes, as useq counts them; 0 when range and step give none."""
        if self.step_um <= 0 or self.span_um < 0:
            return 0
        bottom_um = {"centre": -self.range_um / 2, "bottom": 0.0, "range": self.bottom_um}[self.kind]
        top_um = {"centre": self.range_um / 2, "bottom": self.range_um, "range": self.top_um}[self.kind]
        return math.ceil((top_um + self.step_um / 2 - bottom_um) / self.step_um)


@dataclass(frozen=True, slots=True)
class TimeLapse:
    """Time points.

    Attributes
    ----------
    interval_s : float
        From start to start; 0: one after the other.
    count : int
        Number of time points.
    """

    interval_s: float
    count: int


@dataclass(frozen=True, slots=True)
class FreePosition:
    """A place on the stage; None: where the stage stands when the run starts.

    Attributes
    ----------
    name : str
        Unique in the plan; empty: the plan numbers it.
    x_um, y_um, z_um : float or None
        Stage coordinates; z None: that of the plan.
    origin : int or None
        Which position of the opened file it was: what the window cannot show stays with it.
    """

    name: str
    x_um: float | None
    y_um: float | None
    z_um: float | None = None
    origin: int | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class RegionPolygon:
    """An area of the stage that is covered with fields.

    Attributes
    ----------
    name : str
        Unique in the plan.
    points_um : tuple of (float, float)
        Corners (x, y), at least three, in order around the area.
    overlap_pct : float
        Of neighbouring fields.
    z_um : float or None
        None: that of the plan.
    """

    name: str
    points_um: tuple[tuple[float, float], ...]
    overlap_pct: float = 10.0
    z_um: float | None = None


@dataclass(frozen=True)
class DraftParts:
    """Everything of a plan that the window shows.

    Attributes
    ----------
    name : str
        Of the run.
    plate : str or None
        Name of the plate; None: no plate.
    objective : str or None
        None: the one in use.
    use : str
        Which of the next three is imaged; the others are kept for later.
    wells : str
        Selection as in the plan file, ``A1:C6, H12``; empty: none chosen.
    positions : tuple of FreePosition
        In order.
    regions : tuple of RegionPolygon
        In order.
    positions_in_wells : bool
        Free positions and regions belong to the wells in which they lie.
    fields : FieldsChoice
        Around the centre of each well or position; regions are covered without it.
    channels : tuple of ChannelChoice
        In order.
    z : ZStack or Kept or None
        None: one plane.
    time : TimeLapse or Kept or None
        None: once.
    z_um : float or None
        Stage z of wells and of positions without one; None: where the stage stands when the run starts.
    storage_format, compression : str
        As in the plan file.
    axis_order : str
        The last letter changes fastest; of t, p, g (fields), c, z.
    """

    name: str = "my plate"
    plate: str | None = "96 well plate"
    objective: str | None = None
    use: Use = "wells"
    wells: str = ""
    positions: tuple[FreePosition, ...] = ()
    regions: tuple[RegionPolygon, ...] = ()
    positions_in_wells: bool = False
    fields: FieldsChoice = SingleField()
    channels: tuple[ChannelChoice, ...] = ()
    z: ZStack | Kept | None = None
    time: TimeLapse | Kept | None = None
    z_um: float | None = None
    storage_format: str = "ome-zarr"
    compression: str = "lz4"
    axis_order: str = "tpgcz"
