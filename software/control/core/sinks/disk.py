"""The run folder as a sink sees it: atomic files, and the system's errors as ours.

Owns nothing but the folder's identity: a network share that went away must not be replaced by a local folder of the
same name, so the folder is known by its device and inode.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from squid.errors import DiskFullError, StorageError

_LIBC = ctypes.CDLL(None, use_errno=True) if os.name == "posix" else None

_FULL = (errno.ENOSPC, errno.EDQUOT)


class Disk:
    """Writes in the run folder.

    Parameters
    ----------
    folder : Path
        The run folder; it exists.
    planned_bytes : int
        Pixels of the whole run, for the message of a full disk.
    durable : bool
        Files and folders are synced to the device, so that they outlive a power cut and not only the process.

    Raises
    ------
    StorageError
        Any method: the file that was there before is intact.
    DiskFullError
        As above, when there is no space.
    """

    def __init__(self, folder: Path, *, planned_bytes: int = 0, durable: bool = False) -> None:
        self.folder = folder
        self.durable = durable
        self.written_bytes = 0
        self._planned_bytes = planned_bytes
        with self.guard(folder):
            self._identity = self._identify()

    def check_present(self) -> None:
        """Raise `StorageError` unless the run folder is the one that was opened."""
        try:
            present = self._identify() == self._identity
        except OSError as e:
            raise StorageError(f"{self.folder}: the output folder cannot be reached: {e.strerror or e}") from e
        if not present:
            raise StorageError(f"{self.folder}: the output folder was replaced by another of the same name")

    @contextmanager
    def guard(self, path: Path) -> Iterator[None]:
        """Turn an `OSError` of the block, which writes `path`, into ours."""
        try:
            yield
        except OSError as e:
            if e.errno in _FULL:
                raise self.full() from e
            raise StorageError(f"{path}: {e.strerror or e}") from e

    def full(self) -> DiskFullError:
        """Return the error that says how many bytes the rest of the run needs."""
        try:
            free_bytes = shutil.disk_usage(self.folder).free
        except OSError:
            free_bytes = 0
        return DiskFullError(self.folder, max(0, self._planned_bytes - self.written_bytes), free_bytes)

    def write(self, path: Path, content: str) -> None:
        """Put a whole text file in place, atomically; its folders are made."""
        with self.replacing(path) as partial, partial.open("w", encoding="utf-8", newline="\n") as file:
            file.write(content)

    def write_lines(self, path: Path, lines: Iterable[str]) -> int:
        """Put a whole text file in place, line by line; returns its size in bytes."""
        with self.replacing(path) as partial:
            with partial.open("w", encoding="utf-8", newline="\n") as file:
                file.writelines(f"{line}\n" for line in lines)
            return partial.stat().st_size

    @contextmanager
    def replacing(self, path: Path) -> Iterator[Path]:
        """Lend the block a name beside `path`; what it leaves there takes the place of `path` in one step."""
        partial = path.with_name(path.name + ".partial")
        with self.guard(path):
            self.make_folder(path.parent)
            try:
                yield partial
                self._sync_file(partial)
                partial.replace(path)
            except BaseException:
                with suppress(OSError):
                    partial.unlink(missing_ok=True)
                raise

    def make_folder(self, folder: Path) -> None:
        """Make a folder in the run folder, and those between; never the run folder itself, whose loss is an error.

        Raises
        ------
        OSError
            As the system says.
        """
        if folder == self.folder or folder.is_dir():
            return
        self.make_folder(folder.parent)
        with suppress(FileExistsError):
            folder.mkdir()

    @staticmethod
    def write_fully(descriptor: int, data: bytes | memoryview) -> None:
        """Write all of `data` at the file's place; the system may take it in pieces.

        Raises
        ------
        OSError
            What was written before the failing piece stays.
        """
        view = memoryview(data).cast("B")
        while view:
            view = view[os.write(descriptor, view) :]

    def sync(self) -> None:
        """Wait until all that was written is on the device, when the disk is durable.

        One call for the whole file system costs less than one for each of the many files and folders of a group.
        """
        if not self.durable or os.name == "nt":
            return
        with self.guard(self.folder):
            if _LIBC is None or not hasattr(_LIBC, "syncfs"):
                os.sync()
                return
            descriptor = os.open(self.folder, os.O_RDONLY)
            try:
                if _LIBC.syncfs(descriptor) != 0:
                    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
            finally:
                os.close(descriptor)

    def _sync_file(self, path: Path) -> None:
        """Sync one file where there is no call for all of them: on Windows."""
        if self.durable and os.name == "nt":
            with path.open("r+b") as file:
                os.fsync(file.fileno())

    def _identify(self) -> tuple[int, int]:
        status = self.folder.stat()
        return status.st_dev, status.st_ino
