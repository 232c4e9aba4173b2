"""`Schedule`: the events of a plan on one microscope, counted in closed form and entered at any index."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from useq import MDASequence

from control.core.schedule.axes import Axes, Times, axes_of
from control.core.schedule.channels import Channels, ChannelUse
from control.core.schedule.images import Extent, Images
from control.core.schedule.loops import Loops, SubLoops, Turn
from control.core.schedule.places import Place, Places, places_of
from squid.errors import ConfigurationError, PreflightError
from squid.machine_file import MachineConfig, read_plates
from squid.models.channel import ChannelLayout
from squid.models.event import AcquisitionEvent
from squid.models.geometry import StagePosition
from squid.models.layout import DatasetLayout
from squid.models.plan import AcquisitionPlan
from squid.models.plate import PlateGeometry


@dataclass(frozen=True, slots=True)
class Optics:
    """What a schedule must know of the camera and the objective.

    Attributes
    ----------
    objective : str
        Name of the objective that the plan runs with.
    pixel_size_um : float
        At the sample.
    shape_px : (int, int)
        Height and width of a stored frame.
    dtype : str
        ``uint8`` or ``uint16``.
    significant_bits : int
        Of the camera.
    """

    objective: str
    pixel_size_um: float
    shape_px: tuple[int, int]
    dtype: str = "uint16"
    significant_bits: int = 16

    @property
    def fov_um(self) -> tuple[float, float]:
        """Width and height of a frame at the sample."""
        height, width = self.shape_px
        return width * self.pixel_size_um, height * self.pixel_size_um


class Schedule:
    """The events of a plan.

    Use `build`. The parameters are its parts.
    """

    def __init__(
        self,
        plan: AcquisitionPlan,
        optics: Optics,
        origin: StagePosition,
        channels: tuple[ChannelLayout, ...],
        places: tuple[Place, ...],
        plate: PlateGeometry | None,
        loops: Loops,
        subs: tuple[SubLoops | None, ...],
        images: Images,
    ) -> None:
        self.plan = plan
        self.optics = optics
        self.origin = origin
        self.channels = channels
        self.places = places
        self.plate = plate
        self.loops = loops
        self.images = images
        self.frames = loops.count
        self._subs = subs
        self._keep_open = frozenset(plan.sequence.keep_shutter_open_across)
        self._planes = {id(axes): _ranks(axes.planes_um) for axes in self.all_axes}

    @classmethod
    def build(
        cls,
        plan: AcquisitionPlan,
        config: MachineConfig,
        origin: StagePosition,
        optics: Optics,
        refusals: list[ConfigurationError] | None = None,
    ) -> Schedule:
        """Work a plan out.

        Parameters
        ----------
        plan : AcquisitionPlan
            The plan.
        config : MachineConfig
            Channel presets and plates.
        origin : StagePosition
            Where the stage stands: stands in for each coordinate that the plan leaves out.
        optics : Optics
            Objective and frame in use.
        refusals : list, optional
            Gets what is wrong with channels, plate and wells, and the rest is worked out without it. Left out: raised.

        Raises
        ------
        PreflightError
            A channel, the plate or a well is not there.
        """
        found: list[ConfigurationError] = []
        channels = Channels(plan, config.channels_of(optics.objective), found)
        places = places_of(plan, {**read_plates(), **config.plates}, optics.fov_um, found)
        if refusals is not None:
            refusals.extend(found)
        elif found:
            raise PreflightError(found)
        return _assembled(cls, plan, optics, origin, channels, places)

    def __len__(self) -> int:
        return self.frames

    @property
    def all_axes(self) -> tuple[Axes, ...]:
        """The plan's loops and those of positions with a sequence of their own, each once."""
        own = {id(sub): sub.axes for sub in self._subs if sub is not None}
        return (self.loops.axes, *own.values())

    def events(self, start: int = 0) -> Iterator[AcquisitionEvent]:
        """Yield the events from index `start` on, in constant memory; the first comes as fast as any other."""
        if start >= self.frames:
            return
        before = self.loops.turn(start - 1) if start else None
        turn: Turn | None = self.loops.turn(start)
        for index in range(start, self.frames):
            assert turn is not None
            after = self.loops.turn(index + 1) if index + 1 < self.frames else None
            yield self._event(index, before, turn, after)
            before, turn = turn, after

    def event(self, index: int) -> AcquisitionEvent:
        """Return the event of an index; `IndexError` when the plan has none."""
        if not 0 <= index < self.frames:
            raise IndexError(f"event {index} of {self.frames}")
        return next(self.events(index))

    def layout(self) -> DatasetLayout:
        """Return the shape of the data set."""
        return DatasetLayout(
            name=self.plan.name,
            images=self.images,
            channels=self.channels,
            shape_px=self.optics.shape_px,
            dtype=self.optics.dtype,
            significant_bits=self.optics.significant_bits,
            pixel_size_um=self.optics.pixel_size_um,
            z_step_um=_common([_step(axes.planes_um) for axes in self.all_axes if len(axes.planes_um) > 1]),
            time_interval_s=_common([t.interval_s for axes in self.all_axes if isinstance(t := axes.times_s, Times)]),
            plate=self.plate if any(place.well for place in self.places) or self.images.uses_wells else None,
            frames_planned=self.frames,
            objective=self.optics.objective,
        )

    def target(self, turn: Turn) -> tuple[StagePosition, ChannelUse, int]:
        """Return where a turn is taken, with which channel, and the number of its image."""
        number = turn.at.get("p", 0)
        sub = self._subs[number]
        outer, inner = self.loops.axes, sub.axes if sub is not None else None
        point = turn.own.get("g", turn.at.get("g") if not (inner and inner.has_grid) else None)
        x_um, y_um, place_z_um = self.images.centre(number, point)
        axes = inner if inner is not None and inner.has_planes else outer
        plane = (turn.own if axes is inner else turn.at).get("z")
        z_um = place_z_um
        if plane is not None:
            z_um = axes.planes_um[plane] + (place_z_um if axes.planes_relative else 0.0)
        use = inner.channels[turn.own["c"]] if inner is not None and "c" in turn.own else outer.channels[turn.at["c"]]
        return StagePosition(x_um, y_um, z_um + use.z_offset_um), use, self.images.number(number, point)

    def _event(self, index: int, before: Turn | None, turn: Turn, after: Turn | None) -> AcquisitionEvent:
        target, use, image = self.target(turn)
        sub = self._subs[turn.at.get("p", 0)]
        timed = sub.axes if sub is not None and "t" in turn.own else self.loops.axes
        stacked = sub.axes if sub is not None and "z" in turn.own else self.loops.axes
        at = turn.index()
        t, z = at.get("t"), at.get("z")
        return AcquisitionEvent(
            index=index,
            image=image,
            t=t or 0,
            c=use.c,
            z=self._planes[id(stacked)][z] if z is not None else 0,
            target=target,
            channel=use.name,
            exposure_ms=use.exposure_ms,
            min_start_s=timed.times_s[t] if t is not None else None,
            keep_shutter_open=after is not None and self.stays_open(turn, after),
            restarts_clock=turn.starts_series(before),
        )

    def stays_open(self, turn: Turn, after: Turn) -> bool:
        """Return whether the plan lets the light stay on from one turn to the next."""
        if not self._keep_open:
            return False
        following = after.index()
        return all(axis in self._keep_open for axis, index in turn.index().items() if following.get(axis) != index)

    def sub_at(self, place: int) -> SubLoops | None:
        """Return the loops of a place's own sequence; None when it has none, or one without axes."""
        sub = self._subs[place]
        return sub if sub is not None and sub.axes.has_any else None


def _assembled(
    kind: type[Schedule],
    plan: AcquisitionPlan,
    optics: Optics,
    origin: StagePosition,
    channels: Channels,
    found: Places,
) -> Schedule:
    sequence = plan.sequence
    axes = axes_of(sequence, channels.uses(sequence.channels), len(found.listed), optics.fov_um)
    places = tuple(_filled(place, origin, plan.z_um) for place in found.listed or (_NOWHERE,))
    subs = _subs(plan, places, channels, optics.fov_um, found.plate)
    kept = tuple(_kept(plan, axes, place, found.plate) for place in places)
    loops = Loops(axes, subs, kept)
    first = channels.layout[0].preset.z_offset_um if channels.layout else 0.0
    shared: dict[object, Extent] = {}
    extents = [
        shared.setdefault((id(sub), mask), _extent(axes, sub, mask)) for sub, mask in zip(subs, kept, strict=True)
    ]
    images = Images(places, extents, found.plate, first)
    return kind(plan, optics, origin, channels.layout, places, found.plate, loops, subs, images)


_NOWHERE = Place(None, None, None, "position_0")
"""The place of a plan without positions: where the stage stands."""


def _filled(place: Place, origin: StagePosition, z_um: float | None) -> Place:
    x = origin.x_um if place.x_um is None else place.x_um
    y = origin.y_um if place.y_um is None else place.y_um
    z = (origin.z_um if z_um is None else z_um) if place.z_um is None else place.z_um
    return replace(place, x_um=x, y_um=y, z_um=z)


def _subs(
    plan: AcquisitionPlan,
    places: tuple[Place, ...],
    channels: Channels,
    fov_um: tuple[float, float],
    plate: PlateGeometry | None,
) -> tuple[SubLoops | None, ...]:
    """Return the loops of each position's own sequence; equal ones are one object."""
    shared: dict[object, SubLoops] = {}
    subs: list[SubLoops | None] = []
    for place in places:
        sequence: MDASequence | None = place.sequence
        if sequence is None:
            subs.append(None)
            continue
        axes = axes_of(sequence, channels.uses(sequence.channels), 0, fov_um)
        kept = _kept(plan, axes, place, plate)
        subs.append(shared.setdefault((sequence.model_dump_json(), kept), SubLoops(axes, kept)))
    return tuple(subs)


def _kept(plan: AcquisitionPlan, axes: Axes, place: Place, plate: PlateGeometry | None) -> tuple[bool, ...]:
    """Return which grid points lie in the place's well; an empty tuple: all are taken."""
    if not plan.clip_fields or plate is None or not axes.points:
        return ()
    if not axes.points_relative:
        return tuple(plate.well_at(x, y) is not None for x, y in axes.points)
    if place.centre_um is None or place.x_um is None or place.y_um is None:
        return ()
    dx, dy = place.x_um - place.centre_um[0], place.y_um - place.centre_um[1]
    return tuple(plate.is_inside_well(x + dx, y + dy) for x, y in axes.points)


def _extent(axes: Axes, sub: SubLoops | None, kept: tuple[bool, ...]) -> Extent:
    own = sub.axes if sub is not None else axes
    gridded = own if own.has_grid else axes
    mask = sub.grid_kept if sub is not None and own.has_grid else kept
    timed, stacked = (own if own.times_s else axes), (own if own.has_planes else axes)
    return Extent(
        points=gridded.points,
        relative=gridded.points_relative,
        kept=tuple(g for g in range(len(gridded.points)) if not mask or mask[g]),
        size_t=max(1, len(timed.times_s)),
        size_z=max(1, len(stacked.planes_um)),
        lowest_um=min(stacked.planes_um, default=0.0),
        planes_relative=stacked.planes_relative or not stacked.planes_um,
        step_um=_step(stacked.planes_um),
    )


def _ranks(planes_um: tuple[float, ...]) -> tuple[int, ...]:
    """Return the place of each plane in the stack, the lowest first, whatever the order in which they are taken."""
    order = sorted(range(len(planes_um)), key=planes_um.__getitem__)
    return tuple(sorted(range(len(order)), key=order.__getitem__))


def _step(planes_um: tuple[float, ...]) -> float | None:
    """Return the distance of neighbouring planes; None when there is none, or they differ."""
    ordered = sorted(planes_um)
    steps = [above - below for below, above in pairwise(ordered)]
    return steps[0] if steps and max(steps) - min(steps) < 1e-6 and steps[0] > 0 else None


def _common(values: list[float | None]) -> float | None:
    """Return the value that all share; None when there is none, or they differ."""
    first = values[0] if values else None
    if first is None or any(value is None or abs(value - first) > 1e-6 for value in values):
        return None
    return first
