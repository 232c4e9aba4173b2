"""Stage: x, y and z in µm, limits, homing, moves as futures."""

from __future__ import annotations

import math
from abc import abstractmethod
from concurrent.futures import Future

from squid.abc.device import Device, StateValue
from squid.errors import SettingError
from squid.models.geometry import AxisRange, StageLimits, StagePosition


class Stage(Device):
    """A motorised stage with focus. A move that is refused moves nothing, on no axis."""

    def __init__(self, label: str) -> None:
        super().__init__(label)
        self._allowed: StageLimits | None = None
        self._narrowed: tuple[StageLimits, StageLimits] | None = None  # the hardware's, and what is left of them

    @property
    @abstractmethod
    def hardware_limits(self) -> StageLimits:
        """Where the hardware can go."""

    @property
    def limits(self) -> StageLimits:
        """Where the stage may go: the hardware's travel, narrowed by the machine file."""
        hardware = self.hardware_limits
        if self._allowed is None:
            return hardware
        if self._narrowed is None or self._narrowed[0] is not hardware:
            self._narrowed = hardware, hardware.narrowed(self._allowed)
        return self._narrowed[1]

    def restrict(self, allowed: StageLimits) -> None:
        """Narrow the limits; they never widen the hardware's."""
        self._allowed = allowed
        self._narrowed = None

    @property
    @abstractmethod
    def tolerance_um(self) -> StagePosition:
        """Largest distance from the target, per axis, that counts as arrived."""

    @property
    @abstractmethod
    def is_homed(self) -> bool:
        """Whether positions mean anything."""

    @property
    @abstractmethod
    def is_moving(self) -> bool:
        """Whether any axis moves or settles."""

    def position(self) -> StagePosition:
        """Read the position from the hardware."""
        self._check_access()
        return self._do_position()

    def move_to(
        self, *, x_um: float | None = None, y_um: float | None = None, z_um: float | None = None
    ) -> Future[StagePosition]:
        """Start a move of the named axes; None leaves an axis alone.

        Returns
        -------
        Future of StagePosition
            Settled with the position read back after settling, or with `StageMoveError`.

        Raises
        ------
        SettingError
            A target is outside the limits; nothing moved.
        """
        self._check_access()
        limits = self.limits
        self._require_inside("x_um", x_um, limits.x)
        self._require_inside("y_um", y_um, limits.y)
        self._require_inside("z_um", z_um, limits.z)
        return self._do_move_to(x_um, y_um, z_um)

    def home(self) -> Future[StagePosition]:
        """Find the reference of every axis, z first (away from the sample)."""
        self._check_access()
        return self._do_home()

    def stop(self) -> None:
        """Stop every axis now; a move under way fails with `StageMoveError`. Allowed to a revoked task, too."""
        if self.is_open:
            self._do_stop()

    @abstractmethod
    def travel_time_s(self, start: StagePosition, target: StagePosition) -> float:
        """Return how long a move takes, settling included, from speeds and accelerations; 0 for no move."""

    @abstractmethod
    def homing_time_s(self) -> float:
        """Return the longest time that homing can take."""

    def is_at(self, target: StagePosition, actual: StagePosition) -> bool:
        """Return whether `actual` is within the tolerance of `target` on every axis."""
        return all(abs(a - t) <= tol for a, t, tol in zip(actual, target, self.tolerance_um, strict=True))

    def state(self) -> dict[str, StateValue]:
        """Return what is known without asking the hardware."""
        if not self.is_open:
            return super().state()
        return super().state() | {"homed": self.is_homed, "moving": self.is_moving}

    def _require_inside(self, name: str, value_um: float | None, allowed: AxisRange) -> None:
        if value_um is not None and (math.isnan(value_um) or value_um not in allowed):
            raise SettingError(self.label, f"{name} {value_um:g} is outside the limits (allowed: {allowed})")

    @abstractmethod
    def _do_position(self) -> StagePosition: ...
    @abstractmethod
    def _do_move_to(self, x_um: float | None, y_um: float | None, z_um: float | None) -> Future[StagePosition]: ...
    @abstractmethod
    def _do_home(self) -> Future[StagePosition]: ...
    @abstractmethod
    def _do_stop(self) -> None: ...
