"""A virtual controller with an open link and the devices on it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from squid.drivers.controller.filter_wheel import ControllerFilterWheel, FilterWheelOptions
from squid.drivers.controller.illumination import ControllerIllumination, IlluminationOptions
from squid.drivers.controller.light_sources import MatrixSource, PortSource
from squid.drivers.controller.link import ControllerLink
from squid.drivers.controller.link_options import LinkOptions
from squid.drivers.controller.requests import Command, send_all
from squid.drivers.controller.stage import ControllerStage, StageOptions
from squid.drivers.controller.virtual import VirtualController

TIMEOUT_S = 20.0

SOURCES: dict[str, PortSource | MatrixSource] = {
    "405": PortSource(port="D1", wavelength_nm=405),
    "488": PortSource(port="D2", wavelength_nm=488),
    "561": PortSource(port="D3", wavelength_nm=561),
    "638": PortSource(port="D4", wavelength_nm=638),
    "BF": MatrixSource(pattern="full"),
}


class Bench:
    """A context manager; `options` are those of the link."""

    def __init__(self, program: Path, *arguments: str, **options: Any) -> None:
        self._program = program
        self._arguments = arguments
        self._options = options
        self._stack = ExitStack()

    def __enter__(self) -> Bench:
        self.controller = VirtualController(self._program, *self._arguments)
        self._stack.callback(self.controller.close)
        port = self._options.pop("port", self.controller.port)
        try:
            self.link = self.opened(ControllerLink("controller", LinkOptions(port=port, **self._options)))
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def opened(self, device: Any) -> Any:
        device.open()
        self._stack.callback(device.close)
        return device

    def stage(self, *, home: bool = True, **options: Any) -> ControllerStage:
        stage: ControllerStage = self.opened(ControllerStage("stage", StageOptions(**options), self.link))
        if home:
            stage.home().result(TIMEOUT_S)
        return stage

    def light(self) -> ControllerIllumination:
        light: ControllerIllumination = self.opened(
            ControllerIllumination("light", IlluminationOptions(sources=SOURCES), self.link)
        )
        return light

    def wheel(self, **options: Any) -> ControllerFilterWheel:
        given = FilterWheelOptions(**({"filters": ("red", "green", "blue")} | options))
        wheel: ControllerFilterWheel = self.opened(ControllerFilterWheel("wheel", given, self.link))
        return wheel

    def send(self, *commands: Command) -> None:
        self.link.submit(send_all(commands)).result(TIMEOUT_S)

    def state(self) -> dict[str, Any]:
        return self.controller.ask("state")

    def lit(self) -> set[str]:
        """What is really on."""
        state = self.state()
        on = {name for name, level in state["outputs"].items() if level and name[0] in "Da"}
        return on | ({"matrix"} if state["matrix"]["lit"] else set())

    def eventually(self, condition: Callable[[], object], within_s: float = 5.0) -> float:
        """Wait until a condition holds; return how long it took, in s."""
        start_s = time.monotonic()
        while not condition():
            assert time.monotonic() - start_s < within_s, "did not happen in time"
            time.sleep(0.005)
        return time.monotonic() - start_s
