"""A link to a virtual controller: the firmware's own core as a Linux program with simulated motors and lights.

The program is built with g++ from ``firmware/`` when it is not there yet, and lives as long as the link is open.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, Field

from squid.abc.device import Device
from squid.drivers.controller.link import ControllerLink, LinkOptions
from squid.errors import ConfigurationError, DeviceError

BUILD: Final = Path(__file__).resolve().parents[4] / "firmware" / "native" / "build.py"
_BUILD_S: Final = 300.0
_END_S: Final = 5.0


class VirtualLinkOptions(LinkOptions):
    """Options of a link to a virtual controller.

    Attributes
    ----------
    program : Path or None
        The virtual controller; None: built from ``firmware/`` beside the program.
    stock : str or None
        Behave as this stock firmware (``1.4``); None: as ours.
    speed : float
        How many times faster than real its motors are.
    arguments : tuple of str
        More of the program's own.
    """

    program: Path | None = None
    stock: str | None = None
    speed: float = Field(default=1.0, gt=0, le=1000)
    arguments: tuple[str, ...] = ()


def build_controller() -> Path:
    """Build the virtual controller unless it is there; return the program.

    Raises
    ------
    ConfigurationError
        The firmware is not beside the program, or the compiler is missing or refused it.
    """
    if not BUILD.exists():
        raise ConfigurationError(f"there is no {BUILD}: the virtual controller comes with the sources")
    result = subprocess.run([sys.executable, BUILD], capture_output=True, text=True, timeout=_BUILD_S, check=False)
    if result.returncode != 0:
        last = result.stderr.strip().splitlines()[-1:] or ["no message"]
        raise ConfigurationError(f"the virtual controller cannot be built: {last[0]}")
    return Path(result.stdout.strip())


class VirtualController:
    """The running program: its serial port, and a second channel to look into it and to break it.

    Parameters
    ----------
    program : Path
        What `build_controller` returned.
    *arguments : str
        The program's options.
    """

    def __init__(self, program: Path, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.port = str(self._answer()["port"])

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def ask(self, line: str) -> dict[str, Any]:
        """Send a line to the second channel and return the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        return self._answer()

    def close(self) -> None:
        """End it."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise DeviceError("virtual controller", "has ended")
        return dict(json.loads(line))


class VirtualControllerLink(ControllerLink):
    """A link that brings its controller along."""

    Options = VirtualLinkOptions

    def __init__(self, label: str, options: VirtualLinkOptions) -> None:
        super().__init__(label, options)
        self._virtual_options = options
        self.controller: VirtualController | None = None

    @classmethod
    def create(cls, label: str, options: BaseModel, uses: Mapping[str, Device]) -> VirtualControllerLink:
        """Build it; see `Device.create`."""
        assert isinstance(options, VirtualLinkOptions)
        return cls(label, options)

    def _do_open(self) -> None:
        o = self._virtual_options
        stock = ("--stock", o.stock) if o.stock else ()
        program = o.program or build_controller()
        self.controller = VirtualController(program, "--speed", str(o.speed), *stock, *o.arguments)
        self._options = o.model_copy(update={"port": self.controller.port})
        try:
            super()._do_open()
        except BaseException:
            self._end()
            raise

    def _do_close(self) -> None:
        super()._do_close()
        self._end()

    def _end(self) -> None:
        if self.controller is not None:
            self.controller.close()
            self.controller = None
