"""One case under pymmcore-plus, in a process of its own: ``run_pymmcore_plus.py CASE FOLDER``.

The same useq sequence on Micro-Manager's DemoCamera (2048 x 2048, 16 bit, its fast image) and demo stages. The demo xy
stage gets our stage's speed but has neither acceleration nor settling, and its z moves take no time: it has less to
wait for than we have. OME-Zarr is written at its best setting, tensorstore with lz4; that writer has no back-pressure.
"""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path

import mm_test_adapters
from cases import CASES, READOUT_MS, SIDE_PX, Case
from measured import finish
from ome_writers import AcquisitionSettings
from pymmcore_plus import CMMCorePlus
from useq import MDASequence

CHANNELS = ("DAPI", "FITC")
STAGE_MM_PER_S = 30.0
NO_TIME_MM_PER_S = 1e9


def demo_core(case: Case) -> CMMCorePlus:
    core = CMMCorePlus()
    folder = mm_test_adapters.device_adapter_path()
    core.setDeviceAdapterSearchPaths([folder])
    core.loadSystemConfiguration(str(Path(folder) / "MMConfig_demo.cfg"))
    camera = {
        "OnCameraCCDXSize": SIDE_PX,
        "OnCameraCCDYSize": SIDE_PX,
        "PixelType": "16bit",
        "FastImage": 1,
        "ReadoutTime": 0 if case.instant else READOUT_MS,
    }
    for key, value in camera.items():
        core.setProperty(core.getCameraDevice(), key, str(value))
    speed = NO_TIME_MM_PER_S if case.instant else STAGE_MM_PER_S
    core.setProperty(core.getXYStageDevice(), "Velocity", str(speed))
    return core


def ideal_s(sequence: MDASequence, case: Case) -> float:
    """Exposures, and for each frame its read-out or the move to the next, whichever takes longer."""
    readout_s = 0.0 if case.instant else READOUT_MS / 1000
    speed_um_per_s = 1000 * (NO_TIME_MM_PER_S if case.instant else STAGE_MM_PER_S)
    total_s, here = 0.0, None
    for event in sequence:
        there = (event.x_pos or 0.0, event.y_pos or 0.0)
        move_s = math.dist(here, there) / speed_um_per_s if here else 0.0
        total_s += case.exposure_ms / 1000 + max(readout_s, move_s)
        here = there
    return total_s


def main() -> None:
    case, folder = CASES[sys.argv[1]], Path(sys.argv[2])
    sequence = MDASequence.model_validate(case.sequence(CHANNELS))
    core = demo_core(case)
    output = None
    if case.stored:
        store = {"name": "ome-zarr", "backend": "tensorstore"}
        output = AcquisitionSettings(root_path=str(folder / "peer"), format=store, compression="blosc-lz4")
    frames = 0

    def count(*_: object) -> None:
        nonlocal frames
        frames += 1

    core.mda.events.frameReady.connect(count)
    start_s = time.perf_counter()
    core.mda.run(sequence, output=output)
    wall_s = time.perf_counter() - start_s
    finish(frames=frames, wall_s=wall_s, ideal_s=ideal_s(sequence, case))


if __name__ == "__main__":
    main()
