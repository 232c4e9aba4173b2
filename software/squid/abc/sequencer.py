"""Sequencer: hardware that runs a list of exposures by itself, with stage, light, filter and camera trigger.

::

    camera.arm_burst(shots) ──▶ start(steps) ──▶ SequenceRun:  step 0 ──▶ step 1 ──▶ … ──▶ done
                                                 each step: go there, settle, trigger and light, read-out
                                                 finish(): after the exposure under way    abort(): now, dark

The host gives one command for the whole list; the stage moves, the light is strobed and the camera is triggered without
it. What a step was to do and what it did come together by the step's number, never by time.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from squid.abc.device import Device
from squid.errors import AccessRevokedError
from squid.models.geometry import StagePosition


@dataclass(frozen=True, slots=True)
class SequenceStep:
    """One exposure of a sequence.

    Attributes
    ----------
    target : StagePosition
        Where it is taken, µm.
    source : str
        Light source, on for the exposure only.
    intensity : float
        Fraction 0…1.
    exposure_ms : float
        How long the light is on, and the camera exposes.
    filter : str or None
        Emission filter; None: the one in the beam.
    """

    target: StagePosition
    source: str
    intensity: float
    exposure_ms: float
    filter: str | None = None


@dataclass(frozen=True, slots=True)
class StepReport:
    """What the hardware says of a step when it gives its trigger.

    Attributes
    ----------
    position : StagePosition
        Read back from the stage, at the trigger.
    triggered_s : float
        `time.monotonic` when the report came in.
    """

    position: StagePosition
    triggered_s: float


@dataclass(frozen=True, slots=True)
class SequenceRun:
    """A sequence under way.

    Attributes
    ----------
    triggered : tuple of Future of StepReport
        One per step, settled in order; those of steps that were not carried out fail with `DeviceError`.
    done : Future of int
        Settled when the last exposure is over, with the number of steps carried out: fewer than asked for after
        `Sequencer.finish`. Fails with `DeviceError` when the hardware gave up; all light is off then.
    """

    triggered: tuple[Future[StepReport], ...]
    done: Future[int]


class Sequencer(Device):
    """Runs lists of steps, one list at a time."""

    @property
    @abstractmethod
    def parts(self) -> tuple[Device, ...]:
        """The devices that it drives: stage, illumination, camera trigger, and filter wheel where it can."""

    @property
    @abstractmethod
    def max_steps(self) -> int:
        """Most steps of one list."""

    @abstractmethod
    def why_not(self, steps: Sequence[SequenceStep]) -> str | None:
        """Return why these steps cannot be run now, or None; commands nothing.

        The first step must be where the stage stands when the list is started, or be reached by axes that the
        hardware moves in a sequence.
        """

    @abstractmethod
    def step_s(self, before: SequenceStep | None, step: SequenceStep, readout_ms: float) -> float:
        """Return the time from the end of one exposure to the end of the next; from None: of the first step."""

    def start(self, steps: Sequence[SequenceStep], readout_ms: float) -> SequenceRun:
        """Run a list.

        Parameters
        ----------
        steps : sequence of SequenceStep
            1 to `max_steps`.
        readout_ms : float
            From the end of an exposure until the camera takes the next trigger.

        Raises
        ------
        SettingError
            They cannot be run; nothing was started.
        DeviceError
            A list is under way already, or the hardware does not answer.
        AccessRevokedError
            The calling task has lost its right to the devices, maybe meanwhile; the list was ended.
        """
        self._check_access()
        self._require(1 <= len(steps) <= self.max_steps, "number of steps", len(steps), f"1 to {self.max_steps}")
        self._require(readout_ms >= 0, "readout_ms", readout_ms, "0 or more")
        reason = self.why_not(steps)
        self._require(reason is None, "sequence", reason or "", "steps that the hardware can run")
        run = self._do_start(tuple(steps), readout_ms)
        try:
            self._check_access()
        except AccessRevokedError:  # it hung in this call, and came back: nobody wants the light any more
            self._do_abort()
            raise
        return run

    def finish(self) -> None:
        """End the list after the exposure under way, at once when there is none; does not wait. Harmless when idle."""
        if self.is_open:
            self._do_finish()

    def abort(self) -> None:
        """End the list now, dark and standing; never waits for another call. Allowed to a revoked task, too."""
        if self.is_open:
            self._do_abort()

    @abstractmethod
    def _do_start(self, steps: tuple[SequenceStep, ...], readout_ms: float) -> SequenceRun: ...
    @abstractmethod
    def _do_finish(self) -> None: ...
    @abstractmethod
    def _do_abort(self) -> None: ...
