"""How long a run took from frame to frame, by what changed in between: from the steady clock in its journal.

An interval runs from the end of one exposure to the end of the next. Intervals across a hole, a retake or two parts of
a resumed run tell nothing of the instrument, and are counted apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from control.core.review.frames import Rows

KINDS = ("z step", "channel change", "field move", "well move", "time point", "after a hole or a retake")


@dataclass(frozen=True, slots=True)
class StepTimes:
    """Intervals of one kind.

    Attributes
    ----------
    kind : str
        Of `KINDS`; ``all frames`` for the whole.
    count : int
        Number of intervals.
    median_s, p95_s, max_s, total_s : float
        Of the intervals.
    exposure_s : float
        Median exposure time in them: what no instrument can do without.
    """

    kind: str
    count: int
    median_s: float
    p95_s: float
    max_s: float
    total_s: float
    exposure_s: float


def step_times(rows: Rows, well_of_image: npt.NDArray[np.int32]) -> tuple[StepTimes, ...]:
    """Return the intervals of a run by kind, those that occur; all of them together first.

    Parameters
    ----------
    rows : ndarray, shape (N,)
        Of type `control.core.review.frames.ROW`, in the order taken.
    well_of_image : ndarray, shape (images,)
        Number of each image's well.
    """
    same_part = rows["part"][1:] == rows["part"][:-1]
    interval_s = np.diff(rows["monotonic_s"])
    after = rows[1:]
    kinds = _kinds(rows, well_of_image)
    found = [_times("all frames", interval_s[same_part], after["exposure_ms"][same_part])]
    for number, kind in enumerate(KINDS):
        mask = same_part & (kinds == number)
        found.append(_times(kind, interval_s[mask], after["exposure_ms"][mask]))
    return tuple(times for times in found if times is not None)


def _kinds(rows: Rows, well_of_image: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Return the place in `KINDS` of each interval; the slowest change decides."""
    before, after = rows[:-1], rows[1:]
    kinds = np.zeros(len(after), np.int64)
    kinds[after["c"] != before["c"]] = 1
    kinds[after["image"] != before["image"]] = 2
    wells_before, wells_after = well_of_image[before["image"]], well_of_image[after["image"]]
    kinds[wells_after != wells_before] = 3
    kinds[after["t"] != before["t"]] = 4
    kinds[(after["index"] != before["index"] + 1) | (after["attempts"] > 1)] = 5
    return kinds


def _times(kind: str, interval_s: npt.NDArray[np.float64], exposure_ms: npt.NDArray[np.float64]) -> StepTimes | None:
    if not len(interval_s):
        return None
    median_s, p95_s = np.percentile(interval_s, (50, 95))
    return StepTimes(
        kind=kind,
        count=len(interval_s),
        median_s=float(median_s),
        p95_s=float(p95_s),
        max_s=float(interval_s.max()),
        total_s=float(interval_s.sum()),
        exposure_s=float(np.median(exposure_ms)) / 1000,
    )
