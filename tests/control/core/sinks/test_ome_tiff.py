"""OME-TIFF as ome-types and tifffile see it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import ome_types
import pytest
import tifffile
from tests.control.core.sinks import examples
from tests.control.core.sinks.test_contract import opened, store

from control.core.sinks.tiff_layout import TiffLayout
from squid.errors import StorageError


def described(path: Path) -> ome_types.OME:
    with tifffile.TiffFile(path) as file:
        text = file.ome_metadata
    assert text is not None
    ome_types.validate_xml(text)
    return ome_types.from_xml(text)


def test_the_xml_says_where_and_when_each_plane_was_taken(tmp_path: Path) -> None:
    data = examples.layout()
    sink = opened(tmp_path, data, "ome-tiff")
    store(sink, data)
    sink.close()
    ome = described(tmp_path / "ome_tiff" / "B3_1.ome.tiff")
    image = ome.images[0]
    pixels = image.pixels
    assert (pixels.size_t, pixels.size_c, pixels.size_z, pixels.size_y, pixels.size_x) == (2, 2, 3, 64, 48)
    assert (pixels.physical_size_x, pixels.physical_size_z, pixels.time_increment) == (0.325, 1.5, 30.0)
    assert pixels.significant_bits == 12
    assert len(pixels.planes) == 12
    plane = next(each for each in pixels.planes if (each.the_t, each.the_c, each.the_z) == (1, 0, 2))
    index = 24 + 6 + 2  # second time point, second image, first channel, third plane
    assert plane.delta_t == pytest.approx((index - 6) * 0.125)
    assert (plane.position_x, plane.position_y) == (1010.1, 499.9)
    assert plane.position_z == pytest.approx(-3 + 3 + 0.02)
    assert plane.exposure_time == 20.5
    assert image.acquisition_date is not None
    assert image.acquisition_date.timestamp() == pytest.approx(examples.START_UTC_S + 6 * 0.125)
    channel = pixels.channels[0]
    assert (channel.name, channel.excitation_wavelength, channel.emission_wavelength) == (
        "Fluorescence 405 nm Ex", 405, 447.5,
    )  # fmt: skip
    assert channel.color is not None
    assert channel.color.as_hex(format="long") == "#20adf8"
    objective = ome.instruments[0].objectives[0]
    assert (objective.nominal_magnification, objective.lens_na, objective.model) == (20, 0.8, "20x")
    well = ome.plates[0].wells[0]
    assert (well.row, well.column, well.well_samples[0].index) == (1, 2, 1)
    annotation = ome.structured_annotations.comment_annotations[0]
    assert annotation.value.strip() == ""


def test_missing_planes_are_zero_without_metadata_and_listed(tmp_path: Path) -> None:
    data = examples.layout(wells=("B3",), fields=1)
    sink = opened(tmp_path, data, "ome-tiff")
    store(sink, data, {0, 1, 3, 4, 5, 6, 7, 8, 9, 10})
    ome = described(tmp_path / "ome_tiff" / "B3_0.ome.tiff")  # before close: what a killed run leaves
    assert len(ome.images[0].pixels.planes) == 10
    assert ome.structured_annotations.comment_annotations[0].value.split() == ["0,0,2", "1,1,2"]
    sink.close(missing={2, 11})
    with tifffile.TiffFile(tmp_path / "ome_tiff" / "B3_0.ome.tiff") as file:
        assert file.series[0].axes == "TCZYX"
        stack = file.series[0].asarray()
    assert not stack[0, 0, 2].any()
    assert not stack[1, 1, 2].any()
    np.testing.assert_array_equal(stack[1, 1, 1], examples.pixels(data, 10))


def test_frames_may_come_in_any_order(tmp_path: Path) -> None:
    data = examples.layout(wells=("B3",), fields=1)
    sink = opened(tmp_path, data, "ome-tiff")
    for record in reversed(list(examples.records(data))):
        sink.append(record, examples.pixels(data, record.event.index))
    sink.close()
    stack = tifffile.imread(tmp_path / "ome_tiff" / "B3_0.ome.tiff")
    for record in examples.records(data):
        event = record.event
        np.testing.assert_array_equal(stack[event.t, event.c, event.z], examples.pixels(data, event.index))
    plane = described(tmp_path / "ome_tiff" / "B3_0.ome.tiff").images[0].pixels.planes[0]
    assert plane.delta_t == pytest.approx(-11 * 0.125)


def test_free_positions_have_no_plate(tmp_path: Path) -> None:
    data = examples.layout(wells=(), free=1)
    sink = opened(tmp_path, data, "ome-tiff")
    store(sink, data)
    sink.close()
    ome = described(tmp_path / "ome_tiff" / "site_0.ome.tiff")
    assert ome.plates == []
    assert ome.images[0].name == "site 0"


def test_a_file_of_another_plan_is_refused_and_kept(tmp_path: Path) -> None:
    data = examples.layout(wells=("B3",), fields=1)
    sink = opened(tmp_path, data, "ome-tiff")
    store(sink, data, {0})
    sink.close()
    path = tmp_path / "ome_tiff" / "B3_0.ome.tiff"
    before = path.read_bytes()
    other = opened(tmp_path, dataclasses.replace(data, pixel_size_um=0.65), "ome-tiff", resume=True)
    with pytest.raises(StorageError, match="another plan"):
        store(other, data, {1})
    assert path.read_bytes() == before


def test_a_file_of_four_gigabytes_is_a_sparse_big_tiff(tmp_path: Path) -> None:
    data = examples.layout(wells=("B3",), fields=1, size_t=30, size_z=10, shape_px=(2048, 2048))
    last = list(examples.records(data))[-1]
    sink = opened(tmp_path, data, "ome-tiff")
    sink.append(last, examples.pixels(data, last.event.index))
    sink.close()
    path = tmp_path / "ome_tiff" / "B3_0.ome.tiff"
    assert path.stat().st_size > 2**32
    assert path.stat().st_blocks * 512 < 20e6
    with tifffile.TiffFile(path) as file:
        assert file.is_bigtiff
        assert len(file.pages) == 600
        np.testing.assert_array_equal(file.pages[599].asarray(), examples.pixels(data, last.event.index))


@pytest.mark.parametrize("planes", [1, 7])
def test_pages_have_resolution_and_lie_one_after_the_other(tmp_path: Path, planes: int) -> None:
    layout = TiffLayout((16, 24), "uint16", planes, 5, 0.5)
    path = tmp_path / "x.tiff"
    path.write_bytes(layout.head(b"hello").ljust(layout.file_bytes, b"\0"))
    with tifffile.TiffFile(path) as file:
        assert file.pages[0].description == "hello"
        assert [page.dataoffsets[0] for page in file.pages] == [layout.plane_offset(i) for i in range(planes)]
        assert file.pages[planes - 1].get_resolution("micrometer") == pytest.approx((2.0, 2.0))
