"""The frames of a run as its journal tells them: one row each, found by place, read on while the run goes on.

::

    journal.jsonl ──read_on──▶ rows (numpy) ──▶ frames        a view that never changes; the next one is longer, or
                                    │                         shorter where a resume found that frames were lost
                                    └─────────▶ row_of(place)

Owns no file for longer than a call; knows no pixels.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from control.core.journal import FILE_NAME, Record, read_records

ROW = np.dtype(
    [
        ("index", "i4"), ("image", "i4"), ("t", "i4"), ("c", "i2"), ("z", "i2"), ("part", "i2"), ("attempts", "i2"),
        ("target_um", "f8", 3), ("actual_um", "f8", 3), ("exposure_ms", "f8"), ("monotonic_s", "f8"), ("utc_s", "f8"),
    ]
)  # fmt: skip
"""One frame: place in plan and data set, part of the run, exposures it took; x, y, z in stage µm; end of exposure."""

Rows = npt.NDArray[np.void]
"""Frames, shape (N,), of type `ROW`."""

_BATCH = 512


class PlaneRef(NamedTuple):
    """A plane by image, time point, channel and z."""

    image: int
    t: int
    c: int
    z: int


class Frames:
    """The frames of one run; readable from any thread while another reads on.

    Parameters
    ----------
    folder : Path
        The run folder.
    extent : PlaneRef
        Number of images, and the largest number of time points, channels and planes.

    Attributes
    ----------
    is_caught_up : bool
        Whether everything that the journal held at the last look was read.
    """

    def __init__(self, folder: Path, extent: PlaneRef) -> None:
        self.is_caught_up = False
        self._path = folder / FILE_NAME
        self._extent = extent
        self._lock = threading.Lock()
        self._forget()

    @property
    def rows(self) -> Rows:
        """Stored frames in the order in which they were stored; a frame stored twice is there twice."""
        return self._rows

    @property
    def missing(self) -> Mapping[int, str]:
        """Reason by index of the frames that were given up."""
        return self._missing

    def row_of(self, place: PlaneRef) -> int | None:
        """Return the row of a plane; None when the journal does not say that it is stored."""
        if not all(0 <= value < size for value, size in zip(place, self._extent, strict=True)):
            return None
        row = int(self._row_numbers[place]) - 1
        return row if row >= 0 else None

    def read_on(self, limit_s: float | None = None) -> bool:
        """Read what was written since the last look.

        Parameters
        ----------
        limit_s : float or None
            Stop after about so long, and go on at the next call; None: read everything.

        Returns
        -------
        bool
            Whether there was anything new.
        """
        with self._lock:
            size = self._path.stat().st_size
            if size < self._offset:  # replaced by a shorter one: what was read is void
                self._forget()
            self.is_caught_up = size == self._offset
            if self.is_caught_up:
                return False
            return self._take(read_records(self._path, self._offset), limit_s)

    def _forget(self) -> None:
        self._offset = 0
        self._part = 0
        self._store: Rows = np.zeros(1024, ROW)
        self._rows: Rows = self._store[:0]
        self._row_numbers = np.zeros(tuple(self._extent), np.int32)  # 1 more than the row; pages come as they are used
        self._missing: dict[int, str] = {}

    def _take(self, records: Iterator[tuple[Record, int]], limit_s: float | None) -> bool:
        started_s = time.monotonic()
        changed = False
        self.is_caught_up = True
        batch: list[tuple[Any, ...]] = []
        missing = dict(self._missing)
        for record, end in records:
            self._offset = end
            changed = True
            if record["kind"] == "stored":
                batch.append(_row(record, self._part))
                missing.pop(record["index"], None)
            elif record["kind"] == "missing":
                missing[record["index"]] = record["reason"]
            elif record["kind"] == "lost":
                self._append(batch)
                self._lose(record["indexes"])
                missing |= dict.fromkeys(record["indexes"], record["reason"])
            elif record["kind"] == "part":
                self._part += 1
            if len(batch) == _BATCH:
                self._append(batch)
                if limit_s is not None and time.monotonic() - started_s > limit_s:
                    self.is_caught_up = False
                    break
        self._append(batch)
        self._missing = missing
        return changed

    def _lose(self, indexes: list[int]) -> None:
        """Take out frames that were stored and are not on disk any more."""
        rows = self._rows
        self._store = rows[~np.isin(rows["index"], indexes)]
        self._rows = self._store
        self._row_numbers[rows["image"], rows["t"], rows["c"], rows["z"]] = 0
        kept = self._rows
        self._row_numbers[kept["image"], kept["t"], kept["c"], kept["z"]] = np.arange(1, len(kept) + 1)

    def _append(self, batch: list[tuple[Any, ...]]) -> None:
        """Publish rows, then where they are."""
        count = len(self._rows)
        if count + len(batch) > len(self._store):
            grown = np.zeros(2 * (count + len(batch)), ROW)
            grown[:count] = self._rows
            self._store = grown
        self._store[count : count + len(batch)] = batch
        self._rows = self._store[: count + len(batch)]
        for number, row in enumerate(batch, start=count + 1):
            self._row_numbers[row[1:5]] = number
        batch.clear()


def _row(record: Record, part: int) -> tuple[Any, ...]:
    return (
        record["index"], record["image"], record["t"], record["c"], record["z"], part, record["attempts"],
        tuple(record["target_um"]), tuple(record["actual_um"]), record["exposure_ms"],
        record["monotonic_s"], record["utc_s"],
    )  # fmt: skip
