"""Programs and calls in other processes: they end with their children and die alone."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from squid.utils import Outcome, WorkerManager
from squid.utils.processes import command, in_process, kill_tree

Make = Callable[..., WorkerManager]
_PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open(sys.argv[1], "w").write(str(child.pid) + "\\n")
time.sleep(60)
"""


def _grandchild(path: Path) -> int:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if path.exists() and path.read_text().endswith("\n"):
            return int(path.read_text())
        time.sleep(0.01)
    raise AssertionError("the program did not start")


def _is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_program_gives_its_output() -> None:
    result = command([sys.executable, "-c", "import sys; print(1); print(2, file=sys.stderr); sys.exit(3)"])()
    assert (result.returncode, result.stdout, result.stderr) == (3, "1\n", "2\n")


def test_a_cancelled_program_ends_with_its_whole_tree(make_manager: Make, tmp_path: Path) -> None:
    handle = make_manager().submit("program", command([sys.executable, "-c", _PARENT, str(tmp_path / "pid")]))
    pid = _grandchild(tmp_path / "pid")
    assert handle.cancel()
    assert handle.wait(10)
    assert handle.outcome is Outcome.CANCELLED
    assert _is_gone(pid)


def test_a_program_beyond_its_time_ends_with_its_whole_tree(tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired, match=r"after 3\.0 seconds"):
        command([sys.executable, "-c", _PARENT, str(tmp_path / "pid")], timeout_s=3.0)()
    assert _is_gone(_grandchild(tmp_path / "pid"))


def test_a_call_in_a_process_gives_its_value_or_error() -> None:
    assert in_process(divmod, 7, 2)() == (3, 1)
    with pytest.raises(ZeroDivisionError):
        in_process(divmod, 7, 0)()
    with pytest.raises(TypeError, match="cannot be sent back"):
        in_process(open, os.devnull)()


def test_a_process_that_dies_costs_only_its_task(make_manager: Make) -> None:
    manager = make_manager()
    lost = manager.submit("crash", in_process(os._exit, 1))
    assert lost.wait(20)
    assert lost.outcome is Outcome.LOST
    assert manager.submit("next", lambda: 1).wait(5)


def test_an_overdue_process_is_killed(make_manager: Make) -> None:
    handle = make_manager().submit("sleep", in_process(time.sleep, 60), timeout_ms=1000)
    assert handle.wait(20)
    assert handle.outcome is Outcome.TIMEOUT
    end = time.monotonic() + 10
    while _spawned() and time.monotonic() < end:
        time.sleep(0.02)
    assert not _spawned()


def _spawned() -> list[str]:
    """Command lines of our spawned children (multiprocessing's resource tracker is not one)."""
    lines = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):
            lines.append(" ".join(child.cmdline()))
    return [line for line in lines if "spawn_main" in line]


def test_killing_what_is_gone_does_no_harm() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert kill_tree(process.pid) == 0
