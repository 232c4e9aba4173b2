"""What a run is doing, for people to look at: hears the facts, and gives a picture of the whole when asked.

::

    facts ──hear──▶ counts by well, clock, missing frames ──snapshot──▶ RunView
    run ───follow─▶ vitals: step under way, queue's fill, abort ────────────┘

A fact costs a few microseconds in the thread that says it; what is dear is worked out in `snapshot`, in the thread of
whoever looks. Knows no Qt and no device; keeps nothing per frame but the holes.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np

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
from control.core.plan_wells import PlanWells
from control.core.run import Run, Vitals
from control.core.run_clock import RunClock
from control.core.run_view import EventView, MissingFrame, RunState, RunView, StepView
from squid.models.event import AcquisitionEvent
from squid.models.layout import DatasetLayout

MISSING_KEPT = 100
"""So many holes are listed with their reasons; all are counted."""

_NOT_BEGUN = Vitals(None, 0.0, "", False, None)


class RunStatus:
    """Follows the runs of one controller, one after another.

    Parameters
    ----------
    clock : callable
        `time.monotonic`, or a test's own.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._number = 0
        self._record: _RunRecord | None = None
        self._run: Run | None = None

    def hear(self, fact: Fact) -> None:
        """Take note of a fact; a listener of the controller."""
        if isinstance(fact, RunStarted):
            record = _RunRecord(fact, self._clock())  # some time for large plates, and not under the lock
            with self._lock:
                self._number += 1
                self._record = record
            return
        with self._lock:
            if self._record is not None:
                self._record.hear(fact, self._clock())

    def follow(self, run: Run) -> None:
        """Look at this run's step and queue, too; whoever starts a run says so."""
        self._run = run

    def snapshot(self) -> RunView:
        """Return the run as it is now; of an ended one, its end. From any thread, in well under a millisecond."""
        run = self._run
        with self._lock:
            if self._record is None:
                return RunView()
            is_ours = run is not None and run.folder == self._record.folder
            vitals = run.vitals() if run is not None and is_ours else _NOT_BEGUN
            return self._record.view(self._number, vitals, self._clock())


class _RunRecord:
    """What was heard of one run; its caller has the lock."""

    def __init__(self, start: RunStarted, now_s: float) -> None:
        layout = start.layout
        self.folder: Path = start.folder
        self._layout: DatasetLayout = layout
        self._wells = PlanWells.of(layout)
        self._fields = np.bincount(self._wells.well_of_image, minlength=len(self._wells.wells))
        self._image_of = start.image_of
        self._planned = layout.frames_planned
        self._stored = start.already_stored
        self._well_stored = np.zeros(len(self._wells.wells), np.int64)
        for image, count in start.stored_by_image.items():
            self._well_stored[self._wells.well_of_image[image]] += count
        self._well_missing = np.zeros(len(self._wells.wells), np.int64)
        self._missing: dict[int, int] = {}
        self._listed: deque[MissingFrame] = deque(maxlen=MISSING_KEPT)
        for index, reason in start.missing.items():
            self._note_missing(index, reason)
        self._to_retake = set(start.missing)
        self._clock = _clock_of(start, now_s)
        self._event: AcquisitionEvent | None = None
        self._begun_in_field = 0
        self._next_index: int | None = None
        self._is_paused = False
        self._waiting: Waiting | None = None
        self._wait_ends_s: float | None = None
        self._hung: Hung | None = None
        self._end: tuple[RunFinished, float] | None = None

    # --- what is heard ----------------------------------------------------------------------------------------------

    def hear(self, fact: Fact, now_s: float) -> None:
        match fact:
            case FrameStored():
                self._note_stored(fact, now_s)
            case EventStarted():
                self._note_event(fact.event)
                if self._next_index is None:
                    self._next_index = fact.event.index
                self._go_on(now_s)
            case FrameMissing():
                self._note_missing(fact.index, fact.reason)
                self._note_done(fact.index)
            case Waiting():
                self._waiting = fact
                self._wait_ends_s = None if fact.seconds is None else now_s + fact.seconds
                if fact.seconds is not None:
                    self._clock.idle(now_s, self._wait_ends_s)
            case Paused():
                self._is_paused = True
                self._clock.idle(now_s)
            case Resumed():
                self._is_paused = False
                self._go_on(now_s)
            case Hung():
                self._hung = fact
            case RunFinished():
                self._end = (fact, now_s)

    def _note_event(self, event: AcquisitionEvent) -> None:
        last, self._event = self._event, event
        is_same_field = last is not None and (last.image, last.t) == (event.image, event.t)
        self._begun_in_field = self._begun_in_field + 1 if is_same_field else 1

    def _note_stored(self, fact: FrameStored, now_s: float) -> None:
        record = fact.record
        event = record.event
        well = self._wells.well_of_image[event.image]
        self._stored += 1
        self._well_stored[well] += 1
        if self._missing and event.index in self._missing:
            self._well_missing[self._missing.pop(event.index)] -= 1
        self._clock.stored(now_s, record.monotonic_s, record.clock_s)
        self._note_done(event.index)
        if self._waiting is not None and self._wait_ends_s is None:
            self._waiting = None  # the disk takes frames again

    def _note_missing(self, index: int, reason: str) -> None:
        well = self._wells.well_of_image[self._image_of(index)] if self._image_of is not None else None
        if index not in self._missing and well is not None:
            self._well_missing[well] += 1
        self._missing[index] = -1 if well is None else int(well)
        self._listed.append(MissingFrame(index, self._missing[index], reason))

    def _note_done(self, index: int) -> None:
        self._to_retake.discard(index)
        self._next_index = max(self._next_index or 0, index + 1)

    def _go_on(self, now_s: float) -> None:
        self._waiting = self._wait_ends_s = None
        if not self._is_paused:
            self._clock.busy(now_s)

    # --- what is shown ----------------------------------------------------------------------------------------------

    def view(self, number: int, vitals: Vitals, now_s: float) -> RunView:
        end, end_s = self._end or (None, now_s)
        state = self._state(vitals, now_s)
        is_over = state in (RunState.ENDING, RunState.FINISHED)
        wait_left_s = self._wait_left_s(now_s) if state is RunState.WAITING else None
        is_stalled = state is RunState.WAITING and wait_left_s is None
        return RunView(
            state=state,
            number=number,
            folder=self.folder,
            name=self._layout.name,
            planned=self._planned,
            stored=self._stored,
            missing=len(self._missing),
            wells=self._wells.wells,
            well_planned=self._wells.planned,
            well_stored=self._well_stored.copy(),
            well_missing=self._well_missing.copy(),
            event=None if end else self._event_view(),
            step=None if end else _step_view(vitals),
            waiting=self._waiting_for(state, vitals),
            wait_left_s=wait_left_s,
            eta_s=None if is_over or is_stalled else self._clock.left_s(now_s, self._left),
            elapsed_s=self._clock.elapsed_s(end_s),
            frames_per_s=0.0 if end else self._clock.frames_per_s(now_s),
            disk_mb_s=0.0 if end else self._clock.frames_per_s(now_s) * self._layout.frame_bytes / 1e6,
            queue_fill=0.0 if end else vitals.queue_fill,
            hung=self._hung,
            missing_frames=tuple(self._listed),
            next_index=min((*self._missing, self._next_index or 0)) if is_over else self._next_index or 0,
            status=end.status if end else "",
            reason=end.reason if end else "",
        )

    @property
    def _left(self) -> int:
        """Frames that are neither stored nor given up; those given up in an earlier part are taken again."""
        return max(0, self._planned - self._stored - len(self._missing) + len(self._to_retake))

    def _state(self, vitals: Vitals, now_s: float) -> RunState:
        if self._end is not None:
            return RunState.FINISHED
        if self._hung is not None or vitals.abort_reason is not None:
            return RunState.ENDING
        if self._is_paused:
            return RunState.PAUSED
        if self._left == 0:
            return RunState.ENDING
        if vitals.storage_trouble:
            return RunState.WAITING
        if self._waiting is not None and (self._wait_ends_s is None or now_s < self._wait_ends_s):
            return RunState.WAITING
        return RunState.RUNNING

    def _waiting_for(self, state: RunState, vitals: Vitals) -> str:
        if vitals.storage_trouble and state in (RunState.WAITING, RunState.ENDING):
            return vitals.storage_trouble
        return self._waiting.reason if self._waiting and state is RunState.WAITING else ""

    def _wait_left_s(self, now_s: float) -> float | None:
        return None if self._wait_ends_s is None else max(0.0, self._wait_ends_s - now_s)

    def _event_view(self) -> EventView | None:
        event = self._event
        if event is None:
            return None
        image = self._layout.images[event.image]
        well = int(self._wells.well_of_image[event.image])
        return EventView(
            index=event.index,
            image=event.image,
            t=event.t,
            c=event.c,
            z=event.z,
            well=well,
            field=image.field,
            fields=int(self._fields[well]),
            size_t=image.size_t,
            size_c=len(self._layout.channels),
            size_z=image.size_z,
            channel=event.channel,
            begun_in_field=self._begun_in_field,
        )


def _step_view(vitals: Vitals) -> StepView | None:
    under_way = vitals.step
    if under_way is None:
        return None
    return StepView(str(under_way.step), under_way.step.deadline_s, under_way.age_s)


def _clock_of(start: RunStarted, now_s: float) -> RunClock:
    layout = start.layout
    rounds = layout.images[0].size_t if len(layout.images) else 1
    return RunClock(
        now_s,
        layout.frames_planned - start.already_stored,
        start.estimated_s,
        frames_per_round=-(-layout.frames_planned // max(1, rounds)),
        last_due_s=start.last_due_s,
        has_rounds=rounds > 1,
    )
