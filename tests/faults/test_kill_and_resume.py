"""Row 6 and 41: SIGKILL of the whole program at any moment, then resume: the data equals an uninterrupted run's."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import tifffile
from tests import rig
from tests.faults.test_run_faults import data_set
from tests.rig import FRAMES

from control.cli_machine import with_time_scale
from control.core.journal import FILE_NAME, read_journal
from control.core.run_record import read_summary

ROOT = Path(__file__).parents[2]
KILLS = 12
FORMATS = ("ome-zarr", "ome-tiff", "tiff")

SPEED = 4.0
"""Of the runs that are killed: slow enough for a kill at any moment of a frame."""

PARENT = """
import os, sys
from pathlib import Path
from tests import rig

for line in sys.stdin:
    folder, speed, form = line.rstrip("\\n").split("\\t")
    pid = os.fork()
    if pid == 0:
        with rig.rig(rig.machine(Path(folder), time_scale=float(speed))) as bench:
            bench.run(rig.plan(Path(folder), storage={"format": form}), Path(folder) / "out")
        os._exit(0)
    print(pid, flush=True)
    print(os.waitpid(pid, 0)[1], flush=True)
"""


class Programs:
    """Processes that run the test plan, one after another: forked after the imports, before there is any thread."""

    def __init__(self) -> None:
        path = os.pathsep.join((str(ROOT / "software"), str(ROOT)))
        self._parent = subprocess.Popen(
            [sys.executable, "-c", PARENT],
            env={**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, folder: Path, form: str = "ome-zarr") -> int:
        """Start one; return its process id."""
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write(f"{folder}\t{SPEED}\t{form}\n")
        self._parent.stdin.flush()
        return int(self._parent.stdout.readline())

    def kill_after(self, folder: Path, frames: int, delay_s: float, form: str = "ome-zarr") -> Path:
        """SIGKILL one a little after so many frames were journaled; return the run folder."""
        pid = self.start(folder, form)
        until_s = time.monotonic() + 60
        while time.monotonic() < until_s:
            for journal in folder.glob(f"out/*/{FILE_NAME}"):
                if journal.read_bytes().count(b'"stored"') >= frames:
                    time.sleep(delay_s)  # the moment of the kill is what is tested
                    os.kill(pid, signal.SIGKILL)
                    assert self._parent.stdout is not None
                    assert int(self._parent.stdout.readline()) == signal.SIGKILL
                    return journal.parent
            time.sleep(0.001)
        raise AssertionError(f"{frames} frames were not stored")

    def close(self) -> None:
        self._parent.communicate(timeout=60)


@contextmanager
def resumed(folder: Path) -> Iterator[rig.Rig]:
    """The machine of the killed run; only what waits for its hardware waits less."""
    machine = rig.machine(folder, time_scale=SPEED)
    with rig.rig(machine, built=with_time_scale(machine, rig.TIME_SCALE)) as bench:
        yield bench


@pytest.fixture(scope="module")
def programs() -> Iterator[Programs]:
    made = Programs()
    yield made
    made.close()


def test_killed_at_many_points_the_data_is_the_same(tmp_path: Path, programs: Programs) -> None:
    chance = random.Random(20261121)
    with rig.rig(rig.machine(tmp_path)) as bench:
        run, _ = bench.run(rig.plan(tmp_path), tmp_path / "undisturbed")
    wanted = data_set(run.folder)
    for kill in range(KILLS):
        folder = tmp_path / f"kill{kill}"
        folder.mkdir()
        frames = chance.randrange(0, FRAMES - 4)
        run_folder = programs.kill_after(folder, frames, chance.uniform(0, 0.03))
        assert read_summary(run_folder).status == "running"
        killed = read_journal(run_folder)
        assert FRAMES > len(killed.stored) >= frames
        with resumed(folder) as bench:
            summary = bench.finish(bench.controller.resume(run_folder))
        assert (summary.status, summary.frames_stored, summary.parts) == ("completed", FRAMES, 2)
        lines = (run_folder / FILE_NAME).read_text().count('"stored"')
        assert lines == FRAMES, "a frame stands twice in the journal"
        got = data_set(run_folder)
        assert got.keys() == wanted.keys()
        for path, image in wanted.items():
            np.testing.assert_array_equal(got[path], image, err_msg=f"kill {kill} after {frames} frames: {path}")


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_survives_a_kill(tmp_path: Path, programs: Programs, form: str) -> None:
    run_folder = programs.kill_after(tmp_path, 9, 0.01, form)
    with resumed(tmp_path) as bench:
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
