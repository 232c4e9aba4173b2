"""A sink that stores nothing: to measure everything else."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from squid.models.frame import FrameRecord
from squid.models.geometry import Pixels
from squid.models.layout import DatasetLayout


class NullSink:
    """Counts frames and forgets them."""

    def __init__(self) -> None:
        self.frames_seen = 0

    @property
    def outputs(self) -> tuple[str, ...]:
        """Nothing is on disk."""
        return ()

    def open(self, folder: Path, layout: DatasetLayout, *, resume: bool) -> None:
        """Start counting; a resumed run counts on."""
        if not resume:
            self.frames_seen = 0

    def append(self, record: FrameRecord, pixels: Pixels) -> None:
        """Count the frame."""
        self.frames_seen += 1

    def skip(self, index: int, reason: str) -> None:
        """Nothing to note."""

    def flush(self) -> None:
        """Nothing waits."""

    def drop(self) -> None:
        """Nothing to let go."""

    def close(self, missing: Collection[int] = ()) -> None:
        """Nothing to finish."""
