"""How long the largest plan takes to check and to enter: 1536 wells x 9 fields x 5 channels x 11 z x 100 time points.

Prints one JSON line for each order of axes: ``.venv/bin/python benchmarks/planning.py [MACHINE_FILE]``.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "software"))

from control.core.preflight import preflight
from squid.machine_file import CONFIGS, read_machine_file
from squid.microscope import Microscope
from squid.models.plan import AcquisitionPlan

ORDERS = ("tpgcz", "tpczg", "ptgcz", "zctpg", "gcztp")
STREAMED = 100_000


def plan(order: str, channels: list[str]) -> AcquisitionPlan:
    """Return the largest plan, its axes in the given order."""
    sequence = {
        "axis_order": order,
        "channels": channels,
        "z_plan": {"range": 10, "step": 1},
        "time_plan": {"interval": 60, "loops": 100},
    }
    fields = {"rows": 3, "columns": 3}
    return AcquisitionPlan.model_validate(
        {"name": order, "plate": 1536, "wells": "all", "fields": fields, "sequence": sequence}
    )


def main() -> None:
    """Check the plan in each order, enter it late, and stream a part of it."""
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else CONFIGS / "simulation.yaml"
    machine = read_machine_file(file)
    channels = list(machine.channels_of(machine.objective))[:5]
    with Microscope.build(machine, file) as microscope:
        for order in ORDERS:
            started = time.perf_counter()
            checked = preflight(plan(order, channels), microscope, None)
            checked_s = time.perf_counter() - started
            events = checked.schedule.events(checked.frames * 9 // 10)
            started = time.perf_counter()
            next(events)
            entered_s = time.perf_counter() - started
            started = time.perf_counter()
            for _ in islice(events, STREAMED):
                pass
            result = {
                "program": "squid-hcs",
                "case": f"planning {order}",
                "frames": checked.frames,
                "preflight_s": round(checked_s, 3),
                "seek_ms": round(1000 * entered_s, 3),
                "us_per_event": round(1e6 * (time.perf_counter() - started) / STREAMED, 2),
                "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
            }
            print(json.dumps(result))


if __name__ == "__main__":
    main()
