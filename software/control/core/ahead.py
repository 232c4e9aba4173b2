"""An iterator whose next item is worked out while there is time for it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T")


class Ahead(Iterator[T], Generic[T]):
    """Hands on the items of an iterator; `look` works out the next one now.

    Parameters
    ----------
    items : iterator
        Its errors are raised by whoever makes it work.
    """

    def __init__(self, items: Iterator[T]) -> None:
        self._items = items
        self._next: list[T] = []

    def look(self) -> None:
        """Work out the next item, if there is one and it is not known yet."""
        if not self._next:
            self._next.extend(islice(self._items, 1))

    def __next__(self) -> T:
        return self._next.pop() if self._next else next(self._items)
