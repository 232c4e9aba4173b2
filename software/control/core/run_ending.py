"""How a run ends, whoever ends it: what is still stored, written and kept.

Every step may meet a disk that is full, gone or stalled; none of them may keep the run from ending, or make it lie.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from pathlib import Path

from control.core.run_parts import RunParts
from control.core.run_record import STACKS_FILE, RunSummary, Status, write_summary
from control.core.words import counted
from squid.utils.bounded import start_bounded
from squid.utils.incident import write_incident
from squid.utils.thread_dump import default_log_folder, dump_all_stacks

_log = logging.getLogger(__name__)

DRAIN_S = 30.0
"""How long the end of an aborted run waits for a writer that does not finish."""

DISK_S = 5.0
"""How long the end waits for a disk that takes neither the record nor the stacks."""


def store_the_rest(parts: RunParts, status: Status, reason: str) -> tuple[Status, str]:
    """Let the writer finish; return how the run ended, now that all is known."""
    writer = parts.writer
    is_drained = _drained(parts, aborted=status == "aborted")
    if not is_drained or writer.failure is not None:
        told = reason if status == "aborted" else parts.control.abort_reason
        causes = [told] if told and told != str(writer.failure) else []
        if writer.failure is not None:
            causes.append(f"storage: {writer.failure}")
        if not is_drained:
            writer.disown()
            causes.append(f"the writer did not finish within {DRAIN_S:g} s")
        return "aborted", "; ".join(causes)
    unaccounted = parts.layout.frames_planned - len(writer.stored) - len(writer.missing)
    if status == "completed" and unaccounted:
        return "aborted", f"internal error: {counted(unaccounted, 'frame')} unaccounted for"
    if status == "completed" and writer.missing:
        first = min(writer.missing)
        missing = counted(len(writer.missing), "frame")
        return "completed_with_missing", f"{missing} missing; first {first}: {writer.missing[first]}"
    return status, reason


def _drained(parts: RunParts, *, aborted: bool) -> bool:
    """Wait for the writer: as long as it takes, but no longer than `DRAIN_S` once the run is aborted or it hangs."""
    give_up_s = None
    while True:
        aborted = aborted or parts.control.abort_reason is not None or parts.writer.failure is not None
        if aborted and give_up_s is None:
            give_up_s = time.monotonic() + DRAIN_S
            parts.writer.abandon()
        if parts.writer.finish(0.2):
            return True
        if give_up_s is not None and time.monotonic() > give_up_s:
            return False
        parts.on_waiting()


def closing_summary(parts: RunParts, folder: Path, status: Status, reason: str, took_s: float) -> RunSummary:
    """Return the content of ``run.json`` of a run that took `took_s`, beside its earlier parts."""
    wall_s = parts.earlier_s + took_s
    stored = len(parts.writer.stored)
    ideal_s = parts.ideal_s
    if stored < parts.layout.frames_planned:  # a share, which may hold waits of a time-lapse that never came
        ideal_s = min(wall_s, ideal_s * stored / parts.layout.frames_planned)
    return parts.summary.model_copy(
        update={
            "status": status,
            "reason": reason,
            "frames_stored": stored,
            "frames_missing": len(parts.writer.missing),
            "wall_s": round(wall_s, 3),
            "ideal_s": round(ideal_s, 3),
            "duty": round(ideal_s / wall_s, 4) if wall_s else 0.0,
            "outputs": tuple(output for output in parts.summary.outputs if _is_there(folder / output)),
            "finished_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        }
    )


def record(folder: Path, summary: RunSummary) -> None:
    """Write ``run.json``, if the disk takes it in time."""
    if not start_bounded("run record", lambda: write_summary(folder, summary))(DISK_S):
        _log.error("%s: the run's record could not be written: %s, %s", folder, summary.status, summary.reason)


def keep_stacks(parts: RunParts, folder: Path, reason: str) -> Path | None:
    """Keep all stacks and the last device commands: in the run folder, else in the user's log folder.

    Returns
    -------
    Path or None
        Where the stacks are; None when neither folder takes them.
    """
    for place in (folder, default_log_folder()):
        if start_bounded("stacks of a hang", lambda place=place: _keep(parts, place, reason, place is folder))(1.0):  # type: ignore[misc]
            return place / STACKS_FILE
    return None


def _keep(parts: RunParts, place: Path, reason: str, is_run_folder: bool) -> None:
    if is_run_folder and not place.is_dir():
        raise FileNotFoundError(f"{place} is gone")  # and is not made anew: something else may be mounted there
    dump_all_stacks(place / STACKS_FILE, reason)
    queues = {"frames waiting for the disk": parts.writer.queue_size}
    write_incident(place, reason, commands=parts.steps.commands, queue_sizes=queues)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False
