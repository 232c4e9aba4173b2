"""Finding the controller's serial port, and reading and writing it.

Knows pyserial and the traps of USB and pseudo-terminals; nothing of packets. Everything that an unplugged cable can
raise becomes `PortError`.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final, Protocol

import serial
from pydantic import Field
from serial.tools import list_ports

from squid.errors import SquidError
from squid.models.base import FileModel

BAUD: Final = 2_000_000
"""USB ignores it; 134 would send a Teensy to its bootloader (section 1)."""

USB_IDS: Final = (0x16C0, 0x0483)
MANUFACTURER: Final = "Teensyduino"

_WRITE_TIMEOUT_S: Final = 0.5

_ERRORS: tuple[type[Exception], ...] = (OSError,)
try:
    import termios

    _ERRORS = (OSError, termios.error)  # an unplugged pty raises termios.error, which is no OSError
except ImportError:  # Windows
    pass
_OPEN_ERRORS: tuple[type[Exception], ...] = (*_ERRORS, ValueError)


class PortError(SquidError):
    """The port cannot be found, opened, read or written; the controller's state is unknown."""


class PortOptions(FileModel):
    """Which port; at most one of the first two.

    Attributes
    ----------
    port : str or None
        Path or name (``/dev/ttyACM0``, ``COM3``, a pseudo-terminal).
    serial_number : str or None
        USB serial number; quote it in the machine file.
    usb_ids : (int, int)
        Vendor and product id to look for when neither is given; the manufacturer "Teensyduino" is looked for, too.
    """

    port: str | None = None
    serial_number: str | None = None
    usb_ids: tuple[int, int] = Field(default=USB_IDS)


class PortInfo(Protocol):
    """What is known of a port before it is opened."""

    @property
    def device(self) -> str:
        """Path or name."""

    @property
    def serial_number(self) -> str | None:
        """USB serial number."""

    @property
    def manufacturer(self) -> str | None:
        """USB manufacturer."""

    @property
    def vid(self) -> int | None:
        """USB vendor id."""

    @property
    def pid(self) -> int | None:
        """USB product id."""


def listed_ports() -> list[PortInfo]:
    """Return the serial ports of this computer."""
    return list(list_ports.comports())


def find_port(wanted: PortOptions, listed: Callable[[], Iterable[PortInfo]] = listed_ports) -> str:
    """Return the path of the controller's port.

    Raises
    ------
    PortError
        No port fits, or several do; the message lists them.
    """
    if wanted.port is not None:
        return wanted.port
    ports = list(listed())
    if wanted.serial_number is not None:
        found = [port for port in ports if port.serial_number == wanted.serial_number]
        what = f"serial number {wanted.serial_number}"
    else:
        found = [p for p in ports if (p.vid, p.pid) == wanted.usb_ids or p.manufacturer == MANUFACTURER]
        what = f"USB ids {wanted.usb_ids[0]:04X}:{wanted.usb_ids[1]:04X} or manufacturer {MANUFACTURER}"
    if len(found) == 1:
        return found[0].device
    if not found:
        raise PortError(f"no port with {what}; there are: {_describe(ports) or 'none'}")
    raise PortError(f"several ports with {what}: {_describe(found)}; name one by serial_number or port")


def _describe(ports: Iterable[PortInfo]) -> str:
    return ", ".join(f"{p.device} (serial number {p.serial_number}, {p.manufacturer})" for p in ports)


class Port(Protocol):
    """An open port."""

    def read(self, timeout_s: float) -> bytes:
        """Return what has come, waiting for the first byte; empty after `timeout_s`; `PortError` when it is gone."""

    def write(self, data: bytes) -> None:
        """Send; `PortError` when it is gone or does not take it."""

    def close(self) -> None:
        """Close; never raises."""


class SerialPort:
    """A serial port, opened for this program alone.

    Raises
    ------
    PortError
        It cannot be opened.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            # a pty has no dtr and rts; pyserial tolerates that when opening
            self._serial = serial.Serial(path, BAUD, timeout=0, write_timeout=_WRITE_TIMEOUT_S, exclusive=True)
            self._serial.reset_input_buffer()
        except _OPEN_ERRORS as e:
            raise PortError(f"port {path} cannot be opened: {e}") from e

    def read(self, timeout_s: float) -> bytes:
        """See `Port.read`."""
        try:
            if os.name != "posix":
                self._serial.timeout = timeout_s
                return bytes(self._serial.read(max(1, self._serial.in_waiting)))
            descriptor = self._serial.fileno()
            if not select.select([descriptor], [], [], timeout_s)[0]:
                return b""
            data = os.read(descriptor, 4096)
        except BlockingIOError:
            return b""
        except _ERRORS as e:
            raise PortError(f"port {self._path} is gone: {e}") from e
        if not data:
            raise PortError(f"port {self._path} is gone: it ended")
        return data

    def write(self, data: bytes) -> None:
        """See `Port.write`."""
        try:
            self._serial.write(data)
        except _ERRORS as e:
            raise PortError(f"port {self._path} cannot be written: {e}") from e

    def close(self) -> None:
        """See `Port.close`."""
        with suppress(*_ERRORS):  # it is gone: that is what was wanted
            self._serial.close()
