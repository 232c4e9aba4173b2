"""Where a person has looked: the z at which live frames were taken, and whether a start elsewhere can be meant.

A plan without a z of its own focuses where the stage stands. After going to the loading position that is at the lower
end of the travel, millimetres from every image that anybody has seen. Knows no device and no Qt.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from control.core.live_frame import LiveFrame
from squid.models.geometry import AxisRange

STILL_UM = 0.5
"""Between two frames of a stage that stands."""

ALONE_S = 1.0
"""A frame so long after the one before it is a snap: the stage stood."""

RETRACTED_UM = 100.0
RETRACTED_SHARE = 0.02
"""So near to the lower end of its travel, in µm and as a share of it, nobody has a focus."""

FAR_UM = 200.0
"""Another plate or slide differs by less."""


class SeenFocus:
    """The last z at which a person saw images, of a stage that stood and was not retracted.

    Parameters
    ----------
    travel : callable
        Returns the travel of the stage's z.
    """

    def __init__(self, travel: Callable[[], AxisRange]) -> None:
        self._travel = travel
        self._lock = threading.Lock()
        self._last: tuple[float, float] | None = None
        self._z_um: float | None = None

    @property
    def z_um(self) -> float | None:
        """Where that was; None: nothing has been looked at."""
        return self._z_um

    def see(self, frame: LiveFrame) -> None:
        """Take note of a live frame or a snap; from any thread."""
        z_um, at_s = frame.position.z_um, frame.monotonic_s
        with self._lock:
            last_um, last_s = self._last or (z_um, -ALONE_S)
            self._last = z_um, at_s
            stood = abs(z_um - last_um) <= STILL_UM or at_s - last_s >= ALONE_S
            if stood and not self._is_retracted(z_um):
                self._z_um = z_um

    def doubt(self, z_um: float) -> FocusDoubt | None:
        """Return why a run that begins at this z is hardly meant; None: it may well be."""
        if self._is_retracted(z_um):
            return FocusDoubt(z_um, self._z_um, "that is where a plate is loaded: z is retracted")
        if self._z_um is not None and abs(z_um - self._z_um) > FAR_UM:
            return FocusDoubt(z_um, self._z_um, f"that is {abs(z_um - self._z_um):.0f} µm from where you looked last")
        return None

    def _is_retracted(self, z_um: float) -> bool:
        travel = self._travel()
        return z_um - travel.min_um < min(RETRACTED_UM, RETRACTED_SHARE * (travel.max_um - travel.min_um))


@dataclass(frozen=True, slots=True)
class FocusDoubt:
    """Why a z is hardly meant.

    Attributes
    ----------
    z_um : float
        Where the stage stands.
    seen_um : float or None
        Where a person looked last; None: nowhere.
    why : str
        In words.
    """

    z_um: float
    seen_um: float | None
    why: str
