"""The autofocus laser: output pin 15 of the controller. Firmware 2.0 has it under the light lease, stock has not."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import ClassVar, Final

from pydantic import BaseModel

from squid.abc.device import Device, StateValue
from squid.drivers.controller.link import ControllerLink
from squid.drivers.controller.protocol_table import Code, OutputPin
from squid.drivers.controller.requests import Command, send_all
from squid.errors import DeviceTimeoutError
from squid.models.base import FileModel

_CONFIRM_S: Final = 1.0


class AutofocusLaserOptions(FileModel):
    """The autofocus laser has no options."""


class ControllerAutofocusLaser(Device):
    """A laser that is on or off; closing switches it off."""

    Options = AutofocusLaserOptions
    Uses: ClassVar[Mapping[str, type[Device]]] = {"link": ControllerLink}

    def __init__(self, label: str, link: ControllerLink) -> None:
        super().__init__(label)
        self._link = link
        self._on_at: int | None = None

    @classmethod
    def create(cls, label: str, options: BaseModel, uses: Mapping[str, Device]) -> ControllerAutofocusLaser:
        """Build it; see `Device.create`."""
        link = uses["link"]
        assert isinstance(link, ControllerLink)
        return cls(label, link)

    @property
    def is_on(self) -> bool:
        """Whether it is on, as last commanded; False after the controller darkened by itself."""
        return self._on_at is not None and self._on_at == self._link.darkenings

    def turn_on(self) -> Future[None]:
        """Switch it on; settled when the controller has done so."""
        self._check_access()
        future = self._switch(1)
        self._on_at = self._link.darkenings
        return future

    def turn_off(self) -> Future[None]:
        """Switch it off; allowed to a revoked task, too: dark is safe."""
        future = self._switch(0)
        self._on_at = None
        return future

    def state(self) -> dict[str, StateValue]:
        """Return whether it is on."""
        return super().state() | ({"on": self.is_on} if self.is_open else {})

    def _switch(self, level: int) -> Future[None]:
        command = Command(Code.SET_PIN_LEVEL, {"pin": OutputPin.AF_LASER, "level": level})
        return self._link.submit(send_all((command,)), urgent=level == 0)

    def _do_open(self) -> None:
        self._on_at = None

    def _do_close(self) -> None:
        if not self._link.is_connected:
            return
        try:
            self.turn_off().result(_CONFIRM_S)
        except TimeoutError as e:
            raise DeviceTimeoutError(self.label, f"did not confirm within {_CONFIRM_S:g} s that it is dark") from e
