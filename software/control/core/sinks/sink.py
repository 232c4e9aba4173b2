"""The protocol that every format is behind.

::

    open ──▶ append / skip … ──flush──▶ … ──flush──▶ close
     ▲           │               │
     └── drop ◀──┘ failed        └ everything appended before is on disk: the journal may say so

One thread (the writer) calls a sink, in order; a sink knows no device, no journal and no run. Its memory is bounded:
`append` waits rather than pile up frames.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Protocol

from squid.models.frame import FrameRecord
from squid.models.geometry import Pixels
from squid.models.layout import DatasetLayout


class Sink(Protocol):
    """Stores the frames of one run.

    Raises
    ------
    StorageError
        Any method: the frames since the last flush may be lost, everything before is readable.
    DiskFullError
        As above; the caller frees space and calls again with the same frames.
    """

    @property
    def outputs(self) -> tuple[str, ...]:
        """What a reader should open, relative to the run folder; known after `open`."""

    def open(self, folder: Path, layout: DatasetLayout, *, resume: bool) -> None:
        """Prepare the run folder for the layout.

        Parameters
        ----------
        folder : Path
            The run folder; it exists.
        layout : DatasetLayout
            What will come.
        resume : bool
            The folder holds an earlier part of the same run: keep what is there.
        """

    def append(self, record: FrameRecord, pixels: Pixels) -> None:
        """Store one frame; shape and type are the layout's, already turned into stage orientation.

        The sink may keep the array until the next `flush`; nobody writes to it any more. Appending an index again
        overwrites it (a resumed run retakes what was not journaled).
        """

    def skip(self, index: int, reason: str) -> None:
        """Note that the frame of this index is missing: a hole at its place, never a shift."""

    def flush(self) -> None:
        """Return when everything appended so far is on disk, readable by others even if the process is killed."""

    def drop(self) -> None:
        """Let threads and files go without finishing anything; `open` with `resume` may follow. Harmless when repeated.

        Raises
        ------
        StorageError
            Something may still write, or the run folder is not there; to be called again.
        """

    def close(self, missing: Collection[int] = ()) -> None:
        """Finish the files; `missing` are the planned indexes without a frame. Harmless when repeated."""
