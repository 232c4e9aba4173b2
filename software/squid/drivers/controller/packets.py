"""Packets of the serial link as pure functions: bytes to send, and frames from bytes.

Owns layout and checksums (from `protocol_table`); knows no port, no time, no device. Sections are those of the
controller's protocol description.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from squid.drivers.controller.protocol_table import (
    COMMANDS,
    CRC_POLYNOMIAL,
    GUARD_POLYNOMIAL,
    GUARD_START,
    STATUS_BYTES,
    AxisCode,
    Code,
    ExecutionStatus,
    Flag,
    Page,
)

Version = tuple[int, int]
"""Firmware version: major, minor; (0, 0) is anything before 2026."""

GUARDED_SINCE: Final[Version] = (2, 0)
"""From this version on status frames bear a second checksum."""

_RANGES: Final = {"u8": (0, 0xFF), "u16": (0, 0xFFFF), "u32": (0, 0xFFFFFFFF), "i32": (-(2**31), 2**31 - 1)}
_SIZES: Final = {"u8": 1, "u16": 2, "u32": 4, "i32": 4}
_STATUS: Final = struct.Struct(">BBiiiIBBBBBB")


def _table(polynomial: int) -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc << 1) ^ (polynomial if crc & 0x80 else 0)
        table.append(crc & 0xFF)
    return tuple(table)


_CRC_TABLE: Final = _table(CRC_POLYNOMIAL)
_GUARD_TABLE: Final = _table(GUARD_POLYNOMIAL)


def crc8(data: bytes) -> int:
    """Return the CRC-8 of `data` (polynomial 0x07, initial value 0; section 2.3)."""
    crc = 0
    for byte in data:
        crc = _CRC_TABLE[crc ^ byte]
    return crc


def guard8(data: bytes) -> int:
    """Return the second check of 2.0 packets, with a polynomial and a start of its own."""
    guard = GUARD_START
    for byte in data:
        guard = _GUARD_TABLE[guard ^ byte]
    return guard


def encode(command_id: int, code: int, **fields: int) -> bytes:
    """Return the 8 bytes of a command.

    Parameters
    ----------
    command_id : int
        0 to 255.
    code : int
        Command byte.
    **fields : int
        Its parameters by the names of `protocol_table.COMMANDS`; those left out are 0. The guard of a guarded move is
        computed.

    Raises
    ------
    ValueError
        The command has no such field, or a value does not fit into it.
    """
    spec = COMMANDS[Code(code)]
    packet = bytearray(7)
    packet[0], packet[1] = command_id, code
    unknown = set(fields) - {field.name for field in spec.fields}
    if unknown:
        raise ValueError(f"{spec.code.name} has no field {', '.join(sorted(unknown))}")
    for name, at, kind in spec.fields:
        value = fields.get(name, 0)
        low, high = _RANGES[kind]
        if not low <= value <= high:
            raise ValueError(f"{spec.code.name}: {name} {value} is not within {low} to {high}")
        packet[at : at + _SIZES[kind]] = value.to_bytes(_SIZES[kind], "big", signed=low < 0)
    if any(field.name == "guard" for field in spec.fields):
        packet[6] = guard8(bytes(packet[:6]))
    return bytes(packet) + bytes((crc8(bytes(packet)),))


@dataclass(frozen=True, slots=True)
class StatusFrame:
    """One status frame (section 2.2; bytes 14 to 21 as firmware 2.0 uses them).

    Attributes
    ----------
    command_id : int
        Id of the last packet that the controller received, even a corrupt one.
    status : int
        `ExecutionStatus`.
    x_usteps, y_usteps, z_usteps : int
        Positions in motor coordinates.
    page_data : int
        Content of `page`; theta on stock firmware.
    inputs : int
        Bit 0 joystick button, bit 1 switch, high nibble the page.
    reset_count : int
        2.0: number of starts of the controller. Early 1.1: bits 0 to 4 are the ports that are on.
    flags : int
        2.0: `Flag` bits.
    version : (int, int)
        Firmware version.
    """

    command_id: int
    status: int
    x_usteps: int
    y_usteps: int
    z_usteps: int
    page_data: int
    inputs: int
    reset_count: int
    flags: int
    version: Version

    @property
    def usteps(self) -> tuple[int, int, int]:
        """Positions of x, y and z in motor coordinates."""
        return self.x_usteps, self.y_usteps, self.z_usteps

    @property
    def is_guarded(self) -> bool:
        """Whether the firmware is 2.0 or later: bytes 14 to 21 mean something."""
        return self.version >= GUARDED_SINCE

    @property
    def page(self) -> Page:
        """What `page_data` holds; `Page.NONE` on stock firmware."""
        number = self.inputs >> 4
        return Page(number) if self.is_guarded and number <= Page.FAULT else Page.NONE

    @property
    def is_button_pressed(self) -> bool:
        """Joystick button."""
        return bool(self.inputs & 1)

    @property
    def is_busy(self) -> bool:
        """Whether a commanded move or homing is under way."""
        return self.status == ExecutionStatus.IN_PROGRESS

    def has(self, flag: Flag) -> bool:
        """Whether a flag of firmware 2.0 is set; False on stock firmware."""
        return self.is_guarded and bool(self.flags & flag)

    def axis_bits(self, axis: AxisCode) -> AxisBits:
        """Return what the AXES page says of an axis; only with `page` AXES."""
        bit = (0, 1, 2, -1, -1, 3, 4)[axis]
        of = [bool(self.page_data >> shift & 1 << bit) for shift in (24, 16, 8, 0)]
        return AxisBits(*of)


@dataclass(frozen=True, slots=True)
class AxisBits:
    """State of one axis on the AXES page of firmware 2.0."""

    is_moving: bool
    has_fault: bool
    is_homed: bool
    is_homing: bool


def decode(data: bytes) -> StatusFrame | None:
    """Return the status frame in 24 bytes; None when a checksum does not fit.

    The zero byte that firmware before May 2025 sent instead of a checksum does not fit either: see `decode_legacy`.
    """
    if len(data) != STATUS_BYTES or crc8(data[:23]) != data[23]:
        return None
    frame = _unpack(data)
    if frame.is_guarded and guard8(data[:21] + data[22:23]) != data[21]:
        return None
    return frame


def decode_legacy(data: bytes) -> StatusFrame | None:
    """Return the frame of firmware without checksums (before May 2025); None when it cannot be one.

    Bytes 19 to 23 of such frames are zero and the status is a known one; nothing else can be checked.
    """
    if len(data) != STATUS_BYTES or any(data[19:]) or data[18] > 3:
        return None
    return _unpack(data) if data[1] in _KNOWN_STATUS else None


def is_plausible(frame: StatusFrame) -> bool:
    """Whether a frame with fitting checksums makes sense: guards the search for the start of a frame.

    A window over the halves of two frames fits the CRC once in 256 times; it hardly ever has a known status, no
    unknown input bits and zeros where stock firmware sends zeros.
    """
    if frame.status not in _KNOWN_STATUS:
        return False
    if frame.is_guarded:
        return True  # two checksums fitted
    return frame.inputs <= 3 and frame.reset_count <= 0x1F and frame.flags == 0 and frame.version[0] < 2


_KNOWN_STATUS: Final = frozenset(ExecutionStatus)


def _unpack(data: bytes) -> StatusFrame:
    command_id, status, x, y, z, page, inputs, resets, flags, _, version, _ = _STATUS.unpack(data)
    return StatusFrame(command_id, status, x, y, z, page, inputs, resets, flags, (version >> 4, version & 0xF))


def encode_status(frame: StatusFrame) -> bytes:
    """Return the bytes of a status frame, as a controller sends them."""
    version = frame.version[0] << 4 | frame.version[1]
    head = (
        frame.command_id,
        frame.status,
        *frame.usteps,
        frame.page_data,
        frame.inputs,
        frame.reset_count,
        frame.flags,
    )
    data = bytearray(_STATUS.pack(*head, 0, version, 0))
    if frame.is_guarded:
        data[21] = guard8(bytes(data[:21]) + bytes(data[22:23]))
    data[23] = crc8(bytes(data[:23]))
    return bytes(data)
