"""What a simulated camera sees of the controller's stage and lights: the true past.

Positions come from status frames; light from the outputs of a virtual controller, or from acknowledged commands.

A device without role between a virtual controller and a simulated world (``configs/simulation_controller.yaml``).
It attaches itself to the world by its shape: it knows no simulated device.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import ClassVar, Final, Protocol, runtime_checkable

from pydantic import BaseModel

from squid.abc.device import Device
from squid.abc.illumination import LightSource
from squid.drivers.controller.illumination import ControllerIllumination
from squid.drivers.controller.stage import ControllerStage
from squid.drivers.controller.virtual import OutputChange, VirtualControllerLink
from squid.models.geometry import StagePosition

_TOGETHER_S: Final = 0.0005
_PAST_SWITCHES: Final = 256


@runtime_checkable
class SeesLightPath(Protocol):
    """A simulated world, as far as it is needed here."""

    def attach_stage(self, stage: ControllerLightPath) -> None:
        """Put a stage under the objective."""

    def attach_light(self, light: ControllerLightPath) -> None:
        """Put lights into the light path."""


class ControllerLightPath(Device):
    """Tells a simulated world where the stage was and which light was on."""

    Uses: ClassVar[Mapping[str, type[Device]]] = {
        "world": Device,
        "stage": ControllerStage,
        "light": ControllerIllumination,
    }

    def __init__(self, label: str, stage: ControllerStage, light: ControllerIllumination) -> None:
        super().__init__(label)
        self._stage = stage
        self._light = light
        self._outputs: Outputs | None = None

    @classmethod
    def create(cls, label: str, options: BaseModel, uses: Mapping[str, Device]) -> ControllerLightPath:
        """Build it and attach it to the world."""
        world, stage, light = uses["world"], uses["stage"], uses["light"]
        assert isinstance(world, SeesLightPath)
        assert isinstance(stage, ControllerStage)
        assert isinstance(light, ControllerIllumination)
        path = cls(label, stage, light)
        world.attach_stage(path)
        world.attach_light(path)
        return path

    def position_at(self, instant_s: float) -> StagePosition:
        """Return the position at an instant (`time.monotonic`) of the recent past.

        The stage stands during an exposure that was triggered while it stood: sequencer and engine see to that, and
        status frames that a busy machine brings late must not make it move.
        """
        standing = self._outputs.standing_at(instant_s) if self._outputs else None
        return self._stage.position_at(instant_s) if standing is None else self._stage.position_of(standing)

    def mean_levels(self, start_s: float, end_s: float) -> tuple[tuple[LightSource, float], ...]:
        """Return each source's mean intensity between two instants, dark ones left out."""
        switches = self._outputs.switches if self._outputs else self._light.switches
        levels = []
        for source in self._light.sources:
            own = [(0.0, 0.0)]
            own += [(_on_time(t, start_s, end_s), level) for t, name, level in switches if name == source.name]
            mean = mean_level(own, start_s, end_s)
            if mean > 0:
                levels.append((source, mean))
        return tuple(levels)

    def _do_open(self) -> None:
        link = self._light.link
        self._outputs = None
        if isinstance(link, VirtualControllerLink) and link.controller is not None:
            self._outputs = Outputs(self._light)
            link.controller.watch(self._outputs.take)

    def _do_close(self) -> None:
        """Nothing to close."""


class Outputs:
    """Which source was on when and how bright, from the outputs of a virtual controller.

    Parameters
    ----------
    light : ControllerIllumination
        Knows which source is wired to which output. Of several patterns of the LED matrix the first is taken.
    """

    def __init__(self, light: ControllerIllumination) -> None:
        self._light = light
        self._levels: dict[str, int] = {}
        self._on: set[str] = set()
        self._triggers: deque[OutputChange] = deque(maxlen=_PAST_SWITCHES)
        self._switches: deque[tuple[float, str, float]] = deque(maxlen=_PAST_SWITCHES)

    @property
    def switches(self) -> tuple[tuple[float, str, float], ...]:
        """The last switches: instant (`time.monotonic`), source, intensity."""
        return tuple(self._switches)

    def standing_at(self, instant_s: float) -> tuple[int, ...] | None:
        """Return where the axes stood at the last trigger before an instant, in microsteps; None if they moved."""
        triggers = [change for change in tuple(self._triggers) if change.instant_s <= instant_s]
        return triggers[-1].standing_usteps if triggers else None

    def take(self, change: OutputChange) -> None:
        """Take an edge of an output, or the change of an output's level."""
        if change.name.startswith("trigger") and change.level == 0:
            self._triggers.append(change)
        for source, (output, level_name) in self._light.wiring.items():
            if change.name not in (output, level_name):
                continue
            if change.name == level_name:
                self._levels[level_name] = change.level
            else:
                (self._on.add if change.level else self._on.discard)(output)
            raw = self._levels.get(level_name, 0) if output in self._on else 0
            self._switches.append((change.instant_s, source, self._light.intensity_of(source, raw)))


def _on_time(instant_s: float, start_s: float, end_s: float) -> float:
    """Return the instant of a switch, moved to the ends of an exposure that it belongs to.

    A camera's exposure begins with the trigger that lights its strobe; that their instants are told a few µs apart is
    no physics of a microscope.
    """
    if start_s < instant_s < start_s + _TOGETHER_S:
        return start_s
    return end_s if end_s - _TOGETHER_S < instant_s < end_s else instant_s


def mean_level(switches: list[tuple[float, float]], start_s: float, end_s: float) -> float:
    """Return the mean between two instants of a level that changes at (instant, level), ascending."""
    if end_s <= start_s:
        return next(level for instant, level in reversed(switches) if instant <= start_s)
    ends = [instant for instant, _ in switches[1:]] + [float("inf")]
    total = 0.0
    for (begin_s, level), until_s in zip(switches, ends, strict=True):
        total += level * max(0.0, min(until_s, end_s) - max(begin_s, start_s))
    return total / (end_s - start_s)
