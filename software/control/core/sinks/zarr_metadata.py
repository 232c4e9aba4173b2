"""The ``zarr.json`` documents of an OME-Zarr 0.5 data set, as plain data.

Knows the specification (https://ngff.openmicroscopy.org/0.5/ and Zarr v3) and the layout of a run; knows no file.
What OME-Zarr has no word for stands under the attribute ``squid``, beside ``ome``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from control.core.sinks.pyramid import level_shapes
from control.core.sinks.zarr_chunks import BLOSC
from squid.models.layout import DatasetLayout, ImageLayout, WellRef
from squid.models.wells import row_name

Json = dict[str, Any]

SEPARATOR = "/"
"""Between the numbers of a chunk's key. A dot keeps all chunks of an array in one folder; with a slash each chunk would
have two folders of its own, and making folders cost as much as writing the pixels (docs/decisions/0020)."""

Window = tuple[int, int]
"""Display range of a channel, in counts."""


def chunk_key(place: tuple[int, int, int]) -> str:
    """Return the path of a plane's chunk in its array: time point, channel, z, and one chunk in y and x."""
    return SEPARATOR.join(["c", *(str(number) for number in place), "0", "0"])


def well_path(well: WellRef) -> str:
    """Return where a well is in its plate: ``B/3``."""
    return f"{row_name(well.row)}/{well.column + 1}"


def group(ome: Json | None = None, **attributes: Json) -> Json:
    """Return the document of a group with OME metadata and our own attributes."""
    all_attributes = ({"ome": {"version": "0.5", **ome}} if ome else {}) | attributes
    return {"zarr_format": 3, "node_type": "group", "attributes": all_attributes}


def array(layout: DatasetLayout, image: ImageLayout, shape_px: tuple[int, int], compression: str) -> Json:
    """Return the document of one level of an image: TCZYX, a chunk per plane, missing planes zero."""
    codecs: list[Json] = [{"name": "bytes", "configuration": {"endian": "little"}}]
    if compression != "none":
        itemsize = 2 if layout.dtype == "uint16" else 1
        settings = {
            "cname": BLOSC[compression].name,
            "clevel": BLOSC[compression].level,
            "shuffle": "bitshuffle" if itemsize > 1 else "noshuffle",
            "typesize": itemsize,
            "blocksize": 0,
        }
        codecs.append({"name": "blosc", "configuration": settings})
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": [image.size_t, len(layout.channels), image.size_z, *shape_px],
        "data_type": layout.dtype,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1, 1, 1, *shape_px]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": SEPARATOR}},
        "fill_value": 0,
        "codecs": codecs,
        "dimension_names": list("tczyx"),
        "attributes": {},
    }


def image(layout: DatasetLayout, image: ImageLayout, windows: Sequence[Window | None]) -> Json:
    """Return the document of one image.

    Parameters
    ----------
    layout, image
        The run, and the image in it.
    windows : sequence of (int, int) or None
        Display range per channel; None: the camera's whole range.
    """
    shapes = level_shapes(layout.shape_px)
    multiscale = {
        "name": image.name,
        "axes": _axes(layout, image),
        "datasets": [_dataset(layout, image, level) for level in range(len(shapes))],
        "type": "mean",
        "metadata": {"description": "mean of 2 x 2 pixels of the level above, rounded"},
    }
    omero = {"channels": [_omero_channel(layout, c, window) for c, window in enumerate(windows)]}
    about = {
        "image": image.index,
        "name": image.name,
        "well": image.well.name if image.well else None,
        "field": image.field,
        "center_um": {"x": image.x_um, "y": image.y_um, "z": image.z_um},
    }
    return group({"multiscales": [multiscale], "omero": omero}, squid=about)


def well(fields: Sequence[int]) -> Json:
    """Return the document of a well with these field numbers."""
    return group({"well": {"version": "0.5", "images": [{"path": str(field), "acquisition": 0} for field in fields]}})


def fields_of_well(document: Json) -> set[int]:
    """Return the field numbers that the document of a well names."""
    return {int(image["path"]) for image in document["attributes"]["ome"]["well"]["images"]}


def plate(layout: DatasetLayout, wells: Sequence[WellRef], field_count: int) -> Json:
    """Return the document of a plate; `wells` are those that exist on disk, at least one."""
    assert layout.plate is not None, "a plate has a geometry"
    about = {
        "version": "0.5",  # once more: one of the validators wants it here
        "name": layout.plate.name,
        "rows": [{"name": row_name(row)} for row in range(layout.plate.rows)],
        "columns": [{"name": str(column + 1)} for column in range(layout.plate.columns)],
        "wells": [
            {"path": well_path(each), "rowIndex": each.row, "columnIndex": each.column} for each in sorted(wells)
        ],
        "field_count": field_count,
        "acquisitions": [{"id": 0, "name": layout.name, "maximumfieldcount": field_count}],
    }
    return group({"plate": about}, squid=acquisition(layout))


def collection(layout: DatasetLayout) -> Json:
    """Return the document of a collection of free positions."""
    return group({"bioformats2raw.layout": 3}, squid=acquisition(layout))


def series(paths: Sequence[str]) -> Json:
    """Return the document that lists the images of a collection; at least one."""
    return group({"series": list(paths)})


def acquisition(layout: DatasetLayout) -> Json:
    """Return what is known of the run as a whole."""
    return {
        "run": layout.name,
        "frames_planned": layout.frames_planned,
        "objective": layout.objective,
        "pixel_size_um": layout.pixel_size_um,
        "z_step_um": layout.z_step_um,
        "time_interval_s": layout.time_interval_s,
        "significant_bits": layout.significant_bits,
        "channels": [{"name": each.name, **each.preset.model_dump()} for each in layout.channels],
        "plate": layout.plate.model_dump() if layout.plate else None,
        "frames_table": "OME/frames.csv",
        "missing_table": "OME/missing.csv",
    }


def _axes(layout: DatasetLayout, image: ImageLayout) -> list[Json]:
    """Return the axes; a distance that is unknown has no unit and counts 1."""
    time = {"name": "t", "type": "time"} | ({"unit": "second"} if layout.time_interval_s else {})
    z = {"name": "z", "type": "space"} | ({"unit": "micrometer"} if image.z_step_um or layout.z_step_um else {})
    plane: list[Json] = [{"name": name, "type": "space", "unit": "micrometer"} for name in "yx"]
    return [time, {"name": "c", "type": "channel"}, z, *plane]


def _dataset(layout: DatasetLayout, image: ImageLayout, level: int) -> Json:
    """Return one level; the translation puts the centre of its first pixel into stage coordinates."""
    pixel_um = layout.pixel_size_um * 2**level
    height, width = layout.shape_px
    inset_um = (pixel_um - layout.pixel_size_um) / 2
    y_um = image.y_um - (height - 1) / 2 * layout.pixel_size_um + inset_um
    x_um = image.x_um - (width - 1) / 2 * layout.pixel_size_um + inset_um
    z_step_um = image.z_step_um or layout.z_step_um
    z_um = image.z_um if z_step_um else 0.0
    return {
        "path": str(level),
        "coordinateTransformations": [
            {"type": "scale", "scale": [layout.time_interval_s or 1.0, 1.0, abs(z_step_um or 1.0), pixel_um, pixel_um]},
            {"type": "translation", "translation": [0.0, 0.0, z_um, y_um, x_um]},
        ],
    }


def _omero_channel(layout: DatasetLayout, c: int, window: Window | None) -> Json:
    channel = layout.channels[c]
    highest = 2**layout.significant_bits - 1
    start, end = window or (0, highest)
    return {
        "label": channel.name,
        "color": channel.preset.colour.lstrip("#").upper(),
        "active": True,
        "coefficient": 1.0,
        "family": "linear",
        "inverted": False,
        "window": {"start": start, "end": end, "min": 0, "max": highest},
    }
