"""A text file that only grows, by whole lines: after a crash at most its last line is torn, and that one is cut off."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from control.core.sinks.disk import Disk


class LineFile:
    """Appends lines.

    Parameters
    ----------
    disk : Disk
        Of the run.
    path : Path
        The file.
    header : str
        First line of a new file, without its end.

    Raises
    ------
    StorageError
        Any method: the file is as it was before the call.
    """

    def __init__(self, disk: Disk, path: Path, header: str) -> None:
        self.path = path
        self._disk = disk
        self._header = header
        self._size = 0

    def create(self) -> None:
        """Start the file with its header alone."""
        content = self._header + "\n"
        self._disk.write(self.path, content)
        self._size = len(content.encode())

    def read_back(self) -> Iterator[str]:
        """Yield the lines after the header, cut off a torn last one; a file that is not there is made."""
        if not self.path.exists():
            self.create()
            return
        self._size = 0
        with self._disk.guard(self.path), self.path.open("r+b") as file:
            for number, line in enumerate(file):
                if not line.endswith(b"\n"):
                    break
                self._size += len(line)
                if number:
                    yield line.decode().rstrip("\n")
            file.truncate(self._size)
        if self._size == 0:
            self.create()

    def append(self, lines: Iterable[str]) -> None:
        """Put lines at the end: all of them, or none."""
        data = "".join(line + "\n" for line in lines).encode()
        with self._disk.guard(self.path), self.path.open("r+b", buffering=0) as file:
            file.seek(self._size)
            try:
                self._disk.write_fully(file.fileno(), data)
            except OSError:
                file.truncate(self._size)
                raise
        self._size += len(data)

    def rewrite(self, keep: Callable[[int, str], bool]) -> None:
        """Keep the lines for which `keep(number, line)` holds; numbers start at 0 after the header."""
        with self._disk.guard(self.path), self.path.open(encoding="utf-8", newline="\n") as old:
            next(old)
            kept = (line.rstrip("\n") for number, line in enumerate(old) if keep(number, line))
            self._size = self._disk.write_lines(self.path, (line for part in ((self._header,), kept) for line in part))
