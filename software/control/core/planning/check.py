"""`PlanCheck`: whether a draft can be carried out and what it takes, worked out beside the typing.

::

    check(draft) ─150 ms without another─▶ task: plan, preflight, totals ─▶ Verdict, in the GUI thread
       check(newer) ─▶ the older one is dropped, wherever it is

Reads devices, commands none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from control.core.planning.draft import PlanDraft
from control.core.planning.outlines import FieldOutlines, outlines_of
from control.core.planning.polygon_fields import refuse_too_large
from control.core.planning.sections import Refusal, Section, refusal_of
from control.core.preflight import OVERHEAD_S, examine, optics_of, passed
from control.core.preflight_machine import bytes_of, free_bytes
from control.core.schedule import Schedule
from control.core.timing import Physics, ideal_s
from squid.errors import ConfigurationError, PlanError
from squid.machine_file import read_plates
from squid.microscope import Microscope
from squid.models.plan import AcquisitionPlan
from squid.utils.delivery import call_safely
from squid.utils.task import TaskCancelledError, TaskHandle, WorkerResult, tell_progress
from squid.utils.worker_manager import WorkerManager

DEBOUNCE_MS = 150
"""So long must nothing change before a check begins."""

LIMIT_MS = 30_000
"""A check that takes longer is given up: a stage or a disk does not answer."""

CANCELLED = "the check was cancelled; it is made again when you change something"

_TASK = "check of the plan"


@dataclass(frozen=True, slots=True)
class Totals:
    """What a plan takes.

    Attributes
    ----------
    frames, fields, positions, wells : int
        Frames altogether; fields (images) and places that they are at; wells that they are in, 0 without a plate.
    bytes : int
        On the disk at most: uncompressed, with pyramid.
    free_bytes : int or None
        Free on the disk; None: no output folder was chosen, or it is not there.
    duration_s : float or None
        None: cannot be told, because a channel is refused.
    """

    frames: int
    fields: int
    positions: int
    wells: int
    bytes: int
    free_bytes: int | None
    duration_s: float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the check found.

    Attributes
    ----------
    draft : PlanDraft
        The one that was checked.
    plan : AcquisitionPlan or None
        Its plan; None when it makes none.
    totals : Totals or None
        Also of a refused plan, as far as it can be worked out.
    refusals : tuple of Refusal
        Empty: the plan can be carried out.
    notes : tuple of str
        What is worth knowing, though nothing forbids it.
    outlines : FieldOutlines
        Where the fields lie.
    """

    draft: PlanDraft
    plan: AcquisitionPlan | None
    totals: Totals | None
    refusals: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()
    outlines: FieldOutlines = field(default_factory=FieldOutlines)

    @property
    def is_runnable(self) -> bool:
        """Whether the plan can be carried out."""
        return self.plan is not None and not self.refusals

    def text_of(self, section: Section) -> tuple[str, ...]:
        """Return why a section is refused; empty: it is not."""
        return tuple(refusal.text for refusal in self.refusals if refusal.section is section)


class PlanCheck:
    """Checks drafts, the newest only.

    Parameters
    ----------
    microscope : Microscope
        Open.
    manager : WorkerManager
        Runs the checks, and hands verdicts over in the GUI thread.
    debounce_ms : int
        See `DEBOUNCE_MS`.
    """

    def __init__(self, microscope: Microscope, manager: WorkerManager, debounce_ms: int = DEBOUNCE_MS) -> None:
        self._microscope = microscope
        self._manager = manager
        self._debounce_ms = debounce_ms
        self._asked = 0
        self._handle: TaskHandle | None = None
        self._fov_um: tuple[float, float] | None = None

    def check(
        self,
        draft: PlanDraft,
        output: Path | None,
        on_verdict: Callable[[Verdict], object],
        submit: Callable[..., TaskHandle] | None = None,
    ) -> None:
        """Check a draft soon; returns at once. From the GUI thread.

        Parameters
        ----------
        draft : PlanDraft
            To be checked; an older one that waits or runs is dropped, and its verdict never comes.
        output : Path or None
            Where the run would be written; None: the disk is not looked at.
        on_verdict : callable
            Told the `Verdict` in the GUI thread; also when the check came to no end, or a person has cancelled it.
        submit : callable, optional
            Starts the task in place of the manager, for example with a bar of its progress.
        """
        self.drop()
        number = self._asked

        def deliver(verdict: Verdict) -> None:
            if number == self._asked:
                self._fov_um = verdict.outlines.fov_um if any(verdict.outlines.fov_um) else self._fov_um
                call_safely(on_verdict, verdict)

        def done(result: WorkerResult) -> None:
            deliver(result.value)

        def failed(result: WorkerResult) -> None:
            deliver(_not_checked(draft, result))

        self._handle = (submit or self._manager.submit)(
            _TASK,
            lambda: verdict_of(draft, self._microscope, output),
            timeout_ms=LIMIT_MS,
            on_complete=done,
            on_error=failed,
            coalesce_key=_TASK,
            delay_ms=self._debounce_ms,
        )

    @property
    def is_under_way(self) -> bool:
        """Whether a check waits or runs."""
        return self._handle is not None and not self._handle.is_finished

    def drop(self) -> None:
        """Forget the check that waits or runs: its verdict never comes."""
        self._asked += 1
        if self._handle is not None:
            self._handle.cancel()

    def field_outlines(self, draft: PlanDraft, most: int = 2000) -> FieldOutlines:
        """Return where fields of a draft lie, at once; none before the first verdict, which tells the field's size."""
        if self._fov_um is None:
            return FieldOutlines()
        return outlines_of(draft, {**read_plates(), **self._microscope.config.plates}, self._fov_um, most)


def verdict_of(draft: PlanDraft, microscope: Microscope, output: Path | None) -> Verdict:
    """Return what is to be said of a draft; nothing moves. From a task: devices and disk are asked."""
    plan: AcquisitionPlan | None = None
    schedule: Schedule | None = None
    refused: list[ConfigurationError] = []
    outlines = FieldOutlines()
    try:
        plan = draft.to_plan()
        tell_progress(0.1, "measures the fields")
        fov_um = optics_of(plan, microscope).fov_um
        for number, region in enumerate(draft.regions if draft.use == "regions" else ()):
            refuse_too_large(region, fov_um, key=f"sequence.stage_positions.{number}")
        outlines = outlines_of(draft, {**read_plates(), **microscope.config.plates}, fov_um)
        tell_progress(0.2, "compares with the microscope")
        schedule, refused = examine(plan, microscope, output)
        tell_progress(0.6, "adds up")
    except PlanError as e:
        refused = [e]
    told = tuple(dict.fromkeys(refusal_of(error) for error in refused))
    if schedule is None:
        return Verdict(draft, plan, None, told, (), outlines)
    if refused:
        return Verdict(draft, plan, _totals_of_refused(schedule, microscope, output, told), told, (), outlines)
    checked = passed(schedule, microscope, output)
    totals = _totals(schedule, checked.bytes, checked.free_bytes, checked.estimated_s)
    return Verdict(draft, plan, totals, (), (*checked.notes, *_notes(draft)), outlines)


def _totals_of_refused(
    schedule: Schedule, microscope: Microscope, output: Path | None, refusals: Iterable[Refusal]
) -> Totals | None:
    sections = {refusal.section for refusal in refusals}
    if not schedule.frames or sections & {Section.PLATE, Section.WELLS}:  # without places there is nothing to count
        return None
    free = None
    try:
        free = free_bytes(output) if output is not None else None
    except OSError:  # the folder cannot be looked at: that is one of the refusals
        free = None
    duration_s = None
    if Section.CHANNELS not in sections:
        duration_s = ideal_s(schedule, Physics.of(microscope, schedule.channels)) + OVERHEAD_S * schedule.frames
    return _totals(schedule, bytes_of(schedule, schedule.frames), free, duration_s)


def _totals(schedule: Schedule, needed: int, free: int | None, duration_s: float | None) -> Totals:
    wells = {place.well for place in schedule.places if place.well is not None}
    return Totals(
        frames=schedule.frames,
        fields=len(schedule.images),
        positions=len(schedule.places),
        wells=len(wells),
        bytes=needed,
        free_bytes=free,
        duration_s=duration_s,
    )


def _notes(draft: PlanDraft) -> list[str]:
    here = "where the stage stands when the run starts"
    if draft.use == "positions" and not draft.positions:
        return [f"no position is listed: the plan is carried out {here}"]
    return [f"z is not given: it is taken {here}"] if takes_z_of_stage(draft) else []


def takes_z_of_stage(draft: PlanDraft) -> bool:
    """Return whether a draft focuses where the stage's z stands when the run starts, wholly or in part."""
    if draft.z_um is not None or getattr(draft.z, "kind", None) == "range":
        return False
    listed = draft.positions if draft.use == "positions" else draft.regions if draft.use == "regions" else ()
    return not listed or any(place.z_um is None for place in listed)


def _not_checked(draft: PlanDraft, result: WorkerResult) -> Verdict:
    """Return the verdict of a check that came to no end; its stack is in the log."""
    if isinstance(result.error, TaskCancelledError):
        return Verdict(draft, None, None, (Refusal(Section.RUN, CANCELLED),))
    why = f"a device or the disk did not answer within {LIMIT_MS / 1000:g} s" if result.timed_out else result.error
    return Verdict(draft, None, None, (Refusal(Section.RUN, f"the plan could not be checked: {why}"),))
