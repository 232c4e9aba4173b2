"""What waits for the disk: frames and holes in the order they came, bounded by bytes.

::

    engine ──put──▶ [ . . . . . ] ──head──▶ writer ──▶ disk
                      ▲                        │
                      └──────── take_out ◀─────┘  stored: only then does it leave the queue

The bound holds the engine, which asks for room before it exposes; `put` itself never refuses while the run goes on.
Used by two threads; knows neither disk nor journal.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice

from squid.models.frame import FrameRecord
from squid.models.geometry import Pixels

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A frame that is to be stored."""

    record: FrameRecord
    pixels: Pixels

    @property
    def index(self) -> int:
        """Its place in the plan."""
        return self.record.event.index

    @property
    def nbytes(self) -> int:
        """Bytes of its pixels."""
        return self.pixels.nbytes


@dataclass(frozen=True, slots=True, eq=False)
class Hole:
    """An index that there is no frame for."""

    index: int
    reason: str
    nbytes: int = 0


Item = Frame | Hole


class FrameQueue:
    """Frames and holes that wait.

    Parameters
    ----------
    capacity_bytes : int
        Pixels that may wait; at least one frame always fits.
    """

    def __init__(self, capacity_bytes: int) -> None:
        self._capacity_bytes = capacity_bytes
        self._changed = threading.Condition()
        self._items: deque[Item] = deque()
        self._waiting_bytes = 0
        self._is_held = False
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._items)

    # --- for the engine ---------------------------------------------------------------------------------------------

    def put(self, item: Item) -> None:
        """Let `item` wait; after `close` it is left out, with a warning."""
        with self._changed:
            if self._is_closed:
                _log.warning("came after the end and was not stored: frame %d", item.index)
                return
            self._items.append(item)
            self._waiting_bytes += item.nbytes
            self._changed.notify_all()

    @property
    def fill(self) -> float:
        """How full it is: 0 is empty, 1 is when the engine has to wait."""
        return min(1.0, self._waiting_bytes / self._capacity_bytes)

    @property
    def has_room(self) -> bool:
        """Whether another frame may be taken; always after `close`, since nobody must wait for room then."""
        return self._is_closed or not (self._is_held or self._waiting_bytes >= self._capacity_bytes)

    def wait_for_room(self, timeout_s: float) -> bool:
        """Wait until there is room; False when there is still none after `timeout_s`."""
        with self._changed:
            return self._changed.wait_for(lambda: self.has_room, timeout_s)

    # --- for the writer ---------------------------------------------------------------------------------------------

    @property
    def is_held(self) -> bool:
        """Whether there is no room, however little waits."""
        return self._is_held

    def hold(self, is_held: bool) -> None:
        """Have no room from now on, or again."""
        with self._changed:
            self._is_held = is_held
            self._changed.notify_all()

    def head(self, count: int, timeout_s: float) -> list[Item] | None:
        """Wait for something to store.

        Returns
        -------
        list of Frame or Hole, or None
            Copies of the first entries, at most `count`; none: the queue is closed and empty. None: nothing has come
            within `timeout_s`.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._items or self._is_closed, timeout_s):
                return None
            return list(islice(self._items, count))

    def take_out(self, items: Collection[Item]) -> None:
        """Let the first entries go, as far as they are among `items`; harmless when repeated."""
        with self._changed:
            while self._items and self._items[0] in items:
                self._waiting_bytes -= self._items.popleft().nbytes
            self._changed.notify_all()

    def close(self, *, forget: bool = False) -> None:
        """Take nothing more; `forget` what waits, which nobody will store."""
        with self._changed:
            self._is_closed = True
            if forget:
                self._items.clear()
                self._waiting_bytes = 0
            self._changed.notify_all()
