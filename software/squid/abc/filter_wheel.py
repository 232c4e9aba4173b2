"""Filter wheel: named positions."""

from __future__ import annotations

from abc import abstractmethod
from concurrent.futures import Future

from squid.abc.device import Device, StateValue


class FilterWheel(Device):
    """A wheel with one filter per position."""

    @property
    @abstractmethod
    def filters(self) -> tuple[str, ...]:
        """Names of the filters, in order of the positions."""

    @property
    @abstractmethod
    def current(self) -> str | None:
        """The filter in the beam; None while moving or before homing."""

    def move_to(self, filter_name: str) -> Future[str]:
        """Turn `filter_name` into the beam; settled with its name on arrival."""
        self._check_access()
        self._require(filter_name in self.filters, "filter", filter_name, ", ".join(self.filters))
        return self._do_move_to(filter_name)

    @abstractmethod
    def travel_time_s(self, start: str | None, target: str) -> float:
        """Return how long the move takes; 0 for no move; from None the longest."""

    def state(self) -> dict[str, StateValue]:
        """Return the filter in the beam."""
        return super().state() | ({"filter": self.current} if self.is_open else {})

    @abstractmethod
    def _do_move_to(self, filter_name: str) -> Future[str]: ...
