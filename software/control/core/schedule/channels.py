"""The channels of a plan: preset of the objective, changed by the sequence, changed by the plan.

Intensity, exposure, filter, gain and colour are those of the plan's ``channels`` if it says so, else useq's (exposure),
else the preset's. The z offset likewise: the plan's, else useq's ``z_offset`` unless it is 0, else the preset's; one
replaces the other, they are never added. Knows no device.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from useq import Channel

from squid.errors import ConfigurationError, PlanError
from squid.models.channel import ChannelLayout, ChannelPreset
from squid.models.plan import AcquisitionPlan, sequence_channels

_UNKNOWN = ChannelPreset(source="", intensity=0.0, exposure_ms=10.0)
"""Stands in for a channel that was refused, so that the rest of the plan can be checked, too."""


@dataclass(frozen=True, slots=True)
class ChannelUse:
    """One channel of one sequence.

    Attributes
    ----------
    c : int
        Place on the data set's channel axis.
    name : str
        Name of the channel.
    exposure_ms, z_offset_um : float
        As this sequence uses it.
    do_stack : bool
        Taken at every plane; otherwise at the middle one.
    acquire_every : int
        Taken at every so many time points.
    """

    c: int
    name: str
    exposure_ms: float
    z_offset_um: float
    do_stack: bool
    acquire_every: int


class Channels:
    """The channel axis of a plan.

    Parameters
    ----------
    plan : AcquisitionPlan
        The plan.
    presets : mapping of str to ChannelPreset
        Those of the objective.
    refusals : list of ConfigurationError
        Gets one entry for each channel that has no preset.
    """

    def __init__(
        self, plan: AcquisitionPlan, presets: Mapping[str, ChannelPreset], refusals: list[ConfigurationError]
    ) -> None:
        self._plan = plan
        self._presets = presets
        self._numbers: dict[str, int] = {}
        self.layout: tuple[ChannelLayout, ...] = ()
        for channel in sequence_channels(plan.sequence):
            name = channel.config
            if name in self._numbers:
                continue
            if name not in presets:
                key = f"{plan.sequence_key}channels"
                refusals.append(PlanError(f"no channel '{name}'", key=key, allowed=", ".join(presets)))
            self._numbers[name] = len(self._numbers)
            self.layout += (ChannelLayout(name, self._preset(channel)),)

    def uses(self, channels: Sequence[Channel]) -> tuple[ChannelUse, ...]:
        """Return the channels of one sequence, resolved."""
        return tuple(self._use(channel) for channel in channels)

    def _use(self, channel: Channel) -> ChannelUse:
        preset = self._preset(channel)
        return ChannelUse(
            c=self._numbers[channel.config],
            name=channel.config,
            exposure_ms=preset.exposure_ms,
            z_offset_um=preset.z_offset_um,
            do_stack=channel.do_stack,
            acquire_every=channel.acquire_every,
        )

    def _preset(self, channel: Channel) -> ChannelPreset:
        preset = self._presets.get(channel.config, _UNKNOWN)
        said: dict[str, float] = {}
        if channel.exposure is not None:
            said["exposure_ms"] = channel.exposure
        if channel.z_offset:
            said["z_offset_um"] = channel.z_offset
        override = self._plan.channels.get(channel.config)
        preset = preset.model_copy(update=said)
        return override.applied_to(preset) if override else preset
