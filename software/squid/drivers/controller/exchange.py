"""One command on the wire at a time: ids, acknowledgement, bounded repetition (sections 3 and 13.1).

::

    idle ──start──▶ sent ──frame with its id──▶ done
                     │ ├──damaged, refused, lost too often──▶ failed
                     │ └──damaged or lost, repeatable──▶ sent again, the same bytes

Knows no port, no thread, no clock: bytes to send are returned, time is an argument (seconds, monotonic).
"""

from __future__ import annotations

from collections import deque
from typing import Final

from squid.drivers.controller.capabilities import Capabilities
from squid.drivers.controller.packets import StatusFrame, encode
from squid.drivers.controller.protocol_table import FRAME_PERIOD_US, Code, ExecutionStatus, Page, Reason
from squid.drivers.controller.requests import Command, CommandDamagedError, CommandRefusedError
from squid.errors import DeviceError, DeviceTimeoutError

MAX_REPETITIONS: Final = 12
"""A line that damages a third of all packets still gets a command through."""

_STALE_S: Final = 2.5 * FRAME_PERIOD_US / 1e6
"""How long frames made before the last transmission may still arrive."""

_UNREPEATABLE_S: Final = 0.5
_REASON_S: Final = 0.03


class Exchange:
    """The command that is on the wire, and the id of the next one.

    Parameters
    ----------
    label : str
        The device, for errors.
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self.capabilities = Capabilities((0, 0))
        self.command: Command | None = None
        self.repetitions = 0
        self._next_id = 0
        self._packet = b""
        self._sent_s = 0.0
        self._started_s = 0.0
        self._ignores_damage_until_s = 0.0
        self._refused_s: float | None = None
        self._last: StatusFrame | None = None
        self._was_repeated = 0
        self._shown_ids: deque[int] = deque(maxlen=4)

    @property
    def is_idle(self) -> bool:
        """Whether the next command may be sent."""
        return self.command is None

    def age_s(self, now_s: float) -> float:
        """Return how long the command on the wire has waited; 0 when there is none."""
        return 0.0 if self.command is None else now_s - self._started_s

    @property
    def known_ids(self) -> frozenset[int]:
        """Ids that the controller may show: of the last command, of the one before it, 0 after a RESET."""
        return frozenset(self._shown_ids)

    def synchronise(self, frame: StatusFrame) -> None:
        """Go on with the controller's own id, so that no old frame answers a new command."""
        self.capabilities = Capabilities(frame.version)
        self._next_id = (frame.command_id + 1) % 256
        self._last = frame
        self._shown_ids.append(frame.command_id)
        self.command = None

    def start(self, command: Command, now_s: float) -> bytes:
        """Take a command; return its packet.

        Raises
        ------
        ValueError
            A parameter does not fit into its field.
        """
        packet = self.stray(command)
        self.command = command
        self._packet = packet
        self._sent_s = self._started_s = now_s
        self._refused_s = None
        self._was_repeated = 0
        lingers = self._last is not None and self._last.status == ExecutionStatus.CHECKSUM_ERROR
        self._ignores_damage_until_s = now_s + _STALE_S if lingers else now_s
        return self._packet

    def stray(self, command: Command) -> bytes:
        """Return the packet of a command that nobody waits for."""
        packet = encode(self._next_id, command.code, **command.fields)
        self._shown_ids.append(0 if command.code is Code.RESET else self._next_id)
        self._next_id = 1 if command.code is Code.RESET else (self._next_id + 1) % 256
        return packet

    def drop(self) -> None:
        """Forget the command on the wire."""
        self.command = None

    def on_frame(self, frame: StatusFrame, now_s: float) -> bytes | StatusFrame | None:
        """Judge a frame.

        Returns
        -------
        bytes, StatusFrame or None
            A packet to send again; the frame, when it acknowledges the command; None: wait on.

        Raises
        ------
        DeviceError
            The command failed.
        """
        self._last = frame
        command = self.command
        if command is None:
            return None
        if frame.status == ExecutionStatus.CHECKSUM_ERROR:
            return None if now_s < self._ignores_damage_until_s else self._damaged(command, now_s)
        if frame.command_id != (0 if command.code is Code.RESET else self._packet[0]):
            return None
        if frame.status == ExecutionStatus.INVALID:
            raise self._failed(CommandRefusedError(self._label, command.code, Reason.NONE))
        if frame.status == ExecutionStatus.EXECUTION_ERROR and command.code is not Code.HEARTBEAT:
            return self._refused(command, frame, now_s)
        self.command = None
        return frame

    def on_damaged_frame(self, now_s: float) -> bytes | None:
        """Return the packet again when a frame was lost that may have answered it, and 2.0 answers at once."""
        command = self.command
        if command is None or not self.capabilities.is_ours or not command.is_repeatable:
            return None
        return self._again(now_s) if self._was_repeated < MAX_REPETITIONS else None

    def on_time(self, now_s: float) -> bytes | None:
        """Return the packet again when it seems lost.

        Raises
        ------
        DeviceTimeoutError
            It was lost too often, or may not be sent twice.
        """
        command = self.command
        if command is None:
            return None
        if self._refused_s is not None and now_s - self._refused_s > _REASON_S:
            raise self._failed(CommandRefusedError(self._label, command.code, Reason.NONE))
        waited_s = now_s - self._sent_s
        if command.is_repeatable and waited_s > self.capabilities.ack_timeout_s:
            if self._was_repeated < MAX_REPETITIONS:
                return self._again(now_s)
        elif command.is_repeatable or waited_s <= _UNREPEATABLE_S:
            return None
        raise self._failed(
            DeviceTimeoutError(
                self._label,
                f"{command.code.name} was not acknowledged in {now_s - self._started_s:.2f} s, sent "
                f"{self._was_repeated + 1} times; whether it was carried out is unknown",
            )
        )

    def _damaged(self, command: Command, now_s: float) -> bytes:
        if not command.is_repeatable:
            message = f"{command.code.name} arrived damaged and was not carried out"
            raise self._failed(CommandDamagedError(self._label, message))
        if self._was_repeated >= MAX_REPETITIONS:
            message = f"{command.code.name} arrived damaged {self._was_repeated + 1} times"
            raise self._failed(CommandDamagedError(self._label, message))
        return self._again(now_s)

    def _again(self, now_s: float) -> bytes:
        self.repetitions += 1
        self._was_repeated += 1
        self._sent_s = now_s
        self._ignores_damage_until_s = now_s + _STALE_S
        return self._packet

    def _refused(self, command: Command, frame: StatusFrame, now_s: float) -> bytes | None:
        """Fail; 2.0 tells why on a page of its own that may come with the next frame.

        Damage that the checksum let pass and the guard found is damage: the packet is sent again.
        """
        if now_s < self._ignores_damage_until_s:
            return None
        if frame.is_guarded and frame.page is not Page.FAULT:
            self._refused_s = self._refused_s or now_s
            return None
        reason = frame.page_data >> 24 if frame.is_guarded else 0
        known = Reason(reason) if reason in frozenset(Reason) else Reason.NONE
        if known is Reason.GUARD_MISMATCH:
            self._refused_s = None
            return self._damaged(command, now_s)
        raise self._failed(CommandRefusedError(self._label, command.code, known))

    def _failed(self, error: DeviceError) -> DeviceError:
        self.command = None
        return error
