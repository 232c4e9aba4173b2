"""The writer: one thread between the engine and the disk.

::

    engine ──put──▶ bounded queue ──▶ sink.append … sink.flush ──▶ journal.commit ──▶ FrameStored
       ▲                  │
       └── wait_for_room ─┘   the queue's bound delays the next trigger; nothing is ever dropped

Frames are handled in groups: pixels first, then the journal's records, then the facts, then the taps, which see the
pixels of what was stored. A full disk or a failing one holds the queue, and so the run, until it is mended or the run
is aborted. Owns the sink and the journal from `start` to `finish`; knows no device.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from control.core.facts import FactStream, FrameMissing, FrameStored, Waiting
from control.core.index_set import IndexSet
from control.core.journal import Journal, Record, missing_record, stored_record
from control.core.sinks.sink import Sink
from squid.errors import DiskFullError, StorageError
from squid.models.frame import FrameRecord
from squid.models.geometry import Pixels

_log = logging.getLogger(__name__)

Tap = Callable[[FrameRecord, Pixels], None]
"""Sees a frame that is stored; must return soon, keep no other thread waiting, and not write to the pixels."""

GROUP_FRAMES = 8
"""Most frames in one commit group."""

RETRY_S = 0.5
"""Pause between tries on a disk that is full or failing."""

PATIENCE_S = 3600.0
"""How long a disk may fail, other than by being full, before the run is given up; a server has restarted by then."""


@dataclass(frozen=True, slots=True)
class _Frame:
    record: FrameRecord
    pixels: Pixels


@dataclass(frozen=True, slots=True)
class _Hole:
    index: int
    reason: str


class FrameWriter:
    """Stores frames in the order they come, in its own thread.

    Parameters
    ----------
    sink : Sink
        Open; the writer closes it.
    journal : Journal
        Open; the writer closes it.
    facts : FactStream
        Is told of every frame stored or missing.
    stored : IndexSet
        Frames that are on disk already; the writer adds to it.
    missing : dict of int to str
        Frames given up already; the writer adds to it.
    capacity_bytes : int
        Pixels that may wait; at least one frame always fits.
    taps : tuple of callable
        See each stored frame, in the writer's thread; one that raises is not called again during this run.
    """

    def __init__(
        self,
        sink: Sink,
        journal: Journal,
        facts: FactStream,
        *,
        stored: IndexSet,
        missing: dict[int, str],
        capacity_bytes: int = 128 << 20,
        taps: tuple[Tap, ...] = (),
    ) -> None:
        self.stored = stored
        self.missing = missing
        self.failure: StorageError | None = None
        self._sink = sink
        self._journal = journal
        self._facts = facts
        self._capacity_bytes = capacity_bytes
        self._taps = taps
        self._changed = threading.Condition()
        self._queue: deque[_Frame | _Hole] = deque()
        self._pending_bytes = 0
        self._finishing = False
        self._abandoned = False
        self._disowned = False
        self._thread = threading.Thread(target=self._run, name="frame writer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(self, record: FrameRecord, pixels: Pixels) -> None:
        """Hand over a frame; returns at once. Nobody may write to `pixels` any more."""
        self._enqueue(_Frame(record, pixels), pixels.nbytes)

    def skip(self, index: int, reason: str) -> None:
        """Note that there will be no frame at `index`."""
        self._enqueue(_Hole(index, reason), 0)

    @property
    def outputs(self) -> tuple[str, ...]:
        """What a reader should open, relative to the run folder."""
        return self._sink.outputs

    @property
    def queue_size(self) -> int:
        """Frames that wait."""
        return len(self._queue)

    @property
    def fill(self) -> float:
        """How full the queue is: 0 is empty, 1 is when the engine has to wait."""
        return min(1.0, self._pending_bytes / self._capacity_bytes)

    @property
    def has_room(self) -> bool:
        """Whether another frame may be taken."""
        return self._pending_bytes < self._capacity_bytes or self.failure is not None

    def wait_for_room(self, timeout_s: float) -> bool:
        """Wait until another frame may be taken; False when there is still no room after `timeout_s`."""
        with self._changed:
            return self._changed.wait_for(lambda: self.has_room, timeout_s)

    def abandon(self) -> None:
        """Stop waiting for a disk that does not take the frames; what is not stored will be retaken on resume."""
        with self._changed:
            self._abandoned = True
            self._changed.notify_all()

    def disown(self) -> None:
        """Commit nothing more: the run has ended without this writer, which hangs in a call to the disk."""
        self._disowned = True

    def discard(self) -> None:
        """Close sink and journal of a writer that was never started."""
        self._journal.close()
        with suppress(StorageError):
            self._sink.close()

    def finish(self, timeout_s: float | None = None) -> bool:
        """Store what is queued, close sink and journal, end the thread; False when it is not done in time."""
        with self._changed:
            self._finishing = True
            self._changed.notify_all()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _enqueue(self, item: _Frame | _Hole, nbytes: int) -> None:
        with self._changed:
            if self._finishing or self.failure is not None:
                _log.warning("came after the end and was not stored: %s", item)
                return
            self._queue.append(item)
            self._pending_bytes += nbytes
            self._changed.notify_all()

    def _run(self) -> None:
        try:
            while group := self._next_group():
                self._store(group)
                self._release(group)
            self._patiently(lambda: self._sink.close(self.missing.keys()))
        except StorageError as e:
            self._fail(e)
        except Exception as e:  # the thread's edge: the run must learn of it
            _log.exception("the writer failed")
            self._fail(StorageError(f"the writer failed: {e!r}"))
        finally:
            self._journal.close()

    def _next_group(self) -> list[_Frame | _Hole]:
        """Wait for frames; an empty group is the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._finishing)
            return [self._queue.popleft() for _ in range(min(GROUP_FRAMES, len(self._queue)))]

    def _store(self, group: list[_Frame | _Hole]) -> None:
        for item in group:
            self._patiently(lambda item=item: self._hand_to_sink(item))  # type: ignore[misc]
        self._patiently(self._sink.flush)
        if self._disowned:
            raise StorageError("the disk came back after the run had ended")
        records = [_journal_record(item) for item in group]
        self._patiently(lambda: self._journal.commit(records))
        for item in group:
            self._note(item)
        for item in group:
            if isinstance(item, _Frame):
                self._show(item)

    def _hand_to_sink(self, item: _Frame | _Hole) -> None:
        if isinstance(item, _Frame):
            self._sink.append(item.record, item.pixels)
        else:
            self._sink.skip(item.index, item.reason)

    def _note(self, item: _Frame | _Hole) -> None:
        if isinstance(item, _Frame):
            index = item.record.event.index
            self.stored.add(index)
            self.missing.pop(index, None)
            self._facts.say(FrameStored(item.record))
        else:
            self.missing[item.index] = item.reason
            self._facts.say(FrameMissing(item.index, item.reason))

    def _show(self, frame: _Frame) -> None:
        for tap in self._taps:
            try:
                tap(frame.record, frame.pixels)
            except Exception:  # a tap's edge: the run goes on
                _log.exception("%r failed on frame %d and sees no more of this run", tap, frame.record.event.index)
                self._taps = tuple(each for each in self._taps if each is not tap)

    def _release(self, group: list[_Frame | _Hole]) -> None:
        with self._changed:
            self._pending_bytes -= sum(item.pixels.nbytes for item in group if isinstance(item, _Frame))
            self._changed.notify_all()

    def _patiently(self, action: Callable[[], None]) -> None:
        """Do `action` again and again while the disk does not take it; give up when abandoned or out of patience."""
        give_up_s = time.monotonic() + PATIENCE_S
        said = ""
        while True:
            try:
                return action()
            except StorageError as e:
                is_full = isinstance(e, DiskFullError)
                if self._abandoned or (not is_full and time.monotonic() > give_up_s):
                    raise
                if str(e) != said:
                    said = str(e)
                    _log.warning("waiting for the disk: %s", said)
                    self._facts.say(Waiting(said))
            with self._changed:
                self._changed.wait_for(lambda: self._abandoned, RETRY_S)

    def _fail(self, failure: StorageError) -> None:
        with self._changed:
            self.failure = failure
            self._queue.clear()
            self._changed.notify_all()


def _journal_record(item: _Frame | _Hole) -> Record:
    if isinstance(item, _Frame):
        return stored_record(item.record)
    return missing_record(item.index, item.reason)
