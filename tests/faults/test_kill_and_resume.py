"""Row 6 and 41: SIGKILL of the whole program at any moment, then resume: the data equals an uninterrupted run's."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
from tests import rig
from tests.faults.test_run_faults import data_set
from tests.rig import FRAMES

from control.core.journal import FILE_NAME, read_journal
from control.core.run_record import read_summary

ROOT = Path(__file__).parents[2]
KILLS = 12
FORMATS = ("ome-zarr", "ome-tiff", "tiff")

CHILD = """
import sys
from pathlib import Path
from tests import rig
folder, speed, form = Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
with rig.rig(rig.machine(folder, time_scale=speed)) as bench:
    bench.run(rig.plan(folder, storage={"format": form}), folder / "out")
"""


def start(folder: Path, speed: float, form: str = "ome-zarr") -> subprocess.Popen[bytes]:
    """Run the test plan in a process of its own."""
    path = os.pathsep.join((str(ROOT / "software"), str(ROOT)))
    arguments = [sys.executable, "-c", CHILD, str(folder), str(speed), form]
    return subprocess.Popen(arguments, env={**os.environ, "PYTHONPATH": path})


def kill_after(child: subprocess.Popen[bytes], folder: Path, frames: int, delay_s: float) -> Path:
    """SIGKILL the child a little after so many frames were journaled; return the run folder."""
    until_s = time.monotonic() + 60
    while time.monotonic() < until_s and child.poll() is None:
        for journal in folder.glob(f"out/*/{FILE_NAME}"):
            if journal.read_bytes().count(b'"stored"') >= frames:
                time.sleep(delay_s)  # the moment of the kill is what is tested
                child.send_signal(signal.SIGKILL)
                child.wait()
                return journal.parent
        time.sleep(0.001)
    raise AssertionError(f"the child ended with {child.wait()} before {frames} frames were stored")


def test_killed_at_many_points_the_data_is_the_same(tmp_path: Path) -> None:
    chance = random.Random(20261121)
    with rig.rig(rig.machine(tmp_path, time_scale=4)) as bench:
        run, _ = bench.run(rig.plan(tmp_path), tmp_path / "undisturbed")
    wanted = data_set(run.folder)
    for kill in range(KILLS):
        folder = tmp_path / f"kill{kill}"
        folder.mkdir()
        frames = chance.randrange(0, FRAMES - 4)
        run_folder = kill_after(start(folder, 4), folder, frames, chance.uniform(0, 0.03))
        assert read_summary(run_folder).status == "running"
        killed = read_journal(run_folder)
        assert FRAMES > len(killed.stored) >= frames
        with rig.rig(rig.machine(folder, time_scale=4)) as bench:
            summary = bench.finish(bench.controller.resume(run_folder))
        assert (summary.status, summary.frames_stored, summary.parts) == ("completed", FRAMES, 2)
        lines = (run_folder / FILE_NAME).read_text().count('"stored"')
        assert lines == FRAMES, "a frame stands twice in the journal"
        got = data_set(run_folder)
        assert got.keys() == wanted.keys()
        for path, image in wanted.items():
            np.testing.assert_array_equal(got[path], image, err_msg=f"kill {kill} after {frames} frames: {path}")


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_survives_a_kill(tmp_path: Path, form: str) -> None:
    run_folder = kill_after(start(tmp_path, 4, form), tmp_path, 9, 0.01)
    with rig.rig(rig.machine(tmp_path, time_scale=4)) as bench:
        summary = bench.finish(bench.controller.resume(run_folder))
        assert (summary.status, summary.frames_stored) == ("completed", FRAMES)
        whole = bench.run(rig.plan(tmp_path, storage={"format": form}), tmp_path / "whole")[0].folder
    for output in summary.outputs:
        for file in sorted((whole / output).rglob("*.tif*")):
            again = run_folder / output / file.relative_to(whole / output)
            assert pixels_of(again) == pixels_of(file), file.name


def pixels_of(path: Path) -> bytes:
    """All pixels of a TIFF file."""
    return bytes(tifffile.imread(path).tobytes())
