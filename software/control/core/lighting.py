"""The light of a run: on for an exposure, off in all other time, unless the plan keeps the shutter open."""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future

from control.core.device_calls import CALL_S, DeviceCalls
from squid.abc.illumination import Illumination
from squid.errors import AccessRevokedError, DeviceError
from squid.utils.epoch import check_access

_log = logging.getLogger(__name__)


class Lighting:
    """Switches the light of one run.

    Parameters
    ----------
    light : Illumination
        Open.
    calls : DeviceCalls
        How it is called.
    """

    def __init__(self, light: Illumination, calls: DeviceCalls) -> None:
        self._light = light
        self._calls = calls
        self._lit: tuple[str, float] | None = None
        self._asked: str | None = None
        self._darkening: Future[None] | None = None

    def on(self, source: str, intensity: float) -> None:
        """Bring `source` to `intensity` (0…1), and any other to dark; nothing to do when it is so already."""
        light = self._light
        if self._lit == (source, intensity) and source in light.lit:
            return
        self.off()
        darkening, self._darkening = self._darkening, None
        if darkening is not None:
            self._calls.wait(darkening, time.monotonic() + CALL_S, light.label, "turn_off")
        self._asked = source
        lit = self._calls.call(light.label, CALL_S, light.turn_on, source, intensity)
        self._calls.wait(lit, time.monotonic() + CALL_S + light.on_latency_ms / 1000, light.label, "turn_on")
        self._lit = (source, intensity)

    def off(self) -> None:
        """Switch the light off without waiting: it darkens while the stage moves; the next `on` waits for that.

        A source that does not take the command is switched off with all others; `DeviceError` when that fails, too.
        """
        if self._lit is None:
            return
        source, _ = self._lit
        try:
            self._darkening = self._calls.call(self._light.label, CALL_S, self._light.turn_off, source)
        except DeviceError as failure:
            _log.warning("%s; switching everything off", failure)
            self.dark()
        self._lit = self._asked = None

    def dark(self) -> None:
        """Switch all light off.

        Raises
        ------
        AccessRevokedError
            The task was revoked: the light may be another run's by now, so only the source that this task had asked
            for was switched off.
        """
        asked, self._lit, self._asked, self._darkening = self._asked, None, None, None
        try:
            check_access(self._light.label)
        except AccessRevokedError:
            if asked is not None:
                self._light.turn_off(asked)
            raise
        self._calls.call(self._light.label, CALL_S, self._light.all_off)
