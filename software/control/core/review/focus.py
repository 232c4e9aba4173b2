"""Where a run's focus lay: actual z over the plate, how far from the plan, how the plate tilts and bends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from control.core.review.frames import Rows


@dataclass(frozen=True, slots=True)
class Plane:
    """The plane that fits z best (least squares).

    Attributes
    ----------
    tilt_x_um_per_mm, tilt_y_um_per_mm : float
        Rise of z along x and y.
    spread_um : float
        Standard deviation of z about the plane.
    """

    tilt_x_um_per_mm: float
    tilt_y_um_per_mm: float
    spread_um: float


@dataclass(frozen=True, slots=True)
class FocusSummary:
    """The focus of a run.

    Attributes
    ----------
    error_median_um, error_p95_um, error_max_um : float
        Distance of actual from planned z, over all frames.
    lowest_um, highest_um : float
        Actual z of the lowest plane of each field, over all fields.
    plane : Plane or None
        Through these; None when there are fewer than three fields, or all in one line.
    """

    error_median_um: float
    error_p95_um: float
    error_max_um: float
    lowest_um: float
    highest_um: float
    plane: Plane | None


def focus_points(rows: Rows, t: int = 0, z: int = 0, c: int | None = None) -> Rows:
    """Return one frame for each image: at that time point and plane, of that channel, or of the first one taken."""
    keep = (rows["t"] == t) & (rows["z"] == z)
    if c is not None:
        keep &= rows["c"] == c
    of_plane = rows[keep]
    _, first = np.unique(of_plane["image"], return_index=True)
    points: Rows = of_plane[first]
    return points


def fit_plane(
    x_um: npt.NDArray[np.float64], y_um: npt.NDArray[np.float64], z_um: npt.NDArray[np.float64]
) -> Plane | None:
    """Return the plane through points, each of shape (N,); None when they do not determine one."""
    if len(z_um) < 3:
        return None
    matrix = np.column_stack((np.ones(len(z_um)), (x_um - x_um.mean()) / 1000, (y_um - y_um.mean()) / 1000))
    if np.linalg.matrix_rank(matrix) < 3:
        return None
    factors, *_ = np.linalg.lstsq(matrix, z_um, rcond=None)
    return Plane(float(factors[1]), float(factors[2]), float(np.std(z_um - matrix @ factors)))


def focus_summary(rows: Rows) -> FocusSummary | None:
    """Return the focus of a run; None when no frame is stored."""
    if not len(rows):
        return None
    error_um = np.abs(rows["actual_um"][:, 2] - rows["target_um"][:, 2])
    points = focus_points(rows, int(rows["t"].min()), int(rows["z"].min()))["actual_um"]
    median_um, p95_um = np.percentile(error_um, (50, 95))
    if not len(points):
        points = rows["actual_um"]
    return FocusSummary(
        error_median_um=float(median_um),
        error_p95_um=float(p95_um),
        error_max_um=float(error_um.max()),
        lowest_um=float(points[:, 2].min()),
        highest_um=float(points[:, 2].max()),
        plane=fit_plane(points[:, 0], points[:, 1], points[:, 2]),
    )


def signed(value: float) -> str:
    """Return a number with two decimals and its sign; nothing is never negative."""
    return f"{round(value, 2) + 0.0:+.2f}"
