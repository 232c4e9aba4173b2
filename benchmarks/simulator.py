"""How fast the simulated camera makes frames, on one core: one JSON line per case.

Usage: ``.venv/bin/python benchmarks/simulator.py [CASE …]``. Figures are CPU milliseconds of the thread that renders,
so that a busy machine does not change them much; ``fps_one_core`` is their inverse. Every frame is another well; the
first tour of the wells, which draws cells and sprites, is not counted but given as ``first_ms``.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "software"))

from squid.abc.illumination import LightSource
from squid.drivers.simulated.camera import CameraOptions
from squid.drivers.simulated.scene import Dose, Scene
from squid.drivers.simulated.sensor import Sensor, SensorSettings
from squid.drivers.simulated.world import SimulatedWorld
from squid.models.geometry import Roi, StagePosition

WELLS = tuple((row, column) for row in range(4) for column in range(6))
TOURS = 3
QUAD = ((418.0, 472.0), (502.0, 544.0), (575.0, 623.0), (655.0, 730.0))
CHANNELS = {
    "DAPI": (LightSource("405", 405.0), 0.02),
    "FITC": (LightSource("488", 488.0), 0.03),
    "TRITC": (LightSource("561", 561.0), 0.03),
    "Cy5": (LightSource("638", 638.0), 0.05),
    "Brightfield": (LightSource("BF", None), 0.001),
}


@dataclass(frozen=True)
class Case:
    """One case: a channel, an objective, a sensor, a distance from focus."""

    channel: str | None = "DAPI"
    objective: str = "20x"
    side_px: int = 2048
    defocus_um: float = 0.0
    world: dict[str, Any] = field(default_factory=dict)


CASES = {
    **{f"20x {channel}": Case(channel) for channel in CHANNELS},
    "20x dark": Case(None),
    "20x DAPI 5 um out of focus": Case(defocus_um=5.0),
    "20x DAPI 50 um out of focus": Case(defocus_um=50.0),
    "20x DAPI 4168 px": Case(side_px=4168),
    "40x TRITC": Case("TRITC", "40x"),
    "10x TRITC": Case("TRITC", "10x"),
    "4x DAPI": Case("DAPI", "4x"),
}


def measure(case: Case) -> dict[str, float]:
    """Render the wells of a case several times over."""
    world = SimulatedWorld.create("world", SimulatedWorld.Options.model_validate(case.world), {})
    world.open()
    options = CameraOptions(sensor_shape_px=(case.side_px, case.side_px))
    sensor = Sensor(options.physics(), world.seed)
    settings = SensorSettings(Roi(0, 0, case.side_px, case.side_px), 1, 12, 1.0)
    spent_ms: list[float] = []
    for number in range((TOURS + 1) * len(WELLS)):
        well = world.specimen.plate_map.well(*WELLS[number % len(WELLS)])
        place = StagePosition(well.x_um + 400, well.y_um + 300, world.start_position.z_um + case.defocus_um)
        doses = (Dose(*CHANNELS[case.channel]),) if case.channel else ()
        scene = Scene((place,), doses, QUAD, world.objective_named("turret", case.objective), 180.0)
        start_s = time.thread_time()
        sensor.expose(world.specimen, scene, settings, number)
        spent_ms.append((time.thread_time() - start_s) * 1000)
    world.close()
    first, later = spent_ms[: len(WELLS)], spent_ms[len(WELLS) :]
    return {
        "first_ms": round(max(first), 2),
        "median_ms": round(statistics.median(later), 2),
        "worst_ms": round(max(later), 2),
        "fps_one_core": round(1000 / statistics.median(later), 1),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def main(names: list[str]) -> None:
    """Measure the named cases, or all."""
    for name in names or CASES:
        print(json.dumps({"program": "squid-hcs simulator", "case": name, **measure(CASES[name])}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
