"""Who has a rig, and who has a user's window: locks that end with the process, however that ends.

Shared by the window and the command line, so that neither takes a rig that the other one uses. Knows no device.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from squid.errors import ConfigurationError

if TYPE_CHECKING:  # the window is refused before anything slow is imported
    from squid.machine_file import MachineConfig

SIMULATED = "simulated."
"""Begins the names of all simulated drivers."""


@contextmanager
def rig(machine: MachineConfig) -> Iterator[None]:
    """Keep other programs from the rig during the block; simulated ones are as many as one likes.

    A rig is known by the name in its machine file, so that a resumed run, which has a copy of the file, counts too.

    Raises
    ------
    ConfigurationError
        Another program has it; the message says which.
    """
    if all(device.driver.startswith(SIMULATED) for device in machine.devices.values()):
        yield
        return
    name = f"squid-hcs-{re.sub(r'[^A-Za-z0-9]+', '-', machine.name)}"
    with alone(Path(tempfile.gettempdir()) / name, f"machine '{machine.name}'", "wait until it has ended, or close it"):
        yield


@contextmanager
def only_window(folder: Path) -> Iterator[None]:
    """Keep other windows of this user away during the block: two would share the queue of runs.

    Parameters
    ----------
    folder : Path
        The user's folder; made if missing.

    Raises
    ------
    ConfigurationError
        Another window is open; the message says which process.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder / "window", "window", "close that window first, or name another SQUID_SETTINGS_FOLDER"):
        yield


@contextmanager
def alone(beside: Path, what: str, remedy: str) -> Iterator[None]:
    """Hold ``<beside>.lock`` during the block, and say in ``<beside>.owner`` who does.

    May be entered in one thread and left in another.

    Parameters
    ----------
    beside : Path
        Beginning of both files' paths.
    what : str
        What is held, for the message.
    remedy : str
        What a person can do who is refused.

    Raises
    ------
    ConfigurationError
        Another process, or this one, holds it; the message says which.
    """
    owner = beside.with_name(f"{beside.name}.owner")
    lock = FileLock(beside.with_name(f"{beside.name}.lock"), timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        who = owner.read_text(encoding="utf-8") if owner.exists() else "another program"
        raise ConfigurationError(f"is in use by {who}; {remedy}", key=what) from None
    try:
        owner.write_text(f"process {os.getpid()}: {' '.join(sys.argv)}", encoding="utf-8")
        yield
    finally:
        lock.release()
