"""Work in other processes: programs that end with all their children, and calls that may die alone.

Both give a call for `WorkerManager.submit`: the task's thread waits, the child works, and when the task is cancelled or
overdue the child and everything it started is killed. Children are spawned, never forked: a fork beside threads
deadlocks.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

import psutil

from squid.utils.task import TaskLostError, stop_if_cancelled

T = TypeVar("T")
_LOOK_S = 0.05  # how often a waiting thread looks whether its task was cancelled


def kill_tree(pid: int) -> int:
    """Kill a process and all its descendants and wait until they are gone (at most 1 s); return how many there were."""
    try:
        root = psutil.Process(pid)
        family = [*root.children(recursive=True), root]
    except psutil.NoSuchProcess:
        return 0
    return _kill(family)


def kill_children() -> int:
    """Kill every descendant of this process; for the last moment before it leaves."""
    return _kill(psutil.Process().children(recursive=True))


def command(
    arguments: Sequence[str], *, timeout_s: float | None = None, **options: Any
) -> Callable[[], subprocess.CompletedProcess[str]]:
    """Return a call that runs a program and gives its result, with its output as text.

    Parameters
    ----------
    arguments : sequence of str
        Program and its arguments.
    timeout_s : float, optional
        Kill it, with its whole process tree, after so many seconds; the call then raises TimeoutExpired.
    options
        Passed to `subprocess.Popen`.
    """

    def run() -> subprocess.CompletedProcess[str]:
        end = None if timeout_s is None else time.monotonic() + timeout_s
        with subprocess.Popen(
            arguments, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
        ) as process:
            try:
                output, errors = _communicate(process, end)
            except subprocess.TimeoutExpired as slow:  # of one look, not of the whole call
                kill_tree(process.pid)
                raise subprocess.TimeoutExpired(arguments, timeout_s or 0.0, slow.output, slow.stderr) from None
            except BaseException:
                kill_tree(process.pid)
                raise
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)

    return run


def in_process(function: Callable[..., T], *args: Any) -> Callable[[], T]:
    """Return a call that runs ``function(*args)`` in a child process of its own.

    Parameters
    ----------
    function, args
        Picklable, importable from a module. Its value or exception comes back.

    If the child dies (crash, out of memory, killed), only the task is lost: the call raises TaskLostError.
    """

    def run() -> T:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe(duplex=False)
        child = context.Process(target=_child, args=(theirs, function, args), daemon=True)
        child.start()
        theirs.close()
        try:
            return _receive(ours, child.sentinel, function)
        finally:
            kill_tree(child.pid or 0)
            child.join(3)
            ours.close()

    return run


def _communicate(process: subprocess.Popen[str], end: float | None) -> tuple[str, str]:
    while True:
        try:
            return process.communicate(timeout=_LOOK_S)
        except subprocess.TimeoutExpired:
            stop_if_cancelled()
            if end is not None and time.monotonic() > end:
                raise


def _receive(ours: Connection, sentinel: int, function: Callable[..., T]) -> T:
    while not wait([ours, sentinel], _LOOK_S):
        stop_if_cancelled()
    try:
        is_good, value = ours.recv()
    except EOFError:
        raise TaskLostError(f"the process that ran {function.__qualname__} died without a result") from None
    if not is_good:
        raise value
    result: T = value
    return result


def _child(theirs: Connection, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    try:
        answer = (True, function(*args))
    except Exception as error:
        answer = (False, error)
    try:
        theirs.send(answer)
    except Exception as error:  # what cannot be pickled cannot come back
        theirs.send(
            (False, TypeError(f"{function.__qualname__} gave {answer[1]!r}, which cannot be sent back: {error}"))
        )
    theirs.close()
    os._exit(0)  # a vendor's threads or atexit handlers must not keep it


def _kill(family: list[psutil.Process]) -> int:
    for process in family:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(family, timeout=1)
    return len(family)
