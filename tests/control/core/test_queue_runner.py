"""Plans one after another, on a simulated microscope."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.control.core.queue_bench import bench, until
from tests.rig import FRAMES, machine, plan

from control.core import multi_point_controller, queue_runner, queue_view
from control.core.multi_point_controller import MultiPointController
from control.core.run import USER, Run
from control.core.run_queue import RunQueue
from control.core.run_record import read_summary
from control.core.run_view import RunState
from squid.errors import StorageError
from squid.microscope import Microscope
from squid.utils.persistent_queue import JobState, PersistentQueue
from squid.utils.task import TaskPriority
from squid.utils.worker_manager import WorkerManager


def test_plans_run_in_order_and_leave_their_frames_and_pictures(tmp_path: Path) -> None:
    with bench(tmp_path) as rig:
        rig.enqueue("first")
        rig.enqueue("second")
        assert rig.states() == [("first", JobState.WAITING), ("second", JobState.WAITING)]
        assert rig.queue.start().wait(20)
        until(rig.is_idle)
        runs = rig.queue.view().runs
        assert rig.states() == [("first", JobState.DONE), ("second", JobState.DONE)]
        assert [(run.frames_stored, run.frames_planned) for run in runs] == [(FRAMES, FRAMES)] * 2
        assert len(rig.live_stopped) == 2
        view = rig.status.snapshot()
        assert (view.state, view.name, view.stored, view.status) == (RunState.FINISHED, "second", FRAMES, "completed")
        assert view.well_stored.tolist() == [12, 12]
        assert rig.previews.tile_revisions().tolist() == [4, 4]  # 2 fields x 2 channels, middle plane only
        assert rig.queue.view().holding == ""


def test_what_is_added_to_an_empty_queue_waits_for_a_person(tmp_path: Path) -> None:
    with bench(tmp_path) as rig:
        rig.enqueue("first", start=True)
        until(rig.is_idle)
        rig.enqueue("second")
        assert rig.states()[1] == ("second", JobState.WAITING)
        assert rig.queue.current is None


def test_a_plan_to_start_now_goes_first(tmp_path: Path) -> None:
    with bench(tmp_path) as rig:
        rig.enqueue("overnight")
        handle = rig.queue.enqueue(rig.plan("now"), rig.output, front=True)
        assert handle.wait(20)
        assert [name for name, _ in rig.states()] == ["now", "overnight"]


def test_a_fault_holds_the_queue_and_says_why_and_a_resume_takes_the_rest(tmp_path: Path) -> None:
    with bench(tmp_path, "stage.exception@move=4,times=2") as rig:
        rig.enqueue("first", recovery={"on_stage_failure": "abort"})
        rig.enqueue("second")
        rig.queue.start()
        until(lambda: rig.queue.view().holding != "")
        until(rig.is_idle)
        assert rig.states() == [("first", JobState.FAILED), ("second", JobState.WAITING)]
        assert "first was ended by a fault: stage" in rig.queue.view().holding
        broken = rig.queue.view().runs[0]
        assert broken.run_folder is not None
        assert rig.queue.view().offered == (broken,)
        assert rig.queue.resume(broken.id).wait(20)
        until(rig.is_idle)
        assert rig.states() == [("first", JobState.DONE), ("second", JobState.DONE)], "one line for each run folder"
        assert rig.queue.view().offered == ()
        assert read_summary(broken.run_folder).status == "completed"
        assert read_summary(broken.run_folder).parts == 2


def test_with_the_option_the_queue_goes_on_after_a_fault(tmp_path: Path) -> None:
    with bench(tmp_path, "stage.exception@move=4,times=2") as rig:
        rig.queue.go_on_after_faults(True)
        rig.enqueue("first", recovery={"on_stage_failure": "abort"})
        rig.enqueue("second", start=True)
        until(rig.is_idle)
        assert rig.states() == [("first", JobState.FAILED), ("second", JobState.DONE)]


def test_a_run_that_stored_nothing_holds_the_queue_in_any_case(tmp_path: Path) -> None:
    with bench(tmp_path, "camera.exception@frame=0,times=always") as rig:
        rig.queue.go_on_after_faults(True)
        rig.enqueue("first", recovery={"on_missing_frame": "abort"})
        rig.enqueue("second", start=True)
        until(rig.is_idle)
        assert rig.states() == [("first", JobState.FAILED), ("second", JobState.WAITING)]


def test_a_refused_plan_says_why_and_nothing_moves(tmp_path: Path) -> None:
    with bench(tmp_path) as rig:
        rig.enqueue("too far", z_um=9e9)
        rig.enqueue("second", start=True)
        until(rig.is_idle)
        first = rig.queue.view().runs[0]
        assert (first.state, first.run_folder) == (JobState.FAILED, None)
        assert "too far was refused" in rig.queue.view().holding
        assert "allowed: z 0 to 6000 µm" in first.reason
        assert rig.microscope.owner is None
        assert rig.told == []


def test_a_run_waits_until_the_microscope_is_free(tmp_path: Path) -> None:
    with bench(tmp_path) as rig, rig.microscope.reserve("a person's hands"):
        handle = rig.queue.enqueue(rig.plan("first"), rig.output, start=True)
        until(lambda: rig.live_stopped == ["a person's hands"])
        assert not handle.is_finished
        assert rig.queue.current is None
        assert handle.cancel()
        assert handle.wait(20)
        assert rig.states() == [("first", JobState.WAITING)]
        rig.queue.hold()


def test_pause_go_on_and_abort(tmp_path: Path) -> None:
    with bench(tmp_path) as rig:
        rig.enqueue("first", wells="B2:D6")
        rig.enqueue("second", start=True)
        until(lambda: rig.status.snapshot().stored > 3)
        rig.queue.pause()
        until(lambda: rig.status.snapshot().state is RunState.PAUSED)
        rig.queue.go_on()
        until(lambda: rig.status.snapshot().state is RunState.RUNNING)
        rig.queue.abort()
        until(rig.is_idle)
        assert rig.states() == [("first", JobState.FAILED), ("second", JobState.WAITING)]
        assert "ended by you" in rig.queue.view().holding
        view = rig.status.snapshot()
        assert view.status == "aborted"
        assert view.next_index == view.stored


def test_a_held_queue_lets_the_run_end_and_starts_no_other(tmp_path: Path) -> None:
    with bench(tmp_path) as rig:
        rig.enqueue("first", wells="B2:D6")
        rig.enqueue("second")
        assert rig.queue.start().wait(20)
        rig.queue.hold("by a person")
        until(lambda: rig.queue.view().current_id is None)
        assert rig.states() == [("first", JobState.DONE), ("second", JobState.WAITING)]
        assert rig.queue.view().holding == "by a person"


def test_order_and_taking_out(tmp_path: Path) -> None:
    with bench(tmp_path) as rig:
        for name in ("a", "b", "c"):
            rig.enqueue(name)
        ids = {run.name: run.id for run in rig.queue.view().runs}
        assert rig.queue.move(ids["c"], ids["a"]).wait(20)
        assert rig.queue.cancel(ids["b"]).wait(20)
        waiting = [name for name, state in rig.states() if state is JobState.WAITING]
        assert waiting == ["c", "a"]


def test_what_cannot_be_resumed_is_told(tmp_path: Path) -> None:
    with bench(tmp_path) as rig:
        rig.enqueue("a")
        handle = rig.queue.resume(rig.queue.view().runs[0].id, rig.told.append)
        assert handle.wait(20)
        until(lambda: bool(rig.told))
        assert "nothing to resume" in rig.told[0]


def test_everything_survives_the_program(tmp_path: Path) -> None:
    with bench(tmp_path) as rig:
        rig.enqueue("finished", start=True)
        until(rig.is_idle)
        rig.enqueue("waits")
        finished = rig.queue.view().runs[0].run_folder
    queue = RunQueue(tmp_path / "queue.sqlite")  # a run that is under way when the program dies
    taken = queue.take()
    assert taken is not None
    queue.close()
    with bench(tmp_path) as rig:
        assert [run.name for run in rig.queue.interrupted()] == ["waits"]
        assert rig.states() == [("finished", JobState.DONE), ("waits", JobState.INTERRUPTED)]
        assert rig.queue.view().runs[0].run_folder == finished
        assert rig.queue.resume(taken.id).wait(20)
        until(rig.is_idle)
        assert set(rig.states()) == {("finished", JobState.DONE), ("waits", JobState.DONE)}


def test_what_was_ended_by_the_program_s_end_is_offered_until_it_is_dismissed(tmp_path: Path) -> None:
    with bench(tmp_path) as rig:
        rig.enqueue("plate", wells="B2:D6", start=True)
        until(lambda: rig.status.snapshot().stored > 3)
        rig.queue.stop_now(f"{USER} (the window was closed)")
        until(rig.is_idle)
        folder = rig.queue.view().runs[0].run_folder
    with bench(tmp_path) as rig:
        (offered,) = rig.queue.interrupted()
        assert (offered.name, offered.state, offered.run_folder) == ("plate", JobState.FAILED, folder)
        rig.enqueue("waits")
        assert [run.name for run in rig.queue.view().listed] == ["plate", "waits"]
        assert rig.queue.clear_finished().wait(20)
        assert rig.queue.view().offered == (offered,), "what somebody wants back is not cleared away"
        assert rig.queue.cancel(offered.id).wait(20)
        assert rig.queue.view().offered == ()
        assert [run.name for run in rig.queue.view().listed] == ["waits", "plate"]
    with bench(tmp_path) as rig:
        assert rig.queue.interrupted() == []


def test_an_abort_is_a_person_s_word_and_not_offered_again_nor_is_what_was_deleted(tmp_path: Path) -> None:
    with bench(tmp_path) as rig:
        for reason in (USER, "stage: lost"):
            rig.enqueue("plate", wells="B2:D6", start=True)
            until(lambda: rig.status.snapshot().state is RunState.RUNNING)
            rig.queue.abort(reason)
            until(rig.is_idle)
        assert [run.is_offered for run in rig.queue.view().runs] == [False, True]
        assert len(rig.queue.interrupted()) == 1
        folder = rig.queue.view().offered[0].run_folder
        assert folder is not None
        shutil.rmtree(folder)
        assert rig.queue.interrupted() == []


def test_finished_runs_are_cleared_with_the_queue_s_copies_of_their_plans(tmp_path: Path) -> None:
    with bench(tmp_path) as rig:
        rig.enqueue("done", start=True)
        until(rig.is_idle)
        rig.enqueue("waits")
        folder = rig.queue.view().runs[0].run_folder
        assert len(list((tmp_path / "plans").iterdir())) == 2
        assert rig.queue.clear_finished().wait(20)
        assert rig.states() == [("waits", JobState.WAITING)]
        assert [run.plan_file for run in rig.queue.view().runs] == list((tmp_path / "plans").iterdir())
        assert folder is not None
        assert folder.is_dir()


def test_the_history_is_bounded_and_holds_each_folder_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_view, "ENDED_KEPT", 3)
    queue = RunQueue(tmp_path / "queue.sqlite")
    for number in range(5):
        queue.add(tmp_path / "plan.yaml", tmp_path, tmp_path / f"run {max(1, number)}")
        taken = queue.take()
        assert taken is not None
        queue.refuse(taken.id, "")
    queue.close()
    with bench(tmp_path) as rig:
        assert [run.run_folder for run in rig.queue.view().listed] == [tmp_path / f"run {n}" for n in (4, 3, 2)]
        assert len(rig.queue._queue.runs()) == 3, "in the file, too"


def test_a_broken_listener_and_a_broken_tap_do_not_disturb_the_run(tmp_path: Path) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("somebody's bug")

    manager = WorkerManager()
    with Microscope.build(machine(tmp_path)) as microscope:
        controller = MultiPointController(microscope, manager, (broken,), taps=(broken,))
        summary = controller.start(plan(tmp_path), tmp_path / "out").wait(60)
    manager.shutdown(timeout=2.0)
    assert summary is not None
    assert (summary.status, summary.frames_stored) == ("completed", FRAMES)


def test_when_ended_comes_once_the_microscope_is_free_and_at_once_afterwards(tmp_path: Path) -> None:
    manager = WorkerManager()
    owners: list[str | None] = []
    with Microscope.build(machine(tmp_path)) as microscope:
        run = MultiPointController(microscope, manager).start(plan(tmp_path), tmp_path / "out")
        run.when_ended(lambda: owners.append(microscope.owner))
        assert run.wait(60) is not None
        until(lambda: len(owners) == 1)
        run.when_ended(lambda: owners.append(microscope.owner))
    manager.shutdown(timeout=2.0)
    assert owners == [None, None]


@pytest.mark.parametrize("stored_first", [True, False])
def test_the_counts_of_a_resumed_run_go_on_by_well(tmp_path: Path, stored_first: bool) -> None:
    with bench(tmp_path) as rig:
        rig.enqueue("first", wells="B2:B7", start=True)
        until(lambda: rig.status.snapshot().stored > (14 if stored_first else 0))
        rig.queue.abort()
        until(rig.is_idle)
        part = rig.status.snapshot()
        folder = part.folder
        assert folder is not None
        assert rig.queue.resume_folder(folder).wait(20)
        begun = rig.status.snapshot()
        assert begun.stored >= part.stored
        until(rig.is_idle)
        view = rig.status.snapshot()
        assert (view.stored, view.status) == (72, "completed")
        assert view.well_stored.tolist() == view.well_planned.tolist() == [12] * 6


@pytest.mark.parametrize("call", ["finish", "started", "jobs"])
def test_a_queue_file_that_takes_nothing_costs_no_run_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """The disk of the user's folder is full, or another program has locked the file."""
    with bench(tmp_path) as rig:
        rig.enqueue("first")
        rig.enqueue("second")
        full = StorageError("queue.sqlite cannot be used: database or disk is full")
        broken = {"finish": ("finish",), "started": ("update",), "jobs": ("finish", "jobs")}[call]

        def refuse(*_: object) -> None:
            raise full

        begun = PersistentQueue.take

        def take(queue: PersistentQueue) -> object:
            job = begun(queue)
            for name in broken:
                monkeypatch.setattr(PersistentQueue, name, refuse)
            return job

        monkeypatch.setattr(PersistentQueue, "take", take)
        rig.queue.start()
        until(lambda: rig.status.snapshot().state is RunState.FINISHED)
        until(lambda: rig.queue.view().current_id is None)
        monkeypatch.undo()
        assert rig.status.snapshot().status == "completed"
        assert rig.microscope.owner is None
        assert "database or disk is full" in rig.queue.view().holding
        assert not rig.queue.view().is_open


def test_a_queue_that_cannot_be_read_between_two_runs_holds_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bench(tmp_path) as rig:
        rig.enqueue("first")
        rig.enqueue("second")
        take = PersistentQueue.take
        taken: list[object] = []

        def once(queue: PersistentQueue) -> object:
            if taken:
                raise StorageError("queue.sqlite cannot be used: database is locked")
            taken.append(take(queue))
            return taken[0]

        monkeypatch.setattr(PersistentQueue, "take", once)
        rig.queue.start()
        until(lambda: "database is locked" in rig.queue.view().holding)
        assert rig.is_idle()
        monkeypatch.undo()
        assert rig.queue.start().wait(20)
        until(rig.is_idle)
        assert [state for _, state in rig.states()] == [JobState.DONE] * 2


def test_the_queue_knows_the_folder_of_a_run_before_it_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that dies right after must offer this folder for resume, not a new one."""
    known: list[Path | None] = []
    execute = Run.execute
    with bench(tmp_path) as rig:
        queue = rig.queue._queue

        def look(run: Run) -> None:
            known.extend(each.run_folder for each in queue.runs(JobState.RUNNING))
            execute(run)

        monkeypatch.setattr(Run, "execute", look)
        rig.enqueue("first", start=True)
        until(rig.is_idle)
        assert known == [rig.queue.view().runs[0].run_folder]
        assert known[0] is not None


def test_a_plan_whose_copy_is_gone_is_refused_by_name(tmp_path: Path) -> None:
    with bench(tmp_path) as rig:
        rig.enqueue("first")
        rig.queue.view().runs[0].plan_file.unlink()
        rig.queue.start()
        until(lambda: rig.queue.view().holding != "")
        assert "first was refused" in rig.queue.view().holding
        assert "cannot be read" in rig.queue.view().holding
        assert rig.microscope.owner is None


def test_a_run_that_gets_no_thread_ends_and_gives_everything_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tasks without a limit hang in all threads: a run must not wait for ever, with the microscope in its hands."""
    monkeypatch.setattr(multi_point_controller, "THREAD_S", 0.2)
    go_on = threading.Event()
    with bench(tmp_path) as rig:
        for number in range(3):
            rig.manager.submit(f"hangs {number}", lambda: go_on.wait(60))
        submit = rig.manager.submit

        def last_thread(name: str, *args: Any, **kwargs: Any) -> Any:
            if name.startswith("run test"):
                submit("hangs 3", lambda: go_on.wait(60), priority=TaskPriority.CRITICAL)
            return submit(name, *args, **kwargs)

        monkeypatch.setattr(rig.manager, "submit", last_thread)
        rig.enqueue("test", start=True)
        until(rig.is_idle)
        assert "waited for more than 0.2 s" in rig.queue.view().runs[0].reason
        assert rig.microscope.owner is None
        go_on.set()


def test_a_queue_that_gets_no_thread_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_runner, "THREAD_S", 0.2)
    go_on = threading.Event()
    with bench(tmp_path) as rig:
        for number in range(4):
            rig.manager.submit(f"hangs {number}", lambda: go_on.wait(60))
        rig.queue.enqueue(rig.plan("test"), rig.output, start=True, on_error=rig.told.append)
        until(lambda: bool(rig.told))
        assert "waited for more than 0.2 s" in rig.told[0]
        go_on.set()
