"""Run in a process that sees the installed package: one machine with the lab's own lamp, and what is refused."""

from __future__ import annotations

import sys
from pathlib import Path

from squid.errors import ConfigurationError, MachineFileError
from squid.machine_file import read_machine_file
from squid.microscope import Microscope
from squid.registry import driver_class, driver_names


def refusal(name: str) -> str:
    """Return why a driver cannot be had."""
    try:
        driver_class(name)
    except ConfigurationError as e:
        return str(e)
    return "accepted"


def say(*parts: object) -> None:
    """Write a line for the test that started this process."""
    sys.stdout.write(" ".join(str(part) for part in parts) + "\n")


def main(machine: Path) -> None:
    say("mylab.lamp" in driver_names())
    config = read_machine_file(machine)
    with Microscope.build(config, machine) as microscope:
        say(type(microscope.illumination).__module__, microscope.illumination.sources[0].wavelength_nm)
        microscope.illumination.turn_on("lamp", 1.0).result()
        say(microscope.illumination.lit, microscope.camera.trigger().frame.result(20).pixels.shape)
    say(microscope.illumination.lit)
    say(refusal("mylab.broken"))
    say(refusal("mylab.no_device"))
    lamp = config.devices["light"].model_copy(update={"options": {"wavelength_nm": -1}})
    try:
        Microscope.build(config.model_copy(update={"devices": {**config.devices, "light": lamp}}), machine)
    except MachineFileError as e:
        say(e.key)


main(Path(sys.argv[1]))
