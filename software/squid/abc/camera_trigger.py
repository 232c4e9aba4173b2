"""Camera trigger: a line that starts an exposure by hardware."""

from __future__ import annotations

from abc import abstractmethod

from squid.abc.device import Device


class CameraTrigger(Device):
    """A trigger output wired to a camera in `TriggerMode.HARDWARE`."""

    def pulse(self) -> None:
        """Give one trigger pulse now."""
        self._check_access()
        self._do_pulse()

    @abstractmethod
    def _do_pulse(self) -> None: ...
