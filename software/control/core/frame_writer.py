"""The writer: one thread between the engine and the disk.

::

    engine ──put──▶ bounded queue ──▶ sink.append … sink.flush ──▶ journal.commit ──▶ FrameStored
       ▲                  │  ▲                                        │
       └── wait_for_room ─┘  └── a group leaves the queue when it is ─┘ stored: nothing is ever dropped

    storing ──a bug, no memory, its thread ended──▶ down ──journal cut, sink opened again──▶ storing the same group
                                                      └─ `RESTARTS` failures with nothing stored between ─▶ failed

Frames are handled in groups: pixels first, then the journal's records, then the facts, then the taps, which see the
pixels of what was stored. A full disk or a failing one holds the queue, and so the run, until it is mended or the run
is aborted; so does a writer that is down. One that hangs for `SILENCE_S` is given up.

Owns the sink and the journal from `start` to `finish`; knows no device. Its thread is a `SupervisedTask`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from control.core.facts import FactStream, FrameMissing, FrameStored, Waiting
from control.core.frame_queue import Frame, FrameQueue, Hole, Item
from control.core.index_set import IndexSet
from control.core.journal import Journal, Record, missing_record, stored_record
from control.core.sinks.sink import Sink
from squid.errors import DiskFullError, StorageError
from squid.models.frame import FrameRecord
from squid.models.geometry import Pixels
from squid.utils.supervised import SupervisedTask
from squid.utils.task import tell_progress

_log = logging.getLogger(__name__)

Tap = Callable[[FrameRecord, Pixels], None]
"""Sees a frame that is stored; must return soon, keep no other thread waiting, and not write to the pixels."""

GROUP_FRAMES = 8
"""Most frames in one commit group."""

RETRY_S = 0.5
"""Pause between tries on a disk that is full or failing."""

PATIENCE_S = 3600.0
"""How long a disk may fail, other than by being full, before the run is given up; a server has restarted by then."""

SILENCE_S = 3600.0
"""How long the writer may be stuck in one call, to a disk that does not answer, before the run is given up."""

RESTARTS = 4
"""How often the writer is started again with nothing stored between; then the run ends. The first time it is done at
once, then `RETRY_S` later each time."""


@dataclass(slots=True)
class _Group:
    """Frames that are committed together.

    Attributes
    ----------
    journal_bytes : int
        Length of the journal before they are; when it is longer, they were.
    said : int
        How many of them the listeners know of.
    """

    items: list[Item]
    journal_bytes: int = 0
    said: int = 0


class FrameWriter:
    """Stores frames in the order they come, in its own thread.

    Parameters
    ----------
    sink : Sink
        Open; the writer closes it.
    reopen : callable
        Opens the sink again, with what it has stored, after `Sink.drop`.
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

    Attributes
    ----------
    failure : StorageError or None
        What has ended it.
    trouble : str
        Why nothing can be stored at this moment, though it may be again; empty: nothing is wrong.
    """

    def __init__(
        self,
        sink: Sink,
        reopen: Callable[[], None],
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
        self.trouble = ""
        self._sink = sink
        self._reopen = reopen
        self._journal = journal
        self._facts = facts
        self._taps = taps
        self._queue = FrameQueue(capacity_bytes)
        self._abandoned = threading.Event()
        self._disowned = False
        self._failures = 0
        self._group = _Group([])
        self._on_hang: Callable[[str], object] = lambda _: None
        self._task = SupervisedTask("frame writer", self._work, self._shall_restart, self._hangs, SILENCE_S)

    def start(self, on_hang: Callable[[str], object] = lambda _: None) -> None:
        """Start the thread; `on_hang` is told why, in a thread of the layer, when it is given up."""
        self._on_hang = on_hang
        self._task.start()

    def put(self, record: FrameRecord, pixels: Pixels) -> None:
        """Hand over a frame; returns at once. Nobody may write to `pixels` any more."""
        self._queue.put(Frame(record, pixels))

    def skip(self, index: int, reason: str) -> None:
        """Note that there will be no frame at `index`."""
        self._queue.put(Hole(index, reason))

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
        return self._queue.fill

    @property
    def is_down(self) -> bool:
        """Whether nothing is stored at this moment; `trouble` says why."""
        return self._queue.is_held or self.failure is not None

    @property
    def has_room(self) -> bool:
        """Whether another frame may be taken; also after the last failure, since the engine has to learn of it."""
        return self._queue.has_room

    def wait_for_room(self, timeout_s: float) -> bool:
        """Wait until another frame may be taken; False when there is still no room after `timeout_s`."""
        return self._queue.wait_for_room(timeout_s)

    def abandon(self) -> None:
        """Stop waiting for a disk that does not take the frames; what is not stored will be retaken on resume."""
        self._abandoned.set()

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
        self._queue.close()
        return self._task.wait(timeout_s)

    # --- in its thread ----------------------------------------------------------------------------------------------

    def _work(self) -> None:
        """Store what comes, to the end; begun again after a failure."""
        try:
            if self._queue.is_held:
                self._recover()
            while self._store_next():
                pass
            self._patiently(lambda: self._sink.close(self.missing.keys()))
            self._journal.close()
        finally:
            if self._disowned:  # nobody else is told when it comes back
                self._let_go()

    def _store_next(self) -> bool:
        """Store the next group, which stays in the queue until it is; False at the end."""
        while (items := self._queue.head(GROUP_FRAMES, SILENCE_S / 10)) is None:
            tell_progress(0.0, "waits for frames")
        if not items:
            return False
        for item in items:
            self._patiently(lambda item=item: self._hand_to_sink(item))  # type: ignore[misc]
        self._patiently(self._sink.flush)
        if self._disowned:
            raise StorageError("the disk came back after the run had ended")
        records = [_journal_record(item) for item in items]
        self._group = _Group(items, self._journal.committed_bytes)
        self._patiently(lambda: self._journal.commit(records))
        self._done(self._group)
        return True

    def _done(self, group: _Group) -> None:
        """Say that a group is on disk, and let it go; what was said and let go before is not again."""
        new = group.items[group.said :]
        for item in new:
            self._note(item)
            group.said += 1
        for item in new:
            if isinstance(item, Frame):
                self._show(item)
        if new:
            self._failures = 0
        self._queue.take_out(group.items)
        self._group = _Group([])  # which holds no pixels

    def _hand_to_sink(self, item: Item) -> None:
        if isinstance(item, Frame):
            self._sink.append(item.record, item.pixels)
        else:
            self._sink.skip(item.index, item.reason)

    def _note(self, item: Item) -> None:
        if isinstance(item, Frame):
            self.stored.add(item.index)
            self.missing.pop(item.index, None)
            self._facts.say(FrameStored(item.record))
        else:
            self.missing[item.index] = item.reason
            self._facts.say(FrameMissing(item.index, item.reason))

    def _show(self, frame: Frame) -> None:
        for tap in self._taps:
            try:
                tap(frame.record, frame.pixels)
            except Exception:  # a tap's edge: the run goes on
                _log.exception("%r failed on frame %d and sees no more of this run", tap, frame.index)
                self._taps = tuple(each for each in self._taps if each is not tap)

    def _patiently(self, action: Callable[[], None]) -> None:
        """Do `action` again and again while the disk does not take it; give up when abandoned or out of patience.

        Meanwhile there is no room: what the disk does not take now should not be exposed now.
        """
        give_up_s = time.monotonic() + PATIENCE_S
        before = self._queue.is_held, self.trouble
        while True:
            tell_progress(0.0, "stores frames")
            try:
                action()
            except StorageError as e:
                is_full = isinstance(e, DiskFullError)
                if self._abandoned.is_set() or (not is_full and time.monotonic() > give_up_s):
                    raise
                self._stall(str(e))
            else:
                break
            self._abandoned.wait(RETRY_S)
        if (self._queue.is_held, self.trouble) != before:
            is_held, self.trouble = before
            self._queue.hold(is_held)

    def _stall(self, trouble: str) -> None:
        """Hold the engine, and say why when that is news."""
        self._queue.hold(True)
        if trouble != self.trouble:
            self.trouble = trouble
            _log.warning("nothing is stored: %s", trouble)
            self._facts.say(Waiting(trouble))

    # --- when it fails ----------------------------------------------------------------------------------------------

    def _shall_restart(self, error: BaseException) -> bool:
        """Decide what follows when the thread has left its work by `error`."""
        self._queue.hold(True)
        self._failures += 1
        if isinstance(error, StorageError):
            self._fail(error)
        elif self._disowned or self._failures > RESTARTS:
            self._fail(StorageError(f"the writer failed {self._failures} times in a row; the last: {error!r}"))
        else:
            self._stall(f"the writer failed ({error!r}) and is started again")
            return True
        return False

    def _hangs(self, reason: str) -> None:
        """Give the thread up, which may come back some day."""
        self._disowned = True
        self._on_hang(reason)
        self._fail(StorageError(f"the writer hangs: {reason}"))

    def _recover(self) -> None:
        """Set right what a failure left, so that the group in hand can be stored again, each index once."""
        self._abandoned.wait(RETRY_S * (self._failures - 1))
        self._journal.roll_back()
        if self._journal.committed_bytes > self._group.journal_bytes:  # the last group was committed
            self._done(self._group)
        self._patiently(self._sink.drop)
        self._patiently(self._reopen)
        for index, reason in self.missing.items():
            self._sink.skip(index, reason)
        self.trouble = ""
        self._queue.hold(False)
        _log.warning("the writer goes on; %d frames wait", len(self._queue))

    def _fail(self, failure: StorageError) -> None:
        """End it for good."""
        self.failure = failure
        self._queue.close(forget=True)
        if not self._disowned:
            self._let_go()

    def _let_go(self) -> None:
        self._journal.close()
        with suppress(StorageError):
            self._sink.drop()


def _journal_record(item: Item) -> Record:
    if isinstance(item, Frame):
        return stored_record(item.record)
    return missing_record(item.index, item.reason)
