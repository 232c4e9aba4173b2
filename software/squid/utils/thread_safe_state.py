"""A value and a flag that several threads may read and write.

Owns one lock each; knows nothing of who uses them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


class ThreadSafeValue(Generic[T]):
    """One value; every operation is atomic.

    Parameters
    ----------
    initial_value : object, optional
        None means that there is no value yet.
    """

    def __init__(self, initial_value: T | None = None) -> None:
        self._value = initial_value
        self._lock = threading.RLock()

    def get(self) -> T | None:
        """Return the value."""
        with self._lock:
            return self._value

    def set(self, value: T | None) -> None:
        """Replace the value."""
        with self._lock:
            self._value = value

    def update(self, updater: Callable[[T | None], T]) -> T:
        """Replace the value by `updater(value)` and return the new one; if it raises, the old value stays."""
        with self._lock:
            self._value = new = updater(self._value)
            return new

    def get_and_clear(self) -> T | None:
        """Take the value away; None is left."""
        with self._lock:
            value, self._value = self._value, None
            return value

    @contextmanager
    def locked(self) -> Iterator[ThreadSafeValue[T]]:
        """Keep other threads out for several operations; get and set may be called inside."""
        with self._lock:
            yield self


class ThreadSafeFlag:
    """A flag that threads can wait for.

    Parameters
    ----------
    initial : bool
        Whether it is set at the start.
    """

    def __init__(self, initial: bool = False) -> None:
        self._is_set = initial
        self._changed = threading.Condition()

    @property
    def is_set(self) -> bool:
        """Whether the flag is set."""
        return self._is_set

    def __bool__(self) -> bool:
        return self._is_set

    def set(self) -> None:
        """Set it and wake everyone who waits."""
        with self._changed:
            self._is_set = True
            self._changed.notify_all()

    def clear(self) -> None:
        """Unset it."""
        with self._changed:
            self._is_set = False

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, at most `timeout` seconds (None: for ever); say whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: self._is_set, timeout)

    def wait_and_clear(self, timeout: float | None = None) -> bool:
        """Wait as `wait` does and unset it in the same step: exactly one of several waiters gets it."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._is_set, timeout):
                return False
            self._is_set = False
            return True
