"""The shape of the data set that a plan produces: what a sink must know before the first frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from squid.models.channel import ChannelLayout
from squid.models.objective import Objective
from squid.models.plate import PlateGeometry


class WellRef(NamedTuple):
    """A well by zero-based row and column, and its name as people write it (``B3``)."""

    row: int
    column: int
    name: str


@dataclass(frozen=True, slots=True)
class ImageLayout:
    """One image of the data set: one field of a well, or one free position. Axes TCZYX.

    Attributes
    ----------
    index : int
        Place in `DatasetLayout.images`.
    name : str
        Unique in the data set: ``B3_0`` for field 0 of well B3, or the position's name.
    well : WellRef or None
        None: a free position, outside any plate.
    field : int
        Number of the field in its well (or 0), 0 ….
    x_um, y_um : float
        Centre of the field in stage coordinates.
    z_um : float
        Stage z of the plane z = 0 of the first channel.
    size_t, size_z : int
        Planned extent; the channel axis is always that of the data set.
    z_step_um : float or None
        Distance of its planes, always positive; None: one plane, unequal distances, or that of the data set.
    position : str
        Name of the free position that the field belongs to; empty: the image's own name.
    """

    index: int
    name: str
    well: WellRef | None
    field: int
    x_um: float
    y_um: float
    z_um: float
    size_t: int
    size_z: int
    z_step_um: float | None = None
    position: str = ""


@dataclass(frozen=True, slots=True)
class LightPath:
    """What gives a data set its pixel size.

    Attributes
    ----------
    objective : Objective
        In use.
    sensor_pixel_um : float
        Pixel pitch of the sensor, unbinned.
    binning : int
        In force.
    tube_lens_mm : float
        Focal length of the microscope's own tube lens.
    """

    objective: Objective
    sensor_pixel_um: float
    binning: int
    tube_lens_mm: float


@dataclass(frozen=True, slots=True)
class DatasetLayout:
    """Everything a sink needs before the first frame.

    Attributes
    ----------
    name : str
        Name of the run.
    images : sequence of ImageLayout
        In order of `ImageLayout.index`; may be computed on demand.
    channels : tuple of ChannelLayout
        The channel axis, the same for all images.
    shape_px : (int, int)
        Height and width of a stored frame.
    dtype : str
        ``uint8`` or ``uint16``.
    significant_bits : int
        Bits of the camera's range, at most those of `dtype`.
    pixel_size_um : float
        At the sample.
    z_step_um : float or None
        Distance of planes; None when there is one plane or the distances differ.
    time_interval_s : float or None
        Interval of time points; None when there is one or they differ.
    plate : PlateGeometry or None
        None when the plan has free positions only.
    frames_planned : int
        Number of events.
    objective : str
        Name of the objective.
    light_path : LightPath or None
        Where the pixel size comes from; None when it is not known.
    """

    name: str
    images: Sequence[ImageLayout]
    channels: tuple[ChannelLayout, ...]
    shape_px: tuple[int, int]
    dtype: str
    significant_bits: int
    pixel_size_um: float
    z_step_um: float | None
    time_interval_s: float | None
    plate: PlateGeometry | None
    frames_planned: int
    objective: str
    light_path: LightPath | None = None

    @property
    def frame_bytes(self) -> int:
        """Size of a stored frame, uncompressed."""
        height, width = self.shape_px
        return height * width * (1 if self.dtype == "uint8" else 2)
