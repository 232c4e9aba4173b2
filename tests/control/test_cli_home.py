"""``--home``: homing on the command line, before the run and its checks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from tests import rig

from control.cli import EXIT_ABORTED, EXIT_COMPLETED, EXIT_REFUSED, main
from control.cli_home import home
from control.cli_machine import with_time_scale
from control.cli_stop import StopRequests
from control.core import device_calls
from squid.drivers.simulated.stage import SimulatedStage
from squid.machine_file import MachineConfig, read_machine_file

PLAN = """
name: p
plate: 96 well plate
wells: A1
sequence: {channels: [{config: DAPI, exposure: 1}], z_plan: {relative: [1500]}}
"""
"""Its plane is 1500 µm above where the stage stands."""


@pytest.fixture
def lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MachineConfig:
    """A simulated machine whose stage does not know where it is."""
    monkeypatch.setenv("SQUID_SETTINGS_FOLDER", str(tmp_path / "user"))
    rig.machine(tmp_path)
    file = tmp_path / "machine.yaml"
    data = yaml.safe_load(file.read_text())
    data["devices"]["stage"].setdefault("options", {})["homed"] = False
    file.write_text(yaml.safe_dump(data))
    return read_machine_file(file)


@pytest.fixture
def run(lost: MachineConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Carry out ``hcs run`` with these options; gives exit code, output and errors."""
    machine, plan = tmp_path / "machine.yaml", tmp_path / "plan.yaml"

    plan.write_text(PLAN)

    def carry_out(*options: str) -> tuple[int, str, str]:
        command = ["run", str(plan), "--machine", str(machine), "--output", str(tmp_path / "out"), *options]
        return main(command), *capsys.readouterr()

    return carry_out


def test_a_plan_that_counts_from_where_the_stage_stands_runs_once_it_is_homed(
    run: Callable[..., tuple[int, str, str]],
) -> None:
    """And a fault that cannot happen is told first of all."""
    code, _, refused = run()
    assert code == EXIT_REFUSED
    assert "home the stage first (hcs run --home)" in refused
    code, said, told = run("--home", "--inject", "camera.lost_frame@frame=99")
    assert code == EXIT_COMPLETED, told
    assert said.startswith("homes the stage, up to ")
    warning = "warning: camera.lost_frame@frame=99 will never happen: the plan has 1 frame, counted from 0"
    assert told.splitlines()[0] == warning


def test_a_stage_that_hangs_in_homing_ends_it_with_the_light_off(
    run: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()
    monkeypatch.setattr(device_calls, "CALL_S", 0.1)
    monkeypatch.setattr(device_calls, "MOVE_MARGIN_S", 0.1)
    monkeypatch.setattr(SimulatedStage, "_do_home", lambda _: released.wait(60))
    try:
        code, _, told = run("--home")
    finally:
        released.set()
    assert code == EXIT_ABORTED
    assert told.startswith("hcs: stage: was not homed: ")
    assert "stage.home did not return" in told
    assert "light off" in told


def test_a_request_to_stop_stops_the_homing(lost: MachineConfig) -> None:
    stop = StopRequests()
    with rig.rig(with_time_scale(lost, 1.0)) as bench:
        stage = bench.microscope.stage
        begin = stage.home

        def interrupted() -> object:
            stop.requested = "SIGINT"
            return begin()

        stage.home = interrupted  # type: ignore[method-assign, assignment]
        home(bench.microscope, bench.manager, stop)
        assert stop.requested is not None
        assert not stage.is_homed
        assert not stage.is_moving
        assert bench.microscope.owner is None
