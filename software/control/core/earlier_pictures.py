"""Pictures of what a resumed run had stored before: read back from its folder, beside the run.

::

    journal ──in slices──▶ newest frame of each field and channel ──newest first──▶ a level that will do ─▶ Previews

Takes a quarter of one core, so that the run does not notice; ends at once when it is cancelled or another run begins.
Keeps the list of frames while it works, and no pixels. Knows no Qt.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from control.core.previews import Previews
from control.core.stored_run import StoredRun
from squid.utils.task import current_task, tell_progress

SLICE_S = 0.02
"""So long the journal is read at one go."""

REST = 3.0
"""Rests so many times as long as it works."""


def read_earlier(previews: Previews, run_number: int, folder: Path) -> None:
    """Read back what `previews` has not seen of the run in `folder`; in a task.

    Parameters
    ----------
    previews : Previews
        Gets the pictures.
    run_number : int
        Its `run_number` when this was asked for.
    folder : Path
        The run folder.

    Raises
    ------
    ConfigurationError, StorageError
        The folder cannot be read; what was read is shown.
    TaskCancelledError
        Nobody wants it any more.
    """
    pace = _Pace()
    run = StoredRun.open(folder, SLICE_S)
    while not run.is_caught_up:
        pace.rest()
        run.refresh(SLICE_S)
    rows = run.frames[_newest_first(run)]
    for number, row in enumerate(rows):
        if previews.run_number != run_number:
            return
        tell_progress(number / len(rows))
        image, channel = int(row["image"]), int(row["c"])
        wanted_px = previews.earlier_px(channel, image)
        if wanted_px:
            level = _level(run, wanted_px)
            pixels = run.read(run.layout.images[image], int(row["t"]), channel, int(row["z"]), level)
            if pixels is not None:
                previews.put_earlier(run_number, channel, image, pixels)
            pace.rest()


def _newest_first(run: StoredRun) -> npt.NDArray[np.intp]:
    """Return the rows of the newest frame in the middle plane of each field and channel."""
    rows = run.frames
    images = run.layout.images
    used, inverse = np.unique(rows["image"], return_inverse=True)
    planes = np.array([images[int(image)].size_z for image in used], np.int64)[inverse]
    middle = np.flatnonzero((rows["z"] == (planes - 1) // 2) | (rows["z"] == planes // 2))[::-1]
    fields = rows["c"][middle].astype(np.int64) * len(images) + rows["image"][middle]
    _, first = np.unique(fields, return_index=True)
    newest: npt.NDArray[np.intp] = middle[np.sort(first)]
    return newest


def _level(run: StoredRun, height_px: int) -> int:
    """Return the smallest level of the pyramid that has so many lines."""
    full_px = run.layout.shape_px[0]
    return max(level for level in range(run.levels) if level == 0 or full_px >> level >= height_px)


class _Pace:
    """Lets the task rest `REST` times as long as it has worked since the last time."""

    def __init__(self) -> None:
        self._worked_s = time.thread_time()

    def rest(self) -> None:
        if (task := current_task()) is not None:
            task.pause(REST * (time.thread_time() - self._worked_s))
        self._worked_s = time.thread_time()
