"""Run folders on the disk: which folder is one, which are the newest, what their journals begin with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from control.core.journal import FILE_NAME, VERSION, Record, read_records
from control.core.run_record import RUN_FILE, RunSummary, read_summary
from control.core.schedule import Optics, Schedule
from squid.errors import ConfigurationError, PreflightError, ResumeRefusedError
from squid.machine_file import MachineConfig
from squid.models.geometry import StagePosition
from squid.models.plan import AcquisitionPlan
from squid.utils.task import stop_if_cancelled, tell_progress


def find_run_folder(path: Path) -> Path:
    """Return the run folder that a path is, or lies in.

    Raises
    ------
    ConfigurationError
        There is none.
    """
    for folder in (path, *path.parents[:4]):
        if (folder / FILE_NAME).is_file():
            return folder
    raise ConfigurationError("is no run folder", file=path, allowed=f"a folder with {FILE_NAME} in it")


def recent_runs(output: Path, count: int = 50) -> list[tuple[Path, RunSummary]]:
    """Return the newest runs in an output folder, the newest first; what is no run is left out."""
    found: list[tuple[Path, RunSummary]] = []
    stamps = sorted(_starts(output), reverse=True)
    for number, (_, folder) in enumerate(stamps[:count]):
        tell_progress(number / min(count, len(stamps)), folder.name)
        try:
            found.append((folder, read_summary(folder)))
        except ResumeRefusedError:
            continue
    return found


def _starts(output: Path) -> Iterator[tuple[float, Path]]:
    if not output.is_dir():
        return
    for folder in output.iterdir():
        stop_if_cancelled()
        try:
            yield (folder / RUN_FILE).stat().st_mtime, folder
        except OSError:  # no run, or gone since
            continue


def read_header(folder: Path) -> Record:
    """Return the first record of a run's journal.

    Raises
    ------
    ConfigurationError
        It cannot be read, or is of a version that this program does not read.
    """
    path = folder / FILE_NAME
    try:
        record: Record = next(read_records(path), ({}, 0))[0]
    except OSError as e:
        raise ConfigurationError(f"cannot be read: {e.strerror or e}", file=path) from e
    if record.get("kind") != "header" or record.get("version") != VERSION:
        raise ConfigurationError(
            f"the header is unreadable or of version {record.get('version')}", file=path, allowed=f"version {VERSION}"
        )
    return record


def schedule_of(folder: Path, header: Record) -> Schedule:
    """Return the events of a run as they were planned, from the first record of its journal.

    Raises
    ------
    ConfigurationError
        Another version of the program wrote it, and this one does not understand it.
    """
    try:
        plan = AcquisitionPlan.model_validate(header["plan"])
        config = MachineConfig.model_validate(header["machine"])
        optics = {**header["optics"], "shape_px": tuple(header["optics"]["shape_px"])}
        tell_progress(0.3, "works the plan out")
        return Schedule.build(plan, config, StagePosition(*header["origin_um"]), Optics(**optics))
    except KeyError as e:
        raise ConfigurationError(
            f"has no {e} in its header: an earlier version of the program wrote it", file=folder / FILE_NAME
        ) from e
    except (TypeError, ValidationError, PreflightError) as e:
        raise ConfigurationError(
            f"this version of the program cannot read the run: {e}", file=folder / FILE_NAME
        ) from e
