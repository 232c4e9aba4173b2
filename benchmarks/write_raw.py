"""Write so many frames to one file, raw, in a process of its own: ``write_raw.py FRAMES FOLDER``.

What the disk gives when nobody arranges, compresses or describes anything: the yardstick of `acquisition.py`.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
from cases import SIDE_PX
from measured import finish

DIFFERENT = 8
"""So many different frames, in turn."""


def main() -> None:
    frames, file = int(sys.argv[1]), Path(sys.argv[2]) / "raw"
    rng = np.random.default_rng(0)
    pixels = [rng.integers(0, 4096, (SIDE_PX, SIDE_PX), dtype=np.uint16) for _ in range(DIFFERENT)]
    start_s = time.perf_counter()
    with file.open("wb") as out:
        for index in range(frames):
            pixels[index % DIFFERENT].tofile(out)
    finish(frames=frames, wall_s=time.perf_counter() - start_s, ideal_s=0.0)


if __name__ == "__main__":
    main()
