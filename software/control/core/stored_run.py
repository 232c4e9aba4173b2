"""A run folder read back: any run of this program, finished, aborted or going on, in any of its formats.

::

    StoredRun.open(folder) ──▶ summary, layout, wells ──read(image, t, c, z)──▶ plane, or None
            ▲                                       └──report()──────────────▶ RunReport
            └── refresh(): reads on what the journal got since

The journal decides what is there: a plane that it does not name is None, never zeros. Writes nothing, locks nothing,
and needs no microscope. Safe in any thread; `refresh` and `read` touch the disk, the rest does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from control.core.journal import FILE_NAME
from control.core.review.folders import find_run_folder, read_header, schedule_of
from control.core.review.frames import Frames, PlaneRef, Rows
from control.core.review.planes import PlaneReader, plane_reader
from control.core.review.report import RunReport, make_report
from control.core.review.wells import PlannedWells
from control.core.run_record import RUN_FILE, STACKS_FILE, RunSummary, read_summary
from control.core.schedule import Schedule
from control.core.sinks.pyramid import level_shapes
from squid.errors import ConfigurationError, ResumeRefusedError
from squid.models.geometry import Pixels, StagePosition
from squid.models.layout import DatasetLayout, ImageLayout, WellRef
from squid.models.plan import AcquisitionPlan
from squid.utils.task import tell_progress


@dataclass(frozen=True, slots=True)
class StoredFrame:
    """What the journal says of one stored frame.

    Attributes
    ----------
    index : int
        In the plan.
    target, actual : StagePosition
        Where the stage was sent, and where it was before the exposure.
    exposure_ms : float
        Exposure time.
    utc_s : float
        End of the exposure, seconds since 1970 UTC.
    attempts : int
        Exposures that it took.
    """

    index: int
    target: StagePosition
    actual: StagePosition
    exposure_ms: float
    utc_s: float
    attempts: int


class StoredRun:
    """One run folder. Use `open`; the parameters are its parts.

    Attributes
    ----------
    folder : Path
        The run folder.
    plan : AcquisitionPlan
        As it was run.
    schedule : Schedule
        Its events.
    layout : DatasetLayout
        The planned data set; its images are computed on demand.
    extent : PlaneRef
        Number of images, and of the largest of them time points, channels and planes.
    """

    def __init__(self, folder: Path, plan: AcquisitionPlan, schedule: Schedule, started_utc: str) -> None:
        self.folder = folder
        self.plan = plan
        self.schedule = schedule
        self.layout: DatasetLayout = schedule.layout()
        self._started_utc = started_utc
        self._reader: PlaneReader | None = plane_reader(
            plan.storage.format, plan.storage.compression, folder, self.layout
        )
        self._wells = PlannedWells.of(self.layout)
        self.extent = self._wells.extent
        self._frames = Frames(folder, self.extent)
        self._summary = self._read_summary()
        self._summary_stamp = self._stamp()

    @classmethod
    def open(cls, folder: Path, limit_s: float | None = None) -> StoredRun:
        """Open a run folder.

        Parameters
        ----------
        folder : Path
            The run folder, or anything in it (``run.json``, ``plate.ome.zarr`` …).
        limit_s : float or None
            Read the journal for at most about so long; `refresh` reads on. None: all of it.

        Raises
        ------
        ConfigurationError
            It is no run folder, or of a version that this program does not read.
        """
        folder = find_run_folder(folder)
        tell_progress(0.05, "reads the plan")
        header = read_header(folder)
        schedule = schedule_of(folder, header)
        tell_progress(0.6, "counts the frames")
        run = cls(folder, schedule.plan, schedule, header["started_utc"])
        tell_progress(0.8, "reads the journal")
        run.refresh(limit_s)
        return run

    # --- how it stands ----------------------------------------------------------------------------------------------

    @property
    def summary(self) -> RunSummary:
        """What ``run.json`` said at the last look."""
        return self._summary

    @property
    def is_open_ended(self) -> bool:
        """Whether more may come: the run goes on, or its program died without a word."""
        return self._summary.status == "running"

    @property
    def is_caught_up(self) -> bool:
        """Whether all of the journal was read at the last look."""
        return self._frames.is_caught_up

    def refresh(self, limit_s: float | None = None) -> bool:
        """Read what is new; returns whether anything is. `limit_s` as in `open`.

        Raises
        ------
        ConfigurationError
            The folder is gone.
        """
        try:
            stamp = self._stamp()  # the record first: when it says that the run has ended, the journal is whole
            is_new = stamp != self._summary_stamp
            if is_new:
                self._summary, self._summary_stamp = self._read_summary(), stamp
            return self._frames.read_on(limit_s) or is_new
        except OSError as e:
            raise ConfigurationError(f"cannot be read: {e.strerror or e}", file=self.folder / FILE_NAME) from e

    # --- what there is ----------------------------------------------------------------------------------------------

    @property
    def wells(self) -> tuple[WellRef, ...]:
        """Wells with at least one stored frame, in order of the plan."""
        return tuple(self._wells.names[number] for number in np.flatnonzero(self._counts()[:-1]))

    @property
    def has_free_images(self) -> bool:
        """Whether a position outside the wells has a stored frame."""
        return bool(self._counts()[-1])

    @property
    def frames_per_well(self) -> Mapping[WellRef, int]:
        """Number of stored frames of each well of the plan."""
        return dict(zip(self._wells.names, self._counts()[:-1].tolist(), strict=True))

    @property
    def planned_per_well(self) -> Mapping[WellRef, int]:
        """Number of planned frames of each well; empty where channels skip planes or time points."""
        return self._wells.planned

    def images_of(self, well: WellRef | None) -> tuple[ImageLayout, ...]:
        """Return the planned images of a well, or those in no well (None), in order of their fields."""
        return tuple(self.layout.images[image] for image in self._wells.images_of(well))

    def has_data(self, image: ImageLayout) -> bool:
        """Whether any frame of an image is stored."""
        return bool((self._frames.rows["image"] == image.index).any())

    @property
    def levels(self) -> int:
        """Number of levels of the pyramid; level n is 2ⁿ times smaller. TIFF formats compute the smaller ones."""
        return len(level_shapes(self.layout.shape_px))

    @property
    def frames(self) -> Rows:
        """Stored frames, shape (N,), of type `control.core.review.frames.ROW`, in the order they were taken."""
        return self._frames.rows

    @property
    def missing(self) -> Mapping[int, str]:
        """Reason by index of the frames that were given up."""
        return self._frames.missing

    def positions(self, t: int | None = None, c: int | None = None, z: int | None = None) -> Rows:
        """Return the frames of a time point, channel, plane (None: of all), with ``actual_um`` and ``target_um``."""
        rows = self._frames.rows
        keep = np.ones(len(rows), bool)
        for axis, value in (("t", t), ("c", c), ("z", z)):
            if value is not None:
                keep &= rows[axis] == value
        return rows[keep]

    def frame(self, image: ImageLayout, t: int, c: int, z: int) -> StoredFrame | None:
        """Return what is known of a plane's frame; None when it is not stored."""
        number = self._frames.row_of(PlaneRef(image.index, t, c, z))
        if number is None:
            return None
        row = self._frames.rows[number]
        return StoredFrame(
            index=int(row["index"]),
            target=StagePosition(*map(float, row["target_um"])),
            actual=StagePosition(*map(float, row["actual_um"])),
            exposure_ms=float(row["exposure_ms"]),
            utc_s=float(row["utc_s"]),
            attempts=int(row["attempts"]),
        )

    # --- pixels -----------------------------------------------------------------------------------------------------

    def read(self, image: ImageLayout, t: int, c: int, z: int, level: int = 0) -> Pixels | None:
        """Return a plane, shape (Y, X) of that level, read-only where it need not be copied.

        Returns
        -------
        ndarray or None
            None: the frame is not stored (yet), was given up, or its file is not whole; `absence` says which.

        Raises
        ------
        StorageError
            The disk does not answer as it should.
        """
        if self._reader is None or self._frames.row_of(PlaneRef(image.index, t, c, z)) is None:
            return None
        return self._reader.read(image, t, c, z, min(max(level, 0), self.levels - 1))

    def absence(self, image: ImageLayout, t: int, c: int, z: int) -> str:
        """Return why `read` gave None, in words."""
        if self._reader is None:
            return f"the format '{self.plan.storage.format}' keeps no images on disk"
        if self._frames.row_of(PlaneRef(image.index, t, c, z)) is not None:
            path = self._reader.path(image, t, c, z)
            return f"the file is {'damaged' if path.exists() else 'not there'}: {path.relative_to(self.folder)}"
        for index, reason in self._frames.missing.items():
            event = self.schedule.event(index)
            if (event.image, event.t, event.c, event.z) == (image.index, t, c, z):
                return f"missing: {reason}"
        return "not taken yet" if self.is_open_ended else "not taken: the run ended before"

    def report(self) -> RunReport:
        """Return what is to be said of the run, from what was read so far; reads the log."""
        return make_report(self)

    @property
    def stacks_file(self) -> Path | None:
        """Where the stacks of a hang are; None when there are none."""
        path = self.folder / STACKS_FILE
        return path if path.exists() else None

    def _counts(self) -> npt.NDArray[np.intp]:
        """Return the stored frames by well, those in no well last."""
        return self._wells.count(self._frames.rows["image"])

    def _stamp(self) -> tuple[int, int] | None:
        try:
            status = (self.folder / RUN_FILE).stat()
        except FileNotFoundError:
            return None
        return status.st_mtime_ns, status.st_size

    def _read_summary(self) -> RunSummary:
        """Return ``run.json``; where it was lost, what the journal knows."""
        try:
            return read_summary(self.folder)
        except ResumeRefusedError as lost:
            return RunSummary(
                name=self.plan.name,
                status="running",
                reason=str(lost),
                frames_planned=self.schedule.frames,
                started_utc=self._started_utc,
                plan_digest="",
                versions={},
            )
