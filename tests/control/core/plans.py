"""Plans, machines and useq sequences for the tests of schedule, timing and preflight."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from useq import MDASequence

from control.core.schedule import Optics, Schedule
from squid.machine_file import MachineConfig
from squid.models.geometry import StagePosition
from squid.models.plan import AcquisitionPlan

ORIGIN = StagePosition(0.0, 0.0, 0.0)
OPTICS = Optics("20x", pixel_size_um=0.5, shape_px=(200, 300), significant_bits=12)
PRESET_EXPOSURE_MS = 7.0
CHANNELS = ("A", "B", "C")


def machine(**changes: Any) -> MachineConfig:
    """Return a machine with three channels; `changes` replace parts of it."""
    presets = {
        name: {"source": f"source {name}", "intensity": 0.5, "exposure_ms": PRESET_EXPOSURE_MS} for name in CHANNELS
    }
    data: dict[str, Any] = {
        "name": "test",
        "devices": {},
        "camera": {"sensor_pixel_um": 10.0},
        "objectives": {"20x": {"magnification": 20, "numerical_aperture": 0.8}},
        "objective": "20x",
        "channels": {"default": presets},
    }
    return MachineConfig.model_validate({**data, **changes})


def plan_of(sequence: MDASequence | Mapping[str, Any], **keys: Any) -> AcquisitionPlan:
    """Return a plan around a sequence."""
    return AcquisitionPlan.model_validate({"name": "test", "sequence": sequence, **keys})


def schedule_of(
    sequence: MDASequence | Mapping[str, Any], origin: StagePosition = ORIGIN, optics: Optics = OPTICS, **keys: Any
) -> Schedule:
    """Return the schedule of a sequence on the test machine."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # useq's advice, repeated at each validation
        return Schedule.build(plan_of(sequence, **keys), machine(), origin, optics)


def _lists_of(*sizes: int) -> st.SearchStrategy[list[float]]:
    return st.lists(st.integers(-8, 8).map(lambda n: n / 2), min_size=sizes[0], max_size=sizes[1], unique=True)


_micrometres = st.integers(-40, 40).map(lambda n: n * 2.5)
_fov = st.fixed_dictionaries({"fov_width": st.just(10.0), "fov_height": st.just(20.0)})
_mode = st.sampled_from(["row_wise", "column_wise", "row_wise_snake", "column_wise_snake", "spiral"])


def _with_fov(keys: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(lambda a, b: {**a, **b}, st.fixed_dictionaries(keys), _fov)


relative_grids = st.one_of(
    _with_fov(
        {
            "rows": st.integers(1, 3),
            "columns": st.integers(1, 3),
            "mode": _mode,
            "overlap": st.sampled_from([0, 10, (5, 20)]),
            "relative_to": st.sampled_from(["center", "top_left"]),
        }
    ),
    _with_fov({"width": st.just(25.0), "height": st.just(30.0), "mode": _mode}),
    _with_fov(
        {
            "num_points": st.integers(1, 4),
            "max_width": st.just(50.0),
            "max_height": st.just(80.0),
            "random_seed": st.integers(0, 5),
            "shape": st.sampled_from(["ellipse", "rectangle"]),
        }
    ),
)
_EDGES = {"top": 50.0, "bottom": 10.0, "left": 0.0, "right": 25.0}
absolute_grids = st.one_of(
    _with_fov(
        {"top": st.just(50.0), "bottom": st.just(10.0), "left": st.just(0.0), "right": st.just(25.0), "mode": _mode}
    ),
    _with_fov({"vertices": st.just([(0.0, 0.0), (40.0, 0.0), (20.0, 50.0)]), "mode": _mode}),
)
grids = st.none() | relative_grids | absolute_grids

z_plans = st.none() | st.builds(
    lambda plan, go_up: {**plan, "go_up": go_up},
    st.sampled_from(
        [
            {"range": 4.0, "step": 1.0},
            {"range": 3.0, "step": 2.0},
            {"above": 3.0, "below": 1.0, "step": 0.5},
            {"top": 12.0, "bottom": 10.0, "step": 0.5},
            {"top": 1.0, "bottom": 0.0, "step": 0.3},
            {"range": 2.0, "step": 0.0},
        ]
    )
    | _lists_of(1, 5).map(lambda values: {"relative": values})
    | _lists_of(1, 5).map(lambda values: {"absolute": values}),
    st.booleans(),
)

_phases = st.sampled_from(
    [
        {"interval": 0.5, "loops": 3},
        {"interval": 2.0, "duration": 7.0},
        {"duration": 10.0, "loops": 4},
        {"interval": 0.0, "loops": 2},
        {"interval": 3.0, "loops": 1},
        {"interval": {"minutes": 1}, "loops": 2},
    ]
)
time_plans = st.none() | _phases | st.lists(_phases, min_size=1, max_size=3)


@st.composite
def channel_lists(draw: st.DrawFn, *, min_size: int, offsets: bool, exposures: bool) -> list[dict[str, Any]]:
    """Draw channels; `offsets`: some with a z offset; `exposures`: all name one."""
    names = draw(st.lists(st.sampled_from(CHANNELS), min_size=min_size, max_size=3, unique=True))
    exposure = st.sampled_from([1.0, 20.0])
    return [
        {
            "config": name,
            "do_stack": draw(st.booleans()),
            "acquire_every": draw(st.sampled_from([1, 1, 2, 3])),
            "exposure": draw(exposure if exposures else st.none() | exposure),
            "z_offset": draw(st.sampled_from([0.0, 2.5, -1.0])) if offsets else 0.0,
        }
        for name in names
    ]


@st.composite
def own_sequences(draw: st.DrawFn, *, timed: bool) -> dict[str, Any]:
    """Draw a position's own sequence."""
    found: dict[str, Any] = {
        "axis_order": "".join(draw(st.permutations("tpgcz"))),
        "grid_plan": draw(grids),
        "z_plan": draw(z_plans),
        "channels": draw(channel_lists(min_size=0, offsets=False, exposures=True)),
    }
    if timed:
        found["time_plan"] = draw(time_plans)
    return found


@st.composite
def position_lists(draw: st.DrawFn, *, timed: bool, own: bool) -> list[dict[str, Any]]:
    """Draw free positions, some with a sequence of their own."""
    coordinate = st.none() | _micrometres
    sequence = st.none() | (own_sequences(timed=timed) if own else st.none())
    return [
        {
            "x": draw(coordinate),
            "y": draw(coordinate),
            "z": draw(coordinate),
            "name": f"P{n}",
            "sequence": draw(sequence),
        }
        for n in range(draw(st.integers(0, 3)))
    ]


@st.composite
def well_plans(draw: st.DrawFn) -> dict[str, Any]:
    """Draw well plate plans that name where A1 is."""
    points = st.just({"x": 5.0, "y": -7.5}) | relative_grids
    wells = draw(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 11)), min_size=1, max_size=3))
    return {
        "plate": 96,
        "a1_center_xy": (1000.0, draw(st.sampled_from([2000.0, -500.0]))),
        "rotation": draw(st.sampled_from([None, 5.0, "-3deg"])),
        "selected_wells": ([row for row, _ in wells], [column for _, column in wells]),
        "well_points_plan": draw(points),
    }


@st.composite
def sequences(draw: st.DrawFn) -> dict[str, Any]:
    """Draw what a useq file may say, without that in which we differ on purpose (docs/decisions/0031)."""
    times, planes = draw(time_plans), draw(z_plans)
    own = draw(st.booleans())
    positions = draw(position_lists(timed=times is None, own=own) | well_plans())
    return {
        "axis_order": "".join(draw(st.permutations("tpgcz"))),
        "stage_positions": positions,
        "grid_plan": draw(grids),
        "channels": draw(channel_lists(min_size=1, offsets=planes is not None and not own, exposures=False)),
        "time_plan": times,
        "z_plan": planes,
        "keep_shutter_open_across": draw(st.sampled_from(["", "z", "zc", "tgz", "p"])),
    }
