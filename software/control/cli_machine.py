"""Which machine file a command line means, what it changes in it for this start, and who has the rig."""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from squid.errors import ConfigurationError
from squid.machine_file import CONFIGS, MachineConfig
from squid.registry import driver_class

SIMULATION = CONFIGS / "simulation.yaml"
TIME_SCALE = "time_scale"
SIMULATED = "simulated."
"""Begins the names of all simulated drivers."""


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


@contextmanager
def rig(machine: MachineConfig) -> Iterator[None]:
    """Keep other programs from the rig during the block; simulated ones are as many as one likes.

    A rig is known by the name in its machine file, so that a resumed run, which has a copy of the file, counts too.
    The lock ends with the process, however that ends.

    Raises
    ------
    ConfigurationError
        Another program has it; the message says which.
    """
    if all(device.driver.startswith(SIMULATED) for device in machine.devices.values()):
        yield
        return
    beside = Path(tempfile.gettempdir()) / f"squid-hcs-{re.sub(r'[^A-Za-z0-9]+', '-', machine.name)}"
    owner = beside.with_suffix(".owner")
    try:
        with FileLock(beside.with_suffix(".lock"), timeout=0):
            owner.write_text(f"process {os.getpid()}: {' '.join(sys.argv)}", encoding="utf-8")
            yield
    except Timeout:
        who = owner.read_text(encoding="utf-8") if owner.exists() else "another program"
        raise ConfigurationError(f"is in use by {who}", key=f"machine '{machine.name}'") from None
