"""A link to a virtual controller: the firmware's own core as a Linux program with simulated motors and lights.

The program is built with g++ from ``firmware/`` when it is not there yet, and lives as long as the link is open.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, Literal, NamedTuple

from pydantic import BaseModel, Field

from squid.abc.device import Device
from squid.drivers.controller.link import ControllerLink
from squid.drivers.controller.link_options import LinkOptions
from squid.errors import ConfigurationError, DeviceError

BUILD: Final = Path(__file__).resolve().parents[4] / "firmware" / "native" / "build.py"
_BUILD_S: Final = 300.0
_END_S: Final = 5.0


StockVersion = Literal["0.0", "1.0", "1.1-early", "1.1", "1.2", "1.3", "1.4"]
"""What the virtual controller can behave as."""


class VirtualLinkOptions(LinkOptions):
    """Options of a link to a virtual controller.

    Attributes
    ----------
    port : str or None
        What the host opens, for example the link that ``--link PATH`` makes; None: its terminal, as it is named now.
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
    stock: StockVersion | None = None
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


class OutputChange(NamedTuple):
    """What an output of the virtual controller did.

    Attributes
    ----------
    instant_s : float
        `time.monotonic`.
    name : str
        ``trigger0``, ``D2``, ``dac1``, ``matrix``, ``matrix_level`` …
    level : int
        Its new level.
    standing_usteps : tuple of int or None
        With an edge, where x, y and z stood; None while one of them moved, and with a level.
    """

    instant_s: float
    name: str
    level: int
    standing_usteps: tuple[int, ...] | None


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
        self._answers: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self._asking = threading.Lock()
        self._watchers: tuple[Callable[[OutputChange], None], ...] = ()
        self._reader = threading.Thread(target=self._read, name="virtual controller", daemon=True)
        self._reader.start()
        self.port = str(self._answer()["port"])

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def ask(self, line: str) -> dict[str, Any]:
        """Send a line to the second channel and return the answer."""
        assert self._process.stdin is not None
        with self._asking:
            self._process.stdin.write(line + "\n")
            return self._answer()

    def watch(self, watcher: Callable[[OutputChange], None]) -> None:
        """Call `watcher` with each change of an output, as it happens, in a thread of this object; must not block."""
        self._watchers = (*self._watchers, watcher)
        self.ask("watch on")

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._process.stdout.close()

    def _answer(self) -> dict[str, Any]:
        answer = self._answers.get()
        if answer is None:
            self._answers.put(None)
            raise DeviceError("virtual controller", "has ended")
        return answer

    def _read(self) -> None:
        """Run the reading thread: answers to whoever asks, edges to whoever watches."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line)
            event = told.get("edge") or told.get("level")
            if event is None:
                self._answers.put(told)
                continue
            change = OutputChange(event[0] / 1e6, event[1], event[2], tuple(event[3:]) or None)
            for watcher in self._watchers:
                watcher(change)
        self._answers.put(None)


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
        self._options = o.model_copy(update={"port": o.port or self.controller.port})
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
