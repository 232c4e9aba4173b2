"""Frames in memory: for tests, and for a viewer of the run that is going on."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from control.core.sinks.frame_table import NOT_TAKEN
from squid.models.frame import FrameRecord
from squid.models.geometry import Pixels
from squid.models.layout import DatasetLayout


class MemorySink:
    """Keeps a copy of every frame.

    Attributes
    ----------
    frames : dict of int to (FrameRecord, ndarray)
        By index in the plan; pixels of shape (Y, X).
    missing : dict of int to str
        Reason by index.
    layout : DatasetLayout or None
        None until `open`.
    """

    def __init__(self) -> None:
        self.frames: dict[int, tuple[FrameRecord, Pixels]] = {}
        self.missing: dict[int, str] = {}
        self.layout: DatasetLayout | None = None

    @property
    def outputs(self) -> tuple[str, ...]:
        """Nothing is on disk."""
        return ()

    def open(self, folder: Path, layout: DatasetLayout, *, resume: bool) -> None:
        """Forget all frames unless `resume`."""
        self.layout = layout
        if not resume:
            self.frames.clear()
            self.missing.clear()

    def append(self, record: FrameRecord, pixels: Pixels) -> None:
        """Keep a copy of the frame."""
        self.frames[record.event.index] = (record, pixels.copy())
        self.missing.pop(record.event.index, None)

    def skip(self, index: int, reason: str) -> None:
        """Keep the reason, unless there is a frame."""
        if index not in self.frames:
            self.missing[index] = reason

    def flush(self) -> None:
        """Nothing waits."""

    def drop(self) -> None:
        """Nothing to let go; the frames stay."""

    def close(self, missing: Collection[int] = ()) -> None:
        """Note what is missing; the frames stay."""
        for index in missing:
            if index not in self.frames:
                self.missing.setdefault(index, NOT_TAKEN)
