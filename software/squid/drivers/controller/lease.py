"""The light lease: light stays on only while the application shows that it is alive (section 6.3, design section 3).

::

    application ──beat()──▶ LightLease ──fresh?──▶ heartbeat ──▶ controller
                             stale: no heartbeats any more; the controller darkens by itself after its time

Owns times and counts; sends nothing itself. Instants are `time.monotonic` seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from squid.drivers.controller.capabilities import LeaseKind

OURS_MS: Final = 500
STOCK_MS: Final = 5000
"""A stock watchdog tells nobody when it fired, so it must not fire because a computer was busy for a moment."""

_HEARTBEATS: Final = 4
"""Heartbeats in the time of a lease."""


class LightLease:
    """Decides when a heartbeat goes out, and notices that the lease ran out.

    Parameters
    ----------
    lease_ms : int or None
        Time without packets after which the controller darkens; None: 500 for firmware 2.0, 5000 for stock.
    fresh_ms : int
        A beat of the application counts this long.
    clock : callable
        Seconds, monotonic.

    Attributes
    ----------
    expired : int
        How often the lease ran out since `acknowledge`.
    """

    def __init__(self, lease_ms: int | None, fresh_ms: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._wanted_ms = lease_ms
        self._fresh_s = fresh_ms / 1000
        self._clock = clock
        self._beat_s = -float("inf")
        self.kind = LeaseKind.NONE
        self.is_armed = False
        self.expired = 0

    @property
    def lease_ms(self) -> int:
        """Time that the controller waits, in ms."""
        return self._wanted_ms or (OURS_MS if self.kind is LeaseKind.REARMING else STOCK_MS)

    @property
    def is_fresh(self) -> bool:
        """Whether the application beat a moment ago."""
        return self._clock() - self._beat_s < self._fresh_s

    def beat(self) -> None:
        """Say that the application is alive; from any thread, several times a second."""
        self._beat_s = self._clock()

    def acknowledge(self) -> None:
        """Forget the events that were shown."""
        self.expired = 0

    def armed(self, kind: LeaseKind) -> None:
        """Note that the controller took the lease."""
        self.kind = kind
        self.is_armed = kind is not LeaseKind.NONE

    def ran_out(self) -> None:
        """Note that the controller darkened; a stock watchdog has disarmed itself."""
        self.expired += 1
        self.is_armed = self.kind is LeaseKind.REARMING

    def wants_heartbeat(self, fed_s: float) -> bool:
        """Whether a heartbeat is due, when the controller took its last packet at `fed_s`."""
        return self.is_armed and self.is_fresh and self._clock() - fed_s > self.lease_ms / 1000 / _HEARTBEATS

    def wants_arming(self) -> bool:
        """Whether a lease that disarmed itself is to be armed again: the application is back."""
        return self.kind is not LeaseKind.NONE and not self.is_armed and self.is_fresh

    def must_have_fired(self, fed_s: float) -> bool:
        """Whether a stock watchdog has fired by now, judged by the host's own clock."""
        is_silent = self.is_armed and self.kind is not LeaseKind.REARMING
        return is_silent and self._clock() - fed_s > self.lease_ms / 1000
