"""What a run says of itself: a closed set of facts, in one order, to whoever listens.

`RunFinished` comes last and exactly once; by then the light is off and the sink is closed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from squid.models.event import AcquisitionEvent
from squid.models.frame import FrameRecord
from squid.models.layout import DatasetLayout

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The plan passed preflight and its folder exists; `already_stored` frames come from an earlier part."""

    folder: Path
    layout: DatasetLayout
    estimated_s: float
    already_stored: int


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
