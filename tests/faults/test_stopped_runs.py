"""A run is stopped at the worst moment: nothing moves or lights after it, no half-lit frame is taken for a good one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests import rig
from tests.control.core.queue_bench import until

from control.core import multi_point_controller, queue_runner
from control.core.run import Run
from control.core.session import Session
from control.core.stored_run import StoredRun
from squid.errors import DeviceError
from squid.models.plan import AcquisitionPlan
from squid.utils.persistent_queue import JobState
from squid.utils.worker_manager import WorkerManager

SLOW = 2.0
EXPOSURE_MS = 400.0


@pytest.fixture
def sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Session]]:
    monkeypatch.setenv("SQUID_SETTINGS_FOLDER", str(tmp_path / "user"))
    manager = WorkerManager(8, dump_file=tmp_path / "stacks.log")
    made: list[Session] = []

    def make(time_scale: float = rig.TIME_SCALE) -> Session:
        session = Session(rig.machine(tmp_path, time_scale=time_scale), None, manager, tmp_path / "user")
        made.append(session)
        session.open()
        return session

    yield make
    for session in made:
        session.close()
    manager.shutdown(timeout=1.0)


def long_exposures(folder: Path) -> AcquisitionPlan:
    channels = [{"config": "DAPI", "exposure": EXPOSURE_MS}]
    return rig.plan(folder, wells="B2", fields={"rows": 1, "columns": 1}, sequence={"channels": channels})


def started(session: Session, plan: AcquisitionPlan, output: Path) -> Run:
    session.queue.enqueue(plan, output, start=True)
    until(lambda: session.queue.current is not None)
    run = session.queue.current
    assert run is not None
    return run


def planes(folder: Path) -> list[Any]:
    stored = StoredRun.open(folder)
    return [stored.read(stored.layout.images[0], 0, 0, z) for z in range(3)]


def after_trigger(session: Session, monkeypatch: pytest.MonkeyPatch, number: int) -> threading.Event:
    """An event that is set once an exposure has begun."""
    camera, begun = session.microscope.camera, threading.Event()
    trigger = camera._do_trigger

    def tell(index: int) -> Any:
        exposure = trigger(index)
        if index == number:
            begun.set()
        return exposure

    monkeypatch.setattr(camera, "_do_trigger", tell)
    return begun


@pytest.mark.parametrize("how", ["emergency", "close"])
def test_the_frame_that_went_dark_in_its_exposure_is_taken_again_by_a_resume(
    sessions: Callable[..., Session], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    plan = long_exposures(tmp_path)
    session = sessions(SLOW)
    begun = after_trigger(session, monkeypatch, 1)
    run = started(session, plan, tmp_path / "out")
    assert begun.wait(20)
    if how == "emergency":
        session.emergency_stop()
    else:
        session.close()
    until(lambda: run.wait(0) is not None)
    summary = run.wait(0)
    assert summary is not None
    assert summary.status == "aborted"
    assert summary.reason.startswith("user (")
    assert not run.is_hung
    if how == "close":
        session = sessions(SLOW)
    until(lambda: session.queue.current is None)
    assert session.queue.resume_folder(run.folder).wait(20)
    until(lambda: session.queue.current is None)
    whole = started(session, plan, tmp_path / "whole")
    until(lambda: session.queue.view().current_id is None)
    for taken, expected in zip(planes(run.folder), planes(whole.folder), strict=True):
        np.testing.assert_array_equal(taken, expected)


def test_after_an_emergency_stop_nothing_of_the_run_reaches_stage_or_light(
    sessions: Callable[..., Session], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stop comes when the stage has been sent on its way: the move fails, and must not be tried again."""
    session = sessions(SLOW)
    stage, light, sent, stopped = session.microscope.stage, session.microscope.illumination, threading.Event(), []
    move_to, turn_on = stage._do_move_to, light._do_turn_on

    def moved(*args: Any, **kwargs: Any) -> Any:
        assert not stopped, "moved after the emergency stop"
        moving = move_to(*args, **kwargs)
        if session.status.snapshot().stored >= 6:
            sent.set()
        return moving

    def lit(*args: Any) -> Any:
        assert not stopped, "lit after the emergency stop"
        return turn_on(*args)

    monkeypatch.setattr(stage, "_do_move_to", moved)
    monkeypatch.setattr(light, "_do_turn_on", lit)
    run = started(session, rig.plan(tmp_path), tmp_path / "out")
    assert sent.wait(20)
    session.emergency_stop()
    stopped.append(True)
    until(lambda: run.wait(0) is not None)
    summary = run.wait(0)
    assert summary is not None
    assert summary.reason == "user (emergency stop)"
    assert summary.frames_missing == 0
    until(lambda: session.queue.view().current_id is None)
    assert not session.queue.view().is_open


@pytest.mark.parametrize("where", ["adding", "waiting", "starting"])
@pytest.mark.parametrize("how", ["emergency_stop", "abort"])
def test_a_stop_while_a_run_is_being_started_is_not_forgotten(
    sessions: Callable[..., Session], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, how: str
) -> None:
    session = sessions()
    begun, go_on = threading.Event(), threading.Event()
    reserved = threading.Event()

    def slow(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            begun.set()
            assert go_on.wait(20)
            return function(*args)

        return call

    if where == "adding":
        monkeypatch.setattr(queue_runner, "plan_text", slow(queue_runner.plan_text))
    elif where == "starting":
        slowly = slow(multi_point_controller.create_run_folder)
        monkeypatch.setattr(multi_point_controller, "create_run_folder", slowly)
    moves: list[Any] = []
    move_to = session.microscope.stage._do_move_to
    monkeypatch.setattr(session.microscope.stage, "_do_move_to", lambda *axes: (moves.append(axes), move_to(*axes))[1])
    holder = threading.Thread(target=_hold, args=(session, reserved, go_on))
    if where == "waiting":
        holder.start()
        assert reserved.wait(20)
        monkeypatch.setattr(session.queue._starter, "_stop_live", begun.set)
    handle = session.queue.enqueue(rig.plan(tmp_path), tmp_path / "out", start=True)
    assert begun.wait(20)
    if how == "abort":
        session.queue.abort()
    else:
        session.emergency_stop()
    go_on.set()
    assert handle.wait(20)
    until(lambda: session.queue.view().current_id is None)
    assert moves == []
    assert not session.queue.view().is_open
    runs = session.queue.view().runs
    assert [run.state for run in runs] == [JobState.FAILED if where == "starting" else JobState.WAITING]
    if holder.is_alive():
        holder.join(20)
    assert session.queue.start().wait(20)  # a person wants it after all
    if where == "starting":
        assert runs[0].run_folder is not None
        session.queue.resume(runs[0].id)
    until(lambda: session.queue.view().runs[-1].state is JobState.DONE)


def _hold(session: Session, reserved: threading.Event, go_on: threading.Event) -> None:
    with session.microscope.reserve("a person's hands"):
        reserved.set()
        go_on.wait(20)


def test_a_stopped_run_leaves_the_camera_idle(
    sessions: Callable[..., Session], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = sessions(SLOW)
    begun = after_trigger(session, monkeypatch, 1)
    run = started(session, long_exposures(tmp_path), tmp_path / "out")
    assert begun.wait(20)
    session.emergency_stop()
    until(lambda: run.wait(0) is not None)

    def takes() -> bool:
        try:
            session.microscope.camera.trigger(10**9).frame.result(20)
        except DeviceError:
            return False
        return True

    until(takes)
