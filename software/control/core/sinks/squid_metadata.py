"""The side files of Squid's folder layout, with its names and keys; what a run does not know is null.

Knows the layout of a run; knows no file.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from squid.models.channel import ChannelLayout
from squid.models.layout import DatasetLayout, ImageLayout

PLANNED_COLUMNS = ("region", "x (mm)", "y (mm)", "z (mm)")


def region(image: ImageLayout) -> tuple[str, int]:
    """Return Squid's region and field number: the well, or the free position's name."""
    return (image.well.name if image.well else image.position or image.name), image.field


def planned_rows(layout: DatasetLayout) -> Iterator[tuple[object, ...]]:
    """Yield the lines of the root ``coordinates.csv``, the header first."""
    yield PLANNED_COLUMNS
    for image in layout.images:
        yield region(image)[0], round(image.x_um / 1e3, 6), round(image.y_um / 1e3, 6), round(image.z_um / 1e3, 6)


def parameters(layout: DatasetLayout) -> dict[str, Any]:
    """Return the content of ``acquisition parameters.json``."""
    dx_mm, nx = _grid_axis(layout, "x_um")
    dy_mm, ny = _grid_axis(layout, "y_um")
    path = layout.light_path
    objective = path.objective if path else None
    return {
        "dx(mm)": dx_mm,
        "Nx": nx,
        "dy(mm)": dy_mm,
        "Ny": ny,
        "dz(um)": layout.z_step_um or 0.0,
        "Nz": max(image.size_z for image in layout.images),
        "dt(s)": layout.time_interval_s or 0.0,
        "Nt": max(image.size_t for image in layout.images),
        "with AF": None,
        "with reflection AF": None,
        "with manual focus map": None,
        "objective": {
            "magnification": objective.magnification if objective else None,
            "NA": objective.numerical_aperture if objective else None,
            "tube_lens_f_mm": objective.tube_lens_f_mm if objective else None,
            "name": layout.objective,
        },
        "sensor_pixel_size_um": path.sensor_pixel_um * path.binning if path else None,
        "tube_lens_mm": path.tube_lens_mm if path else None,
        "confocal_mode": False,
        "pixel_size_um": layout.pixel_size_um,
    }


def channels(layout: DatasetLayout) -> dict[str, Any]:
    """Return the content of ``acquisition_channels.yaml``."""
    return {
        "version": 1,
        "objective": layout.objective,
        "confocal_mode": False,
        "channels": [_channel(each) for each in layout.channels],
    }


def _channel(channel: ChannelLayout) -> dict[str, Any]:
    preset = channel.preset
    camera = {"display_color": preset.colour, "exposure_time_ms": preset.exposure_ms, "gain_mode": preset.gain}
    return {
        "name": channel.name,
        "enabled": True,
        "display_color": preset.colour,
        "camera_settings": camera,
        "illumination_settings": {
            "illumination_channels": [preset.source],
            "intensity": {preset.source: preset.intensity * 100},  # Squid counts in percent
            "z_offset_um": preset.z_offset_um,
        },
        "emission_filter": preset.filter,
        "excitation_nm": preset.excitation_nm,
        "emission_nm": preset.emission_nm,
    }


def _grid_axis(layout: DatasetLayout, axis: str) -> tuple[float, int]:
    """Return step in mm and number of fields along an axis, of the first region."""
    first = region(layout.images[0])[0]
    places_um = sorted({round(getattr(image, axis), 1) for image in layout.images if region(image)[0] == first})
    steps_um = [after - before for before, after in pairwise(places_um)]
    return (round(min(steps_um) / 1000, 6) if steps_um else 0.0), len(places_um)
