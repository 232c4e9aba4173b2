"""How fast live view is on the simulated camera, and how long a changed setting takes to be seen.

``.venv/bin/python benchmarks/live_camera.py [--seconds 5]`` prints one JSON line per case:

- ``frames``: 2048 x 2048 px, exposure and read-out as named; frames per second beside what physics allows, share of one
  core that the whole program takes (the simulated camera draws its pictures with it)
- ``setting``: milliseconds from `Live.set` to the first frame that was taken with it
- ``start``, ``stop``: milliseconds to the first frame, and until the light is off and a run may start
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "software"), str(ROOT)]

import psutil
from tests.hands import HandBench, hand_bench

from squid.machine_file import CONFIGS, read_machine_file

SIMULATION = CONFIGS / "simulation.yaml"


def _say(case: str, **figures: Any) -> None:
    print(json.dumps({"program": "squid-hcs", "case": case} | figures), flush=True)


def _wait_for(bench: HandBench, number: int) -> float:
    """Wait for a frame of at least that number, ticking as a window does; return the instant."""
    while (newest := bench.live.newest()) is None or newest.number < number:
        bench.live.tick()
        time.sleep(0.0005)
    return time.monotonic()


def _frames(bench: HandBench, exposure_ms: float, seconds: float) -> None:
    bench.live.set(exposure_ms=exposure_ms)
    first = bench.live.newest()
    assert first is not None
    _wait_for(bench, first.number + 10)
    process = psutil.Process()
    begun, cpu_s, begun_s = bench.live.newest(), sum(process.cpu_times()[:2]), time.monotonic()
    while time.monotonic() - begun_s < seconds:
        bench.live.tick()
        time.sleep(0.02)
    ended, took_s = bench.live.newest(), time.monotonic() - begun_s
    assert begun is not None
    assert ended is not None
    readout_ms = bench.microscope.camera.readout_ms
    _say(
        "frames",
        exposure_ms=exposure_ms,
        readout_ms=readout_ms,
        per_second=round((ended.number - begun.number) / took_s, 1),
        physics_per_second=round(1000 / (exposure_ms + readout_ms), 1),
        cores=round((sum(process.cpu_times()[:2]) - cpu_s) / took_s, 2),
    )


def _settings(bench: HandBench) -> None:
    took_ms = []
    for number in range(20):
        exposure_ms = 10.0 + number % 2
        bench.live.set(exposure_ms=exposure_ms)
        asked_s = time.monotonic()
        while (newest := bench.live.newest()) is None or newest.exposure_ms != exposure_ms:
            bench.live.tick()
            time.sleep(0.0005)
        took_ms.append((time.monotonic() - asked_s) * 1000)
    _say("setting", median_ms=round(sorted(took_ms)[10], 1), worst_ms=round(max(took_ms), 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    seconds = parser.parse_args().seconds
    folder = Path(tempfile.mkdtemp())
    with hand_bench(read_machine_file(SIMULATION), folder) as bench:
        bench.live.set(channel="DAPI", exposure_ms=10)
        begun_s = time.monotonic()
        bench.live.start()
        _say("start", ms=round((_wait_for(bench, 1) - begun_s) * 1000, 1))
        for exposure_ms in (10.0, 20.0, 50.0):
            _frames(bench, exposure_ms, seconds)
        _settings(bench)
        begun_s = time.monotonic()
        bench.live.stop()
        assert bench.live.wait_stopped(10)
        _say("stop", ms=round((time.monotonic() - begun_s) * 1000, 1), lit=list(bench.microscope.illumination.lit))


if __name__ == "__main__":
    main()
