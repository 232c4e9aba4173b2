"""What a firmware version can do (section 11), so that no driver compares version numbers.

Unknown commands "complete" on every stock firmware: its version is the only thing that tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from squid.drivers.controller.packets import GUARDED_SINCE, Version

AMBIGUOUS_VERSION: Final[Version] = (1, 1)
"""Two firmwares call themselves so (section 11)."""


class LeaseKind(StrEnum):
    """What the firmware does when the host falls silent while light is on."""

    NONE = "none"
    """Nothing: light stays on."""
    AMBIGUOUS = "ambiguous"
    """1.1: command 40 is either a watchdog or a limit on the time that a port stays on; dark comes either way."""
    ONE_SHOT = "one-shot"
    """A watchdog that disarms itself when it fires, and tells nobody."""
    REARMING = "rearming"
    """A lease that goes on guarding after it fired, and latches the event."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the host may use.

    Attributes
    ----------
    version : (int, int)
        Firmware version.
    """

    version: Version

    @property
    def is_ours(self) -> bool:
        """Firmware 2.0 or later: guarded moves, STOP_MOTION, LIGHTS_OUT, pages, truthful status per axis."""
        return self.version >= GUARDED_SINCE

    @property
    def has_ports(self) -> bool:
        """Commands 34 to 39: each laser port by itself, and all off at once."""
        return self.version >= (1, 0)

    @property
    def lease(self) -> LeaseKind:
        """The light lease."""
        if self.is_ours:
            return LeaseKind.REARMING
        if self.version == AMBIGUOUS_VERSION:
            return LeaseKind.AMBIGUOUS
        return LeaseKind.ONE_SHOT if self.version > AMBIGUOUS_VERSION else LeaseKind.NONE

    @property
    def has_heartbeat(self) -> bool:
        """Command 42; harmless where it is unknown."""
        return self.lease is not LeaseKind.NONE

    @property
    def rejects_moves(self) -> bool:
        """Whether a move that is not carried out is answered with status 4, and not with "completed"."""
        return self.version >= (1, 2)

    @property
    def has_filter_wheels(self) -> bool:
        """Wheels that home to a defined zero and have absolute moves on W and W2."""
        return self.version >= (1, 2)

    @property
    def latches_strobe(self) -> bool:
        """Whether a strobe keeps its light source when another one is selected while it runs."""
        return self.version >= (1, 3)

    @property
    def ack_timeout_s(self) -> float:
        """Time after which a command that no frame shows is taken to be lost.

        2.0 answers within a millisecond; stock shows it in the next frame, 11 ms apart, held up by at most 60 ms.
        """
        return 0.03 if self.is_ours else 0.15
