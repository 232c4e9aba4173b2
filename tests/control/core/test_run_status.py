"""What a run is doing, for people to look at."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from tests.control.core.layouts import layout, plate, positions_layout
from tests.control.core.records import event, record

from control.core.facts import (
    EventStarted,
    Fact,
    FrameMissing,
    FrameStored,
    Hung,
    Paused,
    Resumed,
    RunFinished,
    RunStarted,
    Waiting,
)
from control.core.plan_wells import NO_WELL, PlanWells
from control.core.run_status import MISSING_KEPT, RunStatus
from control.core.run_view import RunState

FOLDER = Path("plate_7")


class Watched:
    """A status on a clock that the test moves."""

    def __init__(self, *facts: Fact) -> None:
        self.now_s = 1000.0
        self.status = RunStatus(lambda: self.now_s)
        for fact in facts:
            self.status.hear(fact)

    def hear(self, fact: Fact, after_s: float = 0.0) -> None:
        self.now_s += after_s
        self.status.hear(fact)


def _started(**changes: object) -> RunStarted:
    """2 wells x 2 fields x 2 channels x 3 planes = 24 frames."""
    data = layout([(1, 2), (3, 4)], [(-100.0, 0.0), (100.0, 0.0)], size_z=3)
    fields: dict[str, object] = {"estimated_s": 24.0, "already_stored": 0, "image_of": lambda index: index // 6}
    return RunStarted(FOLDER, data, **{**fields, **changes})  # type: ignore[arg-type]


def test_before_the_first_run_nothing_is_known() -> None:
    view = RunStatus().snapshot()
    assert (view.state, view.planned, view.folder, len(view.wells)) == (RunState.IDLE, 0, None, 0)


def test_frames_are_counted_by_well() -> None:
    watched = Watched(_started())
    for index in range(7):
        watched.hear(EventStarted(event(index, image=index // 6, t=0)), 1.0)
        watched.hear(FrameStored(record(index, image=index // 6)))
    watched.hear(EventStarted(event(14, image=2, t=0, c=1, z=2, channel="FITC")))
    view = watched.status.snapshot()
    assert [well.name for well in view.wells] == ["B3", "D5"]
    assert view.well_planned.tolist() == [12, 12]
    assert view.well_stored.tolist() == [7, 0]
    assert (view.state, view.stored, view.planned, view.missing) == (RunState.RUNNING, 7, 24, 0)
    assert view.event is not None
    assert (view.event.well, view.event.field, view.event.fields) == (1, 0, 2)
    assert (view.event.c, view.event.z, view.event.size_c, view.event.size_z) == (1, 2, 2, 3)
    assert view.frames_per_s == pytest.approx(1.0, rel=0.2)
    assert view.elapsed_s == pytest.approx(7.0)
    assert view.eta_s == pytest.approx(17.0, rel=0.05)


def test_holes_are_counted_at_their_well_and_taken_back_when_the_frame_comes() -> None:
    watched = Watched(_started())
    watched.hear(FrameStored(record(0)))
    watched.hear(FrameMissing(13, "the stage did not arrive"))
    watched.hear(FrameMissing(5, "lost"))
    view = watched.status.snapshot()
    assert view.well_missing.tolist() == [1, 1]
    assert [(hole.index, hole.well, hole.reason) for hole in view.missing_frames] == [
        (13, 1, "the stage did not arrive"),
        (5, 0, "lost"),
    ]
    watched.hear(FrameStored(record(13, image=2)))
    view = watched.status.snapshot()
    assert (view.stored, view.missing, view.well_missing.tolist()) == (2, 1, [1, 0])


def test_only_the_last_holes_are_listed_and_all_are_counted() -> None:
    data = layout([(0, 0)], size_t=500, channels=("DAPI",))
    watched = Watched(RunStarted(FOLDER, data, 1.0, 0, image_of=lambda index: 0))
    for index in range(300):
        watched.hear(FrameMissing(index, "lost"))
    view = watched.status.snapshot()
    assert (view.missing, len(view.missing_frames), view.missing_frames[-1].index) == (300, MISSING_KEPT, 299)


def test_a_resumed_run_counts_what_earlier_parts_stored() -> None:
    watched = Watched(_started(already_stored=8, stored_by_image={0: 6, 1: 2}, missing={9: "lost"}))
    view = watched.status.snapshot()
    assert (view.stored, view.missing) == (8, 1)
    assert (view.well_stored.tolist(), view.well_missing.tolist()) == ([8, 0], [1, 0])


def test_a_resumed_run_that_retakes_its_holes_is_under_way() -> None:
    stored = dict.fromkeys(range(4), 6) | {1: 5}
    watched = Watched(_started(already_stored=23, stored_by_image=stored, missing={9: "lost"}))
    watched.hear(EventStarted(event(9, image=1, t=0)))
    view = watched.status.snapshot()
    assert (view.state, view.missing) == (RunState.RUNNING, 1)
    assert view.eta_s is not None
    assert view.eta_s > 0
    watched.hear(FrameStored(record(9, image=1)))
    view = watched.status.snapshot()
    assert (view.state, view.stored, view.missing) == (RunState.ENDING, 24, 0)
    assert view.well_missing.tolist() == [0, 0]


def test_waits_and_pauses_show_and_end() -> None:
    watched = Watched(_started())
    watched.hear(Waiting("the next time point", 60.0))
    watched.now_s += 20.0
    view = watched.status.snapshot()
    assert (view.state, view.waiting, view.wait_left_s) == (RunState.WAITING, "the next time point", 40.0)
    watched.hear(FrameStored(record(0)))  # of the time point before: it still waits
    assert watched.status.snapshot().state is RunState.WAITING
    watched.hear(EventStarted(event(1)), 40.0)
    assert watched.status.snapshot().state is RunState.RUNNING
    watched.hear(Waiting("the disk is full"))
    assert watched.status.snapshot().wait_left_s is None
    assert watched.status.snapshot().state is RunState.WAITING
    watched.hear(FrameStored(record(1)))  # the disk takes frames again
    assert watched.status.snapshot().state is RunState.RUNNING
    watched.hear(Paused())
    assert watched.status.snapshot().state is RunState.PAUSED
    watched.hear(Resumed())
    assert watched.status.snapshot().state is RunState.RUNNING


def test_a_wait_ends_by_itself_when_its_time_is_over() -> None:
    watched = Watched(_started())
    watched.hear(Waiting("the next time point", 60.0))
    watched.now_s += 61.0
    assert watched.status.snapshot().state is RunState.RUNNING


def test_a_hang_and_the_end_are_told_truly() -> None:
    watched = Watched(_started())
    for index in range(4):
        watched.hear(EventStarted(event(index, t=0)))
        watched.hear(FrameStored(record(index)))
    hung = Hung("camera", "trigger", 3.0, FOLDER / "stacks.log")
    watched.hear(hung)
    view = watched.status.snapshot()
    assert (view.state, view.hung, view.eta_s) == (RunState.ENDING, hung, None)
    watched.hear(RunFinished("aborted", "hung: camera.trigger", 4, 0), 2.0)
    watched.now_s += 100.0
    view = watched.status.snapshot()
    assert (view.state, view.status, view.reason) == (RunState.FINISHED, "aborted", "hung: camera.trigger")
    assert (view.next_index, view.elapsed_s, view.event) == (4, 2.0, None)


def test_a_resume_begins_with_the_first_hole() -> None:
    watched = Watched(_started())
    for index in range(10):
        watched.hear(FrameMissing(index, "lost") if index == 3 else FrameStored(record(index)))
    watched.hear(RunFinished("aborted", "user", 9, 1))
    assert watched.status.snapshot().next_index == 3


def test_when_all_frames_are_accounted_for_the_run_ends() -> None:
    data = layout([(0, 0)])
    watched = Watched(RunStarted(FOLDER, data, 1.0, 0))
    for index in range(2):
        watched.hear(FrameStored(record(index)))
    assert watched.status.snapshot().state is RunState.ENDING


def test_the_next_run_begins_with_a_new_number() -> None:
    watched = Watched(_started())
    first = watched.status.snapshot()
    watched.hear(RunFinished("completed", "", 24, 0))
    watched.hear(_started())
    view = watched.status.snapshot()
    assert (first.number, view.number) == (1, 2)
    assert (view.state, view.stored, view.status) == (RunState.RUNNING, 0, "")


def test_a_view_does_not_change_afterwards() -> None:
    watched = Watched(_started())
    view = watched.status.snapshot()
    watched.hear(FrameStored(record(0)))
    assert view.well_stored.tolist() == [0, 0]


def test_free_positions_are_wells_without_a_place_on_a_plate() -> None:
    wells = PlanWells.of(positions_layout([("colony", 0, 0.0, 0.0), ("colony", 1, 300.0, 0.0), ("edge", 0, 9e3, 5e3)]))
    assert [(well.name, well.row) for well in wells.wells] == [("colony", NO_WELL), ("edge", NO_WELL)]
    assert wells.well_of_image.tolist() == [0, 0, 1]
    assert wells.offset_um.tolist() == [[-150.0, 0.0], [150.0, 0.0], [0.0, 0.0]]


def test_frames_that_a_channel_leaves_out_are_left_out_of_every_well() -> None:
    data = layout([(0, 0), (0, 1), (0, 2)], size_z=3, frames=12)  # the second channel takes the middle plane only
    wells = PlanWells.of(data)
    assert wells.planned.tolist() == [4, 4, 4]


def test_a_plate_of_76_million_frames_costs_little() -> None:
    fields = [(300.0 * column, 300.0 * row) for row in range(5) for column in range(5)]
    wells = [(row, column) for row in range(32) for column in range(48)]
    data = layout(wells, fields, channels="abcde", size_z=20, size_t=20, on=plate(32, 48))
    assert data.frames_planned == 76_800_000
    status = RunStatus()
    status.hear(RunStarted(FOLDER, data, 1e6, 0))
    facts = [FrameStored(record(index, image=index * 7 % len(data.images))) for index in range(2000)]
    begin_s = time.thread_time()
    for fact in facts:
        status.hear(fact)
    each_us = (time.thread_time() - begin_s) / len(facts) * 1e6
    begin_s = time.thread_time()
    view = status.snapshot()
    snapshot_ms = (time.thread_time() - begin_s) * 1e3
    assert view.well_stored.sum() == 2000
    assert view.well_planned.sum() == 76_800_000
    assert np.unique(view.well_planned).tolist() == [50_000]
    assert each_us < 50  # measured: 2; processor time of this thread, so that a busy machine does not count
    assert snapshot_ms < 20  # measured: 0.02
