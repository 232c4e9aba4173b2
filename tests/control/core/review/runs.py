"""Real run folders for the tests of what reads them, made once by a simulated microscope."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import rig

from control.core.facts import FrameStored
from control.core.multi_point_controller import MultiPointController
from squid.drivers.simulated.faults import with_faults
from squid.microscope import Microscope
from squid.models.frame import FrameRecord
from squid.models.geometry import Pixels
from squid.utils.worker_manager import WorkerManager

SENSOR_PX = (200, 300)
"""Two levels of a pyramid."""

FRAMES = 32

SEQUENCE: dict[str, Any] = {"z_plan": {"range": 2, "step": 2}, "time_plan": {"interval": 0.001, "loops": 2}}
"""Two planes and two time points: with the two wells, fields and channels of `rig.PLAN` 32 frames."""


@dataclass
class MadeRun:
    """A run folder, and what the engine handed to the writer for it."""

    folder: Path
    frames: dict[int, tuple[FrameRecord, Pixels]] = field(default_factory=dict)


def make_run(
    folder: Path,
    format: str,
    *,
    compression: str = "lz4",
    faults: Sequence[str] = (),
    abort_after: int | None = None,
    **changes: Any,
) -> MadeRun:
    """Run a plan to its end, or until so many frames are stored, and keep all pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    config = rig.machine(folder, sensor_px=SENSOR_PX, time_scale=50.0 if abort_after is None else 5.0)
    changes.setdefault("sequence", SEQUENCE)
    plan = rig.plan(folder, storage={"format": format, "compression": compression}, **changes)
    made = MadeRun(folder)
    stop: list[Any] = []

    def hear(fact: object) -> None:
        if isinstance(fact, FrameStored):
            stop.append(fact)
            if abort_after is not None and len(stop) == abort_after:
                run.abort()

    def see(record: FrameRecord, pixels: Pixels) -> None:
        made.frames[record.event.index] = (record, pixels.copy())

    manager = WorkerManager()
    try:
        with Microscope.build(with_faults(config, faults) if faults else config) as microscope:
            controller = MultiPointController(microscope, manager, (hear,), machine=config, taps=(see,))
            run = controller.start(plan, folder / "out")
            assert run.wait(60) is not None
            made.folder = run.folder
    finally:
        manager.shutdown(timeout=2.0)
    return made


def running_copy(made: MadeRun, folder: Path, *, frames: int) -> Path:
    """Copy a run folder as it looked while it went on: the journal ends after so many frames, ``run.json`` says so."""
    shutil.copytree(made.folder, folder)
    lines = (folder / "journal.jsonl").read_bytes().splitlines(keepends=True)
    head = sum(b'"kind":"stored"' not in line for line in lines[:2])
    (folder / "journal.jsonl").write_bytes(b"".join(lines[: head + frames]))
    summary = json.loads((folder / "run.json").read_text())
    summary |= {"status": "running", "reason": "", "wall_s": 0.0, "ideal_s": 0.0, "duty": 0.0, "finished_utc": None}
    summary |= {"frames_stored": 0, "frames_missing": 0}
    (folder / "run.json").write_text(json.dumps(summary))
    return folder
