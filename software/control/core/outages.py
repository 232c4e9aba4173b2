"""What no repetition mends: a lost connection, an open interlock. Looks, and commands nothing."""

from __future__ import annotations

from collections.abc import Iterator

from squid.errors import ConnectionLostError, LightLostError
from squid.microscope import Microscope


class Outages:
    """Sees the outages of one microscope.

    Parameters
    ----------
    microscope : Microscope
        Open.
    """

    def __init__(self, microscope: Microscope) -> None:
        self._devices = tuple(microscope.devices.values())
        self._light = microscope.illumination
        self._acknowledged = microscope.illumination.interlock_openings

    @property
    def reconnecting(self) -> tuple[str, ...]:
        """Labels of the devices that look for their connection just now."""
        return tuple(device.label for device in self._devices if device.is_reconnecting)

    @property
    def interlock(self) -> str | None:
        """What is to be said of an interlock that was opened and not acknowledged; None when there is nothing."""
        light = self._light
        if light.interlock_is_open:
            return f"{light.label}: the laser interlock is open; close it, then let the run go on"
        if light.interlock_openings > self._acknowledged:
            return f"{light.label}: the laser interlock was opened; let the run go on when all is well"
        return None

    def acknowledge_interlock(self) -> None:
        """Take the openings so far as known to a person."""
        self._acknowledged = self._light.interlock_openings

    def has_lost_light(self, failure: BaseException) -> bool:
        """Whether a failure means no more than that light went out by itself."""
        return any(isinstance(error, LightLostError) for error in _chain(failure))

    def is_lost(self, failure: BaseException) -> bool:
        """Whether a failure comes from a lost connection, back by now or not."""
        return bool(self.reconnecting) or any(isinstance(error, ConnectionLostError) for error in _chain(failure))


def _chain(failure: BaseException) -> Iterator[BaseException]:
    """Go through an error and those that it came from."""
    error: BaseException | None = failure
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
