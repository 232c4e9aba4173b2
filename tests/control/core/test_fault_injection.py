"""Faults named on the command line reach the simulated world, and only what is simulated."""

from __future__ import annotations

import pytest

from control.core.fault_injection import never_strike, with_faults
from control.core.index_set import IndexSet
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


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("camera.lost_frame@frame=99", "the plan has 4 frames, counted from 0"),
        ("camera.lost_frame@frame=4,times=always", "the plan has 4 frames, counted from 0"),
        ("camera.hang@frame=1", "frame 1 is stored already"),
        ("camera.hang@frame=3", ""),
        ("stage.hang@move=99", ""),
    ],
)
def test_a_fault_that_cannot_happen_is_told(machine: MachineConfig, fault: str, reason: str) -> None:
    expected = [f"{fault} will never happen: {reason}"] if reason else []
    stored = IndexSet(4)
    stored.add(1)
    assert list(never_strike(machine, [fault], 4, stored)) == expected


def test_a_device_that_is_not_simulated_never_fails_on_request() -> None:
    machine = read_machine_file(CONFIGS / "simulation_controller.yaml")
    fault = "stage.hang@move=1"
    assert list(never_strike(machine, [fault], 4, IndexSet(4))) == [
        f"{fault} will never happen: this machine has no simulated stage"
    ]
