"""How fast each sink stores frames, beside the same bytes written raw to the same disk.

    .venv/bin/python benchmarks/sinks.py [--frames 300] [--size 2048] [--repeat 3] [--folder DIR] [CASE …]

Prints one JSON line per case: medians of `repeat` rounds, each in a fresh process between two raw ones, so
that both see the same disk. Frames look like a camera's: 12 bits, shot and read noise, bright spots on a dim
background.
`peak_rss_mb` is above the process before `open`; `cpu_s` is user and system time of all threads.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "software"))

from control.core.sinks import make_sink
from squid.models.channel import ChannelLayout, ChannelPreset
from squid.models.event import AcquisitionEvent
from squid.models.frame import FrameRecord
from squid.models.geometry import Pixels, StagePosition
from squid.models.layout import DatasetLayout, ImageLayout, WellRef
from squid.models.plate import PlateGeometry

GROUP_FRAMES = 8
CASES: dict[str, tuple[str, str, bool]] = {
    "ome-zarr lz4": ("ome-zarr", "lz4", False),
    "ome-zarr zstd": ("ome-zarr", "zstd", False),
    "ome-zarr none": ("ome-zarr", "none", False),
    "ome-tiff": ("ome-tiff", "none", False),
    "tiff": ("tiff", "none", False),
    "ome-zarr lz4 durable": ("ome-zarr", "lz4", True),
    "ome-tiff durable": ("ome-tiff", "none", True),
    "tiff durable": ("tiff", "none", True),
}
RAW = "raw"


def main() -> None:
    arguments = _arguments()
    if arguments.child:
        print(json.dumps(_measure(arguments.child, arguments)))
        return
    _in_child(RAW, arguments)  # the first round also pays for the machine's cold memory
    for case in arguments.cases or CASES:
        rounds = [_round(case, arguments) for _ in range(arguments.repeat)]
        print(json.dumps(_summary(case, rounds, arguments)), flush=True)


def _round(case: str, arguments: argparse.Namespace) -> tuple[dict[str, float], dict[str, float]]:
    """Raw, the case, raw again: whoever comes later finds memory that was just freed, and is faster for it."""
    before, ours, after = (_in_child(each, arguments) for each in (RAW, case, RAW))
    return {key: (before[key] + after[key]) / 2 for key in before}, ours


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of: {', '.join(CASES)} (default: all)")
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--size", type=int, default=2048, help="height and width of a frame, px")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=None, help="on the disk to be measured (default: temporary)")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if unknown := set(arguments.cases) - set(CASES):
        parser.error(f"unknown case {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    return arguments


def _in_child(case: str, arguments: argparse.Namespace) -> dict[str, float]:
    command = [sys.executable, __file__, "--child", case, "--frames", str(arguments.frames), "--size"]
    command += [str(arguments.size), *(["--folder", str(arguments.folder)] if arguments.folder else [])]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def _summary(
    case: str, rounds: list[tuple[dict[str, float], dict[str, float]]], arguments: argparse.Namespace
) -> dict[str, object]:
    def median(which: int, key: str) -> float:
        return round(statistics.median(pair[which][key] for pair in rounds), 3)

    ratios = [ours["mb_per_s"] / raw["mb_per_s"] for raw, ours in rounds]
    return {
        "program": "squid-hcs",
        "case": case,
        "frames": arguments.frames,
        "size_px": arguments.size,
        "wall_s": median(1, "wall_s"),
        "mb_per_s": median(1, "mb_per_s"),
        "raw_mb_per_s": median(0, "mb_per_s"),
        "of_raw": round(statistics.median(ratios), 3),
        "cpu_s": median(1, "cpu_s"),
        "peak_rss_mb": median(1, "peak_rss_mb"),
        "stored_fraction": median(1, "stored_fraction"),
    }


def _measure(case: str, arguments: argparse.Namespace) -> dict[str, float]:
    frames = _frames(arguments.size)
    folder = Path(tempfile.mkdtemp(prefix="sink benchmark ", dir=arguments.folder))
    try:
        os.sync()
        _forget_peak_rss()
        before, start_s, rss = _cpu_s(), time.perf_counter(), _peak_rss_mb()
        (_write_raw if case == RAW else _store(*CASES[case]))(folder, frames, arguments.frames)
        wall_s = time.perf_counter() - start_s
        total_mb = arguments.frames * frames[0].nbytes / 1e6
        return {
            "wall_s": wall_s,
            "mb_per_s": total_mb / wall_s,
            "cpu_s": _cpu_s() - before,
            "peak_rss_mb": _peak_rss_mb() - rss,
            "stored_fraction": sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 1e6 / total_mb,
        }
    finally:
        shutil.rmtree(folder)


def _write_raw(folder: Path, frames: list[Pixels], count: int) -> None:
    with (folder / "raw").open("wb", buffering=0) as file:
        for index in range(count):
            frames[index % len(frames)].tofile(file)


def _store(format: str, compression: str, durable: bool) -> Callable[[Path, list[Pixels], int], None]:
    def store(folder: Path, frames: list[Pixels], count: int) -> None:
        layout = _layout(count, frames[0].shape)
        sink = make_sink(format, compression, durable=durable)
        sink.open(folder, layout, resume=False)
        for index in range(count):
            sink.append(_record(layout, index), frames[index % len(frames)])
            if index % GROUP_FRAMES == GROUP_FRAMES - 1:
                sink.flush()
        sink.flush()
        sink.close()

    return store


def _frames(size: int, count: int = 8) -> list[Pixels]:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:size, 0:size]
    frames = []
    for _ in range(count):
        light = np.full((size, size), 120.0)
        for cy, cx in rng.uniform(0, size, (60, 2)):
            near = np.s_[max(0, int(cy) - 60) : int(cy) + 60, max(0, int(cx) - 60) : int(cx) + 60]
            light[near] += 1500 * np.exp(-((y[near] - cy) ** 2 + (x[near] - cx) ** 2) / 800)
        noisy = rng.poisson(light) + rng.normal(0, 2, light.shape)
        frames.append(np.clip(noisy, 0, 4095).astype(np.uint16))
    return frames


PLANES = 6  # 2 channels x 3 z, as in the reference run


def _layout(count: int, shape_px: tuple[int, ...]) -> DatasetLayout:
    preset = ChannelPreset(source="a", intensity=0.5, exposure_ms=10)
    images = tuple(
        ImageLayout(
            index=number,
            name=f"{chr(65 + number // 4 // 24)}{number // 4 % 24 + 1}_{number % 4}",
            well=WellRef(number // 4 // 24, number // 4 % 24, f"{chr(65 + number // 4 // 24)}{number // 4 % 24 + 1}"),
            field=number % 4,
            x_um=0,
            y_um=0,
            z_um=0,
            size_t=1,
            size_z=3,
        )
        for number in range(-(-count // PLANES))
    )
    return DatasetLayout(
        name="benchmark",
        images=images,
        channels=(ChannelLayout("a", preset), ChannelLayout("b", preset)),
        shape_px=(shape_px[0], shape_px[1]),
        dtype="uint16",
        significant_bits=12,
        pixel_size_um=0.325,
        z_step_um=1.0,
        time_interval_s=None,
        plate=PlateGeometry(name="384", rows=16, columns=24, a1_x_mm=0, a1_y_mm=0, well_size_mm=3, well_spacing_mm=4.5),
        frames_planned=count,
        objective="20x",
    )


def _record(layout: DatasetLayout, index: int) -> FrameRecord:
    image, plane = divmod(index, PLANES)
    c, z = divmod(plane, 3)
    here = StagePosition(0.0, 0.0, float(z))
    event = AcquisitionEvent(
        index=index, image=image, t=0, c=c, z=z, target=here, channel=layout.channels[c].name, exposure_ms=10
    )
    return FrameRecord(event, here, 10, "a", 0.5, index, float(index), 1.78e9 + index)


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _forget_peak_rss() -> None:
    """Let the peak start from now; Linux, proc(5)."""
    Path("/proc/self/clear_refs").write_text("5")


def _peak_rss_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


if __name__ == "__main__":
    main()
