"""A channel: how a stain is lit and seen. Presets live in the machine file, per objective."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from squid.models.base import FileModel

Colour = Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")]
"""Display colour as ``#RRGGBB``."""


class ChannelPreset(FileModel):
    """How a channel is taken with one objective.

    Attributes
    ----------
    source : str
        Light source of the illumination device.
    intensity : float
        Fraction of the source's full power, 0…1.
    exposure_ms : float
        Exposure time.
    filter : str or None
        Name of the filter wheel's position; None: the wheel is left alone.
    z_offset_um : float
        Added to z for this channel.
    gain : float or None
        Analogue gain; None: the one that the camera has when it is opened.
    colour : str
        Display colour, ``#RRGGBB``.
    excitation_nm, emission_nm : float or None
        Wavelengths; None for white light.
    """

    source: str
    intensity: float = Field(ge=0, le=1)
    exposure_ms: float = Field(gt=0)
    filter: str | None = None
    z_offset_um: float = 0.0
    gain: float | None = None
    colour: Colour = "#FFFFFF"
    excitation_nm: float | None = Field(default=None, gt=0)
    emission_nm: float | None = Field(default=None, gt=0)


@dataclass(frozen=True, slots=True)
class ChannelLayout:
    """One entry of a data set's channel axis: its name, and the preset as this run uses it."""

    name: str
    preset: ChannelPreset
