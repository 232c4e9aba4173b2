"""One case under this program, in a process of its own: ``run_squid_hcs.py CASE FOLDER [--replay]``.

The default simulated microscope, its camera cut to 2048 x 2048 and read out in 10 ms; in an instant case stage and
read-out take no time. With ``--replay`` the camera hands out frames that were rendered before. The run is that of the
command line: plan, preflight, run folder, journal, log.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "software")]

from cases import CASES, READOUT_MS, SIDE_PX, Case
from measured import finish

from control.core.multi_point_controller import MultiPointController
from control.core.preflight import preflight
from squid.machine_file import CONFIGS, MachineConfig, Role, read_machine_file
from squid.microscope import Microscope
from squid.models.geometry import Pixels
from squid.models.plan import AcquisitionPlan
from squid.utils.worker_manager import WorkerManager

INSTANT_STAGE = {"takes_no_time": True}
RENDERED_BEFORE = 12
"""Frames that are replayed in turn: two fields of two channels and three planes."""


class Replay:
    """Stands in the simulated camera's sensor's place: a real camera's frames come without the processor's doing."""

    def __init__(self, frames: list[Pixels]) -> None:
        self._frames = frames

    def expose(self, specimen: object, scene: object, settings: object, plan_index: int) -> Pixels:
        """Return a frame that was rendered before."""
        return self._frames[plan_index % len(self._frames)]


def machine(case: Case) -> MachineConfig:
    """The simulated microscope as the case wants it."""
    config = read_machine_file(CONFIGS / "simulation.yaml")
    changed: dict[Role, dict[str, Any]] = {
        Role.CAMERA: {"sensor_shape_px": (SIDE_PX, SIDE_PX), "readout_ms": 0.0 if case.instant else READOUT_MS},
        Role.STAGE: INSTANT_STAGE if case.instant else {},
    }
    devices = dict(config.devices)
    for role, options in changed.items():
        label = config.label_of(role)
        assert label is not None  # the machine file's reader made sure
        device = devices[label]
        devices[label] = device.model_copy(update={"options": {**device.options, **options}})
    return config.model_copy(update={"devices": devices})


def warm_up(microscope: Microscope, plan: AcquisitionPlan) -> None:
    """Let the simulator draw its cells: it does so once, in the first fields, and that is not the program's time."""
    for _ in first_frames(microscope, plan):  # kept by nobody: their memory is used again
        pass


def first_frames(microscope: Microscope, plan: AcquisitionPlan) -> Iterator[Pixels]:
    """Take the first frames of a plan, each when it is asked for."""
    schedule = preflight(plan, microscope, None).schedule
    for event in islice(schedule.events(), RENDERED_BEFORE):
        preset = schedule.channels[event.c].preset
        microscope.stage.move_to(**event.target._asdict()).result()
        microscope.illumination.turn_on(preset.source, preset.intensity).result()
        yield microscope.camera.trigger(event.index).frame.result().pixels
        microscope.illumination.turn_off(preset.source).result()


def main() -> None:
    case, folder = CASES[sys.argv[1]], Path(sys.argv[2])
    storage = {"format": "ome-zarr" if case.stored else "null"}
    config = machine(case)
    stains = [name for name, preset in config.channels_of(config.objective).items() if preset.excitation_nm]
    plan = AcquisitionPlan.model_validate({"name": sys.argv[1], "sequence": case.sequence(stains), "storage": storage})
    with Microscope.build(config) as microscope:
        controller = MultiPointController(microscope, WorkerManager())
        if "--replay" in sys.argv[3:]:
            microscope.camera._sensor = Replay(list(first_frames(microscope, plan)))
        else:
            warm_up(microscope, plan)
        start_s = time.perf_counter()
        summary = controller.start(plan, folder).wait()
        wall_s = time.perf_counter() - start_s
        assert summary is not None  # without a limit the wait ends with the run
        if summary.status != "completed":
            raise SystemExit(f"{summary.status}: {summary.reason}")
        finish(frames=summary.frames_stored, wall_s=wall_s, ideal_s=summary.ideal_s, loop_wall_s=summary.wall_s)


if __name__ == "__main__":
    main()
