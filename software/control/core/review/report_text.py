"""The words of a run's report: one chapter each, from plain values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from control.core.review.document import Chapter, Table
from control.core.review.focus import FocusSummary, signed
from control.core.review.steps import StepTimes
from control.core.run_record import RunSummary
from control.core.words import counted, duration

_STATUS = {
    "running": "running, or interrupted without a word",
    "completed": "completed: every planned frame is stored",
    "completed_with_missing": "completed, with frames missing",
    "aborted": "aborted",
}
_MOST_ROWS = 200


def ending(summary: RunSummary, folder: Path, stored: int, not_taken: int) -> Chapter:
    """Return how it ended."""
    reason = f" ({summary.reason})" if summary.reason and summary.status != "completed" else ""
    lines = [
        f"Status: {_STATUS[summary.status]}{reason}.",
        f"Frames: {stored} of {summary.frames_planned} stored, {not_taken} not taken.",
        f"Started {_local(summary.started_utc)}"
        + (f", ended {_local(summary.finished_utc)}" if summary.finished_utc else "")
        + (f"; in {summary.parts} parts, because it was resumed." if summary.parts > 1 else "."),
        f"Folder: {folder}",
    ]
    if summary.frames_lost:
        lost = counted(summary.frames_lost, "stored frame was", "stored frames were")
        lines.insert(2, f"{lost} not on disk any more when the run was resumed; what was still due was taken again.")
    return Chapter("How it ended", tuple(lines))


def timing(summary: RunSummary, steps: Sequence[StepTimes]) -> Chapter:
    """Return where the time went."""
    lines = []
    if summary.wall_s:
        lines.append(
            f"It took {duration(summary.wall_s)}; exposures, moves and read-outs alone need "
            f"{duration(summary.ideal_s)}: "
            f"{summary.duty:.0%} of the time was used by the instrument."
        )
    else:
        lines.append("How long it took and the share of the instrument are known when the run has ended.")
    if not steps:
        return Chapter("Time", (*lines, "Fewer than two frames are stored: there are no intervals."))
    lines.append("Intervals run from the end of one exposure to the end of the next, in milliseconds.")
    head = ("between frames", "number", "median ms", "95 % ms", "longest ms", "exposure ms", "share of time")
    whole_s = steps[0].total_s or 1.0
    rows = tuple(
        (
            each.kind,
            str(each.count),
            *(f"{1000 * value_s:.1f}" for value_s in (each.median_s, each.p95_s, each.max_s, each.exposure_s)),
            f"{each.total_s / whole_s:.0%}",
        )
        for each in steps
    )
    return Chapter("Time", tuple(lines), (Table(head, rows),))


def focus(summary: FocusSummary | None) -> Chapter:
    """Return where the focus lay."""
    if summary is None:
        return Chapter("Focus", ("No frame is stored.",))
    lines = [
        f"Actual z differs from the planned z by {summary.error_median_um:.2f} µm (median), "
        f"{summary.error_p95_um:.2f} µm (95 %), {summary.error_max_um:.2f} µm (most).",
        f"Lowest plane of the fields: {summary.lowest_um:.1f} to {summary.highest_um:.1f} µm, "
        f"a range of {summary.highest_um - summary.lowest_um:.1f} µm.",
    ]
    if summary.plane is None:
        lines.append("Too few fields, or all in one line: no tilt can be told.")
    else:
        plane = summary.plane
        lines.append(
            f"Tilt of the plate: {signed(plane.tilt_x_um_per_mm)} µm per mm along x, "
            f"{signed(plane.tilt_y_um_per_mm)} µm per mm along y; spread about that plane {plane.spread_um:.2f} µm."
        )
    return Chapter("Focus", tuple(lines))


def missing(groups: Sequence[tuple[str, int, int, str]]) -> Chapter:
    """Return what was given up: (where, count, first index, reason)."""
    if not groups:
        return Chapter("Missing frames", ("No frame was given up.",))
    head = ("well or position", "frames", "first index", "reason")
    rows = tuple((where, str(count), str(first), reason) for where, count, first, reason in groups[:_MOST_ROWS])
    total = sum(count for _, count, _, _ in groups)
    return Chapter("Missing frames", (f"{_frames(total)} given up.", *_more(groups)), (Table(head, rows),))


def retaken(frames: Sequence[tuple[str, str, int, int, int]]) -> Chapter:
    """Return what was exposed more than once: (image, channel, t, z, attempts)."""
    if not frames:
        return Chapter("Retaken frames", ("Every stored frame was good at its first exposure.",))
    head = ("image", "channel", "time point", "plane", "exposures")
    rows = tuple(
        (image, channel, str(t + 1), str(z + 1), str(attempts))
        for image, channel, t, z, attempts in frames[:_MOST_ROWS]
    )
    said = f"{_frames(len(frames))} exposed more than once: the sample got more light there."
    return Chapter("Retaken frames", (said, *_more(frames)), (Table(head, rows),))


def faults(lines: Sequence[str], stacks_file: Path | None) -> Chapter:
    """Return the warnings of the log, and where the stacks of a hang are."""
    stacks = (f"A call did not return in time; the stacks are in {stacks_file}.",) if stacks_file else ()
    return Chapter("Faults", (*stacks, *(lines or ("The log has no warning.",))))


def _frames(count: int) -> str:
    return counted(count, "frame was", "frames were")


def _more(rows: Sequence[object]) -> tuple[str, ...]:
    return (f"The first {_MOST_ROWS} of {len(rows)} lines are shown.",) if len(rows) > _MOST_ROWS else ()


def _local(utc: str | None) -> str:
    return datetime.fromisoformat(utc).astimezone().strftime("%Y-%m-%d %H:%M:%S") if utc else "unknown"
