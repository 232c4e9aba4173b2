"""Several planned exposures in one command to the hardware, where plan, camera and devices allow.

::

    group(events) ──▶ (e0, e1, e2 …) ──▶ expose: camera armed for all, one command, reports and ends step by step
                      │                  collect: every frame, or the error in its place
                      └ too few, or not possible ──▶ the ordinary path, one by one

A group is channels and planes of one field. Its frames are believed only when all exposures of the group are settled:
a camera that misses one pulse delivers each later frame one exposure too early. Pause and abort end a sequence after
the exposure under way.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from control.core.device_calls import CALL_S, DeviceCalls
from control.core.frame_check import FrameCheck
from control.core.words import counted
from squid.abc.camera import BurstShot, Exposure, TriggerMode
from squid.abc.sequencer import Sequencer, SequenceRun, SequenceStep
from squid.errors import DeviceError, DeviceTimeoutError, FrameTimeoutError, LightLostError, StageMoveError
from squid.microscope import Microscope
from squid.models.channel import ChannelLayout
from squid.models.event import AcquisitionEvent
from squid.models.frame import FrameRecord
from squid.models.geometry import Pixels, StagePosition

_log = logging.getLogger(__name__)

GROUP_BYTES = 96 << 20
"""Most bytes of the frames of one sequence: it cannot wait for the disk in its middle."""

READOUT_MARGIN_MS = 0.2
"""Added to the camera's read-out: its clock is not the controller's."""

FIRST_FRAME_S = 5.0
"""What the first frame of a run gets beyond its exposure and read-out."""

FAILURES = 3
"""So many sequences that fail one after the other end their use for this run."""

Taken = tuple[FrameRecord, Pixels]
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class PendingSequence:
    """A sequence whose exposures are over, and whose last frames are being read out.

    Attributes
    ----------
    events : tuple of AcquisitionEvent
        Those that were exposed: the first of the group, all of them unless it was ended early.
    actual : tuple of StagePosition
        Read back at each trigger.
    exposures : tuple of Exposure
        The camera's.
    ended_s : tuple of float
        `time.monotonic` at the end of each exposure.
    """

    events: tuple[AcquisitionEvent, ...]
    actual: tuple[StagePosition, ...]
    exposures: tuple[Exposure, ...]
    ended_s: tuple[float, ...]


class SequenceFailedError(DeviceError):
    """A sequence was given up; the hardware is dark and stands, the camera is idle.

    Parameters
    ----------
    cause : DeviceError
        Why.
    exposed : int
        How many of the group's events may have been exposed, the first ones; none of their frames is believed.
    """

    def __init__(self, cause: DeviceError, exposed: int) -> None:
        super().__init__(cause.device, f"{cause.message} (in a hardware sequence)")
        self.exposed = exposed


class HardwareSequences:
    """Groups events and runs the groups.

    Parameters
    ----------
    microscope : Microscope
        Open, reserved by the caller.
    channels : tuple of ChannelLayout
        The channel axis.
    calls : DeviceCalls
        How devices are called.
    frames : FrameCheck
        Judges what comes.
    """

    def __init__(
        self, microscope: Microscope, channels: tuple[ChannelLayout, ...], calls: DeviceCalls, frames: FrameCheck
    ) -> None:
        self._camera = microscope.camera
        self._stage = microscope.stage
        self._light = microscope.illumination
        self._sequencer = _usable(microscope)
        self._turns_filters = self._sequencer is not None and microscope.filter_wheel in self._sequencer.parts
        self._presets = tuple(channel.preset for channel in channels)
        self._calls = calls
        self._frames = frames
        line = microscope.camera_trigger
        self._delay_ms = line.strobe_delay_ms if line is not None else 0.0
        height, width = microscope.camera.frame_shape_px
        self._frame_bytes = height * width * (1 if microscope.camera.pixel_format.bits == 8 else 2)
        self._failures = 0
        self._refusal = ""

    @property
    def longest(self) -> int:
        """Most events of one group; 1: no sequences."""
        if self._sequencer is None or self._failures >= FAILURES:
            return 1
        fitting = max(1, GROUP_BYTES // self._frame_bytes)
        return min(fitting, self._sequencer.max_steps, self._camera.burst_limit)

    def group(self, events: Iterator[AcquisitionEvent]) -> Iterator[tuple[AcquisitionEvent, ...]]:
        """Go through events in their order, in groups of those that one sequence can take; looks one event ahead."""
        group: list[AcquisitionEvent] = []
        for event in events:
            if group and (len(group) >= self.longest or not self._may_follow(group[-1], event)):
                yield tuple(group)
                group = []
            group.append(event)
        if group:
            yield tuple(group)

    def _may_follow(self, before: AcquisitionEvent, event: AcquisitionEvent) -> bool:
        """Whether two events can be of one sequence, as far as the plan tells."""
        old, new = self._presets[before.c], self._presets[event.c]
        return (
            (before.image, before.t) == (event.image, event.t)
            and (before.target.x_um, before.target.y_um) == (event.target.x_um, event.target.y_um)
            and event.min_start_s in (None, before.min_start_s)
            and not event.restarts_clock
            and not before.keep_shutter_open
            and (self._turns_filters or new.filter in (None, old.filter))
            and new.gain in (None, old.gain)
            and (self._camera.varies_exposure_in_burst or before.exposure_ms == event.exposure_ms)
        )

    def can_take(self, group: tuple[AcquisitionEvent, ...]) -> bool:
        """Whether the hardware takes this group now."""
        if len(group) < 2 or self._sequencer is None or self.longest < 2:
            return False
        low, high = self._camera.exposure_range_ms
        fits = all(low <= event.exposure_ms + self._delay_ms <= high for event in group)
        refusal = self._sequencer.why_not(self._steps(group)) if fits else "an exposure is outside the camera's range"
        if refusal is not None and refusal != self._refusal:
            self._refusal = refusal
            _log.info("no hardware sequence: %s", refusal)
        return refusal is None

    def expose(
        self,
        group: tuple[AcquisitionEvent, ...],
        stops: Callable[[], bool],
        on_event: Callable[[AcquisitionEvent], None],
    ) -> PendingSequence:
        """Take the exposures of a group, the stage being where its first one is taken.

        Parameters
        ----------
        group : tuple of AcquisitionEvent
            As `can_take` allows.
        stops : callable
            Whether the run shall pause or end: the sequence then ends after the exposure under way.
        on_event : callable
            Told each event but the first when its turn comes.

        Returns
        -------
        PendingSequence
            Returned when the last exposure is over; holds no event when it was ended before the first.

        Raises
        ------
        SequenceFailedError
            See there.
        """
        pass_ = _Pass(self, group, stops, on_event)
        try:
            pending = pass_.run()
        except DeviceError as failure:
            self._give_up()
            raise self.failed(failure, pass_.exposed) from failure
        except BaseException:
            self._give_up()
            raise
        self._failures = 0
        return pending

    def failed(self, cause: DeviceError, exposed: int) -> SequenceFailedError:
        """Count a failure, and return the error to raise."""
        self._failures += 1
        return SequenceFailedError(cause, exposed)

    def forgive(self) -> None:
        """Do not count the failures so far: something else was their cause, and it is mended."""
        self._failures = 0

    def collect(self, pending: PendingSequence) -> list[Taken | DeviceError]:
        """Wait for the frames of a sequence; return each one's record and pixels, or why it cannot be had.

        An exposure that was never settled voids all of them: the camera may have missed its pulse, and every frame
        after it would be the next one's.
        """
        found: list[Taken | DeviceError] = []
        limit_s = self._camera.readout_ms / 1000 + (CALL_S if self._frames.collected else FIRST_FRAME_S)
        for event, actual, exposure, ended_s in zip(
            pending.events, pending.actual, pending.exposures, pending.ended_s, strict=True
        ):
            label = self._camera.label
            try:
                frame = self._calls.wait(exposure.frame, ended_s + limit_s, label, "frame", hears_abort=False)
                found.append(self._frames.accept(frame, exposure.trigger_id, event, actual, event.exposure_ms))
            except DeviceTimeoutError:
                self._cancel()
                lost = FrameTimeoutError(label, f"no frame within {limit_s:.2f} s of an exposure in a sequence")
                return [lost] * len(pending.events)
            except DeviceError as failure:
                self._frames.forget()
                found.append(failure)
        return found

    def _steps(self, group: tuple[AcquisitionEvent, ...]) -> tuple[SequenceStep, ...]:
        steps = []
        filter_name: str | None = None
        for event in group:
            preset = self._presets[event.c]
            filter_name = preset.filter or filter_name
            turn = filter_name if self._turns_filters else None
            steps.append(SequenceStep(event.target, preset.source, preset.intensity, event.exposure_ms, turn))
        return tuple(steps)

    def _cancel(self) -> None:
        self._frames.forget()
        self._calls.call(self._camera.label, CALL_S, self._camera.cancel)

    def _give_up(self) -> None:
        """Leave hardware and camera idle; hardware that cannot be told is darkened by its lease."""
        if self._sequencer is not None:
            with suppress(DeviceError):
                self._calls.call(self._sequencer.label, CALL_S, self._sequencer.abort)
        self._cancel()


class _Pass:
    """One sequence under way."""

    def __init__(
        self,
        owner: HardwareSequences,
        group: tuple[AcquisitionEvent, ...],
        stops: Callable[[], bool],
        on_event: Callable[[AcquisitionEvent], None],
    ) -> None:
        assert owner._sequencer is not None
        self._camera, self._stage, self._light = owner._camera, owner._stage, owner._light
        self._sequencer: Sequencer = owner._sequencer
        self._calls = owner._calls
        self._delay_ms = owner._delay_ms
        self._is_first_of_run = not owner._frames.collected
        self._group = group
        self._steps = owner._steps(group)
        self._stops = stops
        self._on_event = on_event
        self._is_ending = False
        self.exposed = 0

    def run(self) -> PendingSequence:
        camera, sequencer = self._camera, self._sequencer
        interruptions = self._light.interruptions
        shots = [BurstShot(event.index, event.exposure_ms + self._delay_ms) for event in self._group]
        exposures = self._calls.call(camera.label, CALL_S, camera.arm_burst, shots)
        readout_ms = camera.readout_ms + READOUT_MARGIN_MS
        run = self._calls.call(sequencer.label, CALL_S, sequencer.start, self._steps, readout_ms)
        actual: list[StagePosition] = []
        ended_s: list[float] = []
        for number, exposure in enumerate(exposures):
            position = self._await_trigger(run, number, readout_ms)
            if position is None:
                break
            if number:
                self._on_event(self._group[number])
            self.exposed = number + 1
            actual.append(position)
            ended_s.append(self._await_end(exposure, number))
        count = self._wait(run.done, time.monotonic() + CALL_S, "run")
        if count != len(actual):
            raise DeviceError(sequencer.label, f"says that it took {counted(count, 'exposure')}, not {len(actual)}")
        if self._light.interruptions != interruptions:
            raise LightLostError(self._light.label, "may have gone out by itself during a sequence")
        if count < len(exposures):
            self._let_go(exposures[:count])
        return PendingSequence(self._group[:count], tuple(actual), exposures[:count], tuple(ended_s))

    def _await_trigger(self, run: SequenceRun, number: int, readout_ms: float) -> StagePosition | None:
        """Wait for the trigger of a step; None when the sequence was ended before it."""
        step = self._steps[number]
        before = self._steps[number - 1] if number else None
        limit_s = 2 * self._sequencer.step_s(before, step, readout_ms) + CALL_S
        try:
            report = self._wait(run.triggered[number], time.monotonic() + limit_s, f"step {number}")
        except DeviceError:
            if self._is_ending and self._wait(run.done, time.monotonic() + CALL_S, "run") == number:
                return None
            raise
        if not self._stage.is_at(step.target, report.position):
            raise StageMoveError(self._stage.label, f"is at {report.position}, not at {step.target}, in step {number}")
        return report.position

    def _await_end(self, exposure: Exposure, number: int) -> float:
        camera = self._camera
        limit_s = camera.exposure_duration_s(self._group[number].exposure_ms + self._delay_ms)
        limit_s += FIRST_FRAME_S if self._is_first_of_run else CALL_S
        try:
            return self._calls.wait(
                exposure.ended,
                time.monotonic() + limit_s,
                camera.label,
                "trigger",
                hears_abort=False,
                meanwhile=self._end_if_asked,
            )
        except DeviceTimeoutError as e:
            raise FrameTimeoutError(camera.label, f"exposure {number} did not end within {limit_s:.2f} s") from e

    def _wait(self, future: Future[ResultT], until_s: float, call: str) -> ResultT:
        label = self._sequencer.label
        return self._calls.wait(future, until_s, label, call, hears_abort=False, meanwhile=self._end_if_asked)

    def _end_if_asked(self) -> None:
        """Tell the hardware, once, to end after the exposure under way when the run shall pause or end."""
        if not self._is_ending and self._stops():
            self._is_ending = True
            self._calls.call(self._sequencer.label, CALL_S, self._sequencer.finish)

    def _let_go(self, exposures: tuple[Exposure, ...]) -> None:
        """Let the frames that were exposed come in, and the camera forget the pulses that will not come."""
        camera = self._camera
        until_s = time.monotonic() + camera.readout_ms / 1000 + CALL_S
        for exposure in exposures:
            with suppress(DeviceError):
                self._calls.wait(exposure.frame, until_s, camera.label, "frame", hears_abort=False)
        self._calls.call(camera.label, CALL_S, camera.cancel)


def _usable(microscope: Microscope) -> Sequencer | None:
    """Return the sequencer when it drives this microscope's devices, and its camera takes bursts of pulses."""
    sequencer, camera = microscope.sequencer, microscope.camera
    if sequencer is None or camera.trigger_mode is not TriggerMode.HARDWARE or camera.burst_limit < 2:
        return None
    wanted = (microscope.stage, microscope.illumination, microscope.camera_trigger)
    if any(device not in sequencer.parts for device in wanted):
        _log.info("%s drives other devices than this microscope's: not used", sequencer.label)
        return None
    return sequencer
