"""One case on a machine with the virtual controller, or without: ``run_controller.py CASE MACHINE FOLDER``.

MACHINE is ``simulated`` (``simulation.yaml``), ``frames`` or ``sequences`` (``simulation_controller.yaml``, its stage,
light and camera trigger over a real serial link; frame by frame, or fields as hardware sequences). CASE is one of
`cases.CASES`, or ``small``: 16 fields of 512 x 512 px that are thrown away, so that the loop alone is measured.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "software")]

from cases import CASES, READOUT_MS, SIDE_PX, Case
from measured import finish

from control.core.multi_point_controller import MultiPointController
from control.core.run_record import RunSummary
from squid.machine_file import CONFIGS, MachineConfig, Role, read_machine_file
from squid.microscope import Microscope
from squid.models.plan import AcquisitionPlan
from squid.utils.worker_manager import WorkerManager

SMALL = Case(wells=(2, 2), grid=2, stored=False)
SMALL_PX = 512


def machine(kind: str, side_px: int) -> MachineConfig:
    """The machine; all three have the same camera."""
    name = "simulation.yaml" if kind == "simulated" else "simulation_controller.yaml"
    config = read_machine_file(CONFIGS / name)
    devices = dict(config.devices)
    label = config.label_of(Role.CAMERA)
    assert label is not None
    # fewer rows are read out faster: the same read-out for all sizes
    readout = {"sensor_shape_px": (side_px, side_px), "readout_ms": READOUT_MS * SIDE_PX / side_px}
    devices[label] = devices[label].model_copy(update={"options": {**devices[label].options, **readout}})
    if kind == "frames":
        del devices["sequencer"]
    return config.model_copy(update={"devices": devices})


def plan_of(case: Case, stains: list[str]) -> AcquisitionPlan:
    """The case as a plan of our own words: useq's plate has rows where a Squid's stage does not reach."""
    rows, columns = case.wells
    sequence = case.sequence(stains)
    del sequence["stage_positions"]
    content: dict[str, Any] = {
        "plate": "96 well plate",
        "wells": f"A1:{'ABCDEFGH'[rows - 1]}{columns}",
        "fields": {"rows": case.grid, "columns": case.grid},
        "name": "stored" if case.stored else "thrown away",
        "z_um": 3000.0,
        "sequence": sequence,
        "storage": {"format": "ome-zarr" if case.stored else "null"},
    }
    return AcquisitionPlan.model_validate(content)


def run(controller: MultiPointController, plan: AcquisitionPlan, folder: Path) -> RunSummary:
    """Run a plan to its end."""
    summary = controller.start(plan, folder).wait()
    assert summary is not None  # without a limit the wait ends with the run
    if summary.status != "completed" or summary.frames_missing:
        raise SystemExit(f"{summary.status}: {summary.reason}; {summary.frames_missing} frames are missing")
    return summary


def main() -> None:
    name, kind, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    case = SMALL if name == "small" else CASES[name]
    config = machine(kind, SMALL_PX if name == "small" else SIDE_PX)
    stains = [stain for stain, preset in config.channels_of(config.objective).items() if preset.excitation_nm]
    first_field = dataclasses.replace(case, wells=(1, 1), grid=1, stored=False)
    with Microscope.build(config) as microscope:
        microscope.stage.home().result()
        controller = MultiPointController(microscope, WorkerManager())
        run(controller, plan_of(first_field, stains), folder)  # the simulator draws its cells once, in the first field
        start_s = time.perf_counter()
        summary = run(controller, plan_of(case, stains), folder)
        wall_s = time.perf_counter() - start_s
        finish(frames=summary.frames_stored, wall_s=wall_s, ideal_s=summary.ideal_s)


if __name__ == "__main__":
    main()
