"""A virtual controller under test: its process, its second channel, and a bare host on its serial link."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import serial

FRAME_BYTES = 24


def crc8(data: bytes, polynomial: int = 0x07, start: int = 0) -> int:
    """CRC-8, written independently of the firmware's."""
    crc = start
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ polynomial) & 0xFF if crc & 0x80 else crc << 1
    return crc


def packet(text: str) -> bytes:
    """Return a packet from hexadecimal bytes without the CRC; missing parameters are 0."""
    body = bytes.fromhex(text).ljust(7, b"\0")
    return body + bytes([crc8(body)])


class Frame(NamedTuple):
    """A status frame."""

    raw: bytes

    id = property(lambda self: self.raw[0])
    status = property(lambda self: self.raw[1])
    x = property(lambda self: int.from_bytes(self.raw[2:6], "big", signed=True))
    y = property(lambda self: int.from_bytes(self.raw[6:10], "big", signed=True))
    z = property(lambda self: int.from_bytes(self.raw[10:14], "big", signed=True))
    page = property(lambda self: self.raw[18] >> 4)
    page_data = property(lambda self: int.from_bytes(self.raw[14:18], "big"))
    reset_count = property(lambda self: self.raw[19])
    flags = property(lambda self: self.raw[20])
    version = property(lambda self: self.raw[22])


class VirtualController:
    """The program with a host attached; a context manager."""

    def __init__(self, program: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [program, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.port = self._read()["port"]
        self.serial = serial.Serial(self.port, 2_000_000, timeout=2)
        self.next_id = 0

    def __enter__(self) -> VirtualController:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.serial.close()
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        try:
            self.process.wait(timeout=5)
        finally:
            self.process.kill()
            self.process.stdout.close()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        return dict(json.loads(self.process.stdout.readline()))

    def ask(self, line: str) -> dict[str, Any]:
        """Send a line to the second channel and return the answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        return self._read()

    def reopen(self, port: str | None = None) -> None:
        """Open the serial link again."""
        self.serial.close()
        self.serial = serial.Serial(port or self.port, 2_000_000, timeout=2)

    def send(self, text: str) -> int:
        """Send code and parameters with the next id; return the id."""
        self.next_id = (self.next_id + 1) % 256
        self.serial.write(packet(f"{self.next_id:02x}{text.replace(' ', '')}"))
        return self.next_id

    def frame(self) -> Frame:
        """Return the next frame."""
        raw = self.serial.read(FRAME_BYTES)
        assert len(raw) == FRAME_BYTES, f"no frame: {raw.hex()}"
        assert raw[23] == crc8(raw[:23]), raw.hex()
        return Frame(raw)

    def frame_until(self, condition: Callable[[Frame], bool], timeout_s: float = 10) -> Frame:
        """Return the first frame that meets a condition."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            frame = self.frame()
            if condition(frame):
                return frame
        raise AssertionError(f"no such frame in {timeout_s} s; the last was {frame.raw.hex()}")

    def do(self, text: str, status: int = 0, timeout_s: float = 10) -> Frame:
        """Send a command and return the first frame with its id and that status."""
        sent = self.send(text)
        return self.frame_until(lambda f: f.id == sent and f.status == status, timeout_s)

    def stays(self, status: int, seconds: float) -> Frame:
        """Return the last frame of some time in which the status never changed."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            frame = self.frame()
            assert frame.status == status, frame.raw.hex()
        return frame

    def lights(self) -> list[str]:
        """Names of the outputs that are lit."""
        outputs = self.ask("state")["outputs"]
        return [name for name in ("D1", "D2", "D3", "D4", "D5", "af_laser") if outputs[name]]
