"""Where in the window a refusal belongs, and how it is told there.

A refusal of the plan or of preflight names a key of the plan file; the window shows it in the section that edits this
key, in words that need no plan file.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from squid.errors import ConfigurationError


class Section(StrEnum):
    """A part of the page on which a plan is made."""

    PLATE = "plate"
    WELLS = "wells"
    FIELDS = "fields"
    CHANNELS = "channels"
    Z = "z"
    TIME = "time"
    POSITIONS = "positions"
    STORAGE = "storage"
    RUN = "run"


_BY_KEY = {
    "plate": Section.PLATE,
    "objective": Section.PLATE,
    "name": Section.PLATE,
    "wells": Section.WELLS,
    "stage_positions": Section.POSITIONS,
    "fields": Section.FIELDS,
    "clip_fields": Section.FIELDS,
    "grid_plan": Section.FIELDS,
    "channels": Section.CHANNELS,
    "z_um": Section.Z,
    "z_plan": Section.Z,
    "time_plan": Section.TIME,
    "storage": Section.STORAGE,
    "output": Section.STORAGE,
}
_BY_LAST_KEY = {
    "selected_wells": Section.WELLS,
    "plate": Section.PLATE,
    "well_points_plan": Section.FIELDS,
    "grid_plan": Section.FIELDS,
    "z_plan": Section.Z,
    "time_plan": Section.TIME,
}
"""For keys within a position of the plan."""

_WORDS = {
    "source": "light source",
    "exposure_ms": "exposure",
    "z_offset_um": "z offset",
    "gain": "gain",
    "filter": "filter",
    "intensity": "intensity",
    "colour": "colour",
    "exposure": "exposure",
}
_QUESTIONS = (
    ("names no well", "choose at least one well"),
    ("no well is selected", "choose at least one well"),
    ("no field lies in its well", "no field lies inside its well: take fewer fields, or do not clip them"),
    ("every frame needs a channel", "choose at least one channel"),
    ("the plan has no frames", "choose at least one channel, and a well or a position"),
)
"""What a person is asked for, in place of what is wrong with a file."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a plan cannot be carried out.

    Attributes
    ----------
    section : Section
        Where it is told.
    text : str
        What is wrong, with the value and what is allowed.
    """

    section: Section
    text: str


def section_of(refusal: ConfigurationError) -> Section:
    """Return the section that edits what was refused."""
    if (refusal.allowed or "").startswith("z "):  # a position whose z is out of reach
        return Section.Z
    parts = (refusal.key or "").removeprefix("sequence.").split(".")
    first = _BY_KEY.get(parts[0], Section.RUN)
    if first is Section.POSITIONS:
        return next((_BY_LAST_KEY[part] for part in reversed(parts) if part in _BY_LAST_KEY), first)
    return first


def refusal_of(error: ConfigurationError) -> Refusal:
    """Return a refusal as the window tells it."""
    asked = next((text for found, text in _QUESTIONS if found in error.message), None)
    if asked is not None:
        return Refusal(section_of(error), asked)
    subject = _subject(error)
    text = f"{subject}: {error.message}" if subject else error.message
    return Refusal(section_of(error), f"{text} (allowed: {error.allowed})" if error.allowed else text)


def _subject(error: ConfigurationError) -> str:
    """Return what is meant, where the message alone does not say it: channel and value, or the key of a useq file."""
    parts = (error.key or "").removeprefix("sequence.").split(".")
    if parts[0] == "channels" and len(parts) > 2:
        return f"{parts[1]}, {_WORDS.get(parts[-1], parts[-1])}"
    known = section_of(error) is not Section.RUN
    return "" if known and len(parts) < 3 else (error.key or "")
