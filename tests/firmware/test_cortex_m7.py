"""The core on an emulated Cortex-M7, over its UART; needs ``arm-none-eabi-g++`` and ``qemu-system-arm``."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest
import serial
from firmware.qemu import build
from virtual_controller import Frame, crc8, packet

FRAME_BYTES = 24


class Board:
    """The emulated board's link, read with a window that finds whole frames."""

    def __init__(self, port: str) -> None:
        self.serial = serial.Serial(port, 115_200, timeout=5)
        self.window = b""

    def frame(self) -> Frame:
        while True:
            self.window += self.serial.read(max(1, self.serial.in_waiting))
            while len(self.window) >= FRAME_BYTES:
                raw, self.window = self.window[:FRAME_BYTES], self.window[FRAME_BYTES:]
                assert raw[23] == crc8(raw[:23]), raw.hex()
                return Frame(raw)

    def do(self, text: str, status: int = 0) -> Frame:
        sent = packet(text)
        self.serial.write(sent)
        for _ in range(2000):
            frame = self.frame()
            if frame.id == sent[0] and frame.status == status:
                return frame
        raise AssertionError(f"{text}: no status {status}; the last frame was {frame.raw.hex()}")


@pytest.fixture(scope="module")
def board() -> Iterator[Board]:
    for tool in (build.TOOLS.compiler, build.EMULATOR[0]):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    command = [*build.EMULATOR, "-serial", "pty", "-kernel", str(build.build_image())]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        line = process.stdout.readline()
        found = re.search(r"redirected to (\S+)", line)
        assert found, line
        board = Board(found[1])
        board.serial.reset_input_buffer()
        board.serial.write(packet("01ff"))
        yield board
        board.serial.close()
    finally:
        process.kill()
        process.communicate()


def test_it_boots_and_reports_our_version(board):
    assert board.frame().version == 0x20


def test_moves_arrive_and_limits_hold(board):
    board.do("0506 00001000", status=1)
    assert board.do("062a").x == 4096
    board.do("0709 00 00002000")
    assert board.do("0806 00003000", status=4).x == 4096
    assert board.do("0905 00 02").x == 0


def test_corrupt_and_unknown_packets_are_refused(board):
    board.serial.write(bytes.fromhex("0a2a000000000000"))
    while (frame := board.frame()).id != 0x0A:
        pass
    assert frame.status == 2
    board.do("0bc8", status=4)


def test_500_commands_are_answered_in_whole_frames(board):
    board.do("0027")
    for number in range(500):
        board.do(f"{number % 256:02x}2a")


def test_a_sequence_runs(board):
    for number, text in enumerate(["44", "45 07 0000000b", "45 0a 00000bb8", "46 0000", "46 0001", "47 0000 0002 00"]):
        board.do(f"{0x50 + number:02x}{text.replace(' ', '')}")
    assert not board.frame().flags & 64
