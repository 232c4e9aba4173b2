"""The controller's sequencer: z-stacks and channels of a field in one command, on firmware 2.0.

The job of a run holds the lane of motion, so that no move comes between; what stops or darkens the controller ends the
run, and heartbeats go on by themselves. One field at a time: x and y stand still.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import ClassVar, Final

from pydantic import BaseModel

from squid.abc.device import Device, NoOptions
from squid.abc.sequencer import Sequencer, SequenceRun, SequenceStep
from squid.drivers.controller.camera_trigger import ControllerCameraTrigger
from squid.drivers.controller.filter_wheel import ControllerFilterWheel
from squid.drivers.controller.illumination import ControllerIllumination
from squid.drivers.controller.link import ControllerLink
from squid.drivers.controller.motion import LANE
from squid.drivers.controller.protocol_table import SEQUENCE_STEPS, Code, Reason, StepField, StepTarget
from squid.drivers.controller.requests import Command, Job, Until, send_all
from squid.drivers.controller.sequence_list import Registers, SequenceList
from squid.drivers.controller.sequence_progress import SequenceProgress
from squid.drivers.controller.stage import ControllerStage
from squid.errors import DeviceClosedError, DeviceError, DeviceTimeoutError

_CONFIRM_S: Final = 1.5
_MARGIN_S: Final = 1.0
_SLOW_LIGHT: Final = 0.01
"""Part of an exposure that a light may take to come on: sequences do not wait for it."""


class ControllerSequencer(Sequencer):
    """Runs lists of exposures on the controller; a filter wheel stands still."""

    Options = NoOptions
    Uses: ClassVar[Mapping[str, type[Device]]] = {
        "link": ControllerLink,
        "stage": ControllerStage,
        "light": ControllerIllumination,
        "trigger": ControllerCameraTrigger,
    }

    def __init__(
        self,
        label: str,
        link: ControllerLink,
        stage: ControllerStage,
        light: ControllerIllumination,
        trigger: ControllerCameraTrigger,
        wheel: ControllerFilterWheel | None = None,
    ) -> None:
        super().__init__(label)
        self._link = link
        self._stage = stage
        self._light = light
        self._trigger = trigger
        self._wheel = wheel
        self._list = SequenceList()
        self._list_at = -1
        self._progress: SequenceProgress | None = None
        self._running: Future[int] | None = None

    @classmethod
    def create(cls, label: str, options: BaseModel, uses: Mapping[str, Device]) -> ControllerSequencer:
        """Build it; see `Device.create`."""
        link, stage, light, trigger, wheel = (uses.get(k) for k in ("link", "stage", "light", "trigger", "wheel"))
        assert isinstance(link, ControllerLink)
        assert isinstance(stage, ControllerStage)
        assert isinstance(light, ControllerIllumination)
        assert isinstance(trigger, ControllerCameraTrigger)
        assert wheel is None or isinstance(wheel, ControllerFilterWheel)
        return cls(label, link, stage, light, trigger, wheel)

    @property
    def parts(self) -> tuple[Device, ...]:
        """The devices that it drives."""
        parts = (self._stage, self._light, self._trigger, self._wheel)
        return tuple(part for part in parts if part is not None)

    @property
    def max_steps(self) -> int:
        """Most steps of one list."""
        return SEQUENCE_STEPS

    def why_not(self, steps: Sequence[SequenceStep]) -> str | None:
        """Return why these steps cannot be run now, or None."""
        if not self._link.capabilities.is_ours:
            return "the firmware runs no sequences (allowed: 2.0 and later)"
        if not self._stage.is_homed:
            return f"{self._stage.label} is not homed"
        if len({(step.target.x_um, step.target.y_um) for step in steps}) > 1:
            return "x and y have to stand still"
        if any(step.target.z_um not in self._stage.limits.z for step in steps):
            return f"z leaves the limits of {self._stage.label} ({self._stage.limits.z})"
        return self._why_not_light(steps) or self._why_not_filter(steps) or self._stage.why_no_z_steps(_z_of(steps))

    def _why_not_light(self, steps: Sequence[SequenceStep]) -> str | None:
        names = {source.name for source in self._light.sources}
        for step in steps:
            if step.source not in names:
                return f"{self._light.label} has no source {step.source}"
            if step.exposure_ms * _SLOW_LIGHT < self._light.on_latency_ms:
                return f"{step.source} takes {self._light.on_latency_ms:g} ms to come on, and sequences do not wait"
        return None

    def _why_not_filter(self, steps: Sequence[SequenceStep]) -> str | None:
        wanted = [step.filter for step in steps if step.filter is not None]
        if not wanted:
            return None
        if self._wheel is None:
            return "no filter wheel takes part"
        if self._wheel.current is None:
            return f"{self._wheel.label} is not homed"
        return next((f"{self._wheel.label} has no {name}" for name in wanted if name not in self._wheel.filters), None)

    def step_s(self, before: SequenceStep | None, step: SequenceStep, readout_ms: float) -> float:
        """Return the time from the end of one exposure to the end of the next."""
        exposure_s = (step.exposure_ms + self._trigger.strobe_delay_ms) / 1000
        if before is None:
            return exposure_s
        travel_s = self._stage.travel_time_s(before.target, step.target)
        turn_s = self._turn_s(before.filter, step.filter)
        return max(readout_ms / 1000, travel_s, turn_s) + exposure_s

    def _turn_s(self, start: str | None, target: str | None) -> float:
        if self._wheel is None or start is None or target is None:
            return 0.0
        return self._wheel.travel_time_s(start, target)

    def _do_start(self, steps: tuple[SequenceStep, ...], readout_ms: float) -> SequenceRun:
        if self._is_running:
            raise DeviceError(self.label, "runs a sequence already; the new one was not started")
        offsets = self._stage.piezo_offsets(_z_of(steps))
        progress = SequenceProgress(
            self.label,
            len(steps),
            lambda frame, step: self._stage.position_in(frame, offsets[step] if offsets else None),
        )
        self._progress = progress
        done = self._running = self._link.submit(self._run(steps, readout_ms, offsets, progress), LANE)
        done.add_done_callback(lambda _: progress.close("the sequence ended before this step"))
        self._light.ends_with_dark(done)
        self._stage.ends_with_stop(done)
        return SequenceRun(progress.triggered, done)

    def _run(
        self,
        steps: tuple[SequenceStep, ...],
        readout_ms: float,
        offsets: tuple[float, ...] | None,
        progress: SequenceProgress,
    ) -> Job[int]:
        stop_listening = self._link.on_frame(progress.feed)
        try:
            yield from self._prepare(steps, readout_ms, offsets)
            run = {"first": 0, "count": len(steps), "channel": self._trigger.channel}
            if progress.end_with is Code.SEQUENCE_ABORT:
                raise DeviceError(self.label, "was aborted")
            if progress.end_with is not None:
                return 0
            yield Command(Code.SEQUENCE_RUN, run)
            progress.is_acknowledged = True
            if progress.end_with is not None:  # it was said too early for the controller
                yield Command(progress.end_with)
            yield from self._follow(steps, readout_ms, progress)
        finally:
            stop_listening()
            self._light.sequence_over()
        self._note_end(steps[: progress.steps_done], offsets)
        if progress.is_aborted:
            why = "" if progress.reason is Reason.NONE else f": {progress.reason.name.lower().replace('_', ' ')}"
            raise DeviceError(self.label, f"the controller gave up the sequence{why}")
        return progress.steps_done

    def _prepare(
        self, steps: tuple[SequenceStep, ...], readout_ms: float, offsets: tuple[float, ...] | None
    ) -> Job[None]:
        if self._list_at != self._link.restarts:
            self._list.forget()
            self._list_at = self._link.restarts
        yield from self._light.prepare()
        yield from self._trigger.prepare()
        yield from self._link.arm_lease()
        origin = 0 if offsets else self._stage.z_usteps(steps[0].target.z_um)
        registers = self._registers(steps, readout_ms, offsets, origin)
        yield from self._list.upload(registers, {StepField.Z_ORIGIN: origin, StepField.PIEZO_ORIGIN: 0})

    def _registers(
        self, steps: tuple[SequenceStep, ...], readout_ms: float, offsets: tuple[float, ...] | None, origin: int
    ) -> list[Registers]:
        """Return the list as registers; z counts from `origin`, a piezo's values do not."""
        found: list[Registers] = []
        for number, step in enumerate(steps):
            before = steps[number - 1] if number else None
            z, target = (
                ({StepField.PIEZO: self._stage.piezo_value(offsets[number])}, StepTarget.PIEZO)
                if offsets
                else ({StepField.Z: self._stage.z_usteps(step.target.z_um) - origin}, StepTarget.Z)
            )
            moves_z = before is not None and before.target != step.target
            z_settle_ms = self._stage.z_settle_ms(bool(offsets)) if moves_z else 0.0
            wheel, wheel_target, wheel_settle_ms = self._wheel_registers(before, step)
            times = {
                StepField.EXPOSURE_US: round(step.exposure_ms * 1000),
                StepField.READOUT_US: round(readout_ms * 1000),
                StepField.SETTLE_US: round(max(z_settle_ms, wheel_settle_ms) * 1000),
            }
            light = self._light.step_registers(step.source, step.intensity)
            found.append({StepField.TARGETS: target | wheel_target, **times, **light, **z, **wheel})
        return found

    def _wheel_registers(
        self, before: SequenceStep | None, step: SequenceStep
    ) -> tuple[dict[StepField, int], int, float]:
        """Return the wheel's register, its bit among the targets, and how long it takes to stand still, in ms."""
        wheel = self._wheel
        if wheel is None or step.filter is None:
            return {}, 0, 0.0
        turns = before is not None and before.filter != step.filter
        settle_ms = wheel.settle_ms if turns else 0.0
        return {wheel.step_field: wheel.usteps(step.filter)}, wheel.step_target, settle_ms

    def _follow(self, steps: tuple[SequenceStep, ...], readout_ms: float, progress: SequenceProgress) -> Job[None]:
        """Wait for the end; a sequence that does not come to it is aborted."""
        pairs = zip((None, *steps), steps, strict=False)
        limit_s = 2 * sum(self.step_s(before, step, readout_ms) for before, step in pairs) + _MARGIN_S
        if progress.is_over:
            return
        try:
            yield Until(lambda _: progress.is_over, limit_s, f"sequence of {len(steps)} steps")
        except DeviceTimeoutError:
            yield Command(Code.SEQUENCE_ABORT)
            raise

    def _note_end(self, done: tuple[SequenceStep, ...], offsets: tuple[float, ...] | None) -> None:
        """Let the devices know where the steps that were carried out have left them."""
        if not done:
            return
        if offsets:
            self._stage.piezo_is_at(offsets[len(done) - 1])
        if self._wheel is not None and done[-1].filter is not None:
            self._wheel.is_at(done[-1].filter)

    @property
    def _is_running(self) -> bool:
        return self._running is not None and not self._running.done()

    def _end_with(self, code: Code) -> None:
        """Let a run that is still being uploaded end with this command; an abort stays an abort."""
        if self._progress is not None and self._progress.end_with is not Code.SEQUENCE_ABORT:
            self._progress.end_with = code

    def _do_finish(self) -> None:
        if self._is_running and self._link.is_connected:
            self._end_with(Code.SEQUENCE_FINISH)
            self._link.submit(send_all((Command(Code.SEQUENCE_FINISH),)), urgent=True)

    def _do_abort(self) -> None:
        if not self._is_running:
            return
        self._end_with(Code.SEQUENCE_ABORT)
        stopped = self._link.submit(send_all((Command(Code.SEQUENCE_ABORT),)), urgent=True)
        try:
            stopped.result(_CONFIRM_S)
        except TimeoutError as e:
            raise DeviceTimeoutError(self.label, f"did not stop within {_CONFIRM_S:g} s") from e

    def _do_open(self) -> None:
        self._list.forget()
        self._running = None

    def _do_close(self) -> None:
        if self._running is not None and self._is_running:
            if self._link.is_connected:
                self._do_abort()
            self._link.cancel(self._running, DeviceClosedError(self.label, "was closed during a sequence"))


class ControllerSequencerWithWheel(ControllerSequencer):
    """A sequencer that turns the controller's filter wheel, too."""

    Uses: ClassVar[Mapping[str, type[Device]]] = {**ControllerSequencer.Uses, "wheel": ControllerFilterWheel}


def _z_of(steps: Sequence[SequenceStep]) -> tuple[float, ...]:
    return tuple(step.target.z_um for step in steps)
