"""Illumination: named light sources with intensity, on and off."""

from __future__ import annotations

from abc import abstractmethod
from concurrent.futures import Future
from typing import NamedTuple

from squid.abc.device import Device, StateValue


class LightSource(NamedTuple):
    """A light source; `wavelength_nm` is None for white light."""

    name: str
    wavelength_nm: float | None


class Illumination(Device):
    """Light sources. Closing switches all of them off first."""

    def __init__(self, label: str) -> None:
        super().__init__(label)
        self._cuts = 0

    @property
    @abstractmethod
    def sources(self) -> tuple[LightSource, ...]:
        """The light sources."""

    @property
    @abstractmethod
    def on_latency_ms(self) -> float:
        """Time from `turn_on` to full light."""

    @property
    @abstractmethod
    def lit(self) -> tuple[str, ...]:
        """Names of the sources that are on, as last commanded."""

    @property
    def interruptions(self) -> int:
        """How often light may have gone out in the middle of something.

        By `all_off` while it was on, a lease that ran out, an interlock, a lost connection.

        A frame during whose exposure this rises was not taken in the light that it was meant to have.
        """
        return self._cuts

    @property
    def gives_light(self) -> bool:
        """Whether light may be on just now."""
        return bool(self.lit)

    @property
    def interlock_is_open(self) -> bool:
        """Whether an interlock keeps the light off just now; False where none can be read."""
        return False

    @property
    def interlock_openings(self) -> int:
        """How often the interlock was seen to open since the device was opened."""
        return 0

    def turn_on(self, source: str, intensity: float) -> Future[None]:
        """Switch `source` on at `intensity` (fraction 0…1).

        Returns
        -------
        Future of None
            Settled when the light is at its level.
        """
        self._check_access()
        self._require_source(source)
        self._require(0 <= intensity <= 1, "intensity", intensity, "0 to 1")
        return self._do_turn_on(source, intensity)

    def turn_off(self, source: str) -> Future[None]:
        """Switch `source` off; settled when it is dark. Allowed to a revoked task, too: dark is safe."""
        self._require_source(source)
        return self._do_turn_off(source)

    def all_off(self) -> None:
        """Switch everything off, now, from any thread; never waits for another call of this device."""
        if self.is_open:
            self._cuts += self.gives_light
            self._do_all_off()

    def state(self) -> dict[str, StateValue]:
        """Return which light is on."""
        return super().state() | ({"lit": ", ".join(self.lit) or "dark"} if self.is_open else {})

    def _require_source(self, source: str) -> None:
        names = tuple(s.name for s in self.sources)
        self._require(source in names, "light source", source, ", ".join(names))

    @abstractmethod
    def _do_turn_on(self, source: str, intensity: float) -> Future[None]: ...
    @abstractmethod
    def _do_turn_off(self, source: str) -> Future[None]: ...
    @abstractmethod
    def _do_all_off(self) -> None: ...
