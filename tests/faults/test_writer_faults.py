"""Row 5: the writer fails or is ended. It is started again in place, and no frame is lost or stored twice."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests import rig
from tests.faults.test_run_hard_cases import assert_over, held, shorten_margins, until
from tests.faults.test_run_hard_io import assert_whole, is_locked, sinks_with, writer_threads
from tests.rig import FRAMES

from control.core import frame_writer
from control.core.facts import EventStarted, FrameStored, Waiting
from control.core.journal import FILE_NAME
from control.core.stored_run import StoredRun

LIMIT_S = 3.0
"""How long a restart may take: the bound of row 5."""

FORMATS = ("ome-zarr", "ome-tiff", "tiff")


@pytest.fixture(autouse=True)
def _short_margins(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_margins(monkeypatch)


def _bug() -> None:
    raise ZeroDivisionError("a bug in a sink")


def _no_memory() -> None:
    raise MemoryError


def _thread_ended() -> None:
    """End the calling thread from outside, where it is."""
    identity = ctypes.c_ulong(threading.get_ident())
    ctypes.pythonapi.PyThreadState_SetAsyncExc(identity, ctypes.py_object(SystemExit))
    until(lambda: False)


def frames_of(folder: Path) -> dict[int, np.ndarray]:
    run = StoredRun.open(folder)
    found = {}
    for index in range(FRAMES):
        event = run.schedule.event(index)
        plane = run.read(run.layout.images[event.image], event.t, event.c, event.z)
        assert plane is not None, run.absence(run.layout.images[event.image], event.t, event.c, event.z)
        found[index] = np.array(plane)
    return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[int, np.ndarray]:
    """The frames of a run without faults."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with rig.rig(rig.machine(folder)) as bench:
        run, _ = bench.run(rig.plan(folder), folder / "out")
    return frames_of(run.folder)


def assert_same(folder: Path, undisturbed: dict[int, np.ndarray]) -> None:
    """Every frame is at its index, bit for bit, and each stands in journal and table once."""
    assert_whole(folder)
    table = next(folder.rglob("frames.csv")).read_text().splitlines()[1:]
    assert sorted(int(line.split(",")[0]) for line in table) == list(range(FRAMES))
    found = frames_of(folder)
    for index, plane in undisturbed.items():
        np.testing.assert_array_equal(found[index], plane)


@pytest.mark.parametrize("format", FORMATS)
def test_row_5_a_writer_that_fails_is_started_again_in_place(
    tmp_path: Path, undisturbed: dict[int, np.ndarray], format: str
) -> None:
    faults: dict[int, Callable[[], None]] = {5: _bug, 11: _no_memory, 17: _thread_ended}
    failed_s: dict[int, float] = {}
    exposed_while_down: list[int] = []

    def strike(when: str, folder: Path, index: int) -> None:
        if when == "append" and index in faults:
            failed_s[index] = time.monotonic()
            faults.pop(index)()
        if when == "open" and failed_s:
            until(lambda: bench.microscope.illumination.lit == ())
            before = len(bench.said(EventStarted))
            threading.Event().wait(0.05)
            exposed_while_down.append(len(bench.said(EventStarted)) - before)

    plan = rig.plan(tmp_path, storage={"format": format})
    with sinks_with(strike), rig.rig(rig.machine(tmp_path)) as bench:
        stored_s: dict[int, float] = {}
        run = bench.controller.start(plan, tmp_path / "out")
        until(lambda: note_times(bench.said(FrameStored), stored_s) == FRAMES)
        summary = bench.finish(run)
        assert_over(bench)
    assert (summary.status, summary.frames_stored, summary.frames_missing) == ("completed", FRAMES, 0)
    assert not faults
    assert len(exposed_while_down) == 3
    assert sum(exposed_while_down) <= 3  # an event may just have begun; it waits for room
    assert all(stored_s[index] - failed_s[index] < LIMIT_S for index in failed_s)
    said = [fact.reason for fact in bench.said(Waiting)]
    assert [reason for reason in said if reason.startswith("the writer failed")] == [
        "the writer failed (ZeroDivisionError('a bug in a sink')) and is started again",
        "the writer failed (MemoryError()) and is started again",
        "the writer failed (SystemExit()) and is started again",
    ]
    assert [fact.record.event.index for fact in bench.said(FrameStored)] == list(range(FRAMES))
    assert_same(run.folder, undisturbed)
    until(lambda: writer_threads() == [])


def note_times(said: list[FrameStored], stored_s: dict[int, float]) -> int:
    for fact in said[len(stored_s) :]:
        stored_s[fact.record.event.index] = time.monotonic()
    return len(stored_s)


def test_row_5_a_writer_that_fails_again_and_again_ends_the_run(
    tmp_path: Path, undisturbed: dict[int, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame_writer, "RETRY_S", 0.02)
    config = rig.machine(tmp_path)

    def strike(when: str, folder: Path, index: int) -> None:
        if when == "append" and index >= 10:
            _bug()

    with sinks_with(strike), rig.rig(config) as bench:
        run, summary = bench.run(rig.plan(tmp_path), tmp_path / "out")
        assert_over(bench)
    assert summary.status == "aborted"
    assert summary.reason.startswith(f"storage: the writer failed {frame_writer.RESTARTS + 1} times in a row")
    assert "a bug in a sink" in summary.reason
    assert 0 < summary.frames_stored <= 10
    with rig.rig(config) as bench:
        summary = bench.finish(bench.controller.resume(run.folder))
    assert summary.status == "completed"
    assert_same(run.folder, undisturbed)


def test_row_5_a_writer_that_hangs_ends_the_run_and_stores_nothing_when_it_comes_back(
    tmp_path: Path, undisturbed: dict[int, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = rig.machine(tmp_path)
    monkeypatch.setattr(frame_writer, "SILENCE_S", 0.5)
    with held() as released:

        def block(when: str, folder: Path, index: int) -> None:
            if when == "append" and index == 10:
                released.wait(30)

        with sinks_with(block), rig.rig(config) as bench:
            run, summary = bench.run(rig.plan(tmp_path), tmp_path / "out")
            assert_over(bench)
            journal = (run.folder / FILE_NAME).read_bytes()
            assert is_locked(run.folder)
            released.set()
            until(lambda: not is_locked(run.folder))
    assert summary.status == "aborted"
    assert "the writer hangs: task 'frame writer' reported no progress" in summary.reason
    assert "in block" in (run.folder / "stacks.log").read_text()
    assert (run.folder / FILE_NAME).read_bytes() == journal
    with rig.rig(config) as bench:
        summary = bench.finish(bench.controller.resume(run.folder))
    assert summary.status == "completed"
    assert_same(run.folder, undisturbed)
