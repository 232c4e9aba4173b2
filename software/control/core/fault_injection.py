"""Faults for simulated devices, for one start: named on the command line, checked by the driver that takes them."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError

from squid.errors import ConfigurationError
from squid.machine_file import DeviceConfig, MachineConfig
from squid.registry import driver_class

FAULTS = "faults"
"""Option of drivers that let devices fail on demand."""


def with_faults(machine: MachineConfig, faults: Sequence[str]) -> MachineConfig:
    """Return the machine with `faults` added to those of its simulated world.

    Parameters
    ----------
    machine : MachineConfig
        A machine; without faults it comes back as it is.
    faults : sequence of str
        ``DEVICE.KIND@COUNTER=N``, see ``docs/machine_file.md``.

    Raises
    ------
    ConfigurationError
        A fault is not understood, or no device of this machine takes any: real hardware does not.
    """
    if not faults:
        return machine
    for label, device in machine.devices.items():
        options = driver_class(device.driver).Options
        if FAULTS in options.model_fields:
            wanted = {**device.options, FAULTS: (*device.options.get(FAULTS, ()), *faults)}
            try:
                options.model_validate(wanted)
            except ValidationError as e:
                message = e.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
                raise ConfigurationError(message) from e
            changed: dict[str, DeviceConfig] = {**machine.devices}
            changed[label] = device.model_copy(update={"options": wanted})
            return machine.model_copy(update={"devices": changed})
    raise ConfigurationError(
        f"machine '{machine.name}' is not simulated: it takes no faults ({', '.join(faults)})",
        allowed="a machine file with a device whose driver is simulated.world",
    )
