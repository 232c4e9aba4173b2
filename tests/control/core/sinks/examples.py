"""Hand-made layouts, records and frames for the tests of sinks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from squid.models.channel import ChannelLayout, ChannelPreset
from squid.models.event import AcquisitionEvent
from squid.models.frame import FrameRecord
from squid.models.geometry import Pixels, StagePosition
from squid.models.layout import DatasetLayout, ImageLayout, LightPath, WellRef
from squid.models.objective import Objective
from squid.models.plate import PlateGeometry

START_UTC_S = 1_780_000_000.25

CHANNELS = (
    ChannelLayout(
        "Fluorescence 405 nm Ex",
        ChannelPreset(
            source="405", intensity=0.2, exposure_ms=20, colour="#20ADF8", excitation_nm=405, emission_nm=447.5
        ),
    ),
    ChannelLayout('BF <LED> & "matrix"', ChannelPreset(source="led", intensity=0.05, exposure_ms=2.5)),
)

PLATE = PlateGeometry(
    name="96 well", rows=8, columns=12, a1_x_mm=14.3, a1_y_mm=11.36, well_size_mm=6.21, well_spacing_mm=9.0
)

OPTICS = LightPath(
    objective=Objective(magnification=20, numerical_aperture=0.8, tube_lens_f_mm=180),
    sensor_pixel_um=6.5,
    binning=1,
    tube_lens_mm=180,
)


def layout(
    wells: tuple[str, ...] = ("B3", "C11"),
    fields: int = 2,
    *,
    free: int = 0,
    size_t: int = 2,
    size_z: int = 3,
    shape_px: tuple[int, int] = (64, 48),
    dtype: str = "uint16",
) -> DatasetLayout:
    """Return a layout of fields in wells, then free positions; no plate when there are no wells."""
    refs = [WellRef(ord(name[0]) - ord("A"), int(name[1:]) - 1, name) for name in wells]
    places: list[tuple[str, WellRef | None, int]] = [
        (f"{ref.name}_{field}", ref, field) for ref in refs for field in range(fields)
    ]
    places += [(f"site {number}", None, 0) for number in range(free)]
    images = tuple(
        ImageLayout(
            index=index, name=name, well=ref, field=field,
            x_um=1000.0 * index + 10 * field, y_um=500.0 * index, z_um=-3.0, size_t=size_t, size_z=size_z,
        )
        for index, (name, ref, field) in enumerate(places)
    )  # fmt: skip
    return DatasetLayout(
        name="run 1 <test>",
        images=images,
        channels=CHANNELS,
        shape_px=shape_px,
        dtype=dtype,
        significant_bits=12 if dtype == "uint16" else 8,
        pixel_size_um=0.325,
        z_step_um=1.5 if size_z > 1 else None,
        time_interval_s=30.0 if size_t > 1 else None,
        plate=PLATE if wells else None,
        frames_planned=len(images) * size_t * len(CHANNELS) * size_z,
        objective="20x",
        light_path=OPTICS,
    )


def records(data: DatasetLayout) -> Iterator[FrameRecord]:
    """Yield the records of all frames in the plan's order: time, image, channel, z."""
    index = 0
    for t in range(data.images[0].size_t):
        for image in data.images:
            for c, channel in enumerate(data.channels):
                for z in range(image.size_z):
                    yield _record(index, image, t, c, z, channel.name)
                    index += 1


def _record(index: int, image: ImageLayout, t: int, c: int, z: int, channel: str) -> FrameRecord:
    target = StagePosition(image.x_um, image.y_um, image.z_um + 1.5 * z)
    event = AcquisitionEvent(
        index=index, image=image.index, t=t, c=c, z=z, target=target, channel=channel, exposure_ms=20
    )
    return FrameRecord(
        event=event,
        actual=StagePosition(target.x_um + 0.1, target.y_um - 0.1, target.z_um + 0.02),
        exposure_ms=20.5,
        source="405",
        intensity=0.2,
        hardware_id=1000 + index,
        monotonic_s=50.0 + index,
        utc_s=START_UTC_S + index * 0.125,
    )


def pixels(data: DatasetLayout, index: int, salt: int = 0) -> Pixels:
    """Return the frame of an index: no two are alike, none has a zero."""
    rng = np.random.default_rng((index, salt))
    frame: Pixels = rng.integers(1, 2**data.significant_bits, data.shape_px, dtype=np.dtype(data.dtype).type)
    return frame


def without_plate(data: DatasetLayout) -> DatasetLayout:
    """Return the layout with its plate's geometry taken away."""
    return dataclasses.replace(data, plate=None)
