"""The wells of a data set, numbered once: what progress and thumbnails are kept by.

Fields of a well belong together; so do the points of a free position or region outside any plate, which counts as a
well without row and column. Arrays by well and by image: a plan of 76 million frames takes a few megabytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from squid.models.layout import DatasetLayout, ImageLayout, WellRef

NO_WELL = -1
"""Row and column of a free position."""


@dataclass(frozen=True, slots=True, eq=False)
class PlanWells:
    """Which image lies in which well.

    Attributes
    ----------
    wells : tuple of WellRef
        In the order of their first image; row and column are `NO_WELL` for a free position.
    well_of_image : ndarray, shape (images,), int32
        Number of the well of each image.
    planned : ndarray, shape (wells,), int64
        Frames planned; they add up to the plan's.
    offset_um : ndarray, shape (images, 2), float64
        x and y of each field's centre from the well's centre; of a free position, from the middle of its fields.
    size_z : ndarray, shape (images,), int64
        Planes of each image.
    """

    wells: tuple[WellRef, ...]
    well_of_image: npt.NDArray[np.int32]
    planned: npt.NDArray[np.int64]
    offset_um: npt.NDArray[np.float64]
    size_z: npt.NDArray[np.int64]

    @classmethod
    def of(cls, layout: DatasetLayout) -> PlanWells:
        """Number the wells of a data set; about 5 µs per image."""
        numbers: dict[WellRef, int] = {}
        count = len(layout.images)
        well_of_image = np.zeros(count, np.int32)
        at_um = np.zeros((count, 2))
        planes = np.zeros((count, 2), np.int64)
        for number, image in enumerate(layout.images):
            well_of_image[number] = numbers.setdefault(image.well or _place(image), len(numbers))
            at_um[number] = image.x_um, image.y_um
            planes[number] = image.size_t, image.size_z
        wells = tuple(numbers)
        centres_um = _centres_um(layout, wells, well_of_image, at_um)
        return cls(
            wells,
            well_of_image,
            _planned(layout.frames_planned, len(wells), well_of_image, planes.prod(axis=1)),
            at_um - centres_um[well_of_image],
            planes[:, 1].copy(),
        )


def _place(image: ImageLayout) -> WellRef:
    """Return what stands for the well of a free position: its name without the number of the field."""
    return WellRef(NO_WELL, NO_WELL, image.name.removesuffix(f"_{image.field}"))


def _planned(
    frames: int, wells: int, well_of_image: npt.NDArray[np.int32], weights: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Share the plan's frames out among its wells: a channel may leave out planes or time points, of all alike."""
    by_well = np.bincount(well_of_image, weights, minlength=wells)
    ends = np.rint(np.cumsum(by_well) * (frames / max(1.0, by_well.sum()))).astype(np.int64)
    planned: npt.NDArray[np.int64] = np.diff(ends, prepend=0)
    return planned


def _centres_um(
    layout: DatasetLayout,
    wells: tuple[WellRef, ...],
    well_of_image: npt.NDArray[np.int32],
    at_um: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Return x and y of each well's centre, shape (wells, 2)."""
    counts = np.maximum(1, np.bincount(well_of_image, minlength=len(wells)))
    sums = [np.bincount(well_of_image, at_um[:, axis], minlength=len(wells)) for axis in (0, 1)]
    centres_um = np.stack(sums, axis=1) / counts[:, None]
    if layout.plate is not None:
        for number, well in enumerate(wells):
            if well.row != NO_WELL:
                centres_um[number] = layout.plate.well_centre_um(well.row, well.column)
    return centres_um
