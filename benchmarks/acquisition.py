"""How fast plates are acquired, and what it costs: one JSON line per program and case.

::

    .venv/bin/python benchmarks/acquisition.py reference
    .venv/bin/python benchmarks/acquisition.py reference ceiling null --peer pymmcore-plus

Each run has a process of its own, so that memory and processor time are its own. Straight after it the same number of
bytes is written raw to the same disk. Keys of a line:

wall_s                 from handing the plan over to the last byte closed
ideal_s                exposures, and the moves and read-outs that nothing can hide
duty                   ideal_s / wall_s
overhead_ms_per_frame  (wall_s - ideal_s) / frames
mb_per_s               pixels acquired, uncompressed, per wall_s
peak_rss_mb, cpu_s     of the process, start-up included
raw_mb_per_s           the same bytes written raw; both go to the page cache first, as they do in use
stolen_s               processor time that the host of a virtual machine gave to others meanwhile (Linux)

Before each run as much memory as the run writes is touched and given back: a virtual machine that was idle has lent its
memory to its host, and getting it back stops a whole processor for milliseconds, whichever program runs.

What can be compared across programs is in docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from cases import BYTES_PER_FRAME, CASES

HERE = Path(__file__).resolve().parent
PROGRAMS = {"squid-hcs": "run_squid_hcs.py", "pymmcore-plus": "run_pymmcore_plus.py"}
TOUCH = "bytearray(b'1') * {}"
PEERS = tuple(name for name in PROGRAMS if name != "squid-hcs")


def child(script: str, *arguments: str, writes_bytes: int) -> dict[str, Any]:
    """Run a script of this folder and return the figures on its last line."""
    os.sync()  # nobody pays for what others left in the page cache
    subprocess.run([sys.executable, "-c", TOUCH.format(writes_bytes)], check=True)
    command = [sys.executable, str(HERE / script), *arguments]
    stolen_s = stolen_so_far_s()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{script} {' '.join(arguments)} ended with {done.returncode}")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures | {"stolen_s": stolen_so_far_s() - stolen_s}


def stolen_so_far_s() -> float:
    """Processor time that the host has kept from this machine since its start; 0 where the system does not say."""
    counts = Path("/proc/stat")
    if not counts.exists():
        return 0.0
    return int(counts.read_text().split()[8]) / os.sysconf("SC_CLK_TCK")


def measure(program: str, case: str, disk: Path) -> dict[str, Any]:
    """Return one line's content."""
    folder = Path(tempfile.mkdtemp(prefix="benchmark-", dir=disk))
    writes_bytes = CASES[case].frames * BYTES_PER_FRAME
    try:
        ran = child(PROGRAMS[program], case, str(folder), writes_bytes=writes_bytes)
        shutil.rmtree(folder)
        folder.mkdir()
        raw = child("write_raw.py", str(CASES[case].frames), str(folder), writes_bytes=writes_bytes)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    frames, wall_s, ideal_s = ran["frames"], ran["wall_s"], ran["ideal_s"]
    if frames != CASES[case].frames:
        raise SystemExit(f"{program} {case}: {frames} of {CASES[case].frames} frames")
    return {
        "program": program,
        "case": case,
        "frames": frames,
        "wall_s": round(wall_s, 2),
        "ideal_s": round(ideal_s, 2),
        "duty": round(ideal_s / wall_s, 3),
        "overhead_ms_per_frame": round(1000 * (wall_s - ideal_s) / frames, 2),
        "mb_per_s": round(frames * BYTES_PER_FRAME / wall_s / 1e6),
        "peak_rss_mb": round(ran["peak_rss_mb"]),
        "cpu_s": round(ran["cpu_s"], 1),
        "raw_mb_per_s": round(frames * BYTES_PER_FRAME / raw["wall_s"] / 1e6),
        "stolen_s": round(ran["stolen_s"], 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Prints one JSON line per program and case.")
    parser.add_argument("cases", nargs="+", choices=CASES, metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--peer", choices=PEERS, action="append", default=[], help="another program beside ours")
    parser.add_argument("--disk", type=Path, default=Path(tempfile.gettempdir()), help="write below this folder")
    args = parser.parse_args()
    for case in args.cases:
        for program in ("squid-hcs", *args.peer):
            print(json.dumps(measure(program, case, args.disk)), flush=True)


if __name__ == "__main__":
    main()
