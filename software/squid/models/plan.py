"""The plan: what to image, as frozen data from a YAML or JSON file; see ``docs/plan_file.md``.

::

    read_plan(file) ──▶ AcquisitionPlan ──write_plan──▶ file     the same plan again, the same `plan_digest`

The language is useq-schema's `MDASequence`; our own keys say what it cannot. A bare useq file is a plan, too.
Knows no device: whether a microscope can carry a plan out is for `control.core.preflight` to say.
"""

from __future__ import annotations

import copy
import hashlib
import json
import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import useq
from pydantic import BeforeValidator, Field, PrivateAttr, field_validator, model_validator
from useq import GridRowsColumns, GridWidthHeight, MDASequence, RandomPoints, RelativePosition

from squid.errors import PlanError
from squid.models.base import FileModel
from squid.models.channel import ChannelPreset, Colour
from squid.models.file import read_mapping, validate, yaml_text
from squid.models.useq_keys import unknown_keys

_log = logging.getLogger(__name__)

FieldsPlan = GridRowsColumns | GridWidthHeight | RandomPoints | RelativePosition
"""Fields of view in a well, around its centre: useq's relative multi-point plans."""


class ChannelOverride(FileModel):
    """What a plan changes of a channel's preset; None, or left out: the preset's.

    Attributes
    ----------
    source, intensity, exposure_ms, filter, z_offset_um, gain, colour
        As in `ChannelPreset`.
    """

    source: str | None = None
    intensity: float | None = Field(default=None, ge=0, le=1)
    exposure_ms: float | None = Field(default=None, gt=0)
    filter: str | None = None
    z_offset_um: float | None = None
    gain: float | None = None
    colour: Colour | None = None

    def applied_to(self, preset: ChannelPreset) -> ChannelPreset:
        """Return the preset with these values in it."""
        return preset.model_copy(update=self.model_dump(exclude_none=True))


class Storage(FileModel):
    """How the frames are stored.

    Attributes
    ----------
    format : str
        ``ome-zarr`` (HCS plate), ``ome-tiff`` (one file per field), ``tiff`` (one file per frame, Squid's folders),
        ``memory`` or ``null`` (for trials: nothing is kept).
    compression : str
        ``lz4`` (fast), ``zstd`` (smaller) or ``none``.
    durable : bool
        Also force every group of frames through the operating system's cache to the disk, so that it survives a power
        cut and not only a crash of the program. Costs speed on slow disks.
    """

    format: Annotated[
        Literal["ome-zarr", "ome-tiff", "tiff", "memory", "null"],
        BeforeValidator(lambda v: "null" if v is None else v),  # an unquoted null is nothing to YAML
    ] = "ome-zarr"
    compression: Annotated[Literal["lz4", "zstd", "none"], BeforeValidator(lambda v: "none" if v is None else v)] = (
        "lz4"
    )
    durable: bool = False


class Recovery(FileModel):
    """What to do when something fails during the run.

    Attributes
    ----------
    tries_per_frame : int
        Exposures that a frame may take before it is missing.
    on_missing_frame : str
        ``mark``: leave a hole at its index and go on; ``abort``: end the run, resumable.
    on_stage_failure : str
        When the stage does not arrive. ``retry``: once more (homed first if it is lost), then end the run;
        ``skip``: once more, then leave out this field at this time point; ``abort``: end the run at once.
    max_failures_in_a_row : int
        So many missing frames one after the other end the run whatever else is said.
    min_free_gb : float
        Free space (10⁹ bytes) that must remain on the disk beyond what the run needs.
    """

    tries_per_frame: int = Field(default=3, ge=1, le=100)
    on_missing_frame: Literal["mark", "abort"] = "mark"
    on_stage_failure: Literal["retry", "skip", "abort"] = "retry"
    max_failures_in_a_row: int = Field(default=10, ge=1)
    min_free_gb: float = Field(default=1.0, ge=0)


class AcquisitionPlan(FileModel):
    """What to image.

    Attributes
    ----------
    name : str
        Name of the run; names its folder.
    plate : str or int or None
        The plate on the stage: a name of ``configs/plates.csv`` or of the machine file, useq's name (``96-well``) or
        the number of wells (96). None: what the sequence says, else free positions.
    objective : str or None
        None: the one in use.
    wells : str or tuple of str or None
        Selection of wells by name, ``A1:C6, H12``; not together with ``sequence.stage_positions``.
    fields : FieldsPlan or None
        Fields in each of `wells`, around its centre; None: one, in the centre.
    clip_fields : bool
        Leave out the fields whose centre is not inside its well.
    z_um : float or None
        Stage z of positions that have none of their own; None: where the stage stands when the run starts.
    sequence : MDASequence
        Channels, z planes, time points, free positions, order of axes: useq-schema's language.
    channels : mapping of str to ChannelOverride
        By channel name: what differs from the preset of the objective.
    storage : Storage
        How frames are stored.
    recovery : Recovery
        What to do when something fails.
    """

    name: str = Field(default="plan", min_length=1, max_length=100)
    plate: str | int | None = None
    objective: str | None = None
    wells: str | tuple[str, ...] | None = None
    fields: FieldsPlan | None = Field(default=None, union_mode="left_to_right")
    clip_fields: bool = False
    z_um: float | None = None
    sequence: MDASequence
    channels: Mapping[str, ChannelOverride] = Field(default_factory=dict)
    storage: Storage = Storage()
    recovery: Recovery = Recovery()
    _bare: bool = PrivateAttr(default=False)

    @field_validator("wells", mode="before")
    @classmethod
    def _numbers_are_columns(cls, value: object) -> object:
        if isinstance(value, int):
            return str(value)
        return tuple(str(item) for item in value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _agrees(self) -> AcquisitionPlan:
        if self.wells is not None and (self.plate is None or self.sequence.stage_positions):
            raise ValueError("wells need a plate, and a sequence without stage_positions")
        if self.fields is not None and self.wells is None:
            raise ValueError("fields belong to wells; in a sequence they are grid_plan or well_points_plan")
        names = [channel.config for channel in sequence_channels(self.sequence)]
        for name in self.channels:
            if name not in names:
                raise ValueError(f"channels.{name}: the sequence has no such channel (allowed: {', '.join(names)})")
        return self

    @property
    def sequence_key(self) -> str:
        """Where the sequence stands in the plan's file: ``sequence.``, or nothing in a bare useq file."""
        return "" if self._bare else "sequence."


def sequence_channels(sequence: MDASequence) -> tuple[Any, ...]:
    """Return all useq channels of a sequence, those of its positions' own sequences last."""
    positions = sequence.stage_positions if isinstance(sequence.stage_positions, tuple) else ()
    own = (channel for p in positions if p.sequence is not None for channel in p.sequence.channels)
    return (*sequence.channels, *own)


def read_plan(path: Path) -> AcquisitionPlan:
    """Read a plan, or a bare useq file.

    Raises
    ------
    PlanError
        Names the file, the key, the value found and what is allowed.
    """
    data = read_mapping(path, PlanError)
    bare = "sequence" not in data and bool(data.keys() & MDASequence.model_fields.keys() - {"channels"})
    bare = bare or isinstance(data.get("channels"), list)
    whole = {"name": path.stem, "sequence": data} if bare else {"name": path.stem, **data}
    plan = _validated(whole, path, bare)
    plan._bare = bare
    return plan


def _validated(whole: Mapping[str, Any], path: Path, bare: bool) -> AcquisitionPlan:
    raw = copy.deepcopy(whole)  # useq's validators change what they are given
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            plan = validate(whole, AcquisitionPlan, PlanError, file=path)
    except PlanError as e:
        key = ".".join(part for part in (e.key or "").split(".") if not _is_union_tag(part))
        key = key.removeprefix("sequence.") if bare else key
        raise PlanError(e.message, file=path, key=key, allowed=e.allowed) from e
    for warning in said:
        _log.warning("%s: %s", path, warning.message)
    for name in ("sequence", "fields"):
        for key, allowed in unknown_keys(raw.get(name), getattr(plan, name), "" if bare else name):
            raise PlanError("unknown key", file=path, key=key, allowed=allowed)
    return plan


def _is_union_tag(part: str) -> bool:
    """Return whether pydantic put this into the path of a key, to say which kind of useq plan it tried."""
    return "[" in part or "]" in part or isinstance(getattr(useq, part, None), type)


def plan_text(plan: AcquisitionPlan, *, as_json: bool = False) -> str:
    """Return a plan as YAML (or JSON), as `read_plan` reads it."""
    data = {"name": plan.name, **plan.model_dump(mode="json", exclude_unset=True)}
    if as_json:
        return json.dumps(data, indent=2, ensure_ascii=False)
    return yaml_text(data)


def write_plan(plan: AcquisitionPlan, path: Path) -> None:
    """Write a plan as YAML, or as JSON when the name ends so; `read_plan` gives the same plan again."""
    path.write_text(plan_text(plan, as_json=path.suffix == ".json"), encoding="utf-8")


def plan_digest(plan: AcquisitionPlan) -> str:
    """Return the SHA-256 of the plan's content, defaults included: equal plans have equal digests."""
    text = json.dumps(plan.model_dump(mode="json"), sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
