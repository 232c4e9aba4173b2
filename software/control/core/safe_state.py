"""Making the rig safe: light off, stage stopped, whatever else hangs.

Each device is commanded from a thread of its own that can be left behind, so a driver that does not answer holds up
neither the other nor the caller.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from squid.microscope import Microscope
from squid.utils.bounded import start_bounded

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SafeState:
    """What could be confirmed: `dark` and `stopped` are False when the device failed or did not answer in time."""

    dark: bool
    stopped: bool

    def __str__(self) -> str:
        light = "light off" if self.dark else "LIGHT NOT CONFIRMED OFF"
        return f"{light}, {'stage stopped' if self.stopped else 'stage not confirmed stopped'}"


def make_safe(microscope: Microscope, timeout_s: float = 2.0) -> SafeState:
    """Switch all light off and stop the stage; returns after at most twice `timeout_s`."""
    dark = start_bounded("safety lane: light off", microscope.illumination.all_off)
    stopped = start_bounded("safety lane: stage stop", microscope.stage.stop)
    state = SafeState(dark(timeout_s), stopped(timeout_s))
    _log.info("safe state: %s", state)
    return state
