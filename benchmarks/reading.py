"""How fast single planes of a run are read back, beside zarr-python and tifffile on the same files.

    .venv/bin/python benchmarks/reading.py [--planes 60] [--size 2048]

Prints one JSON line per case: median and 95 % of the time for one plane, in random order, the files in the system's
memory: what is measured is the program, not the disk. Level 2 is four times smaller along each side; TIFF formats
compute it. The peers open a file anew for each plane, as a viewer that jumps between fields must.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tifffile
import zarr

sys.path[:0] = [str(Path(__file__).parents[1] / "software"), str(Path(__file__).parents[1])]

from tests.control.core.sinks import examples

from control.core.review.planes import OmeTiffPlanes, PlaneReader, TiffPlanes, ZarrPlanes
from control.core.sinks import make_sink
from squid.models.layout import DatasetLayout

Place = tuple[int, int, int, int]
"""Image, t, c, z."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--planes", type=int, default=60)
    parser.add_argument("--size", type=int, default=2048)
    arguments = parser.parse_args()
    layout = examples.layout(fields=2, shape_px=(arguments.size, arguments.size))
    readers: dict[str, Callable[[Path], PlaneReader]] = {
        "ome-zarr": lambda folder: ZarrPlanes(folder, layout, "lz4"),
        "ome-tiff": lambda folder: OmeTiffPlanes(folder, layout),
        "tiff": lambda folder: TiffPlanes(folder, layout),
    }
    for format, make in readers.items():
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            places = _write(folder, format, layout)
            random.Random(0).shuffle(places)
            reader = make(folder)
            for level in (0, 2):
                _report(format, level, arguments.planes, places, lambda p, r=reader, n=level: _ours(r, layout, p, n))
            peer = _peer(format, folder, layout, reader)
            _report(f"{format} by {peer[0]}", 0, arguments.planes, places, peer[1])


def _ours(reader: PlaneReader, layout: DatasetLayout, place: Place, level: int) -> object:
    image, t, c, z = place
    return reader.read(layout.images[image], t, c, z, level)


def _peer(
    format: str, folder: Path, layout: DatasetLayout, reader: PlaneReader
) -> tuple[str, Callable[[Place], object]]:
    def by_zarr(place: Place) -> object:
        image, *axes = place
        path = reader.path(layout.images[image], 0, 0, 0).parents[5]
        return np.asarray(zarr.open_array(path, mode="r")[tuple(axes)])

    def by_tifffile(place: Place) -> object:
        image, t, c, z = place
        plane = (t * len(layout.channels) + c) * layout.images[image].size_z + z
        key = plane if format == "ome-tiff" else 0
        return tifffile.imread(reader.path(layout.images[image], t, c, z), key=key, is_ome=False)

    return ("zarr-python", by_zarr) if format == "ome-zarr" else ("tifffile", by_tifffile)


def _write(folder: Path, format: str, layout: DatasetLayout) -> list[Place]:
    sink = make_sink(format)
    sink.open(folder, layout, resume=False)
    places: list[Place] = []
    for record in examples.records(layout):
        event = record.event
        sink.append(record, examples.pixels(layout, event.index % 4))
        places.append((event.image, event.t, event.c, event.z))
    sink.close()
    return places


def _report(case: str, level: int, planes: int, places: list[Place], read: Callable[[Place], object]) -> None:
    times_ms = []
    for number in range(planes + 5):
        started_s = time.perf_counter()
        if read(places[number % len(places)]) is None:
            raise RuntimeError(f"{case}: plane {places[number % len(places)]} was not read")
        times_ms.append(1000 * (time.perf_counter() - started_s))
    median_ms, p95_ms = np.percentile(times_ms[5:], (50, 95))
    print(json.dumps({"case": case, "level": level, "median_ms": round(median_ms, 2), "p95_ms": round(p95_ms, 2)}))


if __name__ == "__main__":
    main()
