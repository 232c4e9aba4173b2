"""What a plan wants that this microscope cannot do: travel, channels, objective, disk.

Each check returns refusals and moves nothing. Works on the closed form of the schedule, not on its events.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import psutil

from control.core.schedule import Schedule
from control.core.schedule.axes import Axes
from control.core.sinks.ome_tiff import file_name
from control.core.words import counted
from squid.errors import ConfigurationError, PlanError
from squid.machine_file import MachineConfig
from squid.microscope import Microscope
from squid.models.geometry import AxisRange, StagePosition
from squid.models.plan import AcquisitionPlan

PYRAMID = {"ome-zarr": 4 / 3}
"""Stored pixels for each pixel of a frame, by format; 1 where there is no pyramid."""

RECORD_BYTES = 1024
"""Journal and metadata of one frame, at most."""

Refusals = Iterator[ConfigurationError]


def objective_refusals(plan: AcquisitionPlan, microscope: Microscope) -> Refusals:
    """Refuse an objective that is not there, or cannot be turned in."""
    wanted = plan.objective
    if wanted is None:
        return
    if wanted not in microscope.config.objectives:
        allowed = ", ".join(microscope.config.objectives)
        yield PlanError(f"no objective '{wanted}'", key="objective", allowed=allowed)
    elif wanted != microscope.objective:
        changer = microscope.objective_changer
        if changer is None:
            message = f"'{wanted}' is not in the beam, and there is no objective changer"
            yield PlanError(message, key="objective", allowed=microscope.objective)
        elif wanted not in changer.objectives:
            allowed = ", ".join(changer.objectives)
            yield PlanError(f"'{wanted}' is not in the changer", key="objective", allowed=allowed)


def channel_refusals(schedule: Schedule, microscope: Microscope) -> Refusals:
    """Refuse light sources, filters, exposures and gains that the devices do not have."""
    sources = [source.name for source in microscope.illumination.sources]
    wheel = microscope.filter_wheel
    known = microscope.config.channels_of(schedule.optics.objective)
    for channel in schedule.channels:
        name, preset = channel.name, channel.preset
        if name not in known:
            continue  # refused by its name already
        key = f"channels.{name}"
        if preset.source not in sources:
            yield PlanError(f"no light source '{preset.source}'", key=f"{key}.source", allowed=", ".join(sources))
        if preset.filter is not None and (wheel is None or preset.filter not in wheel.filters):
            allowed = ", ".join(wheel.filters) if wheel is not None else "none: there is no filter wheel"
            yield PlanError(f"no filter '{preset.filter}'", key=f"{key}.filter", allowed=allowed)
        low, high = microscope.camera.gain_range
        if preset.gain is not None and not low <= preset.gain <= high:
            yield PlanError(f"{preset.gain:g} is out of range", key=f"{key}.gain", allowed=f"{low:g} to {high:g}")
    low, high = microscope.camera.exposure_range_ms
    for name, exposure_ms in {(use.name, use.exposure_ms) for axes in schedule.all_axes for use in axes.channels}:
        if not low <= exposure_ms <= high:
            message, allowed = f"{exposure_ms:g} ms is out of range", f"{low:g} to {high:g} ms"
            yield PlanError(message, key=f"channels.{name}.exposure_ms", allowed=allowed)


def axes_from_origin(schedule: Schedule, config: MachineConfig) -> str:
    """Return the axes (of x, y, z) on which the plan counts from where the stage stands, wholly or in part."""
    origin = schedule.origin
    elsewhere = StagePosition(origin.x_um + 1, origin.y_um + 1, origin.z_um + 1)
    other = Schedule.build(schedule.plan, config, elsewhere, schedule.optics, [])
    pairs = tuple(zip(_reaches(schedule), _reaches(other), strict=True))
    return "".join(axis for axis in "xyz" if any(here[axis] != there[axis] for here, there in pairs))


def lost_stage_refusals(plan: AcquisitionPlan, unknown: str) -> Refusals:
    """Refuse a plan that counts from where the stage stands, when a stage that is not homed cannot tell.

    Parameters
    ----------
    plan : AcquisitionPlan
        The plan.
    unknown : str
        The axes of `axes_from_origin`; empty: nothing to refuse.
    """
    if unknown:
        key = "z_um" if unknown == "z" else f"{plan.sequence_key}stage_positions"
        said = "z_um" if unknown == "z" else f"positions with {', '.join(unknown)}"
        message = f"the plan takes {' and '.join(unknown)} from where the stage stands, but the stage is not homed"
        homing = "home the stage first (hcs run --home), which leaves it at the ends of its travel"
        yield PlanError(message, key=key, allowed=f"say {said} in the plan, or {homing}")


def travel_refusals(schedule: Schedule, microscope: Microscope, unknown: str = "") -> Refusals:
    """Refuse positions outside of the stage's limits; one refusal for each axis, naming the first position.

    The axes in `unknown` are not looked at: the stage, not homed, cannot tell where it stands.
    """
    limits = microscope.stage.limits
    reach = list(_reaches(schedule))
    for axis, allowed in (("x", limits.x), ("y", limits.y), ("z", limits.z)):
        if axis in unknown:
            continue
        outside = [(number, um) for number, spans in enumerate(reach) for um in spans[axis] if not _inside(um, allowed)]
        if outside:
            number, um = outside[0]
            place = schedule.places[number]
            places = {number for number, _ in outside}
            more = f" (and {counted(len(places) - 1, 'more position')})" if len(places) > 1 else ""
            message = f"{axis} = {um:.1f} µm of {place.name} is outside of the stage's limits{more}"
            yield PlanError(message, key=_position_key(schedule.plan, number), allowed=f"{axis} {allowed}")


def _inside(um: float, allowed: AxisRange) -> bool:
    return allowed.min_um <= um <= allowed.max_um


def _position_key(plan: AcquisitionPlan, number: int) -> str:
    if plan.wells is not None:
        return "wells"
    positions = plan.sequence.stage_positions
    key = f"{plan.sequence_key}stage_positions"
    return f"{key}.{number}" if isinstance(positions, tuple) and positions else key


Spans = Mapping[str, tuple[float, ...]]
"""By axis: the lowest and the highest value; nothing where there is none."""


def _reaches(schedule: Schedule) -> Iterator[Spans]:
    """Yield the extreme x, y and z of each place, its fields, planes and channel offsets included."""
    around: dict[tuple[int, int], tuple[Spans, bool, bool]] = {}  # places with the same fields and loops have the same
    for number, place in enumerate(schedule.places) if schedule.frames else ():
        sub, outer = schedule.sub_at(number), schedule.loops.axes
        own, kept = sub.axes if sub is not None else outer, schedule.images.kept(number)
        shape = (id(own), id(kept))
        if shape not in around:
            around[shape] = _around(own, outer, kept)
        spans, points_relative, planes_relative = around[shape]
        x_um, y_um, z_um = (value or 0.0 for value in (place.x_um, place.y_um, place.z_um))
        base = (*((x_um, y_um) if points_relative else (0.0, 0.0)), z_um if planes_relative else 0.0)
        yield {axis: tuple(um + start for um in spans[axis]) for axis, start in zip("xyz", base, strict=True)}


def _around(own: Axes, outer: Axes, kept: tuple[int, ...]) -> tuple[Spans, bool, bool]:
    """Return what fields, planes and channels add to a place, and whether fields and planes count from it."""
    grid = own if own.has_grid else outer
    points = [grid.points[g] for g in kept] if grid.points else [(0.0, 0.0)]
    planes = own if own.has_planes else outer
    heights = _heights(planes, own if own.channels else outer) if points else []
    spans = {"x": _ends([x for x, _ in points]), "y": _ends([y for _, y in points]), "z": _ends(heights)}
    return spans, grid.points_relative, planes.planes_relative or not planes.planes_um


def _heights(planes: Axes, channels: Axes) -> list[float]:
    """Return the planes of all channels, with their offsets."""
    found: list[float] = []
    for use in channels.channels:
        together = planes is channels
        taken = range(len(planes.planes_um)) if use.do_stack or not together else (planes.middle,)
        found += [planes.planes_um[z] + use.z_offset_um for z in taken if z < len(planes.planes_um)]
        if not planes.planes_um:
            found.append(use.z_offset_um)
    return found


def _ends(values: list[float]) -> tuple[float, ...]:
    return (min(values), max(values)) if values else ()


def name_refusals(schedule: Schedule, *, placed: bool) -> Refusals:
    """Refuse positions that storage could not tell apart or name, and, once `placed`, such as lie in no well."""
    plan, key = schedule.plan, f"{schedule.plan.sequence_key}stage_positions"
    numbered = {_on_disk(place.name): schedule.images.numbered(i) for i, place in enumerate(schedule.places)}
    free = [place.name for place in schedule.places if place.well is None]
    for name, count in Counter(map(_on_disk, free)).items():
        if count > 1:
            alike = ", ".join(f"'{each}'" for each in dict.fromkeys(n for n in free if _on_disk(n) == name))
            yield PlanError(f"{count} positions have the name {alike}", key=key, allowed="a name for each position")
        stem, _, number = name.rpartition("_")
        if number.isdecimal() and int(number) < numbered.get(stem, 0):
            message = f"position '{name}' has the name of field {number} of position '{stem}'"
            yield PlanError(message, key=key, allowed="a name for each position")
    if plan.storage.format == "tiff":  # the one whose files bear the channel's name
        for name, count in Counter(_on_disk(channel.name) for channel in schedule.channels).items():
            if count > 1:
                message = f"{count} channels would have files of the name '{name}'"
                yield PlanError(message, key=f"{plan.sequence_key}channels", allowed="another format, or other names")
    for name in free:
        if any(letter in '/\\:*?"<>|' or ord(letter) < 32 for letter in name) or name.startswith("."):
            yield PlanError(f"'{name}' cannot name files", key=key, allowed='no / \\ : * ? " < > |, no leading dot')
    if placed and plan.plate is not None and schedule.plate is not None and schedule.frames:
        outside = schedule.images.outside_wells()
        if outside is not None:
            message = f"{outside.name} at x = {outside.x_um:.1f}, y = {outside.y_um:.1f} µm lies in no well"
            allowed = f"inside a well of '{schedule.plate.name}', or no plate"
            yield PlanError(message, key=key if plan.sequence.stage_positions else "plate", allowed=allowed)


def _on_disk(name: str) -> str:
    """Return a name as sinks write it, and as a file system that knows no case sees it."""
    return file_name(name).casefold()


def bytes_of(schedule: Schedule, frames: int) -> int:
    """Return what so many frames take on the disk: uncompressed, with pyramid and records."""
    storage = schedule.plan.storage.format
    if storage == "null":
        return 0
    height, width = schedule.optics.shape_px
    frame = height * width * np.dtype(schedule.optics.dtype).itemsize
    return int(frames * (frame * PYRAMID.get(storage, 1.0) + RECORD_BYTES))


def free_bytes(output: Path) -> int:
    """Return the free space where a folder is, or will be made."""
    return shutil.disk_usage(_existing(output)).free


def disk_refusals(plan: AcquisitionPlan, needed: int, output: Path) -> Refusals:
    """Refuse an output folder that cannot be written, or has no room for the whole run and the margin."""
    folder = _existing(output)
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        yield PlanError(f"{folder} cannot be written", key="output", allowed="a folder that can be written")
        return
    kept = int(plan.recovery.min_free_gb * 1e9)
    in_memory = plan.storage.format == "memory"
    free = psutil.virtual_memory().available if in_memory else free_bytes(output)
    if needed + kept > free and plan.storage.format != "null":
        where = "memory" if in_memory else f"the disk of {folder}"
        message = f"the run needs {needed / 1e9:.2f} GB and must leave {kept / 1e9:.2f} GB, in {where}"
        yield PlanError(message, key="storage", allowed=f"{max(0, free - kept) / 1e9:.2f} GB")


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above that exists."""
    found = folder.absolute()
    while not found.exists() and found != found.parent:
        found = found.parent
    return found
