"""Stack dumps: an own descriptor, all threads by name, and a switch that needs no Python."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from squid.utils.thread_dump import DeadMansSwitch, DumpFile, dump_all_stacks


def test_a_dump_names_reason_threads_and_frames(tmp_path: Path) -> None:
    gate, here = threading.Event(), threading.Event()

    def hang_here() -> None:
        here.set()
        gate.wait(30)

    thread = threading.Thread(target=hang_here, name="hung one", daemon=True)
    thread.start()
    assert here.wait(5)
    file = DumpFile(tmp_path / "folder" / "stacks.log")
    dump_all_stacks(file, "camera.trigger overdue")
    dump_all_stacks(tmp_path / "folder" / "stacks.log", "by path")
    gate.set()
    file.close()
    text = (tmp_path / "folder" / "stacks.log").read_text()
    assert "camera.trigger overdue" in text
    assert "by path" in text
    assert f"thread 0x{thread.ident:016x}: hung one" in text
    assert text.count("in hang_here") == 2
    assert text.count("in test_a_dump_names_reason_threads_and_frames") == 2


def test_a_closed_file_is_refused_and_not_another_file_written(tmp_path: Path) -> None:
    file = DumpFile(tmp_path / "stacks.log")
    number = file.fileno()
    file.close()
    file.close()
    image = os.open(tmp_path / "image.tif", os.O_WRONLY | os.O_CREAT)
    assert image == number
    with pytest.raises(ValueError, match="closed"):
        dump_all_stacks(file, "late")
    os.close(image)
    assert (tmp_path / "image.tif").read_bytes() == b""


def test_the_switch_fires_only_when_nobody_beats_it(tmp_path: Path) -> None:
    file = DumpFile(tmp_path / "stacks.log")
    switch = DeadMansSwitch(file, 0.5)
    for _ in range(6):
        switch.beat()
        time.sleep(0.05)
    assert file.path.read_text() == ""
    time.sleep(1.0)
    assert "in test_the_switch_fires_only_when_nobody_beats_it" in file.path.read_text()
    switch.beat()
    assert "alive again after" in file.path.read_text()
    second = DeadMansSwitch(file, 1)
    with pytest.raises(RuntimeError, match="one owner"):
        second.beat()
    second.close()
    with pytest.raises(RuntimeError, match="one owner"):  # which is still the first
        DeadMansSwitch(file, 1).beat()
    switch.close()
    switch.close()
    with pytest.raises(RuntimeError, match="closed"):
        switch.beat()
    other = DeadMansSwitch(file, 60)
    other.beat()
    other.close()
    file.close()


def test_a_dump_while_other_threads_run_python_does_not_crash(tmp_path: Path) -> None:
    code = f"""
import os, sys, threading, time
sys.path.insert(0, {str(Path("software").resolve())!r})
from squid.utils.thread_dump import DeadMansSwitch, DumpFile

def deep(n):
    return n if n == 0 else deep(n - 1) + len([each() for each in [lambda: n]])

def busy():
    while True:
        deep(60)
        exec(compile("for i in range(30): int(i)", "made now", "exec"), {{}})

for _ in range(3):
    threading.Thread(target=busy, daemon=True).start()
file = DumpFile({str(tmp_path / "stacks.log")!r})
for _ in range(20):
    switch = DeadMansSwitch(file, 0.02, gil_timeout_s=60)
    switch.beat()
    time.sleep(0.1)
    switch.close()
os._exit(0)
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=100, check=False).returncode == 0
    assert (tmp_path / "stacks.log").read_text().count("no sign of life") > 10


def test_the_number_of_a_closed_standard_stream_is_not_taken(tmp_path: Path) -> None:
    code = f"""
import os, sys
os.close(0); os.close(1); os.close(2)
sys.path.insert(0, {str(Path("software").resolve())!r})
from squid.utils.thread_dump import DumpFile
file = DumpFile({str(tmp_path / "stacks.log")!r})
os._exit(7 if file.fileno() > 2 else 1)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 7
