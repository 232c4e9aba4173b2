"""Hard cases of a run: disks that are full, gone, stale or never answer, and a terminal that has gone.

The faults are the system's own (limits, ``/dev/full``, folders moved away, closed pipes); where only a sink can fail
so, a real one is wrapped.
"""

from __future__ import annotations

import errno
import logging
import os
import resource
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from tests import rig
from tests.faults.test_run_hard_cases import assert_over, ended, held, shorten_margins, until
from tests.rig import FRAMES, Rig

from control.core import frame_writer, run_parts
from control.core.facts import EventStarted, FrameStored, Paused, Waiting
from control.core.journal import FILE_NAME, read_journal
from control.core.run import Run
from control.core.run_record import read_summary
from control.core.sinks.sink import Sink
from control.core.step_watch import Step
from squid.errors import DiskFullError, ResumeRefusedError, StorageError
from squid.models.frame import FrameRecord
from squid.models.geometry import Pixels
from squid.models.layout import DatasetLayout

ROOT = Path(__file__).parents[2]

Hook = Callable[[str, Path, int], None]
"""Told ``open`` and ``append`` before they are done, ``closed`` afterwards; the run folder; the frame's index or -1."""


@pytest.fixture(autouse=True)
def _short_margins(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_margins(monkeypatch)
    monkeypatch.setattr(frame_writer, "RETRY_S", 0.02)


class Around:
    """A real sink, and something that happens around its calls."""

    def __init__(self, inner: Sink, hook: Hook, outputs: tuple[str, ...]) -> None:
        self._inner = inner
        self._hook = hook
        self._more_outputs = outputs
        self._folder = Path()

    @property
    def outputs(self) -> tuple[str, ...]:
        return (*self._inner.outputs, *self._more_outputs)

    def open(self, folder: Path, layout: DatasetLayout, *, resume: bool) -> None:
        self._folder = folder
        self._hook("open", folder, -1)
        self._inner.open(folder, layout, resume=resume)

    def append(self, record: FrameRecord, pixels: Pixels) -> None:
        self._hook("append", self._folder, record.event.index)
        self._inner.append(record, pixels)

    def skip(self, index: int, reason: str) -> None:
        self._inner.skip(index, reason)

    def flush(self) -> None:
        self._inner.flush()

    def drop(self) -> None:
        self._inner.drop()

    def close(self, missing: Collection[int] = ()) -> None:
        self._inner.close(missing)
        self._hook("closed", self._folder, -1)


@contextmanager
def sinks_with(hook: Hook, outputs: tuple[str, ...] = ()) -> Iterator[None]:
    """Wrap the sinks of all runs that start in the block."""
    real = run_parts.make_sink
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_parts, "make_sink", lambda *args, **keys: Around(real(*args, **keys), hook, outputs))
        yield


@contextmanager
def disk_takes_nothing() -> Iterator[None]:
    """Let every write to a file fail, in this process only."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def writer_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("frame writer")]


def hold_between_frames(bench: Rig, run: Run, frames: int) -> int:
    """Pause after so many frames, and wait until all is on disk; return how many there are."""
    until(lambda: len(bench.said(FrameStored)) >= frames)
    run.pause()
    until(lambda: bench.said(Paused))
    until(lambda: len(bench.said(FrameStored)) == len(bench.said(EventStarted)))
    return len(bench.said(FrameStored))


def assert_whole(folder: Path) -> None:
    """Every frame stands in the journal once, and nothing torn."""
    state = read_journal(folder)
    assert len(state.stored) == FRAMES
    assert state.valid_bytes == (folder / FILE_NAME).stat().st_size
    assert (folder / FILE_NAME).read_text().count('"kind":"stored"') == FRAMES


def assert_unlocked(folder: Path) -> None:
    lock = FileLock(folder / ".lock")
    lock.acquire(timeout=0)
    lock.release()


# --- a disk that never answers ---------------------------------------------------------------------------------------


def test_an_abort_while_the_last_frames_are_stuck_ends_the_run(tmp_path: Path) -> None:
    stuck = threading.Event()
    with held() as released:

        def block(when: str, _: Path, index: int) -> None:
            if when == "append" and index == FRAMES - 1:
                stuck.set()
                released.wait(30)

        with sinks_with(block), rig.rig(rig.machine(tmp_path)) as bench:
            run = bench.controller.start(rig.plan(tmp_path), tmp_path / "out")
            until(stuck.is_set)
            assert run.wait(0.3) is None
            run.abort()
            summary = ended(run, timeout_s=5)
            assert_over(bench)
            assert summary.status == "aborted"
            assert summary.reason.startswith("user")
            assert summary.frames_stored < FRAMES
            released.set()
            until(lambda: writer_threads() == [])


def test_a_writer_that_is_still_at_it_keeps_the_folder_and_commits_nothing_more(tmp_path: Path) -> None:
    stuck = threading.Event()
    with held() as released:

        def block(when: str, _: Path, index: int) -> None:
            if when == "append" and index >= 10 and not released.is_set():
                stuck.set()
                released.wait(30)

        with sinks_with(block), rig.rig(rig.machine(tmp_path)) as bench:
            run = bench.controller.start(rig.plan(tmp_path), tmp_path / "out")
            until(stuck.is_set)
            run.abort()
            summary = ended(run)
            assert summary.status == "aborted"
            assert "writer did not finish" in summary.reason
            before = (run.folder / FILE_NAME).read_bytes()
            with pytest.raises(ResumeRefusedError):
                bench.controller.resume(run.folder)
            released.set()
            until(lambda: writer_threads() == [])
            assert (run.folder / FILE_NAME).read_bytes() == before
            assert summary.frames_stored == len(read_journal(run.folder).stored)
            assert_over(bench)
            until(lambda: not is_locked(run.folder))
            summary = bench.finish(bench.controller.resume(run.folder))
    assert (summary.status, summary.frames_stored) == ("completed", FRAMES)
    assert_whole(run.folder)


def is_locked(folder: Path) -> bool:
    try:
        assert_unlocked(folder)
    except TimeoutError:
        return True
    return False


def test_a_full_disk_holds_the_run_in_the_dark_and_says_what_is_needed(tmp_path: Path) -> None:
    full, begun = threading.Event(), []

    def fill(when: str, folder: Path, index: int) -> None:
        if when == "append" and index >= 6 and not begun:
            full.set()
            begun.append(len(bench.said(EventStarted)))
        if full.is_set():
            raise DiskFullError(folder, 230_000_000, 1_000_000)

    with sinks_with(fill), rig.rig(rig.machine(tmp_path)) as bench:
        run = bench.controller.start(rig.plan(tmp_path), tmp_path / "out")
        until(full.is_set)
        until(lambda: "0.23 GB needed" in run.vitals().storage_trouble)
        assert run.wait(0.3) is None
        assert bench.microscope.illumination.lit == ()
        assert len(bench.said(EventStarted)) <= begun[0] + 2  # the exposure under way, and the event that waits
        full.clear()
        summary = ended(run)
        assert_over(bench)
    assert (summary.status, summary.frames_stored) == ("completed", FRAMES)
    assert_whole(run.folder)


# --- errors in the end itself ----------------------------------------------------------------------------------------


def test_a_log_that_cannot_be_closed_does_not_keep_the_run_from_ending(tmp_path: Path) -> None:
    with rig.rig(rig.machine(tmp_path, time_scale=3)) as bench:
        run = bench.controller.start(rig.plan(tmp_path), tmp_path / "out")
        log = next(h for h in logging.getLogger("control").handlers if isinstance(h, logging.FileHandler))
        assert Path(log.baseFilename).parent == run.folder.resolve()
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, log.stream.fileno())
        os.close(full)
        summary = ended(run)
        assert_over(bench)
    assert log not in logging.getLogger("control").handlers
    assert (summary.status, read_summary(run.folder).status) == ("completed", "completed")
    assert_unlocked(run.folder)


def an_output_that_cannot_be_looked_at(folder: Path) -> None:
    (folder / "out of reach").symlink_to("x" * 300)  # exists() raises: the name is too long


def the_folder_becomes_a_file(folder: Path) -> None:
    """Neither a new run.json can be written, nor what was begun of it removed."""
    folder.rename(folder.with_name("elsewhere"))
    folder.touch()


@pytest.mark.parametrize("spoil", [an_output_that_cannot_be_looked_at, the_folder_becomes_a_file])
def test_an_error_in_the_end_does_not_keep_the_run_from_ending(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    def hook(when: str, folder: Path, _: int) -> None:
        if when == "closed":
            spoil(folder)

    with sinks_with(hook, outputs=("out of reach",)), rig.rig(rig.machine(tmp_path)) as bench:
        run = bench.controller.start(rig.plan(tmp_path), tmp_path / "out")
        summary = ended(run)
        assert_over(bench)
    assert summary.frames_stored == FRAMES


# --- errors in the beginning -----------------------------------------------------------------------------------------


def test_a_run_that_cannot_begin_leaves_the_microscope_to_the_next(tmp_path: Path) -> None:
    folders: list[Path] = []

    def hook(when: str, folder: Path, _: int) -> None:
        if when == "open" and not folders:
            folders.append(folder)
            (folder / "run.json").mkdir()  # so it cannot be replaced

    with sinks_with(hook), rig.rig(rig.machine(tmp_path)) as bench:
        with pytest.raises(StorageError, match=r"run\.json"):
            bench.controller.start(rig.plan(tmp_path), tmp_path / "out")
        assert writer_threads() == []
        assert not any(isinstance(h, logging.FileHandler) for h in logging.getLogger("control").handlers)
        assert_unlocked(folders[0])
        _, summary = bench.run(rig.plan(tmp_path), tmp_path / "out")
        assert summary.status == "completed"
        assert_over(bench)


# --- a full disk, and an end for another reason ----------------------------------------------------------------------


@pytest.mark.parametrize("why", ["user", "hung: camera.trigger"])
def test_a_disk_that_fails_too_does_not_hide_why_the_run_ended(tmp_path: Path, why: str) -> None:
    with rig.rig(rig.machine(tmp_path, time_scale=5)) as bench:
        run = bench.controller.start(rig.plan(tmp_path), tmp_path / "out")
        hold_between_frames(bench, run, 3)
        with disk_takes_nothing():
            run.go_on()
            until(lambda: bench.said(Waiting))
            if why == "user":
                run.abort()
            else:
                run.overdue(Step("camera", "trigger", 1.0))
            summary = ended(run)
        assert_over(bench)
    assert summary.status == "aborted"
    assert summary.reason.startswith(why)
    assert "storage" in summary.reason.removeprefix(why).lower()
    assert summary.frames_stored == len(read_journal(run.folder).stored)


# --- the journal's file ----------------------------------------------------------------------------------------------


def is_journal(descriptor: int) -> bool:
    try:
        return Path(f"/proc/self/fd/{descriptor}").readlink().name == FILE_NAME
    except OSError:
        return False


@pytest.mark.parametrize("is_undone", [True, False])
def test_a_journal_that_fails_once_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_undone: bool
) -> None:
    """A write fails halfway; what was written of it cannot always be cut off at once."""
    armed = threading.Event()
    struck: list[str] = []
    real_write, real_truncate = os.pwrite, os.ftruncate

    def write(descriptor: int, data: bytes, offset: int) -> int:
        if armed.is_set() and "write" not in struck and is_journal(descriptor):
            struck.append("write")
            real_write(descriptor, data[: len(data) // 2], offset)
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return real_write(descriptor, data, offset)

    def truncate(descriptor: int, length: int) -> None:
        if "write" in struck and "truncate" not in struck and is_journal(descriptor):
            struck.append("truncate")
            if not is_undone:
                raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        real_truncate(descriptor, length)

    monkeypatch.setattr(os, "pwrite", write)
    monkeypatch.setattr(os, "ftruncate", truncate)
    with rig.rig(rig.machine(tmp_path, time_scale=5)) as bench:
        run = bench.controller.start(rig.plan(tmp_path), tmp_path / "out")
        until(lambda: len(bench.said(FrameStored)) >= 3)
        armed.set()
        summary = ended(run)
    assert struck == ["write", "truncate"]
    assert (summary.status, summary.frames_stored) == ("completed", FRAMES)
    assert_whole(run.folder)


def test_a_share_that_was_mounted_again_is_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Descriptors of before the remount stay stale for ever."""
    stale: set[int] = set()

    def unless_stale(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(descriptor: Any, *args: Any, **keys: Any) -> Any:
            if descriptor in stale:
                raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
            return real(descriptor, *args, **keys)

        return call

    def close(descriptor: int, real: Callable[[int], None] = os.close) -> None:
        stale.discard(descriptor)
        real(descriptor)

    for name in ("lseek", "write", "pwrite", "ftruncate", "fstat", "fsync", "fdatasync"):
        monkeypatch.setattr(os, name, unless_stale(getattr(os, name)))
    monkeypatch.setattr(os, "close", close)
    with rig.rig(rig.machine(tmp_path, time_scale=5)) as bench:
        run = bench.controller.start(rig.plan(tmp_path), tmp_path / "out")
        hold_between_frames(bench, run, 3)
        stale.update(number for number in range(1024) if is_journal(number))
        assert stale
        run.go_on()
        summary = ended(run)
    assert (summary.status, summary.frames_stored) == ("completed", FRAMES)
    assert_whole(run.folder)


def test_a_journal_that_was_replaced_is_opened_again(tmp_path: Path) -> None:
    """What is written to a file that has no name any more is lost."""
    with rig.rig(rig.machine(tmp_path, time_scale=5)) as bench:
        run = bench.controller.start(rig.plan(tmp_path), tmp_path / "out")
        hold_between_frames(bench, run, 3)
        copy = run.folder / "copy"
        shutil.copy(run.folder / FILE_NAME, copy)
        copy.replace(run.folder / FILE_NAME)
        run.go_on()
        summary = ended(run)
    assert (summary.status, summary.frames_stored) == ("completed", FRAMES)
    assert_whole(run.folder)


def test_a_journal_that_was_away_for_a_while_is_gone_on_with(tmp_path: Path) -> None:
    with rig.rig(rig.machine(tmp_path, time_scale=5)) as bench:
        run = bench.controller.start(rig.plan(tmp_path), tmp_path / "out")
        hold_between_frames(bench, run, 3)
        (run.folder / FILE_NAME).rename(run.folder / "away")
        run.go_on()
        until(lambda: len(bench.said(EventStarted)) > 6)
        run.wait(0.2)
        (run.folder / "away").rename(run.folder / FILE_NAME)
        summary = ended(run)
    assert (summary.status, summary.frames_stored) == ("completed", FRAMES)
    assert_whole(run.folder)


# --- the run's record, the terminal ----------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["lost", "empty"])
def test_a_run_without_its_record_is_resumed_from_the_journal(tmp_path: Path, how: str) -> None:
    with rig.rig(rig.machine(tmp_path, time_scale=5)) as bench:
        run = bench.controller.start(rig.plan(tmp_path), tmp_path / "out")
        until(lambda: len(bench.said(FrameStored)) >= 3)
        run.abort()
        assert ended(run).status == "aborted"
        if how == "lost":
            (run.folder / "run.json").unlink()
        else:
            os.truncate(run.folder / "run.json", 0)
        summary = bench.finish(bench.controller.resume(run.folder))
    assert (summary.status, summary.frames_planned, summary.frames_stored) == ("completed", FRAMES, FRAMES)
    assert (summary.name, summary.parts) == ("test plate", 2)
    assert read_summary(run.folder) == summary
    assert_whole(run.folder)


def test_the_command_line_completes_a_run_whose_reader_has_gone(tmp_path: Path) -> None:
    """As in ``hcs run … 2>&1 | head -1``."""
    rig.machine(tmp_path, time_scale=1)  # longer than the program waits for its threads when it leaves
    rig.plan(tmp_path)
    command = [sys.executable, str(ROOT / "software" / "main_hcs.py"), "run", str(tmp_path / "plan.yaml")]
    command += ["--machine", str(tmp_path / "machine.yaml"), "--output", str(tmp_path / "out")]
    environment = {**os.environ, "SQUID_LOG_FOLDER": str(tmp_path / "log")}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as program:
        assert program.stdout is not None
        assert program.stdout.readline()
        program.stdout.close()
        program.wait(60)
    (folder,) = (tmp_path / "out").iterdir()
    assert read_summary(folder).status == "completed"
    assert_whole(folder)
