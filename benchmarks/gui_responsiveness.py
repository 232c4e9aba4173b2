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
       overhead_ms_per_frame of the run itself; alone_overhead_ms_per_frame: of the same run without a window
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from cases import CASES

HERE = Path(__file__).resolve().parent
KINDS = ("start", "live", "live30", "run")


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
    return round(1000 * (figures["loop_wall_s"] - figures["ideal_s"]) / figures["frames"], 2)


def measure(kind: str, seconds: float, platform: str, disk: Path) -> dict[str, Any]:
    """Return one line's content."""
    folder = Path(tempfile.mkdtemp(prefix="benchmark-", dir=disk))
    try:
        begin = str(time.monotonic())
        figures = child("run_window.py", kind, str(folder), str(seconds), begin, platform=platform, folder=folder)
        if kind == "run":
            shutil.rmtree(folder)
            folder.mkdir()
            alone = child("run_squid_hcs.py", "reference", str(folder), platform=platform, folder=folder)
            assert figures["frames"] == alone["frames"] == CASES["reference"].frames
            figures["overhead_ms_per_frame"] = overhead_ms(figures)
            figures["alone_overhead_ms_per_frame"] = overhead_ms(alone)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {"program": "squid-hcs window", "case": kind, "platform": platform, **figures}


def main() -> None:
    parser = argparse.ArgumentParser(description="Prints one JSON line per case.")
    parser.add_argument("kinds", nargs="*", metavar="CASE", help=", ".join(KINDS))
    parser.add_argument("--seconds", type=float, default=10.0, help="how long live view is measured")
    parser.add_argument("--platform", default="offscreen", help="Qt platform: offscreen, xcb")
    parser.add_argument("--disk", type=Path, default=Path(tempfile.gettempdir()), help="write below this folder")
    args = parser.parse_args()
    unknown = set(args.kinds) - set(KINDS)
    if unknown:
        parser.error(f"no case {', '.join(sorted(unknown))} (allowed: {', '.join(KINDS)})")
    for kind in args.kinds or KINDS:
        print(json.dumps(measure(kind, args.seconds, args.platform, args.disk)), flush=True)


if __name__ == "__main__":
    main()
