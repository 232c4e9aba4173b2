"""Camera trigger: a line that starts an exposure by hardware, and where it can, the light for just that exposure."""

from __future__ import annotations

from abc import abstractmethod

from squid.abc.device import Device
from squid.abc.illumination import Illumination
from squid.errors import DeviceError


class CameraTrigger(Device):
    """A trigger output wired to a camera in `TriggerMode.HARDWARE`."""

    @property
    def strobes(self) -> Illumination | None:
        """The illumination that `strobe` lights; None: there is no strobe, light has to be on before the pulse."""
        return None

    @property
    def strobe_delay_ms(self) -> float:
        """From a pulse to the light of its strobe: the camera exposes so much longer than the light is on."""
        return 0.0

    def pulse(self) -> None:
        """Give one trigger pulse now."""
        self._check_access()
        self._do_pulse()

    def strobe(self, source: str, intensity: float, on_ms: float) -> None:
        """Give one trigger pulse, and light `source` for `on_ms` from `strobe_delay_ms` on; every source is off now.

        Returns when the hardware has taken it; the light goes off by itself.

        Raises
        ------
        SettingError
            A value is not allowed, or there is no strobe; nothing was triggered.
        """
        self._check_access()
        light = self.strobes
        self._require(light is not None, "strobe", source, "none: this trigger has no strobe")
        names = () if light is None else tuple(each.name for each in light.sources)
        self._require(source in names, "light source", source, ", ".join(names))
        self._require(0 <= intensity <= 1, "intensity", intensity, "0 to 1")
        self._require(on_ms > 0, "on_ms", on_ms, "more than 0 ms")
        self._do_strobe(source, intensity, on_ms)

    @abstractmethod
    def _do_pulse(self) -> None: ...

    def _do_strobe(self, source: str, intensity: float, on_ms: float) -> None:
        """Strobe; called only where `strobes` is not None."""
        raise DeviceError(self.label, f"cannot strobe {source} ({intensity:g}, {on_ms:g} ms)")
