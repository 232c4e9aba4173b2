"""A turning device with named positions: what filter wheel and objective turret have in common.

Owns position, timing and injected faults of one wheel; the two drivers add what stands at the positions.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future

from squid.drivers.simulated.timing import TimedFuture, TimerThread, fail, settle, settled_future
from squid.drivers.simulated.world import HangSwitch, SimulatedWorld
from squid.errors import DeviceClosedError, DeviceError


class Turning:
    """A wheel that turns the shorter way.

    Parameters
    ----------
    label, family : str
        The device, and the name of its kind in fault texts.
    names : tuple of str
        What stands at the positions, in order.
    step_s, settle_s : float
        Time per position and after the last one, at time scale 1.
    world : SimulatedWorld
        Gives time scale and faults.
    """

    def __init__(
        self, label: str, family: str, names: tuple[str, ...], step_s: float, settle_s: float, world: SimulatedWorld
    ) -> None:
        self._label = label
        self._family = family
        self._names = names
        self._step_s = step_s / world.time_scale
        self._settle_s = settle_s / world.time_scale
        self._faults = world.faults
        self._lock = threading.Lock()
        self._current: str | None = names[0]
        self._moving: Future[str] | None = None
        self._timer = TimerThread(f"{label} turning")
        self._hang = HangSwitch()

    @property
    def current(self) -> str | None:
        """The name in the beam; None while turning."""
        return self._current

    def travel_time_s(self, start: str | None, target: str) -> float:
        """Return how long a move takes by the wall clock; from None the longest."""
        if start == target:
            return 0.0
        steps = len(self._names) // 2
        if start is not None:
            apart = abs(self._names.index(start) - self._names.index(target))
            steps = min(apart, len(self._names) - apart)
        return steps * self._step_s + self._settle_s

    def move_to(self, target: str) -> Future[str]:
        """Turn to `target`."""
        fault = self._faults.for_call(self._family)
        if fault is not None and fault.kind == "hang":
            self._hang.wait()
            raise DeviceClosedError(self._label, f"was closed while turning to {target}")
        if fault is not None and fault.kind == "exception":
            raise DeviceError(self._label, f"injected fault: did not turn to {target}")
        with self._lock:
            if self._moving is not None:
                raise DeviceError(self._label, "is turning already; the new move was not started")
            needed_s = self.travel_time_s(self._current, target)
            if needed_s == 0 and fault is None:
                self._current = target
                return settled_future(target)
            done: TimedFuture[str] = TimedFuture()
            self._current, self._moving = None, done
        if fault is None:
            self._timer.settle_at(time.monotonic() + needed_s, done, lambda: self._arrived(done, target))
        return done

    def open(self) -> None:
        """Get ready; nothing turns."""
        self._hang.arm()
        self._timer.start()

    def close(self) -> None:
        """Stop; a move under way fails, and the wheel then stands at its first position."""
        self._hang.release()
        self._timer.stop()
        with self._lock:
            done, self._moving = self._moving, None
            self._current = self._current or self._names[0]
        if done is not None:
            fail(done, DeviceClosedError(self._label, "was closed while turning"))

    def _arrived(self, done: Future[str], target: str) -> None:
        with self._lock:
            self._current, self._moving = target, None
        settle(done, target)
