"""What a run is made of, and how that is built: from a plan that was checked, and from what an earlier part has stored.

::

    plan, preflight, progress ─▶ RunBuilder.build ─▶ RunParts: worker ─▶ writer ─▶ sink and journal, open

Opens files in the run folder; moves nothing and starts no thread.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path

from control.core.device_calls import DeviceCalls
from control.core.facts import FactStream, Listener, RunStarted
from control.core.frame_writer import FrameWriter, Tap
from control.core.imaging import Imaging
from control.core.index_set import IndexSet
from control.core.journal import Journal, JournalState, Record, part_record
from control.core.multi_point_worker import MultiPointWorker
from control.core.preflight import Preflight
from control.core.run_control import RunControl
from control.core.run_record import RunSummary, versions
from control.core.schedule import Schedule
from control.core.sinks import make_sink
from control.core.step_watch import StepWatch
from squid.machine_file import MachineConfig
from squid.microscope import Microscope
from squid.models.channel import ChannelLayout
from squid.models.event import AcquisitionEvent
from squid.models.layout import DatasetLayout
from squid.models.plan import AcquisitionPlan, plan_digest


@dataclass(frozen=True, slots=True)
class Progress:
    """What is there already: nothing for a new run, the journal's content for a resumed one.

    Attributes
    ----------
    state : JournalState or None
        The journal's content, without the frames in `lost`.
    lost : tuple of Record
        What a resume has found to be gone, not yet in the journal.
    """

    state: JournalState | None
    parts: int
    started_utc: str
    machine: MachineConfig
    lost: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True)
class RunParts:
    """What a run is made of; built by the controller.

    Attributes
    ----------
    on_waiting : callable
        Called while the run waits for the disk: that is not its own time.
    earlier_s : float
        Time that earlier parts of a resumed run took.
    ideal_s : float
        Time that physics needs for the whole plan.
    estimated_s : float
        Time that this part will take, about.
    stored_by_image, last_due_s, image_of
        As in `RunStarted`.
    """

    layout: DatasetLayout
    microscope: Microscope
    worker: MultiPointWorker
    writer: FrameWriter
    control: RunControl
    facts: FactStream
    steps: StepWatch
    summary: RunSummary
    on_waiting: Callable[[], None]
    earlier_s: float
    ideal_s: float
    estimated_s: float
    stored_by_image: Mapping[int, int]
    last_due_s: float | None
    image_of: Callable[[int], int]

    def opening(self, folder: Path) -> RunStarted:
        """Return the first fact of a run in `folder`."""
        return RunStarted(
            folder,
            self.layout,
            self.estimated_s,
            len(self.writer.stored),
            stored_by_image=self.stored_by_image,
            missing=dict(self.writer.missing),
            last_due_s=self.last_due_s,
            image_of=self.image_of,
        )


class RunBuilder:
    """Builds the parts of runs on one microscope.

    Parameters
    ----------
    microscope : Microscope
        Open.
    listeners, taps
        As in `MultiPointController`.
    """

    def __init__(self, microscope: Microscope, listeners: tuple[Listener, ...], taps: tuple[Tap, ...]) -> None:
        self._microscope = microscope
        self._listeners = listeners
        self._taps = taps

    def build(
        self,
        folder: Path,
        steps: StepWatch,
        plan: AcquisitionPlan,
        checked: Preflight,
        progress: Progress,
        on_waiting: Callable[[], None],
    ) -> RunParts:
        """Open sink and journal, and build what works with them.

        Parameters
        ----------
        folder : Path
            The run folder.
        steps : StepWatch
            Guards the device calls.
        plan, checked
            What is to be done, and what preflight knows of it.
        progress : Progress
            What is there already.
        on_waiting : callable
            See `RunParts`.

        Raises
        ------
        StorageError
            The folder takes nothing; what was opened is closed.
        """
        layout, state = checked.layout, progress.state
        facts, control = FactStream(self._listeners), RunControl()
        writer = self._writer(folder, plan, checked, progress, facts)
        channels = _with_gains(layout.channels, self._microscope)
        imaging = Imaging(self._microscope, channels, DeviceCalls(steps, control, self._microscope.beat))
        events, elapsed_s = _remaining(checked, state)
        return RunParts(
            layout=layout,
            microscope=self._microscope,
            worker=MultiPointWorker(
                imaging,
                events,
                writer,
                control,
                facts,
                objective=layout.objective,
                recovery=plan.recovery,
                elapsed_s=elapsed_s,
                on_waiting=on_waiting,
            ),
            writer=writer,
            control=control,
            facts=facts,
            steps=steps,
            summary=first_summary(plan, layout.frames_planned, progress, outputs=writer.outputs),
            on_waiting=on_waiting,
            earlier_s=state.earlier_s if state else 0.0,
            ideal_s=checked.ideal_s,
            estimated_s=checked.estimated_s * (1 - len(writer.stored) / max(1, layout.frames_planned)),
            stored_by_image=state.stored_by_image if state else {},
            last_due_s=_last_due_s(checked.schedule),
            image_of=lambda index: checked.schedule.event(index).image,
        )

    def _writer(
        self, folder: Path, plan: AcquisitionPlan, checked: Preflight, progress: Progress, facts: FactStream
    ) -> FrameWriter:
        """Open sink and journal; when the journal cannot be opened, the sink is closed again."""
        state, frames = progress.state, checked.layout.frames_planned
        sink = make_sink(plan.storage.format, plan.storage.compression, durable=plan.storage.durable)

        def open_sink(*, resume: bool) -> None:
            sink.open(folder, checked.layout, resume=resume)

        with ExitStack() as opened:
            open_sink(resume=state is not None)
            opened.callback(sink.close)
            for index, reason in state.missing.items() if state else ():
                sink.skip(index, reason)  # the lost ones may stand in its tables
            journal = self._journal(folder, plan, checked, progress)
            opened.pop_all()
        return FrameWriter(
            sink,
            lambda: open_sink(resume=True),
            journal,
            facts,
            stored=state.stored if state else IndexSet(frames),
            missing=dict(state.missing) if state else {},
            taps=self._taps,
        )

    def _journal(self, folder: Path, plan: AcquisitionPlan, checked: Preflight, progress: Progress) -> Journal:
        state, durable = progress.state, plan.storage.durable
        if state is not None:
            journal = Journal.reopen(folder, state, durable=durable)
        else:
            header = {
                "name": plan.name,
                "started_utc": progress.started_utc,
                "plan": plan.model_dump(mode="json"),
                "machine": progress.machine.model_dump(mode="json"),
                "origin_um": list(checked.origin),
                "optics": asdict(checked.schedule.optics),
            }
            journal = Journal.create(folder, header, frames=checked.layout.frames_planned, durable=durable)
        journal.commit([part_record(time.time(), os.getpid()), *progress.lost])
        return journal


def first_summary(plan: AcquisitionPlan, frames: int, progress: Progress, *, outputs: tuple[str, ...]) -> RunSummary:
    """Return the record of a run that begins, or goes on."""
    return RunSummary(
        name=plan.name,
        status="running",
        frames_planned=frames,
        frames_lost=progress.state.lost if progress.state else 0,
        outputs=outputs,
        started_utc=progress.started_utc,
        parts=progress.parts,
        plan_digest=plan_digest(plan),
        versions=versions(),
    )


def _remaining(checked: Preflight, state: JournalState | None) -> tuple[Iterator[AcquisitionEvent], float]:
    """Return the events still to be taken, and what the clock of time points shows now.

    A frame that was given up is taken again unless its time point is over. A resumed time-lapse keeps its old
    schedule; when it is late, the first remaining time point is due now and the others keep their intervals. The time
    between is read off the system's clock: nothing else outlives the program.
    """
    if state is None:
        return checked.schedule.events(), 0.0
    remaining = (
        event
        for event in checked.schedule.events(state.stored.first_absent())
        if event.index not in state.stored and not (event.index in state.missing and event.t < state.last_t)
    )
    first = next(remaining, None)
    if first is None:
        return iter(()), 0.0
    now_s = state.clock_s + (max(0.0, time.time() - state.clock_utc_s) if state.clock_utc_s else 0.0)
    return chain((first,), remaining), min(now_s, first.min_start_s or 0.0)


def _with_gains(channels: tuple[ChannelLayout, ...], microscope: Microscope) -> tuple[ChannelLayout, ...]:
    """Give the usual gain to channels that name none, once anybody has set another: none keeps its neighbour's."""
    usual = microscope.usual_gain
    if microscope.camera.gain == usual and all(channel.preset.gain is None for channel in channels):
        return channels
    return tuple(
        replace(channel, preset=channel.preset.model_copy(update={"gain": usual}))
        if channel.preset.gain is None
        else channel
        for channel in channels
    )


def _last_due_s(schedule: Schedule) -> float | None:
    """Return the earliest start of the last event; None when the clock of time points starts again before it."""
    order = schedule.loops.axes.order
    if not schedule.frames or not order.startswith("t") or any("t" in axes.order for axes in schedule.all_axes[1:]):
        return None
    return schedule.event(schedule.frames - 1).min_start_s
