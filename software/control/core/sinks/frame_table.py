"""Two tables that travel with the pixels: ``frames.csv``, one line per stored frame, and ``missing.csv``.

Owns the two files. Lines are appended at each commit, after the pixels; a frame stored twice has two lines until
`finish`, and the last one counts.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

from control.core.index_set import IndexSet
from control.core.sinks.disk import Disk
from control.core.sinks.line_file import LineFile
from squid.errors import StorageError
from squid.models.frame import FrameRecord

COLUMNS = (
    "index", "image", "name", "t", "c", "z", "channel",
    "x_requested_um", "y_requested_um", "z_requested_um", "x_um", "y_um", "z_um",
    "exposure_ms", "source", "intensity", "hardware_id", "monotonic_s", "utc", "attempts",
)  # fmt: skip
"""Columns of ``frames.csv``; `name` is the image's, positions are stage coordinates."""

TABLE = "frames.csv"
"""Name of the table of stored frames."""

NOT_TAKEN = "not taken"
"""Reason of a frame that is missing without any having been given: the run ended before it."""


class FrameTable:
    """The tables of one data set.

    Parameters
    ----------
    disk : Disk
        Of the run.
    folder : Path
        Where the tables are.
    frames_planned : int
        Indexes are below this.
    """

    def __init__(self, disk: Disk, folder: Path, frames_planned: int) -> None:
        self._disk = disk
        self._file = LineFile(disk, folder / TABLE, ",".join(COLUMNS))
        self._missing_path = folder / "missing.csv"
        self._stored = IndexSet(frames_planned)
        self._repeated: set[int] = set()
        self._gone: set[int] = set()
        self._pending: dict[int, str] = {}
        self._reasons: dict[int, str] = {}

    def __len__(self) -> int:
        """Number of frames in the table on disk."""
        return len(self._stored)

    def __contains__(self, index: int) -> bool:
        return index in self._stored

    def open(self, *, resume: bool) -> None:
        """Make the table, or read what an earlier part of the run left.

        Raises
        ------
        StorageError
            There are frames already, and this is no resumed run; they are untouched.
        """
        if not resume:
            self._refuse_frames()
            self._file.create()
            return
        for line in self._file.read_back():
            self._count(_index(line))
        if self._missing_path.exists():
            with self._disk.guard(self._missing_path), self._missing_path.open(encoding="utf-8", newline="") as file:
                rows = [(int(row["index"]), row["reason"]) for row in csv.DictReader(file)]
            self._reasons = {i: why for i, why in rows if why != NOT_TAKEN and i not in self._stored}

    def add(self, record: FrameRecord, name: str) -> None:
        """Note a frame for the next `commit`; a frame of the same index is replaced."""
        self._pending[record.event.index] = csv_line(_row(record, name))
        self._reasons.pop(record.event.index, None)

    def skip(self, index: int, reason: str) -> None:
        """Note why there is no frame at `index`; one that was in the table was lost, and its line will be left out."""
        self._reasons[index] = reason
        if index in self._stored:
            self._stored.discard(index)
            self._gone.add(index)

    def commit(self) -> None:
        """Put the noted frames on disk; when that fails they stay noted."""
        if not self._pending:
            return
        self._file.append(self._pending.values())
        for index in self._pending:
            self._count(index)
        self._pending.clear()

    def finish(self, missing: Collection[int]) -> None:
        """Leave one line per frame and write ``missing.csv``; harmless when repeated."""
        self.commit()
        if self._repeated or self._gone:
            self._compact()
        reasons = dict.fromkeys(missing, NOT_TAKEN) | self._reasons
        lines = (csv_line((index, reasons[index])) for index in sorted(reasons) if index not in self._stored)
        self._disk.write_lines(self._missing_path, (line for part in (("index,reason",), lines) for line in part))

    def _refuse_frames(self) -> None:
        path = self._file.path
        with self._disk.guard(path):
            if path.exists() and path.read_bytes().count(b"\n") > 1:
                raise StorageError(f"{path}: there are frames of another run; a new run needs a folder of its own")

    def _count(self, index: int) -> None:
        if index in self._stored or index in self._gone:
            self._repeated.add(index)
            self._gone.discard(index)
        self._stored.add(index)

    def _compact(self) -> None:
        """Keep the last line of each repeated index and none of a lost one, in passes that hold no line in memory."""
        last = {
            index: number
            for number, line in enumerate(self._file.read_back())
            if (index := _index(line)) in self._repeated
        }
        gone = frozenset(self._gone)
        self._file.rewrite(
            lambda number, line: (index := _index(line)) not in gone and last.get(index, number) == number
        )
        self._repeated.clear()
        self._gone.clear()


def csv_line(row: tuple[object, ...]) -> str:
    """Return a row as CSV, without the line's end."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(row)
    return text.getvalue().replace("\n", " ").replace("\r", " ")


def utc_text(utc_s: float) -> str:
    """Return seconds since 1970 UTC as ISO 8601 with microseconds."""
    return datetime.fromtimestamp(utc_s, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _index(line: str) -> int:
    return int(line.partition(",")[0])


def _row(record: FrameRecord, name: str) -> tuple[object, ...]:
    event = record.event
    return (
        event.index, event.image, name, event.t, event.c, event.z, event.channel,
        *(round(value, 4) for value in (*event.target, *record.actual)),
        record.exposure_ms, record.source, record.intensity, record.hardware_id,
        f"{record.monotonic_s:.6f}", utc_text(record.utc_s), record.attempts,
    )  # fmt: skip
