"""How the real window feels: one JSON line per case.

::

    .venv/bin/python benchmarks/gui_responsiveness.py                       all cases
    .venv/bin/python benchmarks/gui_responsiveness.py start live run
    xvfb-run -a -s "-screen 0 1920x1080x24" .venv/bin/python benchmarks/gui_responsiveness.py --platform xcb

Each case has a process of its own, on the default simulated microscope (2048 x 2048).

start  shown_ms, usable_ms   from the start of the process to the first picture, and to the pages with open devices
       rss_mb, idle_cpu      after ten idle seconds: memory (peak, too), and processor time per second
live   taken_hz, shown_hz    frames of 2048 x 2048 that live view took, and that were painted; exposure and read-out
                             of 10 ms each allow 50
       worst_ms, p99_ms      longest time that the GUI thread did not turn its event loop, and the 99th percentile
       gui_cpu               processor time of the GUI thread per second: says more than the times on a busy machine
live30 the same              with an exposure that allows 30 frames per second
run    worst_ms, p99_ms      the same, during the reference case of `acquisition.py`, with the Run page shown
       wall_s                from putting the plan into the queue to the end; loop_wall_s: the run itself
overhead                     that case with the window and without, in turn, --pairs times, in random order; nothing
                             looks at the window's thread meanwhile, which would be work of its own
       with_window_ms, alone_ms   medians of the time per frame of the run itself that is neither exposure nor a move
                             that nothing can hide; `each_…`: of each run
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from cases import CASES

HERE = Path(__file__).resolve().parent
KINDS = ("start", "live", "live30", "run", "overhead")


def child(script: str, *arguments: str, platform: str, folder: Path) -> dict[str, Any]:
    """Run a script of this folder and return the figures on its last line."""
    user = {"SQUID_SETTINGS_FOLDER": str(folder / "user"), "SQUID_LOG_FOLDER": str(folder / "log")}
    environment = {**os.environ, **user, "QT_QPA_PLATFORM": platform}
    os.sync()  # nobody pays for what others left in the page cache
    command = [sys.executable, str(HERE / script), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, env=environment)
    if done.returncode:
        raise SystemExit(f"{script} {' '.join(arguments)} ended with {done.returncode}")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def overhead_ms(figures: dict[str, Any]) -> float:
    """Time per frame of the run itself that is neither exposure nor a move that nothing can hide."""
    assert figures["frames"] == CASES["reference"].frames
    return round(1000 * (figures["loop_wall_s"] - figures["ideal_s"]) / figures["frames"], 2)


def measure(kind: str, seconds: float, platform: str, parent: Path) -> dict[str, Any]:
    """Return the figures of one run; what it wrote stays in `parent`, see `acquisition.py`."""
    folder = Path(tempfile.mkdtemp(prefix=f"{kind}-", dir=parent))
    if kind == "alone":
        return child("run_squid_hcs.py", "reference", str(folder), platform=platform, folder=folder)
    begin = str(time.monotonic())
    return child("run_window.py", kind, str(folder), str(seconds), begin, platform=platform, folder=folder)


def compare(pairs: int, platform: str, parent: Path) -> dict[str, Any]:
    """Return the overhead of the reference case with the window and without."""
    each: dict[str, list[float]] = {"with_window": [], "alone": []}
    for _ in range(pairs):
        for how in random.sample(sorted(each), 2):
            each[how].append(overhead_ms(measure("overhead" if how == "with_window" else "alone", 0, platform, parent)))
    medians = {f"{how}_ms": round(statistics.median(values), 2) for how, values in each.items()}
    return {**medians, **{f"each_{how}_ms": values for how, values in each.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description="Prints one JSON line per case.")
    parser.add_argument("kinds", nargs="*", metavar="CASE", help=", ".join(KINDS))
    parser.add_argument("--seconds", type=float, default=10.0, help="how long live view is measured")
    parser.add_argument("--pairs", type=int, default=5, help="how often the overhead is measured each way")
    parser.add_argument("--platform", default="offscreen", help="Qt platform: offscreen, xcb")
    parser.add_argument("--disk", type=Path, default=Path(tempfile.gettempdir()), help="write below this folder")
    args = parser.parse_args()
    unknown = set(args.kinds) - set(KINDS)
    if unknown:
        parser.error(f"no case {', '.join(sorted(unknown))} (allowed: {', '.join(KINDS)})")
    with tempfile.TemporaryDirectory(prefix="benchmark-", dir=args.disk) as name:
        for kind in args.kinds or KINDS:
            if kind == "overhead":
                figures = compare(args.pairs, args.platform, Path(name))
            else:
                figures = measure(kind, args.seconds, args.platform, Path(name))
            line = {"program": "squid-hcs window", "case": kind, "platform": args.platform, **figures}
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
