"""The report of a run: how it ended, what its time went into, where the focus lay, what is missing and why.

Data first (`RunReport`), words from it. Knows of the run only what `Source` names.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from control.core.review import report_text
from control.core.review.document import Document
from control.core.review.focus import FocusSummary, focus_summary
from control.core.review.frames import Rows
from control.core.review.steps import StepTimes, step_times
from control.core.run_record import LOG_FILE, RunSummary
from control.core.schedule import Schedule
from squid.models.layout import DatasetLayout

_LOG_TAIL_BYTES = 4 << 20
_MOST_FAULTS = 100


class Source(Protocol):
    """What a report is made from."""

    @property
    def folder(self) -> Path:
        """The run folder."""

    @property
    def summary(self) -> RunSummary:
        """Its record."""

    @property
    def layout(self) -> DatasetLayout:
        """The planned data set."""

    @property
    def schedule(self) -> Schedule:
        """The planned events."""

    @property
    def frames(self) -> Rows:
        """Stored frames."""

    @property
    def missing(self) -> Mapping[int, str]:
        """Reason by index."""

    @property
    def stacks_file(self) -> Path | None:
        """Stacks of a hang."""


@dataclass(frozen=True, slots=True)
class MissingGroup:
    """Frames of one well (or free position) that are missing for one reason.

    Attributes
    ----------
    where : str
        The well, or the position's name.
    count : int
        How many.
    first_index : int
        The first one, in the plan.
    reason : str
        As the run said.
    """

    where: str
    count: int
    first_index: int
    reason: str


@dataclass(frozen=True, slots=True)
class Retaken:
    """A frame that took more than one exposure."""

    image: str
    channel: str
    t: int
    z: int
    attempts: int


@dataclass(frozen=True, slots=True)
class RunReport:
    """What is to be said of a run.

    Attributes
    ----------
    folder : Path
        The run folder.
    summary : RunSummary
        Its record; while the run goes on, times and duty are not known.
    stored : int
        Frames stored.
    not_taken : int
        Planned frames that are neither stored nor given up.
    steps : tuple of StepTimes
        Intervals by kind.
    focus : FocusSummary or None
        None when no frame is stored.
    missing : tuple of MissingGroup
        Frames given up, by well and reason.
    retaken : tuple of Retaken
        Frames that took more than one exposure.
    faults : tuple of str
        The last warnings and errors of the run's log.
    stacks_file : Path or None
        Stacks of a hang.
    """

    folder: Path
    summary: RunSummary
    stored: int
    not_taken: int
    steps: tuple[StepTimes, ...]
    focus: FocusSummary | None
    missing: tuple[MissingGroup, ...]
    retaken: tuple[Retaken, ...]
    faults: tuple[str, ...]
    stacks_file: Path | None

    def document(self) -> Document:
        """Return it in words and tables, to show or to save."""
        return Document(
            f"Run {self.summary.name}",
            (
                report_text.ending(self.summary, self.folder, self.stored, self.not_taken),
                report_text.timing(self.summary, self.steps),
                report_text.focus(self.focus),
                report_text.missing([(g.where, g.count, g.first_index, g.reason) for g in self.missing]),
                report_text.retaken([(r.image, r.channel, r.t, r.z, r.attempts) for r in self.retaken]),
                report_text.faults(self.faults, self.stacks_file),
            ),
        )

    def text(self) -> str:
        """Return it as plain text."""
        return self.document().text()

    def save(self, path: Path) -> None:
        """Write it as ``.txt``, ``.md`` or ``.html``; see `Document.save`."""
        self.document().save(path)


def make_report(run: Source) -> RunReport:
    """Return the report of a run as it stands."""
    rows, missing = run.frames, run.missing
    stored = len(np.unique(rows["index"]))
    return RunReport(
        folder=run.folder,
        summary=run.summary,
        stored=stored,
        not_taken=max(0, run.layout.frames_planned - stored - len(missing)),
        steps=step_times(rows, _places(run.layout)) if len(rows) > 1 else (),
        focus=focus_summary(rows),
        missing=_missing(run.schedule, run.layout, missing),
        retaken=_retaken(run.layout, rows),
        faults=_faults(run.folder / LOG_FILE),
        stacks_file=run.stacks_file,
    )


def _places(layout: DatasetLayout) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    """Return the number of each image's well or free position: shape (images,)."""
    numbers: dict[str, int] = {}
    names = (image.well.name if image.well else f" {image.name.rpartition('_')[0]}" for image in layout.images)
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int32)


def _missing(schedule: Schedule, layout: DatasetLayout, missing: Mapping[int, str]) -> tuple[MissingGroup, ...]:
    groups: dict[tuple[str, str], list[int]] = {}
    for index, reason in sorted(missing.items()):
        image = layout.images[schedule.event(index).image]
        where = image.well.name if image.well else image.name
        groups.setdefault((where, reason), []).append(index)
    return tuple(MissingGroup(where, len(indexes), indexes[0], reason) for (where, reason), indexes in groups.items())


def _retaken(layout: DatasetLayout, rows: Rows) -> tuple[Retaken, ...]:
    return tuple(
        Retaken(
            layout.images[int(row["image"])].name,
            layout.channels[int(row["c"])].name,
            int(row["t"]),
            int(row["z"]),
            int(row["attempts"]),
        )
        for row in rows[rows["attempts"] > 1]
    )


def _faults(log: Path) -> tuple[str, ...]:
    """Return the last warnings and errors in the end of a log; none when it cannot be read."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _LOG_TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError as e:
        return (f"{log} cannot be read: {e.strerror}",)
    found = (line for line in lines if any(f" {level} " in line for level in ("WARNING", "ERROR", "CRITICAL")))
    return tuple(deque(found, maxlen=_MOST_FAULTS))
