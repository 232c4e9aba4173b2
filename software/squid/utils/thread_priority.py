"""Which thread the processor serves first, where more want it than there are cores.

A thread that fills the time between others' turns (compressing, drawing) stands back; one that sleeps and then has a
little to do at an instant (the acquisition loop) is prompt. Neither needs a privilege, and neither starves anybody.
Linux only; elsewhere both do nothing.

Being prompt asks for short turns (`sched_setattr`, sched_runtime, from Linux 6.12 on): who wants the processor for
less is served sooner. An older kernel ignores it.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

STANDS_BACK = 10
"""Steps of nice by which a thread stands back: it gets a tenth of a core that another wants as well."""

TURN_S = 0.0003
"""Length of turn that a prompt thread asks for; the kernel's own is 1 to 4 ms."""

_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}  # numbers of the system call; glibc 2.36 has no function for it


def stand_back(steps: int = STANDS_BACK) -> None:
    """Let all other threads of the machine go before the calling one, by steps of nice, for the rest of its life."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with suppress(PermissionError):  # a container may forbid it: the thread works all the same
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + steps)


@contextmanager
def prompt() -> Iterator[None]:
    """Let the calling thread run as soon as it wakes, for the length of a ``with`` block."""
    _ask_for_turns(TURN_S)
    try:
        yield
    finally:
        _ask_for_turns(0.0)  # the kernel's own length


class _SchedAttr(ctypes.Structure):
    """The kernel's ``struct sched_attr`` (linux/sched/types.h), first version."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("sched_policy", ctypes.c_uint32),
        ("sched_flags", ctypes.c_uint64),
        ("sched_nice", ctypes.c_int32),
        ("sched_priority", ctypes.c_uint32),
        ("sched_runtime", ctypes.c_uint64),
        ("sched_deadline", ctypes.c_uint64),
        ("sched_period", ctypes.c_uint64),
    )


def _ask_for_turns(length_s: float) -> None:
    """Ask for turns of a length for the calling thread, where that can be asked.

    A container may forbid the call; then the thread has the usual turns, and nothing is worse than without.
    """
    number = _SCHED_SETATTR.get(platform.machine())
    if sys.platform != "linux" or number is None or os.sched_getscheduler(0) != os.SCHED_OTHER:
        return
    attributes = _SchedAttr(
        size=ctypes.sizeof(_SchedAttr),
        sched_policy=os.SCHED_OTHER,
        sched_nice=os.getpriority(os.PRIO_PROCESS, threading.get_native_id()),
        sched_runtime=round(length_s * 1e9),
    )
    ctypes.CDLL(None).syscall(number, 0, ctypes.byref(attributes), 0)
