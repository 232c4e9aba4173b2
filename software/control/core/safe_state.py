"""Making the rig safe: light off, stage stopped, whatever else hangs.

Each device is commanded from a thread of its own that can be left behind, so a driver that does not answer holds up
neither the other nor the caller.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from squid.microscope import Microscope

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SafeState:
    """What could be confirmed: `dark` and `stopped` are False when the device did not answer in time."""

    dark: bool
    stopped: bool

    def __str__(self) -> str:
        light = "light off" if self.dark else "LIGHT NOT CONFIRMED OFF"
        return f"{light}, {'stage stopped' if self.stopped else 'stage not confirmed stopped'}"


def make_safe(microscope: Microscope, timeout_s: float = 2.0) -> SafeState:
    """Switch all light off and stop the stage; returns after at most twice `timeout_s`."""
    dark = _start("light off", microscope.illumination.all_off)
    stopped = _start("stage stop", microscope.stage.stop)
    state = SafeState(dark(timeout_s), stopped(timeout_s))
    _log.info("safe state: %s", state)
    return state


def _start(name: str, command: Callable[[], None]) -> Callable[[float], bool]:
    """Start `command` in its own thread; return a function that waits and says whether it succeeded."""
    succeeded = threading.Event()

    def run() -> None:
        try:
            command()
            succeeded.set()
        except Exception:  # the thread's edge: the other device must still be made safe
            _log.exception("%s failed", name)

    threading.Thread(target=run, name=f"safety lane: {name}", daemon=True).start()
    return succeeded.wait
