"""The acquisition loop: carries out the events of a run, frame by frame, and knows what to do when one fails.

::

    for each event:   gate ─▶ start moves ─▶ settle the previous frame ─▶ time point ─▶ arrive ─▶ room ─▶ expose
                      pause,   (overlaps the   (read-out; a bad one is      wait,        checked   back-    light on,
                      abort    read-out)       retaken, or marked missing)  light off              pressure trigger

A frame that cannot be had is a hole at its own index, never a shift. Knows no Qt and no file: it is given what it
calls. Runs in one thread, and never waits for a device longer than physics and a margin allow.
"""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable, Iterator

from control.core.ahead import Ahead
from control.core.facts import EventStarted, FactStream
from control.core.frame_writer import FrameWriter
from control.core.hardware_sequence import PendingSequence, SequenceFailedError
from control.core.imaging import Imaging, Pending
from control.core.run_control import RunAborted, RunControl
from control.core.travel import Moves
from control.core.waits import Waits
from squid.errors import AcquisitionError, DeviceError, FrameTimeoutError, StageMoveError
from squid.models.event import AcquisitionEvent
from squid.models.frame import FrameRecord
from squid.models.geometry import Pixels, StagePosition
from squid.models.plan import Recovery

_log = logging.getLogger(__name__)

OUTAGES = 20
"""Most outages, lost connections for example, that one frame outlives."""


class MultiPointWorker:
    """Executes the events of one run.

    Parameters
    ----------
    imaging : Imaging
        Carries out one event on the devices.
    events : iterator of AcquisitionEvent
        What is still to be taken, in order of the plan.
    writer : FrameWriter
        Takes the frames.
    control : RunControl
        Pause and abort.
    facts : FactStream
        Is told what happens.
    objective : str
        The objective that the plan runs with.
    recovery : Recovery
        What to do when a frame or a move fails.
    elapsed_s : float
        What the clock of time points shows when the run is ready for its first event.
    on_waiting : callable
        Called every second or so while the run waits for a person or for the disk: that is not its own time.
    """

    def __init__(
        self,
        imaging: Imaging,
        events: Iterator[AcquisitionEvent],
        writer: FrameWriter,
        control: RunControl,
        facts: FactStream,
        *,
        objective: str,
        recovery: Recovery,
        elapsed_s: float,
        on_waiting: Callable[[], None],
    ) -> None:
        self._imaging = imaging
        self._groups = Ahead(imaging.sequences.group(events))
        self._writer = writer
        self._control = control
        self._facts = facts
        self._objective = objective
        self._recovery = recovery
        self._elapsed_s = elapsed_s
        self._origin_s = 0.0
        self._waits = Waits(imaging, writer, control, facts, on_waiting=on_waiting, settle=self._settle)
        self._pending: Pending | PendingSequence | None = None
        self._unreachable: tuple[int, int] | None = None
        self._failures_in_a_row = 0

    def run(self) -> None:
        """Take every event.

        Raises
        ------
        RunAborted
            Somebody aborted; the frame under way was kept.
        SquidError
            The run cannot go on; what was taken was handed to the writer. The light is off in each case.
        """
        try:
            self._imaging.prepare(self._objective)
            self._origin_s = time.monotonic() - self._elapsed_s
            for group in self._groups:
                left = group
                while left:
                    self._waits.gate()
                    left = self._take_first_of(left)
            self._settle()
        except RunAborted:
            self._settle()
            raise
        finally:
            self._waits.dark()

    def _take_first_of(self, group: tuple[AcquisitionEvent, ...]) -> tuple[AcquisitionEvent, ...]:
        """Take as many events of a group as go together, by the hardware or one by one; return the others."""
        first = group[0]
        if self._unreachable == (first.t, first.image) or not self._imaging.sequences.can_take(group):
            self._take(first)
            return group[1:]
        actual = self._get_ready(first)
        return group[1:] if actual is None else self._take_sequence(group)

    def _take_sequence(self, group: tuple[AcquisitionEvent, ...]) -> tuple[AcquisitionEvent, ...]:
        """Take a group by the hardware, the rig being ready for its first event; return what was not exposed."""

        def says(event: AcquisitionEvent) -> None:
            self._facts.say(EventStarted(event))

        try:
            self._pending = self._imaging.expose_sequence(group, self._shall_stop, says)
        except SequenceFailedError as failure:
            _log.warning("%s", failure)
            self._waits.dark()
            if self._waits.are_over(failure):
                self._imaging.sequences.forgive()
            for event in group[: failure.exposed]:
                self._retake(event, failure)
            return group[failure.exposed :]
        return group[len(self._pending.events) :]

    def _shall_stop(self) -> bool:
        return self._control.is_paused or self._control.abort_reason is not None or self._writer.is_down

    def _take(self, event: AcquisitionEvent) -> None:
        if self._unreachable == (event.t, event.image):
            self._settle()
            self._writer.skip(event.index, "its field could not be reached")
            return
        actual = self._get_ready(event)
        if actual is not None:
            self._expose(event, actual)

    def _get_ready(self, event: AcquisitionEvent) -> StagePosition | None:
        """Bring the rig to an event, and the frame before home; None when its field is left out."""
        moves = self._start(event)
        self._facts.say(EventStarted(event))
        self._groups.look()  # while the stage moves
        if self._settle(moves):
            moves = None  # the rig was elsewhere to retake a frame
        if event.restarts_clock:
            self._origin_s = time.monotonic()
        if event.min_start_s is not None:
            self._waits.until_due(self._origin_s + event.min_start_s)
        self._waits.for_room()
        try:
            return self._reach(event, moves)
        except StageMoveError as failure:
            self._skip_field(event, failure)
            return None

    def _start(self, event: AcquisitionEvent) -> Moves | None:
        """Start the moves; a failure is dealt with by `_reach`, after the frame under way is safe."""
        try:
            return self._imaging.start_moves(event)
        except DeviceError as failure:
            _log.warning("%s; will be tried again", failure)
            self._waits.dark()
            return None

    def _reach(self, event: AcquisitionEvent, moves: Moves | None) -> StagePosition:
        """Arrive at an event; one more try after a failure, homed first if the stage is lost."""
        may_retry = self._recovery.on_stage_failure != "abort"
        has_failed = False
        for _ in range(OUTAGES):
            try:
                if may_retry and moves is None:
                    self._imaging.home_if_lost()
                return self._imaging.arrive(event, moves or self._imaging.start_moves(event))
            except DeviceError as failure:
                moves = None
                if not self._waits.are_over(failure):
                    if has_failed or not may_retry:
                        raise
                    has_failed = True
                    _log.warning("%s; trying once more", failure)
            self._waits.dark()
        raise AcquisitionError(f"frame {event.index}: {OUTAGES} outages on the way to it")

    def _expose(self, event: AcquisitionEvent, actual: StagePosition) -> None:
        try:
            self._pending = self._imaging.expose(event, actual)
        except DeviceError as failure:
            self._retake(event, failure)

    def _settle(self, moves: Moves | None = None) -> bool:
        """Bring the frame under way home; returns whether the rig had to go back for it, from `moves` under way."""
        pending, self._pending = self._pending, None
        if pending is None:
            return False
        if isinstance(pending, PendingSequence):
            return self._settle_sequence(pending, moves)
        try:
            self._store(pending, attempts=1)
        except DeviceError as failure:
            if moves is not None:
                self._imaging.finish(moves)
            self._retake(pending.event, failure)
            return True
        return False

    def _settle_sequence(self, pending: PendingSequence, moves: Moves | None) -> bool:
        """Bring the frames of a sequence home, in order; those that are bad are taken again one by one."""
        went_back = False
        for event, taken in zip(pending.events, self._imaging.sequences.collect(pending), strict=True):
            if not isinstance(taken, DeviceError):
                self._put(*taken, attempts=1)
                continue
            if moves is not None and not went_back:
                self._imaging.finish(moves)
            went_back = True
            self._retake(event, taken)
        return went_back

    def _retake(self, event: AcquisitionEvent, failure: DeviceError) -> None:
        """Take a frame again after its first try failed, in place; after the last try its index is missing."""
        if isinstance(failure, FrameTimeoutError) and not self._imaging.frames_collected:
            raise AcquisitionError(
                f"the first frame never arrived: {failure}. Likely cause: the camera got no trigger; "
                "check its trigger mode and cable, and that no other program has it open"
            ) from failure
        tries = exposures = 1
        while tries <= self._recovery.tries_per_frame and exposures < OUTAGES:
            self._waits.dark()
            is_outage = self._waits.are_over(failure)
            tries += not is_outage
            if tries > self._recovery.tries_per_frame:
                break
            exposures += 1
            _log.warning("frame %d: %s; exposure %d", event.index, failure, exposures)
            self._waits.gate()
            try:
                self._waits.for_room()
                actual = self._reach(event, None)
                self._store(self._imaging.expose(event, actual), exposures)
            except DeviceError as e:
                failure = e
            else:
                return
        self._give_up(event, str(failure))

    def _store(self, pending: Pending, attempts: int) -> None:
        self._put(*self._imaging.collect(pending), attempts=attempts)

    def _put(self, record: FrameRecord, pixels: Pixels, *, attempts: int) -> None:
        clock_s = record.monotonic_s - self._origin_s
        self._writer.put(dataclasses.replace(record, attempts=attempts, clock_s=clock_s), pixels)
        self._failures_in_a_row = 0

    def _skip_field(self, event: AcquisitionEvent, failure: StageMoveError) -> None:
        """Give up the frames of a field that the stage does not reach, or the run, as the plan says."""
        if self._recovery.on_stage_failure != "skip":
            raise failure
        _log.error("%s; the field is skipped", failure)
        self._unreachable = (event.t, event.image)
        self._give_up(event, str(failure))

    def _give_up(self, event: AcquisitionEvent, reason: str) -> None:
        """Leave a hole at the event's index; too many in a row end the run."""
        self._writer.skip(event.index, reason)
        self._failures_in_a_row += 1
        if self._recovery.on_missing_frame == "abort":
            raise AcquisitionError(f"frame {event.index} is missing: {reason}")
        if self._failures_in_a_row >= self._recovery.max_failures_in_a_row:
            raise AcquisitionError(f"{self._failures_in_a_row} failures in a row; the last: {reason}")
