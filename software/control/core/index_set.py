"""Which indexes of a plan are done: one bit each, so that 76 million frames take 9.5 MB."""

from __future__ import annotations

from collections.abc import Iterator

from control.core.words import counted


class IndexSet:
    """A set of indexes 0 … size - 1.

    Parameters
    ----------
    size : int
        Number of planned frames.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._bits = bytearray((size + 7) // 8)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, index: int) -> bool:
        return bool(self._bits[index >> 3] & (1 << (index & 7)))

    def add(self, index: int) -> None:
        """Put an index in; `IndexError` when it is not of the plan."""
        if not 0 <= index < self._size:
            raise IndexError(f"index {index} is not in a plan of {counted(self._size, 'frame')}")
        mask = 1 << (index & 7)
        if not self._bits[index >> 3] & mask:
            self._bits[index >> 3] |= mask
            self._count += 1

    def discard(self, index: int) -> None:
        """Take an index out; harmless when it is not there."""
        if index in self:
            self._bits[index >> 3] &= ~(1 << (index & 7))
            self._count -= 1

    def absent(self, start: int = 0) -> Iterator[int]:
        """Yield the indexes that are not in the set, in order, from `start` on."""
        index = start
        while index < self._size:
            if index & 7 == 0 and self._bits[index >> 3] == 0xFF:
                index += 8
                continue
            if index not in self:
                yield index
            index += 1

    def first_absent(self) -> int:
        """Return the first index that is not in the set, or the size when all are."""
        return next(self.absent(), self._size)
