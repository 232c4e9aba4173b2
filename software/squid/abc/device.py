"""What every device has: a label, a life of open and close, access control, a readable state.

::

    new ──open()──▶ open ──close()──▶ closed ──open()──▶ open …
          (closing twice, or before opening, is harmless)

Knows nothing of other devices; whoever builds it hands it those it uses.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel

from squid.errors import DeviceClosedError, SettingError
from squid.models.base import FileModel
from squid.models.plate import PlateGeometry
from squid.utils.epoch import check_access

StateValue = str | float | int | bool | None


class NoOptions(FileModel):
    """The options of a driver that has none."""


class Device(ABC):
    """A device of the microscope.

    A property, here and in every kind, answers from what the driver knows and waits for no hardware; what asks the
    hardware is a method.

    Parameters
    ----------
    label : str
        Its name in the machine file; every error bears it.
    """

    Options: ClassVar[type[BaseModel]] = NoOptions
    """Model of the driver's ``options`` in the machine file; unknown keys are refused."""

    Uses: ClassVar[Mapping[str, type[Device]]] = {}
    """Devices that the driver needs: the key under ``uses`` in the machine file, and its kind."""

    def __init__(self, label: str) -> None:
        self.label = label
        self._life = threading.Lock()
        self._is_open = False

    @classmethod
    @abstractmethod
    def create(cls, label: str, options: BaseModel, uses: Mapping[str, Device]) -> Device:
        """Build the device from its part of the machine file, without touching hardware.

        Parameters
        ----------
        label : str
            Key in the machine file.
        options : BaseModel
            An instance of `Options`.
        uses : mapping of str to Device
            An open or closed device for every key of `Uses`.
        """

    @property
    def is_open(self) -> bool:
        """Whether the device can be commanded."""
        return self._is_open

    @property
    def is_reconnecting(self) -> bool:
        """Whether the device has lost its connection and is looking for it by itself; commands fail until it has."""
        return False

    def open(self) -> None:
        """Connect; does nothing when open already. Nothing moves and no light goes on."""
        with self._life:
            if not self._is_open:
                self._do_open()
                self._is_open = True

    def close(self) -> None:
        """Leave the device safe and disconnect; harmless when repeated."""
        with self._life:
            if self._is_open:
                self._is_open = False
                self._do_close()

    def beat(self) -> None:  # noqa: B027  (most devices have no lease)
        """Hear that the application is alive and ticking; a device that lends light on a lease renews it.

        Called several times a second, from any thread, by whoever drives a run: never from a thread that only proves
        that the process exists. Must return at once.
        """

    def plate_placed(self, plate: PlateGeometry) -> None:  # noqa: B027  (most devices do not care)
        """Hear which plate a person says lies on the stage: before a run, and when another one is chosen.

        Must return at once.
        """

    def state(self) -> dict[str, StateValue]:
        """Return what the device knows of itself, without commanding it; units are in the keys."""
        return {"open": self._is_open}

    @abstractmethod
    def _do_open(self) -> None: ...

    @abstractmethod
    def _do_close(self) -> None: ...

    def _check_access(self) -> None:
        """Refuse a command when the device is closed or the caller's epoch was revoked."""
        check_access(self.label)
        if not self._is_open:
            raise DeviceClosedError(self.label, "is not open")

    def _require(self, condition: bool, what: str, value: object, allowed: object) -> None:
        """Refuse a value that is out of range."""
        if not condition:
            raise SettingError(self.label, f"{what} {value} is not allowed (allowed: {allowed})")
