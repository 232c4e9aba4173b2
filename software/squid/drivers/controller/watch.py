"""Notices that the controller restarted by itself (fault case 25).

Firmware 2.0 counts its starts. Stock firmware does not: it shows an id that nobody sent (0 after power-on).
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from squid.drivers.controller.packets import StatusFrame
from squid.drivers.controller.protocol_table import ExecutionStatus

_CONFIRMATIONS: Final = 2
"""Frames in a row that must show a foreign id: one alone may be damaged without its checksum telling."""


class RestartWatch:
    """Compares frames with what is known of the controller."""

    def __init__(self) -> None:
        self._known: StatusFrame | None = None
        self._foreign = 0

    def begin(self, frame: StatusFrame) -> None:
        """Take a frame as the controller's state from now on."""
        self._known = frame
        self._foreign = 0

    def is_restart_after_gap(self, frame: StatusFrame, known_ids: Container[int]) -> bool:
        """Whether the controller restarted while nobody listened; True when that cannot be ruled out."""
        known = self._known
        if known is None or frame.version != known.version:
            return True
        if frame.is_guarded:
            return frame.reset_count != known.reset_count
        is_blank = frame.command_id == 0 and frame.usteps == (0, 0, 0) != known.usteps
        return frame.command_id not in known_ids or is_blank

    def is_restart(self, frame: StatusFrame, known_ids: Container[int]) -> bool:
        """Whether a frame tells of a restart; `known_ids` are those that may be shown."""
        known = self._known
        if known is not None and frame.is_guarded:
            restarted = frame.reset_count != known.reset_count
        else:
            is_foreign = frame.command_id not in known_ids and frame.status != ExecutionStatus.CHECKSUM_ERROR
            self._foreign = self._foreign + 1 if is_foreign else 0
            restarted = self._foreign >= _CONFIRMATIONS
        if not restarted and not self._foreign:
            self._known = frame
        return restarted
