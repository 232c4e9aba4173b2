"""Files that a person asks for: there whole, or not at all, also when the work is cancelled half-way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from squid.errors import StorageError
from squid.utils.task import stop_if_cancelled


@contextmanager
def whole_file(path: Path, failed: str = "") -> Iterator[Path]:
    """Give a name beside `path` to write to; the file takes its place at the end. From a task.

    Whatever ends the work before that leaves `path` as it was, and nothing beside it.

    Parameters
    ----------
    path : Path
        The file.
    failed : str, optional
        Begins the message of an error, in place of "… could not be written".

    Raises
    ------
    StorageError
        It could not be written.
    TaskCancelledError
        The task was cancelled.
    """
    failed = failed or f"{path} could not be written"
    beside = path.with_name(f".{uuid4().hex[:12]}.new{path.suffix}")
    try:
        yield beside
        stop_if_cancelled()
        beside.replace(path)
    except OSError as e:
        raise StorageError(f"{failed}: {e.strerror or e}") from e
    finally:
        with suppress(OSError):  # a disk that is gone has told so above
            beside.unlink(missing_ok=True)
