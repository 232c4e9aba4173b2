"""Which machine file a command line means, and what it changes in it for this start."""

from __future__ import annotations

import argparse
from pathlib import Path

from control.core.user_folder import SIMULATION
from squid.errors import ConfigurationError
from squid.machine_file import MachineConfig
from squid.registry import driver_class

TIME_SCALE = "time_scale"


def named_machine(args: argparse.Namespace) -> Path | None:
    """Return the machine file that the arguments name; None when they name none."""
    if getattr(args, "simulation", False):
        return SIMULATION
    file: Path | None = getattr(args, "machine", None)
    return file


def with_time_scale(machine: MachineConfig, time_scale: float) -> MachineConfig:
    """Return the machine with all simulated hardware running `time_scale` times as fast.

    Raises
    ------
    ConfigurationError
        No device of this machine is simulated.
    """
    devices = dict(machine.devices)
    for label, device in devices.items():
        if TIME_SCALE in driver_class(device.driver).Options.model_fields:
            options = {**device.options, TIME_SCALE: time_scale}
            devices[label] = device.model_copy(update={"options": options})
    if devices == dict(machine.devices):
        raise ConfigurationError("has no simulated device to speed up", key=f"--time-scale, {machine.name}")
    return machine.model_copy(update={"devices": devices})
