"""Which microscope a command line means."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import pytest

from control.cli_machine import SIMULATION, named_machine, rig, with_time_scale
from squid.errors import ConfigurationError
from squid.machine_file import MachineConfig, read_machine_file


@pytest.fixture
def simulated() -> MachineConfig:
    return read_machine_file(SIMULATION)


@pytest.fixture
def real(simulated: MachineConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MachineConfig:
    """A rig with one device that is not simulated; its lock is the test's own."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    devices = dict(simulated.devices)
    label, device = next(iter(devices.items()))
    devices[label] = device.model_copy(update={"driver": "mylab.camera"})
    return simulated.model_copy(update={"devices": devices, "name": "rig 1 / left"})


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


def test_a_second_program_on_the_rig_is_refused_by_the_name_of_the_first(real: MachineConfig) -> None:
    taken = f"rig 1 / left.*in use by process {os.getpid()}: "
    with rig(real), pytest.raises(ConfigurationError, match=taken), rig(real):
        pass
    with rig(real):  # free again
        pass


def test_simulations_run_side_by_side(simulated: MachineConfig) -> None:
    with rig(simulated), rig(simulated):
        pass
