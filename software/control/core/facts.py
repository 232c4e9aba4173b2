"""What a run says of itself: a closed set of facts, in one order, to whoever listens.

`RunFinished` comes last and exactly once; by then the light is off and the sink is closed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from squid.models.event import AcquisitionEvent
from squid.models.frame import FrameRecord
from squid.models.layout import DatasetLayout

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The plan passed preflight and its folder exists.

    Attributes
    ----------
    folder, layout : Path, DatasetLayout
        The run folder, and what is stored in it.
    estimated_s : float
        Time that this part of the run will take, about; waiting for time points included.
    already_stored : int
        Frames that come from an earlier part.
    stored_by_image : mapping of int to int
        Number of these by image; images without any are left out.
    missing : mapping of int to str
        Frames given up in an earlier part, with the reason; those that can be taken are taken again.
    last_due_s : float or None
        Earliest start of the last event, on the clock of time points; None: nothing is waited for, or the clock
        starts again during the plan.
    image_of : callable or None
        Returns the number of an index's image.
    """

    folder: Path
    layout: DatasetLayout
    estimated_s: float
    already_stored: int
    stored_by_image: Mapping[int, int] = field(default_factory=dict)
    missing: Mapping[int, str] = field(default_factory=dict)
    last_due_s: float | None = None
    image_of: Callable[[int], int] | None = None


@dataclass(frozen=True, slots=True)
class EventStarted:
    """The stage is on its way to this event."""

    event: AcquisitionEvent


@dataclass(frozen=True, slots=True)
class FrameStored:
    """The frame is on disk and journaled."""

    record: FrameRecord


@dataclass(frozen=True, slots=True)
class FrameMissing:
    """There will be a hole at this index."""

    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing moves for `seconds` (None: unknown) because of `reason`: a time point, a full queue, a full disk."""

    reason: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Paused:
    """The run waits to be resumed; the light is off."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """The run goes on."""


@dataclass(frozen=True, slots=True)
class Hung:
    """A step passed its deadline; the light was told to go off; stacks are in `dump` (None: no folder took them)."""

    device: str
    call: str
    deadline_s: float
    dump: Path | None


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The last fact. `status` and `reason` are those of ``run.json``."""

    status: str
    reason: str
    frames_stored: int
    frames_missing: int


Fact = RunStarted | EventStarted | FrameStored | FrameMissing | Waiting | Paused | Resumed | Hung | RunFinished
Listener = Callable[[Fact], None]


class FactStream:
    """Hands facts to listeners in one order, from whichever thread says them.

    A listener must return at once; one that raises is logged and does not disturb the run. After `RunFinished`
    nothing is said any more.
    """

    def __init__(self, listeners: tuple[Listener, ...] = ()) -> None:
        self._listeners = listeners
        self._lock = threading.Lock()
        self._finished = False

    def say(self, fact: Fact) -> None:
        """Tell every listener."""
        with self._lock:
            if self._finished:
                _log.warning("said after the end and dropped: %s", fact)
                return
            self._finished = isinstance(fact, RunFinished)
            for listener in self._listeners:
                try:
                    listener(fact)
                except Exception:  # a listener's edge: the run goes on
                    _log.exception("listener %r failed on %s", listener, type(fact).__name__)
