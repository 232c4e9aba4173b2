"""Who has a rig, and who has a user's window: locks that end with the process, however that ends.

Shared by the window and the command line, so that neither takes a rig that the other one uses. Knows no device.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
    # others may write to both files: the next one to use this rig may be another user
    lock = FileLock(beside.with_name(f"{beside.name}.lock"), timeout=0, thread_local=False, mode=0o666)
    try:
        lock.acquire()
    except Timeout:
        who = _read(owner) or "another program"
        raise ConfigurationError(f"is in use by {who}; {remedy}", key=what) from None
    try:
        with suppress(OSError):  # a message that names nobody is no reason to refuse the rig
            _replace(owner, f"process {os.getpid()}: {' '.join(sys.argv)}")
        yield
    finally:
        lock.release()


def _replace(path: Path, text: str) -> None:
    """Write a file that any user may write to; one that is there already is not made anew, which /tmp allows nobody."""
    try:
        file = os.open(path, os.O_WRONLY | os.O_TRUNC)
    except FileNotFoundError:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        with suppress(OSError):
            path.chmod(0o666)  # whatever the umask says
    with os.fdopen(file, "w", encoding="utf-8") as open_file:
        open_file.write(text)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
