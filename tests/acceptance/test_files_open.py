"""The field's own tools open what we write: validators from their command lines, readers on real cell images."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import ome_types
import pytest
import tifffile
import zarr
from tests.control.core.sinks import examples

from control.core.sinks import make_sink
from squid.models.geometry import Pixels
from squid.models.layout import DatasetLayout

CELLS = Path(__file__).parents[2].parent / "shared" / "data" / "human_cells"


@pytest.fixture(scope="module")
def cells() -> list[Pixels]:
    """Twelve real pictures of cells: the quarters of three images."""
    if not CELLS.is_dir():
        pytest.skip(f"the test images are not there: {CELLS}")
    images = [tifffile.imread(path).astype(np.uint16) for path in sorted(CELLS.glob("*.tif"))[:3]]
    return [image[y : y + 256, x : x + 256] for image in images for y in (0, 256) for x in (0, 256)]


def _layout(cells: list[Pixels]) -> DatasetLayout:
    height, width = cells[0].shape
    return dataclasses.replace(
        examples.layout(wells=("B3", "C11"), fields=1, size_t=1, size_z=3, shape_px=(height, width)),
        significant_bits=16,
    )


def _stored(folder: Path, format: str, cells: list[Pixels]) -> DatasetLayout:
    data = _layout(cells)
    sink = make_sink(format)
    sink.open(folder, data, resume=False)
    for record in examples.records(data):
        sink.append(record, cells[record.event.index])
    sink.close()
    return data


@pytest.mark.parametrize("tool", ["yaozarrs", "ome-zarr-models"])
def test_validators_accept_the_plate(tmp_path: Path, tool: str, cells: list[Pixels]) -> None:
    _stored(tmp_path, "ome-zarr", cells)
    program = Path(sys.executable).with_name(tool)
    done = subprocess.run([program, "validate", str(tmp_path / "plate.ome.zarr")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_validator_would_have_seen_a_missing_well(tmp_path: Path, cells: list[Pixels]) -> None:
    _stored(tmp_path, "ome-zarr", cells)
    (tmp_path / "plate.ome.zarr" / "C" / "11" / "zarr.json").unlink()
    program = Path(sys.executable).with_name("yaozarrs")
    done = subprocess.run([program, "validate", str(tmp_path / "plate.ome.zarr")], capture_output=True, text=True)
    assert done.returncode != 0


def test_cells_are_in_their_wells_in_zarr(tmp_path: Path, cells: list[Pixels]) -> None:
    data = _stored(tmp_path, "ome-zarr", cells)
    plate = zarr.open_group(tmp_path / "plate.ome.zarr", mode="r")
    for record in examples.records(data):
        event = record.event
        well = ("B/3", "C/11")[event.image]
        np.testing.assert_array_equal(plate[f"{well}/0/0"][event.t, event.c, event.z], cells[event.index])


def test_cells_are_in_their_planes_in_ome_tiff(tmp_path: Path, cells: list[Pixels]) -> None:
    data = _stored(tmp_path, "ome-tiff", cells)
    for image, name in enumerate(("B3_0", "C11_0")):
        path = tmp_path / "ome_tiff" / f"{name}.ome.tiff"
        ome = ome_types.from_tiff(path, validate=True)
        assert len(ome.images[0].pixels.planes) == 6
        with tifffile.TiffFile(path) as file:
            stack = file.series[0].asarray().reshape(1, 2, 3, *data.shape_px)
        np.testing.assert_array_equal(stack[0, 1, 2], cells[6 * image + 5])


def test_cells_are_under_squids_names(tmp_path: Path, cells: list[Pixels]) -> None:
    _stored(tmp_path, "tiff", cells)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "0" / "C11_0_1_Fluorescence_405_nm_Ex.tiff"), cells[7])
