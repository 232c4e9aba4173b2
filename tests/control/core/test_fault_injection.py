"""Faults named on the command line reach the simulated world, and only what is simulated."""

from __future__ import annotations

import pytest

from control.core.fault_injection import with_faults
from squid.errors import ConfigurationError
from squid.machine_file import CONFIGS, MachineConfig, read_machine_file


@pytest.fixture(scope="module")
def machine() -> MachineConfig:
    return read_machine_file(CONFIGS / "simulation.yaml")


def test_faults_are_added_to_those_of_the_file(machine: MachineConfig) -> None:
    once = with_faults(machine, ["camera.hang@frame=3"])
    twice = with_faults(once, ["stage.hang@move=1"])
    assert twice.devices["world"].options["faults"] == ("camera.hang@frame=3", "stage.hang@move=1")
    assert "faults" not in machine.devices["world"].options


def test_without_faults_nothing_changes(machine: MachineConfig) -> None:
    assert with_faults(machine, []) is machine


def test_a_fault_that_is_none_is_named(machine: MachineConfig) -> None:
    with pytest.raises(ConfigurationError, match=r"fault 'camera.sneeze@frame=1': a camera has no fault 'sneeze'"):
        with_faults(machine, ["camera.sneeze@frame=1"])


def test_real_hardware_takes_no_faults(machine: MachineConfig) -> None:
    real = machine.model_copy(update={"devices": {}, "name": "rig 3"})
    with pytest.raises(ConfigurationError, match="machine 'rig 3' is not simulated"):
        with_faults(real, ["camera.hang@frame=3"])
