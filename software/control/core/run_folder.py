"""A run folder in use: locked against others, with a log of its own, and read when a run goes on in it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from control.core.journal import JournalState
from control.core.run_parts import Progress, first_summary
from control.core.run_record import PLAN_FILE, RunSummary, read_summary
from squid.errors import ResumeRefusedError
from squid.machine_file import MachineConfig
from squid.models.plan import AcquisitionPlan, read_plan

_log = logging.getLogger(__name__)


def lock(folder: Path, held: ExitStack) -> None:
    """Lock the run folder until `held` is closed, or until this process is dead."""
    file = FileLock(folder / ".lock", thread_local=False)  # taken in one thread, given back in another
    try:
        file.acquire(timeout=0)
    except Timeout as e:
        raise ResumeRefusedError(f"{folder} is being written by another program just now") from e
    held.callback(file.release)


def log_to(path: Path) -> Callable[[], None]:
    """Write what the program logs, from INFO on, to the run folder, too; return the function that ends it."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(threadName)s %(name)s: %(message)s"))
    loggers = [logging.getLogger(name) for name in ("control", "squid")]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(min(logger.level or logging.INFO, logging.INFO))

    def end() -> None:
        for logger in loggers:
            logger.removeHandler(handler)
        with suppress(OSError):  # a full disk
            handler.close()

    return end


def summary_of(folder: Path, state: JournalState, machine: MachineConfig) -> RunSummary:
    """Return what ``run.json`` says; where it was lost, what the journal knows."""
    try:
        return read_summary(folder)
    except ResumeRefusedError as lost:
        _log.warning("%s; going on from the journal", lost)
    plan = AcquisitionPlan.model_validate(state.header["plan"])
    progress = Progress(state, 1, state.header["started_utc"], machine)
    return first_summary(plan, state.header["frames"], progress, outputs=())


def plan_of(folder: Path, state: JournalState) -> AcquisitionPlan:
    """Return the plan in the run folder; where its file was lost, the journal's."""
    path = folder / PLAN_FILE
    if path.exists() and path.stat().st_size:
        return read_plan(path)
    _log.warning("%s was lost; going on from the journal", path)
    return AcquisitionPlan.model_validate(state.header["plan"])
