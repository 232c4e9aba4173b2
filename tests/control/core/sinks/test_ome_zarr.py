"""OME-Zarr as its own tools see it: validators, pyramid, metadata."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import tensorstore
import yaozarrs
import zarr
from ome_zarr_models.v05.hcs import HCS
from tests.control.core.sinks import examples
from tests.control.core.sinks.test_contract import opened, store

from control.core.sinks import make_sink
from control.core.sinks.disk import Disk
from control.core.sinks.pyramid import level_shapes, levels


def attributes(path: Path) -> dict[str, dict[str, object]]:
    document: dict[str, dict[str, dict[str, object]]] = json.loads((path / "zarr.json").read_text())
    return document["attributes"]


@pytest.mark.parametrize("taken", [set(), {0}, set(range(30)), None])
def test_a_plate_is_valid_at_every_moment(tmp_path: Path, taken: set[int] | None) -> None:
    data = examples.layout(free=2)
    sink = opened(tmp_path, data, "ome-zarr")
    store(sink, data, taken)
    for moment in ("before close", "after"):
        for name in sink.outputs:
            yaozarrs.validate_zarr_store(str(tmp_path / name))
        HCS.from_zarr(zarr.open_group(tmp_path / "plate.ome.zarr", mode="r"))
        if moment == "before close":
            sink.close(missing=set(range(data.frames_planned)) - (taken or set()))


@pytest.mark.parametrize("failing", range(5))
def test_a_plate_that_was_left_in_the_middle_of_any_document_is_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    """A field that has files but is listed nowhere is made again, with its well and row: five documents."""
    data = examples.layout(fields=1, size_t=1, size_z=1, shape_px=(8, 8))
    sink = opened(tmp_path, data, "ome-zarr")
    real = Disk.write
    written: list[Path] = []

    def write(disk: Disk, path: Path, content: str) -> None:
        written.append(path)
        if len(written) > failing:
            raise MemoryError
        real(disk, path, content)

    with monkeypatch.context() as patch:
        patch.setattr(Disk, "write", write)
        with pytest.raises(MemoryError):
            store(sink, data)
    sink.drop()
    sink.open(tmp_path, data, resume=True)
    store(sink, data)
    sink.close()
    plate = tmp_path / "plate.ome.zarr"
    assert plate / "C" / "zarr.json" in written or failing < 2
    yaozarrs.validate_zarr_store(str(plate))
    wells = HCS.from_zarr(zarr.open_group(plate, mode="r")).ome_attributes.plate.wells
    assert [well.path for well in wells] == ["B/3", "C/11"]
    assert attributes(plate / "C/11")["ome"]["well"]["images"] == [{"path": "0", "acquisition": 0}]  # type: ignore[index]


def test_only_wells_and_fields_that_were_reached_are_listed(tmp_path: Path) -> None:
    data = examples.layout()
    sink = opened(tmp_path, data, "ome-zarr")
    store(sink, data, {0, 1, 6})
    sink.close()
    plate = attributes(tmp_path / "plate.ome.zarr")["ome"]["plate"]
    assert isinstance(plate, dict)
    assert [well["path"] for well in plate["wells"]] == ["B/3"]
    assert [row["name"] for row in plate["rows"]] == list("ABCDEFGH")
    assert len(plate["columns"]) == 12
    assert plate["field_count"] == 2
    well = attributes(tmp_path / "plate.ome.zarr/B/3")["ome"]["well"]
    assert well == {"version": "0.5", "images": [{"path": "0", "acquisition": 0}, {"path": "1", "acquisition": 0}]}


def test_free_positions_are_a_collection(tmp_path: Path) -> None:
    data = examples.layout(wells=(), free=3)
    sink = opened(tmp_path, data, "ome-zarr")
    assert sink.outputs == ("positions.ome.zarr",)
    store(sink, data, set(range(12, 18)))
    sink.close()
    root = tmp_path / "positions.ome.zarr"
    assert attributes(root)["ome"]["bioformats2raw.layout"] == 3
    assert attributes(root / "OME")["ome"]["series"] == ["0", "2"]
    assert attributes(root / "2")["squid"]["name"] == "site 2"


def test_wells_without_a_plate_geometry_are_a_collection(tmp_path: Path) -> None:
    data = examples.without_plate(examples.layout())
    sink = opened(tmp_path, data, "ome-zarr")
    store(sink, data)
    sink.close()
    yaozarrs.validate_zarr_store(str(tmp_path / "positions.ome.zarr"))
    assert attributes(tmp_path / "positions.ome.zarr/3")["squid"]["well"] == "C11"


def test_scales_translations_channels_and_windows(tmp_path: Path) -> None:
    data = examples.layout(shape_px=(1024, 768))
    sink = opened(tmp_path, data, "ome-zarr")
    store(sink, data, {0, 3, 20})
    sink.close()
    ome = yaozarrs.v05.Image.model_validate(attributes(tmp_path / "plate.ome.zarr/B/3/0")["ome"])
    first, second, third = ome.multiscales[0].datasets
    assert [axis.name for axis in ome.multiscales[0].axes] == list("tczyx")
    assert first.scale_transform.scale == [30.0, 1.0, 1.5, 0.325, 0.325]
    assert third.scale_transform.scale == [30.0, 1.0, 1.5, 1.3, 1.3]
    corner = first.translation_transform
    assert corner is not None
    assert corner.translation == pytest.approx([0, 0, -3.0, -511.5 * 0.325, -383.5 * 0.325])
    inset = second.translation_transform
    assert inset is not None
    assert inset.translation[3] == pytest.approx(corner.translation[3] + 0.325 / 2)
    assert ome.omero is not None
    assert [channel.color for channel in ome.omero.channels] == ["20ADF8", "FFFFFF"]
    assert [channel.label for channel in ome.omero.channels] == [each.name for each in data.channels]
    for channel in ome.omero.channels:
        assert 0 <= channel.window.start < 200
        assert 3900 < channel.window.end < 6000
        assert channel.window.max == 4095


def test_unknown_distances_have_no_unit(tmp_path: Path) -> None:
    data = dataclasses.replace(examples.layout(), z_step_um=None, time_interval_s=None)
    sink = opened(tmp_path, data, "ome-zarr")
    sink.close()
    ome = yaozarrs.v05.Image.model_validate(attributes(tmp_path / "plate.ome.zarr/B/3/0")["ome"])
    units = {axis.name: getattr(axis, "unit", None) for axis in ome.multiscales[0].axes}
    assert units == {"t": None, "c": None, "z": None, "y": "micrometer", "x": "micrometer"}


def test_smaller_levels_are_means_of_two_by_two(tmp_path: Path) -> None:
    data = examples.layout(wells=("B3",), fields=1, size_t=1, size_z=1, shape_px=(520, 301))
    sink = opened(tmp_path, data, "ome-zarr")
    store(sink, data)
    sink.close()
    frame = examples.pixels(data, 1).astype(float)
    root = zarr.open_group(tmp_path / "plate.ome.zarr/B/3/0", mode="r")
    expected = frame[:520, :300].reshape(260, 2, 150, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(np.asarray(root["1"][0, 1, 0]), expected, atol=0.51)
    assert [root[str(level)].shape[3:] for level in range(3)] == level_shapes((520, 301)) == [
        (520, 301), (260, 150), (130, 75),
    ]  # fmt: skip


def test_tensorstore_and_ome_zarr_open_it(tmp_path: Path) -> None:
    from ome_zarr.io import parse_url
    from ome_zarr.reader import Reader

    data = examples.layout()
    sink = opened(tmp_path, data, "ome-zarr")
    store(sink, data)
    sink.close()
    path = tmp_path / "plate.ome.zarr" / "C" / "11" / "1"
    spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": f"{path / '0'}/"}}
    array = tensorstore.open(spec, open=True).result()
    np.testing.assert_array_equal(array[1, 1, 2].read().result(), examples.pixels(data, data.frames_planned - 1))
    location = parse_url(path)
    assert location is not None
    node = next(iter(Reader(location)()))
    np.testing.assert_array_equal(np.asarray(node.data[0][0, 0, 0]), examples.pixels(data, 18))


def test_the_table_tells_where_and_when_each_frame_was_taken(tmp_path: Path) -> None:
    data = examples.layout()
    sink = opened(tmp_path, data, "ome-zarr")
    store(sink, data)
    sink.close()
    table = tmp_path / "plate.ome.zarr" / str(attributes(tmp_path / "plate.ome.zarr")["squid"]["frames_table"])
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == data.frames_planned
    assert rows[9] == {
        "index": "9", "image": "1", "name": "B3_1", "t": "0", "c": "1", "z": "0", "channel": 'BF <LED> & "matrix"',
        "x_requested_um": "1010.0", "y_requested_um": "500.0", "z_requested_um": "-3.0",
        "x_um": "1010.1", "y_um": "499.9", "z_um": "-2.98", "exposure_ms": "20.5", "source": "405", "intensity": "0.2",
        "hardware_id": "1009", "monotonic_s": "59.000000", "utc": "2026-05-28T20:26:41.375000Z", "attempts": "1",
    }  # fmt: skip


def test_frames_are_not_kept_after_flush(tmp_path: Path) -> None:
    """Memory: the sink lets a frame go once it is stored, whether or not it is closed."""
    import weakref

    data = examples.layout()
    sink = make_sink("ome-zarr")
    sink.open(tmp_path, data, resume=False)
    frame = examples.pixels(data, 0)
    alive = weakref.ref(frame)
    sink.append(next(examples.records(data)), frame)
    del frame
    sink.flush()
    assert alive() is None
    sink.close()


def test_levels_start_with_the_frame_itself() -> None:
    frame = np.full((8, 8), 4095, np.uint16)
    first, second = levels(frame, 2)
    assert first is frame
    assert second.dtype == np.uint16
    assert second.shape == (4, 4)
    assert int(second.max()) == 4095
    assert cv2.__version__
