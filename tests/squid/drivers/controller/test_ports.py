"""Finding the port, and what an unplugged one raises."""

from __future__ import annotations

import os
import pty
from dataclasses import dataclass

import pytest

from squid.drivers.controller.ports import PortError, PortOptions, SerialPort, find_port


@dataclass(frozen=True)
class Listed:
    device: str
    serial_number: str | None = None
    manufacturer: str | None = None
    vid: int | None = None
    pid: int | None = None


TEENSY = Listed("/dev/ttyACM0", "12345", "Teensyduino", 0x16C0, 0x0483)
JOYSTICK = Listed("/dev/ttyACM1", "67890", "Teensyduino", 0x16C0, 0x0483)
OTHER = Listed("/dev/ttyUSB0", "A9", "FTDI", 0x0403, 0x6001)
WINDOWS = Listed("COM3", "777", "Microsoft", 0x16C0, 0x0483)


def found(options: PortOptions, *listed: Listed) -> str:
    return find_port(options, lambda: listed)


def test_a_named_port_is_not_looked_for() -> None:
    assert found(PortOptions(port="/dev/pts/7")) == "/dev/pts/7"


def test_the_only_controller_is_found_by_usb_ids_or_manufacturer() -> None:
    assert found(PortOptions(), OTHER, TEENSY) == "/dev/ttyACM0"
    assert found(PortOptions(), OTHER, WINDOWS) == "COM3"
    assert found(PortOptions(), Listed("/dev/cu.1", manufacturer="Teensyduino")) == "/dev/cu.1"


def test_the_serial_number_decides_among_several() -> None:
    assert found(PortOptions(serial_number="67890"), TEENSY, JOYSTICK) == "/dev/ttyACM1"


def test_several_are_listed_and_refused() -> None:
    with pytest.raises(PortError, match=r"several.*ttyACM0.*12345.*ttyACM1.*67890.*serial_number"):
        found(PortOptions(), TEENSY, JOYSTICK, OTHER)


@pytest.mark.parametrize("options", [PortOptions(), PortOptions(serial_number="0")])
def test_none_names_what_there_is(options: PortOptions) -> None:
    with pytest.raises(PortError, match=r"no port with .*ttyUSB0"):
        found(options, OTHER)


def test_a_missing_port_cannot_be_opened() -> None:
    with pytest.raises(PortError, match="no-such-port"):
        SerialPort("/dev/no-such-port")


def test_a_pty_is_read_written_and_noticed_when_it_goes() -> None:
    master, slave = pty.openpty()
    port = SerialPort(os.ttyname(slave))
    os.write(master, b"hello")
    assert port.read(1.0) == b"hello"
    assert port.read(0.0) == b""
    port.write(b"there")
    assert os.read(master, 10) == b"there"
    os.close(slave)
    os.close(master)
    with pytest.raises(PortError, match="gone"):
        port.read(1.0)
    with pytest.raises(PortError, match="cannot be written"):
        port.write(b"x")
    port.close()
    port.close()
