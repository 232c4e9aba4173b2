"""What the schedule knows beyond useq: wells, fields, images, planes in order, presets, and its size."""

from __future__ import annotations

import itertools
import time
import tracemalloc
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.control.core.plans import OPTICS, machine, plan_of, schedule_of
from useq import MDASequence

from control.core.schedule import Optics, Schedule
from control.core.schedule.nest import Nest, alike_by
from control.core.sinks import zarr_metadata
from control.core.sinks.ome_xml import OmeXml
from control.core.sinks.squid_metadata import region
from squid.errors import PreflightError
from squid.machine_file import read_plates
from squid.models.geometry import StagePosition

PLATE = read_plates()["96 well plate"]
A1_UM = PLATE.well_centre_um(0, 0)
BIG: dict[str, Any] = {
    "plate": 1536,
    "wells": "all",
    "fields": {"rows": 3, "columns": 3},
}
BIG_SEQUENCE: dict[str, Any] = {
    "channels": ["A", "B", {"config": "C", "acquire_every": 2}],
    "z_plan": {"range": 10, "step": 1},
    "time_plan": {"interval": 60, "loops": 167},
}


# --- wells and fields ------------------------------------------------------------------------------------------------


def test_wells_by_name_are_where_the_machine_says() -> None:
    schedule = schedule_of({"channels": ["A"]}, plate=96, wells="A1, B3")
    places = [(event.target.x_um, event.target.y_um) for event in schedule.events()]
    assert places == [pytest.approx(PLATE.well_centre_um(*well)) for well in ((0, 0), (1, 2))]
    images = schedule.layout().images
    assert [(image.name, image.well.name if image.well else None) for image in images] == [
        ("A1_0", "A1"),
        ("B3_0", "B3"),
    ]


def test_positions_with_planes_of_their_own_keep_their_distances() -> None:
    schedule = schedule_of(
        {"channels": ["A"], "z_plan": {"range": 4, "step": 2}, "stage_positions": [
            {"x": 1.0, "y": 2.0, "z": 5.0},
            {"x": 9.0, "y": 2.0, "z": 5.0, "sequence": {"z_plan": {"range": 6, "step": 3}}},
            {"x": 19.0, "y": 2.0, "z": 5.0, "sequence": {"z_plan": {"relative": [0, 1, 5]}}},
        ]}
    )  # fmt: skip
    layout = schedule.layout()
    assert layout.z_step_um is None
    assert [image.z_step_um for image in layout.images] == [2, 3, None]
    documents = [zarr_metadata.image(layout, image, [None])["attributes"]["ome"] for image in layout.images]
    scales = [
        document["multiscales"][0]["datasets"][0]["coordinateTransformations"][0]["scale"][2] for document in documents
    ]
    units = [document["multiscales"][0]["axes"][2].get("unit") for document in documents]
    assert (scales, units) == ([2, 3, 1], ["micrometer", "micrometer", None])
    assert b'PhysicalSizeZ="3"' in OmeXml(layout, layout.images[1], 0.0).text()


def test_fields_of_a_position_are_squids_fields_of_one_region() -> None:
    schedule = schedule_of(
        {"channels": ["A"], "stage_positions": [
            {"x": 1.0, "y": 2.0, "name": "P", "sequence": {"grid_plan": {"rows": 1, "columns": 2}}},
            {"x": 9.0, "y": 2.0, "name": "Q"},
        ]}
    )  # fmt: skip
    images = schedule.layout().images
    assert [image.name for image in images] == ["P_0", "P_1", "Q"]
    assert [region(image) for image in images] == [("P", 0), ("P", 1), ("Q", 0)]


def test_fields_are_numbered_within_their_well() -> None:
    schedule = schedule_of(
        {"channels": ["A"]}, plate=96, wells="A1, C2", fields={"rows": 1, "columns": 2, "overlap": 10}
    )
    images = schedule.layout().images
    assert [image.name for image in images] == ["A1_0", "A1_1", "C2_0", "C2_1"]
    assert [image.field for image in images] == [0, 1, 0, 1]
    assert images[1].x_um - images[0].x_um == pytest.approx(300 * 0.5 * 0.9)
    assert images[0].y_um == images[1].y_um


def test_the_grid_steps_by_the_frame_of_the_camera() -> None:
    schedule = schedule_of({"channels": ["A"], "grid_plan": {"rows": 2, "columns": 2, "mode": "row_wise"}})
    places = [event.target[:2] for event in schedule.events()]
    assert places == [(-75.0, 50.0), (75.0, 50.0), (-75.0, -50.0), (75.0, -50.0)]


@pytest.mark.parametrize("way", ["fields", "grid", "own grid", "well points"])
def test_fields_outside_of_a_round_well_are_left_out(way: str) -> None:
    grid = {"rows": 9, "columns": 9, "fov_width": 700, "fov_height": 700}
    a1 = {"x": A1_UM[0], "y": A1_UM[1]}
    sequence: dict[str, Any] = {"channels": ["A"]}
    keys: dict[str, Any] = {"plate": 96}
    if way == "fields":
        keys |= {"wells": "A1", "fields": grid}
    elif way == "grid":
        sequence |= {"grid_plan": grid, "stage_positions": [a1]}
    elif way == "own grid":
        sequence |= {"stage_positions": [{**a1, "sequence": {"grid_plan": grid}}]}
    else:
        plan = {"plate": 96, "a1_center_xy": (0, 0), "selected_wells": ([0], [0]), "well_points_plan": grid}
        sequence |= {"stage_positions": plan}
    whole, clipped = schedule_of(sequence, **keys), schedule_of(sequence, **keys, clip_fields=True)
    inside = [
        event.target
        for event in whole.events()
        if PLATE.is_inside_well(event.target.x_um - A1_UM[0], event.target.y_um - A1_UM[1])
    ]
    assert 0 < len(inside) < whole.frames == 81
    assert [event.target for event in clipped.events()] == inside
    images = clipped.layout().images
    assert [event.image for event in clipped.events()] == list(range(len(inside))) == [image.field for image in images]
    assert {image.well.name for image in images if image.well} == {"A1"}


def test_an_absolute_grid_over_a_plate_finds_the_well_of_each_tile() -> None:
    x, y = A1_UM
    grid = {
        "left": x - 2000,
        "right": x + 11_000,
        "top": y + 2000,
        "bottom": y - 2000,
        "fov_width": 1000,
        "fov_height": 1000,
    }
    schedule = schedule_of({"channels": ["A"], "grid_plan": grid}, plate=96, clip_fields=True)
    images = schedule.layout().images
    assert {image.well.name for image in images if image.well} == {"A1", "A2"}
    for name in ("A1", "A2"):
        fields = [image.field for image in images if image.well and image.well.name == name]
        assert fields == list(range(len(fields)))
    assert len({image.name for image in images}) == len(images) == schedule.frames
    assert schedule.layout().plate is not None


def test_free_positions_in_a_well_of_the_plate_are_its_fields() -> None:
    x, y = A1_UM
    positions = [{"x": x, "y": y}, {"x": x + 9000, "y": y, "name": "second"}, {"x": x + 100, "y": y}]
    images = schedule_of({"channels": ["A"], "stage_positions": positions}, plate="96 well plate").layout().images
    assert [image.name for image in images] == ["A1_0", "A2_0", "A1_1"]


def test_a_position_may_name_its_well() -> None:
    positions = [{"x": 0.0, "y": 0.0, "plate_row": 1, "plate_col": 2}]
    images = schedule_of({"channels": ["A"], "stage_positions": positions}, plate=96).layout().images
    assert [image.name for image in images] == ["B3_0"]


def test_free_positions_without_a_plate_are_images_of_their_own() -> None:
    positions = [{"x": 1.0, "y": 2.0, "name": "edge"}, {"x": 3.0, "y": 4.0}]
    layout = schedule_of({"channels": ["A"], "stage_positions": positions}).layout()
    assert [(image.name, image.well) for image in layout.images] == [("edge", None), ("position_1", None)]
    assert layout.plate is None


# --- useq's well plate plans -----------------------------------------------------------------------------------------


def well_plate(**keys: Any) -> dict[str, Any]:
    plan = {"plate": 96, "a1_center_xy": (0, 0), "selected_wells": ([0, 1], [0, 2]), **keys}
    return {"channels": ["A"], "stage_positions": plan}


def test_an_uncalibrated_plate_is_placed_by_the_machine() -> None:
    places = [event.target[:2] for event in schedule_of(well_plate()).events()]
    assert places == [pytest.approx(PLATE.well_centre_um(*well)) for well in ((0, 0), (1, 2))]


def test_a_calibrated_plate_is_where_useq_says() -> None:
    for keys in ({"a1_center_xy": (500.0, 700.0)}, {"rotation": 0.0}, {"rotation": 3.0}):
        sequence = MDASequence.model_validate(well_plate(**keys))
        schedule = schedule_of(sequence)
        assert [event.target[:2] for event in schedule.events()] == [(e.x_pos, e.y_pos) for e in sequence]
        assert [image.well.name for image in schedule.layout().images if image.well] == ["A1", "B3"]


def test_a_plate_is_found_by_its_shape_and_by_the_machine_files_name() -> None:
    custom = {
        "rows": 3,
        "columns": 5,
        "a1_x_mm": 1,
        "a1_y_mm": 2,
        "well_size_mm": 3,
        "well_spacing_mm": 4,
        "name": "mine",
    }
    config = machine(plates={"mine": custom})
    useqs = {"rows": 3, "columns": 5, "well_spacing": 4, "well_size": 3, "name": "theirs"}
    for plan in (
        plan_of({"channels": ["A"]}, plate="mine", wells="A2"),
        plan_of(well_plate(plate=useqs, selected_wells=([0], [1]))),
    ):
        schedule = Schedule.build(plan, config, StagePosition(0, 0, 0), OPTICS)
        assert schedule.event(0).target == pytest.approx((5000.0, 2000.0, 0.0))
        assert schedule.layout().plate == config.plates["mine"]


# --- what is absent, and channels ------------------------------------------------------------------------------------


def test_what_a_position_leaves_out_is_where_the_stage_stood() -> None:
    origin = StagePosition(11.0, 22.0, 33.0)
    sequence = {"channels": ["A"], "stage_positions": [{"x": 1.0}, {"y": 0.0, "z": 0.0}]}
    assert [e.target for e in schedule_of(sequence, origin).events()] == [(1.0, 22.0, 33.0), (11.0, 0.0, 0.0)]
    wells = schedule_of({"channels": ["A"], "z_plan": {"relative": [-1.0, 1.0]}}, origin, plate=96, wells="A1")
    assert [e.target.z_um for e in wells.events()] == [32.0, 34.0]
    focused = schedule_of({"channels": ["A"]}, origin, plate=96, wells="A1", z_um=500.0)
    assert focused.event(0).target.z_um == 500.0


def test_a_channel_is_preset_then_useq_then_the_plan() -> None:
    presets = {name: {"source": name, "intensity": 0.5, "exposure_ms": 7, "z_offset_um": 3.0} for name in "ABC"}
    plan = plan_of(
        {
            "channels": [
                "A",
                {"config": "B", "exposure": 20, "z_offset": 5},
                {"config": "C", "exposure": 20, "z_offset": 5},
            ]
        },
        channels={"C": {"exposure_ms": 30, "z_offset_um": 0.0, "intensity": 0.1, "filter": "red"}},
    )
    schedule = Schedule.build(plan, machine(channels={"20x": presets}), StagePosition(0, 0, 100.0), OPTICS)
    assert [(e.exposure_ms, e.target.z_um) for e in schedule.events()] == [(7, 103.0), (20, 105.0), (30, 100.0)]
    last = schedule.channels[2].preset
    assert (last.intensity, last.filter, last.source, last.exposure_ms) == (0.1, "red", "C", 30)


def test_a_channels_own_offset_counts_in_a_positions_own_sequence() -> None:
    own = {"channels": [{"config": "B", "z_offset": 5.0}, "C"], "grid_plan": {"rows": 1, "columns": 1}}
    sequence = {
        "channels": [{"config": "A", "z_offset": 2.0, "exposure": 99}],
        "z_plan": {"relative": [0.0, 1.0]},
        "stage_positions": [{"x": 0.0, "y": 0.0, "z": 10.0, "sequence": own}],
    }
    found = [(e.channel, e.target.z_um, e.exposure_ms) for e in schedule_of(sequence).events()]
    assert found == [("B", 15.0, 7), ("C", 10.0, 7), ("B", 16.0, 7), ("C", 11.0, 7)]


def test_unknown_channel_is_refused() -> None:
    with pytest.raises(PreflightError, match=r"no channel 'X' \(allowed: A, B, C\)"):
        schedule_of({"channels": ["X"]})


# --- planes, time, layout --------------------------------------------------------------------------------------------


def test_planes_are_stored_from_the_lowest_to_the_highest() -> None:
    for plan in ({"range": 4, "step": 2, "go_up": False}, {"relative": [0.0, 2.0, -2.0]}):
        schedule = schedule_of({"channels": ["A"], "z_plan": plan})
        stored = {event.z: event.target.z_um for event in schedule.events()}
        assert stored == {0: -2.0, 1: 0.0, 2: 2.0}
        assert schedule.layout().z_step_um == 2.0
        assert schedule.layout().images[0].z_um == -2.0


def test_a_channel_without_stack_goes_to_the_middle_plane() -> None:
    schedule = schedule_of({"channels": ["A", {"config": "B", "do_stack": False}], "z_plan": {"range": 4, "step": 1}})
    assert [event.z for event in schedule.events() if event.channel == "B"] == [2]


def test_layout_says_step_and_interval_only_when_there_is_one() -> None:
    plain = {
        "channels": ["A"],
        "z_plan": {"relative": [0.0, 1.0, 5.0]},
        "time_plan": [{"interval": 1, "loops": 2}, {"interval": 2, "loops": 2}],
    }
    layout = schedule_of(plain).layout()
    assert (layout.z_step_um, layout.time_interval_s) == (None, None)
    even = schedule_of({**plain, "time_plan": [{"interval": 2, "loops": 2}, {"interval": 2, "loops": 3}]}).layout()
    assert (even.time_interval_s, even.images[0].size_t, even.images[0].size_z) == (2.0, 4, 3)


def test_layout_repeats_what_the_camera_and_objective_are() -> None:
    layout = schedule_of({"channels": ["A"]}, optics=Optics("40x", 0.25, (10, 20), "uint8", 8)).layout()
    assert (layout.objective, layout.pixel_size_um, layout.shape_px) == ("40x", 0.25, (10, 20))
    assert (layout.dtype, layout.significant_bits, layout.frames_planned, layout.name) == ("uint8", 8, 1, "test")


# --- size ------------------------------------------------------------------------------------------------------------


def test_the_largest_plan_is_counted_and_entered_at_once() -> None:
    started = time.monotonic()
    plan = plan_of(
        {"channels": list("ABCDE"), "z_plan": {"range": 10, "step": 1}, "time_plan": {"interval": 60, "loops": 100}},
        **BIG,
    )
    presets = {name: {"source": name, "intensity": 0.5, "exposure_ms": 7} for name in "ABCDE"}
    schedule = Schedule.build(plan, machine(channels={"20x": presets}), StagePosition(0, 0, 0), OPTICS)
    assert len(schedule) == schedule.frames == 1536 * 9 * 5 * 11 * 100
    last = schedule.event(schedule.frames - 1)
    assert (last.t, last.z, last.channel, last.image, last.min_start_s) == (99, 10, "E", 13_823, 5940.0)
    assert schedule.layout().images[-1].name == "AF48_8"
    assert time.monotonic() - started < 20  # loose: it takes a third of a second


def test_events_stream_in_constant_memory() -> None:
    schedule = schedule_of(BIG_SEQUENCE, **BIG)
    events = schedule.events(schedule.frames // 2)
    next(events)
    tracemalloc.start()
    try:
        for event in itertools.islice(events, 20_000):
            assert event.index
        now, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert now < 200_000


def test_left_out_time_points_are_counted_in_closed_form() -> None:
    schedule = schedule_of(BIG_SEQUENCE, **BIG)
    assert schedule.frames == 13_824 * 11 * (2 * 167 + 84)


def test_an_index_beyond_the_plan_is_refused() -> None:
    schedule = schedule_of({"channels": ["A"]})
    assert list(schedule.events(1)) == []
    with pytest.raises(IndexError, match="event 1 of 1"):
        schedule.event(1)


def test_images_behave_as_a_sequence() -> None:
    images = schedule_of({"channels": ["A"]}, plate=96, wells="A1:A4").layout().images
    assert [image.index for image in images] == [0, 1, 2, 3]
    assert images[-1] == images[3] == images[2:][1]
    with pytest.raises(IndexError):
        images[4]


# --- Nest ------------------------------------------------------------------------------------------------------------


@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=4), min_size=1, max_size=4), st.integers(0, 2**32))
def test_nest_finds_what_running_the_loops_finds(keys: list[list[int]], salt: int) -> None:
    def weight(kinds: tuple[int, ...]) -> int:
        return hash((salt, kinds)) % 3

    alike = [alike_by(one) for one in keys]
    nest = Nest(alike, weight)
    turns = [
        (values, inside)
        for values in itertools.product(*(range(len(one)) for one in alike))
        for inside in range(weight(tuple(one[value] for one, value in zip(alike, values, strict=True))))
    ]
    assert nest.count == len(turns)
    assert [nest.locate(number) for number in range(nest.count)] == turns


def test_useq_agrees_on_what_a_bare_plate_takes() -> None:
    """The number of frames of a plate without a word about wells is useq's own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sequence = MDASequence.model_validate(
            {"channels": ["A"], "stage_positions": {"plate": 24, "a1_center_xy": (1, 1)}}
        )
    assert schedule_of(sequence).frames == len(list(sequence))
