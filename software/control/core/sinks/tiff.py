"""One TIFF per frame, in the folder layout of Squid's own program, so that its readers open the run.

::

    coordinates.csv                         planned positions, mm
    acquisition parameters.json             grid, steps, objective
    acquisition_channels.yaml               channels as used
    frames.csv  missing.csv                 ours: all that is known of each frame
    0/                                      time point
      coordinates.csv                       positions read back: one line per field and plane
      B3_0_2_Fluorescence_488_nm_Ex.tiff    {region}_{fov}_{z}_{channel}
    .done                                   only when no frame is missing
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

from control.core.index_set import IndexSet
from control.core.sinks import squid_metadata
from control.core.sinks.disk import Disk
from control.core.sinks.frame_table import FrameTable, csv_line
from control.core.sinks.line_file import LineFile
from control.core.sinks.ome_tiff import file_name
from control.core.sinks.pyramid import contiguous
from control.core.sinks.tiff_layout import TiffLayout
from squid.models.file import yaml_text
from squid.models.frame import FrameRecord
from squid.models.geometry import Pixels
from squid.models.layout import DatasetLayout, ImageLayout

DESCRIPTION = b"squid-hcs"
"""ImageDescription of every file."""

ACTUAL_COLUMNS = ("region", "fov", "z_level", "x (mm)", "y (mm)", "z (um)", "time")


class TiffSink:
    """Writes ``{t}/{region}_{fov}_{z}_{channel}.tiff``; pixels are not compressed.

    Parameters
    ----------
    durable : bool
        `flush` waits for the device, so that frames outlive a power cut.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self._durable = durable
        self._closed = True
        self._resume = False
        self._times: dict[int, _TimePoint] = {}
        self._disk: Disk
        self._layout: DatasetLayout
        self._table: FrameTable
        self._head: bytes

    @property
    def outputs(self) -> tuple[str, ...]:
        """The run folder itself."""
        return (".",)

    def open(self, folder: Path, layout: DatasetLayout, *, resume: bool) -> None:
        """Write what is known before the first frame."""
        self._disk = Disk(folder, planned_bytes=layout.frames_planned * layout.frame_bytes, durable=self._durable)
        self._layout = layout
        self._resume = resume
        self._times = {}
        tiff = TiffLayout(layout.shape_px, layout.dtype, 1, len(DESCRIPTION), layout.pixel_size_um)
        self._head = tiff.head(DESCRIPTION).ljust(tiff.plane_offset(0), b"\0")
        parameters = json.dumps(squid_metadata.parameters(layout), indent=1, ensure_ascii=False)
        self._disk.write(folder / "acquisition parameters.json", parameters + "\n")
        channels = yaml_text(squid_metadata.channels(layout))
        self._disk.write(folder / "acquisition_channels.yaml", channels)
        planned = [csv_line(row) for row in squid_metadata.planned_rows(layout)]
        self._disk.write_lines(folder / "coordinates.csv", planned)
        self._table = FrameTable(self._disk, folder, layout.frames_planned)
        self._table.open(resume=resume)
        self._disk.written_bytes = layout.frame_bytes * len(self._table)
        self._closed = False

    def append(self, record: FrameRecord, pixels: Pixels) -> None:
        """Write the frame's file, atomically; the frame need not be kept after the call."""
        self._disk.check_present()
        event = record.event
        image = self._layout.images[event.image]
        region, fov = squid_metadata.region(image)
        name = f"{file_name(region)}_{fov}_{event.z}_{file_name(event.channel)}.tiff"
        with self._disk.replacing(self._disk.folder / str(event.t) / name) as partial:
            self._write(partial, pixels)
        self._disk.written_bytes += pixels.nbytes
        self._time_point(event.t).add(record, image)
        self._table.add(record, image.name)

    def skip(self, index: int, reason: str) -> None:
        """Note the reason; there is no file."""
        self._table.skip(index, reason)

    def flush(self) -> None:
        """Files are in place already; note them in the tables."""
        for time_point in self._times.values():
            time_point.commit()
        self._table.commit()
        self._disk.sync()

    def drop(self) -> None:
        """Nothing is held between calls."""
        if not self._closed:
            self._disk.check_present()

    def close(self, missing: Collection[int] = ()) -> None:
        """Write the table of missing frames, and the mark of a complete run."""
        if self._closed:
            return
        self.flush()
        self._table.finish(missing)
        done = self._disk.folder / ".done"
        if len(self._table) == self._layout.frames_planned:
            self._disk.write(done, "")
        else:
            with self._disk.guard(done):
                done.unlink(missing_ok=True)
        self._disk.sync()
        self._closed = True

    def _write(self, path: Path, pixels: Pixels) -> None:
        """Not by tifffile: on a full disk it raises an `OSError` that does not say so."""
        with path.open("wb", buffering=0) as file:
            self._disk.write_fully(file.fileno(), self._head)
            self._disk.write_fully(file.fileno(), contiguous(pixels).data)

    def _time_point(self, t: int) -> _TimePoint:
        if t not in self._times:
            time_point = _TimePoint(self._disk, self._disk.folder / str(t) / "coordinates.csv", self._layout)
            time_point.open(resume=self._resume)
            self._times[t] = time_point
        return self._times[t]


class _TimePoint:
    """``coordinates.csv`` of one time point: a line per field and plane, from the first channel that was stored."""

    def __init__(self, disk: Disk, path: Path, layout: DatasetLayout) -> None:
        self._file = LineFile(disk, path, ",".join(ACTUAL_COLUMNS))
        self._planes = max(image.size_z for image in layout.images)
        self._seen = IndexSet(len(layout.images) * self._planes)
        self._numbers = {squid_metadata.region(image): image.index for image in layout.images}
        self._pending: list[str] = []

    def open(self, *, resume: bool) -> None:
        """Make the file, or read which planes an earlier part of the run noted."""
        if not resume:
            self._file.create()
            return
        for line in self._file.read_back():
            region, fov, z = line.rsplit(",", 4)[0].rsplit(",", 2)
            self._seen.add(self._numbers[region.strip('"'), int(fov)] * self._planes + int(z))

    def add(self, record: FrameRecord, image: ImageLayout) -> None:
        """Note the frame's position, once per field and plane."""
        number = image.index * self._planes + record.event.z
        if number in self._seen:
            return
        self._seen.add(number)
        x_um, y_um, z_um = record.actual
        time = datetime.fromtimestamp(record.utc_s, UTC).strftime("%Y-%m-%d_%H-%M-%S.%f")
        position = (round(x_um / 1000, 6), round(y_um / 1000, 6), round(z_um, 4))
        self._pending.append(csv_line((*squid_metadata.region(image), record.event.z, *position, time)))

    def commit(self) -> None:
        """Put the noted lines on disk; when that fails they stay noted."""
        if self._pending:
            self._file.append(self._pending)
            self._pending.clear()
