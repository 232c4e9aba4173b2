"""Who has a rig, and who has a user's window."""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from control.core.rig import only_window, rig
from control.core.user_folder import SIMULATION
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


def test_a_second_program_on_the_rig_is_refused_by_the_name_of_the_first(real: MachineConfig) -> None:
    taken = f"rig 1 / left.*in use by process {os.getpid()}: "
    with rig(real), pytest.raises(ConfigurationError, match=taken), rig(real):
        pass
    with rig(real):  # free again
        pass


def test_simulations_run_side_by_side(simulated: MachineConfig) -> None:
    with rig(simulated), rig(simulated):
        pass


def test_a_second_window_is_refused_by_the_name_of_the_first(tmp_path: Path) -> None:
    taken = f"window: is in use by process {os.getpid()}: "
    with only_window(tmp_path), pytest.raises(ConfigurationError, match=taken), only_window(tmp_path):
        pass
    with only_window(tmp_path):  # free again
        pass


def test_a_lock_taken_in_one_thread_is_given_back_in_another(tmp_path: Path) -> None:
    held = ExitStack()
    thread = threading.Thread(target=lambda: held.enter_context(only_window(tmp_path)))
    thread.start()
    thread.join()
    held.close()
    with only_window(tmp_path):
        pass


def test_another_user_of_the_computer_takes_the_rig_after_the_first(real: MachineConfig, tmp_path: Path) -> None:
    """Its files stay in the temporary folder and belong to the first user; the second one writes to them, too."""
    with rig(real):
        pass
    files = sorted(tmp_path.glob("squid-hcs-rig-1-left.*"))
    assert [file.suffix for file in files] == [".lock", ".owner"]
    if os.name == "posix":
        assert [oct(file.stat().st_mode & 0o777) for file in files] == ["0o666"] * 2


def test_a_rig_is_not_refused_because_its_owner_cannot_be_noted(real: MachineConfig, tmp_path: Path) -> None:
    (tmp_path / "squid-hcs-rig-1-left.owner").mkdir()
    with rig(real), pytest.raises(ConfigurationError, match="in use by another program"), rig(real):
        pass
