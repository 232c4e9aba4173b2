"""Objective changer: a turret, or a fixed objective."""

from __future__ import annotations

from abc import abstractmethod
from concurrent.futures import Future

from squid.abc.device import Device, StateValue


class ObjectiveChanger(Device):
    """Holds the objectives by the names that the machine file gives them."""

    @property
    @abstractmethod
    def objectives(self) -> tuple[str, ...]:
        """Names of the objectives, in order of the positions."""

    @property
    @abstractmethod
    def current(self) -> str | None:
        """The objective in the beam; None while moving."""

    def move_to(self, objective: str) -> Future[str]:
        """Turn `objective` into the beam; settled with its name on arrival."""
        self._check_access()
        self._require(objective in self.objectives, "objective", objective, ", ".join(self.objectives))
        return self._do_move_to(objective)

    @abstractmethod
    def travel_time_s(self, start: str | None, target: str) -> float:
        """Return how long the change takes; 0 for no change; from None the longest."""

    def state(self) -> dict[str, StateValue]:
        """Return the objective in the beam."""
        return super().state() | ({"objective": self.current} if self.is_open else {})

    @abstractmethod
    def _do_move_to(self, objective: str) -> Future[str]: ...
