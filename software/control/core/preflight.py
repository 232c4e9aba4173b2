"""Preflight: whether a plan can be carried out on a microscope, and what it will take, before anything moves.

::

    plan ─▶ useq features ─▶ objective ─▶ channels, plate, wells ─▶ stage limits ─▶ names ─▶ disk ─▶ Preflight
                 └────────────── every refusal is collected: file, key, value, allowed ──────┴─▶ PreflightError

Reads devices, commands none. Costs the same for a hundred frames and for a hundred million.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from control.core.preflight_machine import (
    axes_from_origin,
    bytes_of,
    channel_refusals,
    disk_refusals,
    free_bytes,
    lost_stage_refusals,
    name_refusals,
    objective_refusals,
    travel_refusals,
)
from control.core.preflight_plan import impossible, unsupported
from control.core.schedule import Optics, Schedule
from control.core.schedule.axes import Times
from control.core.timing import Physics, ideal_s
from control.core.words import counted
from squid.errors import ConfigurationError, PlanError, PreflightError
from squid.microscope import Microscope
from squid.models.geometry import StagePosition
from squid.models.layout import DatasetLayout, LightPath
from squid.models.plan import AcquisitionPlan

OVERHEAD_S = 0.001
"""What the program adds to each frame beyond physics; `docs/performance.md` has the measurement."""


@dataclass(frozen=True, slots=True)
class Preflight:
    """A plan that can be carried out, and what it takes.

    Attributes
    ----------
    plan : AcquisitionPlan
        The plan.
    schedule : Schedule
        Its events.
    layout : DatasetLayout
        The data set that they make.
    origin : StagePosition
        Where the stage stood; a resumed run needs the same.
    bytes : int
        Space that the frames still to be taken need at most (uncompressed, with pyramid).
    free_bytes : int or None
        Free space where they go; None without an output folder.
    ideal_s : float
        Time that physics needs for the whole plan.
    estimated_s : float
        The same with the program's own share.
    notes : tuple of str
        What is worth knowing, though nothing forbids it.
    """

    plan: AcquisitionPlan
    schedule: Schedule
    layout: DatasetLayout
    origin: StagePosition
    bytes: int
    free_bytes: int | None
    ideal_s: float
    estimated_s: float
    notes: tuple[str, ...] = ()

    @property
    def frames(self) -> int:
        """Number of frames of the whole plan."""
        return self.schedule.frames


def preflight(
    plan: AcquisitionPlan,
    microscope: Microscope,
    output: Path | None,
    *,
    file: Path | None = None,
    origin: StagePosition | None = None,
    done: int = 0,
) -> Preflight:
    """Check a plan against an open microscope; nothing moves.

    Parameters
    ----------
    plan : AcquisitionPlan
        The plan.
    microscope : Microscope
        Open.
    output : Path or None
        Where the run will be written; None: the disk is not looked at.
    file : Path, optional
        The plan's file, for the refusals.
    origin : StagePosition, optional
        Where the stage stood when the run was started first; by default where it stands.
    done : int
        Number of frames that are stored already.

    Raises
    ------
    PreflightError
        Carries every refusal, each naming file, key, value and what is allowed.
    """
    schedule, refusals = examine(plan, microscope, output, origin=origin, done=done)
    if refusals or schedule is None:
        raise PreflightError([_in_file(refusal, file) for refusal in refusals])
    return passed(schedule, microscope, output, done)


def examine(
    plan: AcquisitionPlan,
    microscope: Microscope,
    output: Path | None,
    *,
    origin: StagePosition | None = None,
    done: int = 0,
) -> tuple[Schedule | None, list[ConfigurationError]]:
    """Return a plan worked out, as far as it can be, and every reason why it cannot be carried out.

    Parameters are those of `preflight`. The schedule is None when the plan cannot even be counted.
    """
    optics = optics_of(plan, microscope)
    refusals = impossible(plan, optics.fov_um)
    can_be_worked_out = not refusals
    refusals += unsupported(plan)
    refusals += objective_refusals(plan, microscope)
    if not can_be_worked_out:
        return None, refusals
    here = microscope.stage.position() if origin is None else origin
    schedule = Schedule.build(plan, microscope.config, here, optics, refusals)
    unknown = "" if origin is not None or microscope.stage.is_homed else axes_from_origin(schedule, microscope.config)
    refusals += lost_stage_refusals(schedule.plan, unknown)
    return schedule, refusals + _fit(schedule, microscope, output, done, refusals, unknown)


def optics_of(plan: AcquisitionPlan, microscope: Microscope) -> Optics:
    """Return objective, pixel size and frame of a plan on a microscope, with the camera settings that runs use."""
    wanted = plan.objective or microscope.objective
    objective = wanted if wanted in microscope.config.objectives else microscope.objective
    camera = microscope.camera_for_runs
    return Optics(
        objective=objective,
        pixel_size_um=microscope.pixel_size_um(objective, camera.binning),
        shape_px=microscope.stored_shape_px,
        dtype=camera.pixel_format.dtype,
        significant_bits=camera.pixel_format.bits,
    )


def _fit(
    schedule: Schedule,
    microscope: Microscope,
    output: Path | None,
    done: int,
    refused: list[ConfigurationError],
    unknown: str,
) -> list[ConfigurationError]:
    """Return what this microscope and this disk refuse, beside what was refused before; `unknown`: axes of no use."""
    if not schedule.frames and not refused:
        key = f"{schedule.plan.sequence_key}channels"
        return [PlanError("the plan has no frames", key=key, allowed="at least one well or position, and one channel")]
    placed = not any(key.endswith(("plate", "wells")) for key in (refusal.key or "" for refusal in refused))
    found = [*channel_refusals(schedule, microscope), *name_refusals(schedule, placed=placed)]
    if placed:
        found += travel_refusals(schedule, microscope, unknown)
    if output is not None:
        found += disk_refusals(schedule.plan, bytes_of(schedule, schedule.frames - done), output)
    return found


def passed(schedule: Schedule, microscope: Microscope, output: Path | None, done: int = 0) -> Preflight:
    """Return what a plan that nothing refuses takes; parameters as in `preflight`."""
    physics = Physics.of(microscope, schedule.channels)
    ideal = ideal_s(schedule, physics)
    lead_s = max((physics.lead_s(c) for c in range(len(schedule.channels))), default=0.0)
    return Preflight(
        plan=schedule.plan,
        schedule=schedule,
        layout=replace(schedule.layout(), light_path=_light_path(microscope, schedule.optics.objective)),
        origin=schedule.origin,
        bytes=bytes_of(schedule, schedule.frames - done),
        free_bytes=None if output is None else free_bytes(output),
        ideal_s=ideal,
        estimated_s=lead_s + ideal + OVERHEAD_S * schedule.frames,
        notes=tuple(_notes(schedule, microscope, physics, ideal)),
    )


def _light_path(microscope: Microscope, objective: str) -> LightPath:
    config = microscope.config
    return LightPath(
        objective=config.optics_of(objective),
        sensor_pixel_um=config.camera.sensor_pixel_um,
        binning=microscope.camera_for_runs.binning,
        tube_lens_mm=config.tube_lens_mm,
    )


def _notes(schedule: Schedule, microscope: Microscope, physics: Physics, whole_s: float) -> list[str]:
    notes = []
    axes, plate, limits = schedule.loops.axes, schedule.plate, microscope.stage.limits
    interval_s = axes.times_s.interval_s if isinstance(axes.times_s, Times) and axes.order.startswith("t") else None
    if interval_s is not None and whole_s > len(axes.times_s) * interval_s:  # else each has time enough
        once = schedule.plan.model_copy(update={"sequence": schedule.plan.sequence.replace(time_plan=None)})
        one = Schedule.build(once, microscope.config, schedule.origin, schedule.optics)
        needed_s = ideal_s(one, physics)
        if needed_s > interval_s:
            notes.append(
                f"a time point takes {needed_s:.1f} s, the interval is {interval_s:g} s: time points will be late"
            )
    if plate is not None:
        corners = [
            plate.well_centre_um(row, column) for row in (0, plate.rows - 1) for column in (0, plate.columns - 1)
        ]
        if not all(x in limits.x and y in limits.y for x, y in corners):
            notes.append(f"{plate.name} is larger than the stage's travel: not all of its wells can be reached")
    storage = schedule.plan.storage
    if "compression" in storage.model_fields_set and storage.compression != "none" and storage.format != "ome-zarr":
        notes.append(f"compression {storage.compression} is not used: {storage.format} stores pixels as they are")
    if not microscope.stage.is_homed:
        notes.append(f"{microscope.stage.label} is not homed")
    return notes


def _in_file(refusal: ConfigurationError, file: Path | None) -> ConfigurationError:
    if file is None or refusal.file is not None:
        return refusal
    return type(refusal)(refusal.message, file=file, key=refusal.key, allowed=refusal.allowed)


def describe(checked: Preflight, now: datetime | None = None) -> str:
    """Return what a plan will do, in lines of text.

    Parameters
    ----------
    checked : Preflight
        A plan that passed.
    now : datetime, optional
        When it would start; by default now.
    """
    schedule, layout = checked.schedule, checked.layout
    wells = len({image.well for image in layout.images if image.well is not None})
    duration = timedelta(seconds=round(checked.estimated_s))
    end = (now or datetime.now()) + duration
    positions = counted(len(schedule.places), "position")
    where = f"{counted(wells, 'well')} of {layout.plate.name}" if layout.plate else positions
    free = "" if checked.free_bytes is None else f" of {checked.free_bytes / 1e9:.2f} GB free"
    height, width = layout.shape_px
    lines = [
        f"frames: {checked.frames}",
        f"where: {where}, {counted(len(layout.images), 'field')}",
        f"channels: {', '.join(channel.name for channel in layout.channels)}",
        f"objective: {layout.objective}, {layout.pixel_size_um:g} µm a pixel, {width} x {height} px",
        f"bytes: {checked.bytes} (at most {checked.bytes / 1e9:.2f} GB{free})",
        f"duration: {duration} (until {end:%Y-%m-%d %H:%M:%S})",
        *(f"note: {note}" for note in checked.notes),
    ]
    return "\n".join(lines)
