"""Killed in mid-write, and a disk that is full: fault cases 6, 12 and 13, with real processes and a real full disk."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from tests.control.core.sinks import examples
from tests.control.core.sinks.test_contract import READERS, read_all, store

from control.core.sinks import make_sink
from control.core.sinks.disk import Disk
from squid.errors import DiskFullError, StorageError

ROOT = Path(__file__).parents[4]
DATA = examples.layout(wells=("B3", "C11"), fields=2, size_t=4, size_z=4, shape_px=(256, 256))
TMPFS_BYTES = 6 << 20


def _start(folder: Path, format: str, *prefix: str) -> subprocess.Popen[str]:
    command = [*prefix, sys.executable, "-m", "tests.control.core.sinks.writer_process", str(folder), format, "256"]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'software'}{os.pathsep}{ROOT}"}
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT
    )


@pytest.mark.parametrize("format", READERS)
@pytest.mark.parametrize("after_flushes", [1, 9])
def test_all_that_was_flushed_is_readable_after_sigkill(tmp_path: Path, format: str, after_flushes: int) -> None:
    with _start(tmp_path, format) as process:
        flushed = [int(_line(process.stdout).removeprefix("flushed ")) for _ in range(after_flushes)][-1]
        process.send_signal(signal.SIGKILL)
        process.wait()
    found = read_all(tmp_path, DATA, format)
    assert set(range(flushed + 1)) <= set(found)
    for index in range(flushed + 1):
        np.testing.assert_array_equal(found[index], examples.pixels(DATA, index))
    table = next(tmp_path.rglob("frames.csv")).read_text().splitlines()
    assert {str(index) for index in range(flushed + 1)} <= {line.split(",")[0] for line in table}


@pytest.mark.parametrize("format", READERS)
def test_a_killed_run_is_resumed(tmp_path: Path, format: str) -> None:
    with _start(tmp_path, format) as process:
        flushed = [int(_line(process.stdout).removeprefix("flushed ")) for _ in range(5)][-1]
        process.kill()
        process.wait()
    sink = make_sink(format)
    sink.open(tmp_path, DATA, resume=True)
    store(sink, DATA, set(range(flushed + 1, DATA.frames_planned)))
    sink.close()
    found = read_all(tmp_path, DATA, format)
    assert len(found) == DATA.frames_planned
    for index, plane in found.items():
        np.testing.assert_array_equal(plane, examples.pixels(DATA, index))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A mounted tmpfs of a few MB; needs the right to mount."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={TMPFS_BYTES}", "none", str(folder)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no right to mount a small disk here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a tmpfs")
@pytest.mark.parametrize("format", READERS)
def test_a_full_disk_is_named_and_the_same_call_goes_on_when_there_is_space(small_disk: Path, format: str) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(5 << 20))
    folder = small_disk / "run"
    folder.mkdir()
    data = examples.layout(wells=("B3",), fields=1, size_t=1, size_z=8, shape_px=(256, 256))
    sink = make_sink(format)
    sink.open(folder, data, resume=False)
    refused: list[DiskFullError] = []
    for record in examples.records(data):
        for action in (lambda r=record: sink.append(r, examples.pixels(data, r.event.index)), sink.flush):
            try:
                action()
            except DiskFullError as e:
                refused.append(e)
                ballast.unlink()
                action()
    sink.close()
    assert [(e.folder, e.needed_bytes > 0) for e in refused] == [(folder, True)]
    found = read_all(folder, data, format)
    assert len(found) == data.frames_planned
    for index, plane in found.items():
        np.testing.assert_array_equal(plane, examples.pixels(data, index))


@pytest.mark.parametrize("format", READERS)
def test_a_refused_write_is_tried_again(tmp_path: Path, format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same without the right to mount: the system call says that there is no space."""
    data = examples.layout(wells=("B3",), fields=1, size_t=1)
    sink = make_sink(format)
    sink.open(tmp_path, data, resume=False)
    store(sink, data, {0, 1})
    with monkeypatch.context() as full:
        full.setattr("os.write", _no_space)
        with pytest.raises(DiskFullError, match="disk full"):
            store(sink, data, {2})
    sink.flush()
    store(sink, data, {2, 3, 4, 5})
    sink.close()
    assert set(read_all(tmp_path, data, format)) == set(range(data.frames_planned))


def test_a_full_disk_leaves_the_old_metadata(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(tmp_path, planned_bytes=100)
    disk.write(tmp_path / "zarr.json", "old")
    with monkeypatch.context() as full:
        full.setattr("os.replace", _no_space)
        full.setattr(Path, "replace", _no_space)
        with pytest.raises(DiskFullError) as caught:
            disk.write(tmp_path / "zarr.json", "new")
    assert caught.value.needed_bytes == 100
    assert caught.value.free_bytes > 0
    assert (tmp_path / "zarr.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["zarr.json"]


@pytest.mark.parametrize("format", READERS)
def test_another_failure_names_the_file(tmp_path: Path, format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = examples.layout(wells=("B3",), fields=1, size_t=1)
    sink = make_sink(format)
    sink.open(tmp_path, data, resume=False)
    with monkeypatch.context() as failing:
        failing.setattr("os.write", _broken)
        with pytest.raises(StorageError, match=rf"{tmp_path}.*Input/output error"):
            store(sink, data, {0})
    store(sink, data, {0})
    sink.close()
    assert set(read_all(tmp_path, data, format)) == {0}


def _line(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline().strip()


def _no_space(*_: object, **__: object) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _broken(*_: object, **__: object) -> int:
    raise OSError(errno.EIO, os.strerror(errno.EIO))
