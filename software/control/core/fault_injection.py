"""Faults for simulated devices, for one start: named on the command line, checked by the driver that takes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pydantic import ValidationError

from control.core.index_set import IndexSet
from control.core.words import counted
from squid.errors import ConfigurationError
from squid.machine_file import DeviceConfig, MachineConfig
from squid.registry import driver_class

FAULTS = "faults"
"""Option of drivers that let devices fail on demand."""

_FAULT = re.compile(r"(\w+)\.\w+@(\w+)=(\d+)")


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


def never_strike(machine: MachineConfig, faults: Sequence[str], frames: int, stored: IndexSet) -> Iterator[str]:
    """Yield a sentence for each fault that cannot happen in a run, so that nobody takes its silence for a good end.

    Parameters
    ----------
    machine : MachineConfig
        With which the run is done.
    faults : sequence of str
        As `with_faults` has taken them.
    frames : int
        Number of planned frames.
    stored : IndexSet
        Those that are stored already and will not be taken.
    """
    drivers = {device.driver for device in machine.devices.values()}
    for fault in faults:
        device, counter, at = _FAULT.findall(fault)[0]
        if f"simulated.{device}" not in drivers:
            yield f"{fault} will never happen: this machine has no simulated {device}"
        elif counter == "frame" and int(at) >= frames:
            yield f"{fault} will never happen: the plan has {counted(frames, 'frame')}, counted from 0"
        elif counter == "frame" and int(at) in stored:
            yield f"{fault} will never happen: frame {at} is stored already"
