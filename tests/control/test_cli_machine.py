"""Which microscope a command line means."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from control.cli_machine import named_machine, with_time_scale
from control.core.user_folder import SIMULATION
from squid.errors import ConfigurationError
from squid.machine_file import MachineConfig, read_machine_file


@pytest.fixture
def simulated() -> MachineConfig:
    return read_machine_file(SIMULATION)


def test_simulation_only_chooses_a_machine_file() -> None:
    assert named_machine(argparse.Namespace(simulation=True)) == SIMULATION
    assert named_machine(argparse.Namespace(machine=Path("rig.yaml"))) == Path("rig.yaml")
    assert named_machine(argparse.Namespace()) is None


def test_the_time_scale_reaches_whatever_has_one(simulated: MachineConfig) -> None:
    fast = with_time_scale(simulated, 8.0)
    assert [d.options["time_scale"] for d in fast.devices.values() if "time_scale" in d.options] == [8.0]


def test_a_machine_without_simulated_devices_has_no_time_scale(simulated: MachineConfig) -> None:
    camera = {"camera": next(d for d in simulated.devices.values() if d.driver == "simulated.camera")}
    with pytest.raises(ConfigurationError, match="no simulated device to speed up"):
        with_time_scale(simulated.model_copy(update={"devices": camera}), 2.0)
