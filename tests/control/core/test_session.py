"""The session: what the window works with, opened once, and closed within bounds whatever hangs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import rig

from control.core.rig import rig as taken
from control.core.run_view import RunState
from control.core.session import Session
from squid.drivers.simulated.illumination import SimulatedIllumination
from squid.drivers.simulated.stage import SimulatedStage
from squid.errors import ConfigurationError
from squid.machine_file import MachineConfig
from squid.utils.persistent_queue import JobState
from squid.utils.worker_manager import WorkerManager


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[WorkerManager]:
    made = WorkerManager(8, dump_file=tmp_path / "stacks.log")
    yield made
    made.shutdown(timeout=1.0)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MachineConfig:
    monkeypatch.setenv("SQUID_SETTINGS_FOLDER", str(tmp_path / "user"))
    return rig.machine(tmp_path)


@pytest.fixture
def session(tmp_path: Path, manager: WorkerManager, machine: MachineConfig) -> Iterator[Session]:
    opened = Session(machine, None, manager, tmp_path / "user")
    opened.open()
    yield opened
    opened.close()


def until(condition: object, timeout_s: float = 30.0) -> None:
    end = time.monotonic() + timeout_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        threading.Event().wait(0.005)


def long_run(session: Session, folder: Path) -> None:
    plan = rig.plan(folder, wells="A1:H12", fields={"rows": 4, "columns": 4})
    session.queue.enqueue(plan, folder / "out", start=True)
    until(lambda: session.status.snapshot().stored > 0)


def test_it_says_which_device_it_opens(tmp_path: Path, manager: WorkerManager, machine: MachineConfig) -> None:
    session = Session(machine, None, manager, tmp_path / "user")
    labels: list[str] = []
    session.open(labels.append)
    assert labels == list(session.microscope.devices)
    session.close()
    assert not any(device.is_open for device in session.microscope.devices.values())


def test_a_run_goes_through_to_status_and_previews(session: Session, tmp_path: Path) -> None:
    session.queue.enqueue(rig.plan(tmp_path), tmp_path / "out", start=True)
    until(lambda: session.status.snapshot().state is RunState.FINISHED)
    assert session.status.snapshot().stored == rig.FRAMES
    assert session.previews.newest() is not None


def test_a_run_ended_in_this_program_can_be_resumed_in_it(session: Session, tmp_path: Path) -> None:
    long_run(session, tmp_path)
    session.queue.abort()
    until(lambda: session.queue.current is None)
    stored = session.status.snapshot().stored
    folder = session.status.snapshot().folder
    assert folder is not None
    session.queue.resume_folder(folder)
    until(lambda: session.status.snapshot().stored > stored)
    assert session.status.snapshot().folder == folder


def test_an_emergency_stop_confirms_and_ends_the_run(session: Session, tmp_path: Path) -> None:
    long_run(session, tmp_path)
    done = session.emergency_stop().result(10)
    assert (done.dark, done.stopped) == (True, True)
    until(lambda: session.queue.view().current_id is None)  # its end is noted by then
    assert not session.queue.view().is_open
    assert session.run_queue.runs(JobState.FAILED)[0].reason == "user (emergency stop)"


def test_edited_presets_serve_the_next_run(session: Session, tmp_path: Path) -> None:
    preset = session.presets.get("20x", "DAPI")
    session.presets.save("20x", "DAPI", preset.model_copy(update={"intensity": 0.77}))
    session.use_presets()
    assert session.microscope.config.channels_of("20x")["DAPI"].intensity == 0.77
    session.queue.enqueue(rig.plan(tmp_path), tmp_path / "out", start=True)
    until(lambda: session.status.snapshot().state is RunState.FINISHED)
    folder = session.status.snapshot().folder
    assert folder is not None
    assert "0.77" in (folder / "machine.yaml").read_text()


def test_closing_ends_a_run_and_leaves_the_rest_to_be_resumed(session: Session, tmp_path: Path) -> None:
    long_run(session, tmp_path)
    session.close()
    view = session.status.snapshot()
    until(lambda: session.status.snapshot().state is RunState.FINISHED)
    assert 0 < view.stored < view.planned
    assert not session.microscope.camera.is_open


@pytest.mark.parametrize("hanging", ["illumination.all_off", "stage.stop", "close"])
def test_closing_is_bounded_whatever_hangs(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hanging: str
) -> None:
    hang = threading.Event()
    kind, name = {
        "illumination.all_off": (SimulatedIllumination, "all_off"),
        "stage.stop": (SimulatedStage, "stop"),
        "close": (SimulatedStage, "_do_close"),
    }[hanging]
    long_run(session, tmp_path)
    monkeypatch.setattr(kind, name, lambda _: hang.wait(60))
    begin = time.monotonic()
    session.close()
    assert time.monotonic() - begin < 8.0
    hang.set()


def test_a_rig_that_another_program_has_is_not_opened(
    tmp_path: Path, manager: WorkerManager, machine: MachineConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("control.core.rig.SIMULATED", "nothing is simulated")
    session = Session(machine, None, manager, tmp_path / "user")
    with taken(machine), pytest.raises(ConfigurationError, match="is in use by process"):
        session.open()
    assert not session.microscope.stage.is_open
    session.open()  # free again
    session.close()
