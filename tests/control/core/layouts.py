"""Data sets made by hand, for tests of what counts and shows them."""

from __future__ import annotations

from collections.abc import Sequence

from squid.models.channel import ChannelLayout, ChannelPreset
from squid.models.layout import DatasetLayout, ImageLayout, WellRef
from squid.models.plate import PlateGeometry

PIXEL_UM = 0.5


def plate(rows: int = 8, columns: int = 12) -> PlateGeometry:
    """A plate of square wells, 9 mm apart."""
    return PlateGeometry(
        name="test plate",
        rows=rows,
        columns=columns,
        a1_x_mm=10.0,
        a1_y_mm=10.0,
        well_size_mm=7.0,
        well_spacing_mm=9.0,
        round_wells=False,
    )


def layout(
    wells: Sequence[tuple[int, int]],
    fields: Sequence[tuple[float, float]] = ((0.0, 0.0),),
    *,
    channels: Sequence[str] = ("DAPI", "FITC"),
    size_z: int = 1,
    size_t: int = 1,
    shape_px: tuple[int, int] = (64, 64),
    frames: int | None = None,
    on: PlateGeometry | None = None,
    bits: int = 12,
) -> DatasetLayout:
    """A data set with these fields (µm from the well's centre) in each of these wells."""
    on = on or plate()
    images = []
    for row, column in wells:
        well = WellRef(row, column, on.well_name(row, column))
        x_um, y_um = on.well_centre_um(row, column)
        for number, (dx, dy) in enumerate(fields):
            name = f"{well.name}_{number}"
            images.append(ImageLayout(len(images), name, well, number, x_um + dx, y_um + dy, 3000.0, size_t, size_z))
    preset = ChannelPreset(source="lamp", intensity=0.5, exposure_ms=10.0, colour="#00FF00")
    return DatasetLayout(
        name="plate 7",
        images=images,
        channels=tuple(ChannelLayout(name, preset) for name in channels),
        shape_px=shape_px,
        dtype="uint16",
        significant_bits=bits,
        pixel_size_um=PIXEL_UM,
        z_step_um=None,
        time_interval_s=None,
        plate=on,
        frames_planned=frames or len(images) * len(channels) * size_z * size_t,
        objective="20x",
    )


def positions_layout(names_and_places: Sequence[tuple[str, int, float, float]]) -> DatasetLayout:
    """A data set of free positions: name of the place, number of the field, x and y in µm."""
    base = layout([(0, 0)])
    images = [
        ImageLayout(number, f"{name}_{field}", None, field, x_um, y_um, 0.0, 1, 1)
        for number, (name, field, x_um, y_um) in enumerate(names_and_places)
    ]
    changes = {"images": images, "plate": None, "frames_planned": len(images) * len(base.channels)}
    kept = {name: getattr(base, name) for name in base.__slots__ if name not in changes}
    return DatasetLayout(**kept, **changes)
