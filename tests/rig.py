"""A whole simulated microscope, small and fast, and a way to run plans on it: for tests of the engine and above."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from control.core.facts import Fact
from control.core.multi_point_controller import MultiPointController
from control.core.run import Run
from control.core.run_record import RunSummary
from squid.drivers.simulated.faults import with_faults
from squid.machine_file import CONFIGS, MachineConfig, read_machine_file
from squid.microscope import Microscope
from squid.models.plan import AcquisitionPlan, read_plan
from squid.utils.worker_manager import WorkerManager

SENSOR_PX = (64, 80)
"""Height and width of the small sensor: not square, so that a turned image shows."""

TIME_SCALE = 50.0

PLAN: dict[str, Any] = {
    "name": "test plate",
    "plate": "96 well plate",
    "wells": "B2, B4",
    "fields": {"rows": 1, "columns": 2},
    "z_um": 3000.0,
    "sequence": {
        "channels": [{"config": "DAPI", "exposure": 5.0}, {"config": "FITC", "exposure": 5.0}],
        "z_plan": {"range": 4, "step": 2},
        "axis_order": "tpgcz",
    },
}
"""2 wells x 2 fields x 2 channels x 3 z = 24 frames."""

FRAMES = 24


def machine(folder: Path, *, sensor_px: tuple[int, int] = SENSOR_PX, time_scale: float = TIME_SCALE) -> MachineConfig:
    """The machine of ``configs/simulation.yaml`` with a small sensor and fast hardware."""
    data = yaml.safe_load((CONFIGS / "simulation.yaml").read_text(encoding="utf-8"))
    for device in data["devices"].values():
        if device["driver"] == "simulated.world":
            device.setdefault("options", {})["time_scale"] = time_scale
        if device["driver"] == "simulated.camera":
            device.setdefault("options", {})["sensor_shape_px"] = list(sensor_px)
    file = folder / "machine.yaml"
    file.write_text(yaml.safe_dump(data), encoding="utf-8")
    return read_machine_file(file)


def plan(folder: Path, **changes: Any) -> AcquisitionPlan:
    """`PLAN` with some keys changed; a change of ``sequence`` is merged into it."""
    data = copy.deepcopy(PLAN)
    data["sequence"] |= changes.pop("sequence", {})
    data |= changes
    file = folder / "plan.yaml"
    file.write_text(yaml.safe_dump(data), encoding="utf-8")
    return read_plan(file)


@dataclass
class Rig:
    """An open microscope with a controller, and everything that its runs said."""

    microscope: Microscope
    controller: MultiPointController
    manager: WorkerManager
    facts: list[Fact] = field(default_factory=list)

    def run(self, plan: AcquisitionPlan, output: Path, timeout_s: float = 60) -> tuple[Run, RunSummary]:
        """Start a plan and wait for its end."""
        run = self.controller.start(plan, output)
        return run, self.finish(run, timeout_s)

    def finish(self, run: Run, timeout_s: float = 60) -> RunSummary:
        """Wait for the end of a run."""
        summary = run.wait(timeout_s)
        assert summary is not None, f"the run did not end within {timeout_s} s"
        return summary

    def said(self, kind: type[Fact]) -> list[Any]:
        """Facts of one kind, in order."""
        return [fact for fact in self.facts if isinstance(fact, kind)]


@contextmanager
def rig(config: MachineConfig, faults: Sequence[str] = (), *, built: MachineConfig | None = None) -> Iterator[Rig]:
    """Open a microscope, with faults injected for this time only; `built` is the same one with quicker hardware."""
    facts: list[Fact] = []
    manager = WorkerManager()
    try:
        with Microscope.build(with_faults(built or config, faults) if faults else built or config) as microscope:
            controller = MultiPointController(microscope, manager, (facts.append,), machine=config)
            yield Rig(microscope, controller, manager, facts)
    finally:
        manager.shutdown(timeout=2.0)
