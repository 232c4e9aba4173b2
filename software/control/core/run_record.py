"""The run folder and its ``run.json``: what a run is, how it stands, how it ended.

``<name>_<YYYY-MM-DD_HH-MM-SS>/`` holds ``run.json``, ``plan.yaml``, ``machine.yaml``, ``journal.jsonl``, ``run.log``,
the sink's outputs, and ``stacks.log`` when there was a dump. Files are replaced whole, so none is ever half written.
"""

from __future__ import annotations

import os
import platform
import re
import unicodedata
from contextlib import suppress
from datetime import datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from squid.errors import ResumeRefusedError, StorageError
from squid.machine_file import MachineConfig
from squid.models.base import FileModel
from squid.models.file import yaml_text

RUN_FILE = "run.json"
PLAN_FILE = "plan.yaml"
MACHINE_FILE = "machine.yaml"
LOG_FILE = "run.log"
STACKS_FILE = "stacks.log"

_NAME_BYTES = 200
"""Of the 255 bytes that a name may have; the rest is for time and number."""

Status = Literal["running", "completed", "completed_with_missing", "aborted"]


class RunSummary(FileModel):
    """The content of ``run.json``.

    Attributes
    ----------
    name : str
        Name of the plan.
    status : str
        ``running`` (or the program died), ``completed``, ``completed_with_missing``, ``aborted``.
    reason : str
        Why it ended so, in words.
    frames_planned, frames_stored, frames_missing : int
        Stored and missing need not add up to planned in an aborted run.
    frames_lost : int
        So many had been stored and were gone when the run was resumed. They were taken again, unless their time point
        was over: those are missing.
    wall_s, ideal_s, duty : float
        Time taken, all parts of a resumed run together; time that physics needs for the frames stored in them;
        ideal / wall.
    outputs : tuple of str
        What to open, relative to the run folder.
    started_utc, finished_utc : str
        ISO 8601; of the first part's start and the last part's end.
    parts : int
        1, and 1 more for each resume.
    plan_digest : str
        SHA-256 of the plan's content.
    versions : dict of str to str
        Of this program and what it stands on.
    """

    name: str
    status: Status
    reason: str = ""
    frames_planned: int
    frames_stored: int = 0
    frames_missing: int = 0
    frames_lost: int = 0
    wall_s: float = 0.0
    ideal_s: float = 0.0
    duty: float = 0.0
    outputs: tuple[str, ...] = ()
    started_utc: str
    finished_utc: str | None = None
    parts: int = 1
    plan_digest: str
    versions: dict[str, str]


def create_run_folder(parent: Path, name: str, now: datetime) -> Path:
    """Make the folder of a new run under `parent` and return it; a number is added while the name is taken."""
    stem = f"{_on_disk(name) or 'run'}_{now:%Y-%m-%d_%H-%M-%S}"
    for attempt in range(1000):
        folder = parent / (f"{stem}-{attempt + 1}" if attempt else stem)
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as e:
            raise StorageError(f"{folder} cannot be made: {e.strerror}") from e
        return folder
    raise StorageError(f"{parent / stem} is taken a thousand times over")


def _on_disk(name: str) -> str:
    """Return a plan's name as file systems take it; letters of any language stay.

    What Windows or Linux refuses and spaces become ``_``, and it is cut where the folder's name would get too long.
    """
    taken = re.sub(r'[<>:"/\\|?*\s\x00-\x1f\x7f-\x9f\ud800-\udfff]+', "_", unicodedata.normalize("NFC", name))
    return taken.encode()[:_NAME_BYTES].decode(errors="ignore").strip("_.")


def write_summary(folder: Path, summary: RunSummary) -> None:
    """Replace ``run.json``."""
    replace_text(folder / RUN_FILE, summary.model_dump_json(indent=2) + "\n")


def read_summary(folder: Path) -> RunSummary:
    """Read ``run.json``; `ResumeRefusedError` when it is not there or not ours."""
    path = folder / RUN_FILE
    try:
        return RunSummary.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as e:
        raise ResumeRefusedError(f"{path} cannot be read ({e.strerror}); this is no run folder") from e
    except ValidationError as e:
        raise ResumeRefusedError(f"{path} is not a run's record: {e.errors()[0]['msg']}") from e


def write_machine(folder: Path, config: MachineConfig) -> None:
    """Write the machine as it was for this run."""
    replace_text(folder / MACHINE_FILE, yaml_text(config.model_dump(mode="json")))


def replace_text(path: Path, text: str) -> None:
    """Write a file whole: beside it, to disk, then in its place; a full disk leaves the old one intact."""
    beside = path.with_name(f".{path.name}.new")
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as e:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise StorageError(f"{path} could not be written: {e.strerror}") from e


_version = cache(version)  # reads a file each time


def versions() -> dict[str, str]:
    """Return the versions that a run's record names."""
    packages = ("numpy", "useq-schema", "blosc", "PyQt5")
    return {"squid-hcs": PROGRAM_VERSION, "python": platform.python_version()} | {p: _version(p) for p in packages}


PROGRAM_VERSION = "0.1.0"
"""Version of this program."""
