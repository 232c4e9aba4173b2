"""Simulated emission filter wheel."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import ClassVar

from pydantic import BaseModel, Field

from squid.abc.device import Device
from squid.abc.filter_wheel import FilterWheel
from squid.drivers.simulated.optics import VISIBLE, Bands
from squid.drivers.simulated.turning import Turning
from squid.drivers.simulated.world import SimulatedWorld
from squid.models.base import FileModel

_QUAD: Bands = ((418.0, 472.0), (502.0, 544.0), (575.0, 623.0), (655.0, 730.0))


def _usual_filters() -> dict[str, Bands]:
    return {"quad": _QUAD, "open": VISIBLE, "460/50": ((435.0, 485.0),), "525/45": ((502.5, 547.5),)}


class FilterWheelOptions(FileModel):
    """Options of the simulated filter wheel.

    Attributes
    ----------
    filters : mapping of str to Bands
        Pass bands in nm, ``[[from, to], …]``, by name, in order of the positions; the first is in the beam at start.
    step_ms, settle_ms : float
        Time per position, and after the last one.
    """

    filters: Mapping[str, Bands] = Field(default_factory=_usual_filters, min_length=1)
    step_ms: float = Field(default=40.0, ge=0)
    settle_ms: float = Field(default=20.0, ge=0)


class SimulatedFilterWheel(FilterWheel):
    """A wheel of emission filters in front of the camera."""

    Options = FilterWheelOptions
    Uses: ClassVar[Mapping[str, type[Device]]] = {"world": SimulatedWorld}

    def __init__(self, label: str, options: FilterWheelOptions, world: SimulatedWorld) -> None:
        super().__init__(label)
        self._bands = dict(options.filters)
        self._wheel = Turning(
            label, "filter_wheel", self.filters, options.step_ms / 1000, options.settle_ms / 1000, world
        )

    @classmethod
    def create(cls, label: str, options: BaseModel, uses: Mapping[str, Device]) -> SimulatedFilterWheel:
        """Build it and put it into the world's light path."""
        world = uses["world"]
        assert isinstance(options, FilterWheelOptions)
        assert isinstance(world, SimulatedWorld)
        wheel = cls(label, options, world)
        world.attach_filter(wheel)
        return wheel

    @property
    def filters(self) -> tuple[str, ...]:
        """Names of the filters, in order of the positions."""
        return tuple(self._bands)

    @property
    def current(self) -> str | None:
        """The filter in the beam; None while turning."""
        return self._wheel.current

    @property
    def bands(self) -> Bands | None:
        """Pass bands in the beam; None while turning. The world looks here."""
        current = self._wheel.current
        return self._bands[current] if current else None

    def travel_time_s(self, start: str | None, target: str) -> float:
        """Return how long the move takes by the wall clock; 0 for no move; from None the longest."""
        return self._wheel.travel_time_s(start, target)

    def _do_move_to(self, filter_name: str) -> Future[str]:
        return self._wheel.move_to(filter_name)

    def _do_open(self) -> None:
        self._wheel.open()

    def _do_close(self) -> None:
        self._wheel.close()
