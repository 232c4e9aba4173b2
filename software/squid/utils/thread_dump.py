"""Where every thread was when something hung: written by faulthandler, which needs neither Python nor the GIL.

::

    DumpFile          a descriptor opened at the start and kept: a dump must not depend on stderr, nor on a number
                      that may belong to another file by now
    dump_all_stacks   now, from Python: header, names of the threads, stacks
    DeadMansSwitch    later, if nobody beats it: from a Python thread while the GUI blocks, from a C thread while C code
                      holds the GIL

Owns the descriptor and faulthandler's one global timer; knows no task and no device. A task is named in each dump by
its thread's name and by the frame that runs it (`squid.utils.task`).
"""

from __future__ import annotations

import faulthandler
import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from squid.utils.edge_logger import edge_logger

_log = edge_logger(__name__)
_LAST_STANDARD_FD = 2
_timer_slot = threading.Lock()  # faulthandler has one timer per process; held by the switch that uses it


class DumpFile:
    """An append-only file that stays open until `close`.

    Parameters
    ----------
    path : Path or str
        Its folder is made if missing.

    Raises
    ------
    OSError
        The file cannot be written; nothing is open.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = _above_standard(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644))

    def fileno(self) -> int:
        """Return the descriptor, for faulthandler.

        Raises
        ------
        ValueError
            The file was closed; its number may belong to another file now.
        """
        if self._fd < 0:
            raise ValueError(f"{self.path}: dump file is closed")
        return self._fd

    def write(self, text: str) -> None:
        """Append `text` in one system call."""
        os.write(self.fileno(), text.encode(errors="replace"))

    def dump(self, header: str) -> None:
        """Append `header`, the threads' names and all stacks."""
        with self._lock:
            self.write(f"\n==== {datetime.now(UTC).isoformat(timespec='milliseconds')} {header}\n{_thread_table()}")
            faulthandler.dump_traceback(file=self.fileno(), all_threads=True)

    def close(self) -> None:
        """Close the descriptor; closing twice does no harm."""
        with self._lock:
            fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


def default_log_folder() -> Path:
    """Return the user's log folder: SQUID_LOG_FOLDER, or ``~/.squid-hcs/log``."""
    chosen = os.environ.get("SQUID_LOG_FOLDER")
    return Path(chosen) if chosen else Path.home() / ".squid-hcs" / "log"


def dump_all_stacks(target: DumpFile | Path | str, header: str) -> None:
    """Append the stacks of all threads to `target`.

    Parameters
    ----------
    target : DumpFile or Path or str
        An open dump file, or a path to open for this dump only.
    header : str
        The reason, naming the task or the device call.
    """
    if isinstance(target, DumpFile):
        target.dump(header)
        return
    file = DumpFile(target)
    try:
        file.dump(header)
    finally:
        file.close()


class DeadMansSwitch:
    """Dumps all stacks when it was not beaten for a while; the only user of ``faulthandler.dump_traceback_later``.

    ::

        a thread does not beat ─▶ the switch's Python thread dumps, holding the GIL: no stack changes meanwhile
        that cannot run either ─▶ the GIL is held by C code: faulthandler's C thread dumps

    The C thread is kept for that one case: it reads the stacks of other threads without the GIL, and crashes the
    process when they run (docs/decisions/0073).

    Parameters
    ----------
    file : DumpFile
        Must stay open longer than the switch.
    timeout_s : float
        Silence after which the dump is written, in seconds; once per silence.
    gil_timeout_s : float, optional
        How long no Python code may run before the C thread dumps, in seconds; by default three times `timeout_s`.
    """

    def __init__(self, file: DumpFile, timeout_s: float, gil_timeout_s: float | None = None) -> None:
        self._file = file
        self._timeout_s = timeout_s
        self._gil_timeout_s = 3 * timeout_s if gil_timeout_s is None else gil_timeout_s
        self._last_beat: float | None = None
        self._armed_s = 0.0
        self._has_dumped = False
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="dead-man's switch", daemon=True)

    def beat(self) -> None:
        """Start the time again; call it from the thread that is watched, several times per `timeout_s`.

        Raises
        ------
        RuntimeError
            Another switch is in use, or this one was closed.
        """
        if self._closed.is_set():
            raise RuntimeError("the dead-man's switch was closed")
        now, last = time.monotonic(), self._last_beat
        if last is None and not _timer_slot.acquire(blocking=False):
            raise RuntimeError("another dead-man's switch is in use: faulthandler's timer has one owner")
        self._last_beat = now
        if last is None:
            self._arm()
            self._thread.start()
        elif self._has_dumped:
            self._has_dumped = False
            self._file.write(f"---- alive again after {now - last:.2f} s of silence\n{_thread_table()}")

    def close(self) -> None:
        """Give the timer back; closing twice does no harm."""
        if not self._closed.is_set() and self._last_beat is not None:
            self._closed.set()
            self._thread.join()
            _timer_slot.release()
        self._closed.set()

    def _watch(self) -> None:
        while not self._closed.wait(self._timeout_s / 20):
            now = time.monotonic()
            if now - self._armed_s > self._gil_timeout_s / 4:
                self._arm()
            silence_s = now - (self._last_beat or now)
            if silence_s > self._timeout_s and not self._has_dumped:
                self._has_dumped = True
                self._dump(f"no sign of life for {silence_s:.2f} s")
        faulthandler.cancel_dump_traceback_later()

    def _arm(self) -> None:
        self._armed_s = time.monotonic()
        faulthandler.dump_traceback_later(self._gil_timeout_s, file=self._file.fileno())

    def _dump(self, reason: str) -> None:
        try:
            self._file.dump(reason)
        except (OSError, ValueError):  # a full disk: the switch goes on
            _log.exception("%s; its stacks could not be kept in %s", reason, self._file.path)


def _thread_table() -> str:
    return "".join(f"thread 0x{thread.ident or 0:016x}: {thread.name}\n" for thread in threading.enumerate())


def _above_standard(fd: int) -> int:
    """Move a descriptor that took the number of a closed stdin, stdout or stderr: others write there blindly."""
    taken = []
    while fd <= _LAST_STANDARD_FD:
        taken.append(fd)
        fd = os.dup(fd)
    for low in taken:
        os.close(low)
    return fd
