"""Drafts as the window may make them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from control.core.planning.parts import (
    ChannelChoice,
    FreePosition,
    GridFields,
    RandomFields,
    RegionPolygon,
    SingleField,
    TimeLapse,
    ZStack,
)

micrometres = st.integers(-50_000, 50_000).map(lambda n: n / 10)
lengths_um = st.integers(1, 5000).map(lambda n: n / 10)
names = st.text("abcXYZ 0123456789_-é", min_size=1, max_size=12).filter(lambda text: bool(text.strip()))

fields = st.one_of(
    st.just(SingleField()),
    st.builds(
        GridFields,
        st.integers(1, 5),
        st.integers(1, 5),
        st.sampled_from([0.0, 10.0, 33.3]),
        st.sampled_from(["snake", "row"]),
        st.booleans(),
    ),
    st.builds(RandomFields, st.integers(1, 5), st.integers(0, 9), lengths_um, lengths_um, st.booleans()),
)
z_stacks = st.none() | st.one_of(
    st.builds(ZStack, st.sampled_from(["centre", "bottom"]), lengths_um, range_um=lengths_um),
    st.builds(
        lambda bottom, span, step: ZStack("range", step, bottom_um=bottom, top_um=bottom + span),
        micrometres,
        lengths_um,
        lengths_um,
    ),
)
time_lapses = st.none() | st.builds(TimeLapse, st.integers(0, 10**6).map(lambda n: n / 1000), st.integers(1, 50))
channels = st.lists(
    st.builds(
        ChannelChoice,
        st.sampled_from(["A", "B", "C"]),
        st.none() | lengths_um,
        st.none() | st.integers(0, 100).map(lambda n: n / 100),
        st.none() | micrometres,
    ),
    max_size=3,
    unique_by=lambda choice: choice.name,
).map(tuple)
positions = st.lists(
    st.builds(
        FreePosition, st.just("") | names, st.none() | micrometres, st.none() | micrometres, st.none() | micrometres
    ),
    max_size=4,
).map(tuple)
regions = st.lists(
    st.builds(
        lambda name, x, y, w, h, overlap, z: RegionPolygon(name, ((x, y), (x + w, y), (x + w / 2, y + h)), overlap, z),
        names,
        micrometres,
        micrometres,
        lengths_um,
        lengths_um,
        st.sampled_from([0.0, 10.0]),
        st.none() | micrometres,
    ),
    max_size=3,
).map(tuple)
orders = st.sampled_from(["tpgcz", "tpgzc", "ptgcz"])  # useq refuses some others


@st.composite
def changes(draw: st.DrawFn) -> dict[str, Any]:
    """Draw all that the window may set."""
    use = draw(st.sampled_from(["wells", "positions", "regions"]))
    plate = draw(st.sampled_from(["96 well plate", "384 well plate", "my own plate"]))
    found = {
        "name": draw(names),
        "use": use,
        "plate": plate if use == "wells" else draw(st.none() | st.just(plate)),
        "objective": draw(st.none() | st.just("20x")),
        "wells": draw(st.sampled_from(["", "A1", "A1:C6, H12", "all", "B, 7"])),
        "fields": draw(fields),
        "channels": draw(channels),
        "z": draw(z_stacks),
        "time": draw(time_lapses),
        "z_um": draw(st.none() | micrometres),
        "positions": draw(positions),
        "regions": draw(regions),
        "positions_in_wells": draw(st.booleans()),
        "storage_format": draw(st.sampled_from(["ome-zarr", "ome-tiff", "tiff"])),
        "compression": draw(st.sampled_from(["lz4", "zstd", "none"])),
        "axis_order": draw(orders),
    }
    if use == "regions" and not found["regions"]:
        found["regions"] = (RegionPolygon("area", ((0.0, 0.0), (10.0, 0.0), (0.0, 10.0))),)
    return found
