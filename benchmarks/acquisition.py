"""How fast plates are acquired, and what it costs: one JSON line per program and case.

::

    .venv/bin/python benchmarks/acquisition.py reference
    .venv/bin/python benchmarks/acquisition.py reference ceiling null --peer pymmcore-plus
    .venv/bin/python benchmarks/acquisition.py storage --replay

Each run has a process of its own, so that memory and processor time are its own. Straight after it the same number of
bytes is written raw to the same disk. Keys of a line:

wall_s                 from handing the plan over to the last byte closed
ideal_s                exposures, and the moves and read-outs that nothing can hide
duty                   ideal_s / wall_s
overhead_ms_per_frame  (wall_s - ideal_s) / frames
mb_per_s               pixels acquired, uncompressed, per wall_s
peak_rss_mb, cpu_s     of the process, start-up included
raw_mb_per_s           the same bytes written raw; both go to the page cache first, as they do in use
disk_mb_per_s          like mb_per_s, but until all is on the device: what storage takes for longer than memory lasts
raw_disk_mb_per_s      like raw_mb_per_s, until all is on the device
stolen_s               processor time that the host of a virtual machine gave to others meanwhile (Linux)

Before each run as much memory as the run writes is touched and given back: a virtual machine that was idle has lent its
memory to its host, and getting it back stops a whole processor for milliseconds, whichever program runs.

What a run has written stays until the last one is done, and then goes: on ext4 each new file costs a look at every file
that was deleted nearby in the last minutes. After a call, wait five minutes or give another disk's or folder's name.

With ``--replay`` our simulated camera hands out frames that it rendered before the run: as with a real camera, making
them takes no processor from the program. What can be compared across programs is in docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from cases import BYTES_PER_FRAME, CASES

HERE = Path(__file__).resolve().parent
OURS, REPLAYED = "squid-hcs", "squid-hcs, frames replayed"
PROGRAMS = {
    OURS: ("run_squid_hcs.py",),
    REPLAYED: ("run_squid_hcs.py", "--replay"),
    "pymmcore-plus": ("run_pymmcore_plus.py",),
}
TOUCH = "bytearray(b'1') * {}"
PEERS = tuple(name for name in PROGRAMS if name not in (OURS, REPLAYED))


def child(script: str, *arguments: str, writes_bytes: int) -> dict[str, Any]:
    """Run a script of this folder and return the figures on its last line, and `sync_s`, `stolen_s`."""
    os.sync()  # nobody pays for what others left in the page cache
    subprocess.run([sys.executable, "-c", TOUCH.format(writes_bytes)], check=True)
    command = [sys.executable, str(HERE / script), *arguments]
    stolen_s = stolen_so_far_s()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{script} {' '.join(arguments)} ended with {done.returncode}")
    stolen_s = stolen_so_far_s() - stolen_s
    start_s = time.perf_counter()
    os.sync()
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures | {"sync_s": time.perf_counter() - start_s, "stolen_s": stolen_s}


def stolen_so_far_s() -> float:
    """Processor time that the host has kept from this machine since its start; 0 where the system does not say."""
    counts = Path("/proc/stat")
    if not counts.exists():
        return 0.0
    return int(counts.read_text().split()[8]) / os.sysconf("SC_CLK_TCK")


def measure(program: str, case: str, folder: Path) -> dict[str, Any]:
    """Return one line's content; what the run wrote stays in `folder`."""
    frames = CASES[case].frames
    pixel_bytes = frames * BYTES_PER_FRAME
    output = tempfile.mkdtemp(prefix=f"{case}-", dir=folder)
    script, *options = PROGRAMS[program]
    ran = child(script, case, output, *options, writes_bytes=pixel_bytes)
    raw = child("write_raw.py", str(frames), str(folder), writes_bytes=pixel_bytes)
    (folder / "raw").unlink()
    wall_s, ideal_s = ran["wall_s"], ran["ideal_s"]
    if ran["frames"] != frames:
        raise SystemExit(f"{program} {case}: {ran['frames']} of {frames} frames")

    def mb_per_s(took_s: float) -> int:
        return round(pixel_bytes / took_s / 1e6)

    return {
        "program": program,
        "case": case,
        "frames": frames,
        "wall_s": round(wall_s, 2),
        "ideal_s": round(ideal_s, 2),
        "duty": round(ideal_s / wall_s, 3),
        "overhead_ms_per_frame": round(1000 * (wall_s - ideal_s) / frames, 2),
        "mb_per_s": mb_per_s(wall_s),
        "raw_mb_per_s": mb_per_s(raw["wall_s"]),
        "disk_mb_per_s": mb_per_s(wall_s + ran["sync_s"]),
        "raw_disk_mb_per_s": mb_per_s(raw["wall_s"] + raw["sync_s"]),
        "peak_rss_mb": round(ran["peak_rss_mb"]),
        "cpu_s": round(ran["cpu_s"], 1),
        "stolen_s": round(ran["stolen_s"], 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Prints one JSON line per program and case.")
    parser.add_argument("cases", nargs="+", choices=CASES, metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--replay", action="store_true", help="our camera's frames are rendered before the run")
    parser.add_argument("--peer", choices=PEERS, action="append", default=[], help="another program beside ours")
    parser.add_argument("--disk", type=Path, default=Path(tempfile.gettempdir()), help="write below this folder")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="benchmark-", dir=args.disk) as folder:
        for case in args.cases:
            for program in (REPLAYED if args.replay else OURS, *args.peer):
                print(json.dumps(measure(program, case, Path(folder))), flush=True)


if __name__ == "__main__":
    main()
