"""What every sink promises, run on every sink."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr
from tests.control.core.sinks import examples

from control.core.sinks import FORMATS, Sink, make_sink
from control.core.sinks.memory import MemorySink
from control.core.sinks.squid_metadata import region
from squid.errors import ConfigurationError, StorageError
from squid.models.event import AcquisitionEvent
from squid.models.geometry import Pixels
from squid.models.layout import DatasetLayout

Reader = Callable[[Path, DatasetLayout, AcquisitionEvent], Pixels | None]
"""Reads a frame as a stranger would; None: a hole."""


def _read_zarr(folder: Path, data: DatasetLayout, event: AcquisitionEvent) -> Pixels | None:
    image = data.images[event.image]
    name = (
        f"plate.ome.zarr/{image.well.name[0]}/{image.well.name[1:]}/{image.field}"
        if image.well
        else f"positions.ome.zarr/{event.image - sum(1 for each in data.images if each.well)}"
    )
    if not (folder / name).exists():
        return None
    array = zarr.open_array(folder / name / "0", mode="r")
    plane: Pixels = np.asarray(array[event.t, event.c, event.z])
    return plane if plane.any() else None


def _read_ome_tiff(folder: Path, data: DatasetLayout, event: AcquisitionEvent) -> Pixels | None:
    image = data.images[event.image]
    path = folder / "ome_tiff" / f"{image.name.replace(' ', '_')}.ome.tiff"
    if not path.exists():
        return None
    with tifffile.TiffFile(path) as file:
        stack = file.series[0].asarray().reshape(image.size_t, len(data.channels), image.size_z, *data.shape_px)
    plane: Pixels = stack[event.t, event.c, event.z]
    return plane if plane.any() else None


def _read_tiff(folder: Path, data: DatasetLayout, event: AcquisitionEvent) -> Pixels | None:
    place, fov = region(data.images[event.image])
    channel = "Fluorescence_405_nm_Ex" if event.c == 0 else "BF__LED__&__matrix_"
    path = folder / str(event.t) / f"{place.replace(' ', '_')}_{fov}_{event.z}_{channel}.tiff"
    return tifffile.imread(path) if path.exists() else None


READERS: dict[str, Reader] = {"ome-zarr": _read_zarr, "ome-tiff": _read_ome_tiff, "tiff": _read_tiff}
STORED = [
    ("ome-zarr", "lz4"),
    ("ome-zarr", "zstd"),
    ("ome-zarr", "none"),
    ("ome-tiff", "none"),
    ("tiff", "none"),
]


def opened(folder: Path, data: DatasetLayout, format: str, compression: str = "lz4", *, resume: bool = False) -> Sink:
    sink = make_sink(format, compression)
    sink.open(folder, data, resume=resume)
    return sink


def read_all(folder: Path, data: DatasetLayout, format: str) -> dict[int, Pixels]:
    found = {each.event.index: READERS[format](folder, data, each.event) for each in examples.records(data)}
    return {index: plane for index, plane in found.items() if plane is not None}


def store(sink: Sink, data: DatasetLayout, indexes: set[int] | None = None, *, salt: int = 0) -> None:
    for number, record in enumerate(examples.records(data)):
        if indexes is None or record.event.index in indexes:
            sink.append(record, examples.pixels(data, record.event.index, salt))
        if number % 5 == 4:
            sink.flush()
    sink.flush()


@pytest.mark.parametrize(("format", "compression"), STORED)
@pytest.mark.parametrize("dtype", ["uint16", "uint8"])
def test_every_frame_is_read_back_at_its_place(tmp_path: Path, format: str, compression: str, dtype: str) -> None:
    data = examples.layout(free=2, dtype=dtype)
    sink = opened(tmp_path, data, format, compression)
    store(sink, data)
    sink.close()
    found = read_all(tmp_path, data, format)
    assert sorted(found) == list(range(data.frames_planned))
    for index, plane in found.items():
        np.testing.assert_array_equal(plane, examples.pixels(data, index))
        assert plane.dtype == dtype


@pytest.mark.parametrize("format", READERS)
def test_what_was_flushed_is_readable_before_close(tmp_path: Path, format: str) -> None:
    data = examples.layout()
    sink = opened(tmp_path, data, format)
    store(sink, data, {0, 7, 23})
    assert set(read_all(tmp_path, data, format)) == {0, 7, 23}
    sink.close(missing=range(24, data.frames_planned))


@pytest.mark.parametrize("format", READERS)
def test_missing_frames_are_holes_and_are_listed_with_their_reasons(tmp_path: Path, format: str) -> None:
    data = examples.layout()
    holes = {3, 4, data.frames_planned - 1}
    sink = opened(tmp_path, data, format)
    sink.skip(3, "camera: no frame, 3 tries")
    store(sink, data, set(range(data.frames_planned)) - holes)
    sink.close(missing=holes)
    found = read_all(tmp_path, data, format)
    assert set(found) == set(range(data.frames_planned)) - holes
    for index, plane in found.items():
        np.testing.assert_array_equal(plane, examples.pixels(data, index))
    listed = next(tmp_path.rglob("missing.csv")).read_text().splitlines()
    assert listed == ["index,reason", '3,"camera: no frame, 3 tries"', "4,not taken", f"{max(holes)},not taken"]


@pytest.mark.parametrize("format", READERS)
def test_a_frame_appended_again_replaces_the_first(tmp_path: Path, format: str) -> None:
    data = examples.layout()
    sink = opened(tmp_path, data, format)
    store(sink, data, {5, 6})
    store(sink, data, {5}, salt=1)
    sink.close()
    found = read_all(tmp_path, data, format)
    np.testing.assert_array_equal(found[5], examples.pixels(data, 5, salt=1))
    np.testing.assert_array_equal(found[6], examples.pixels(data, 6))
    table = next(tmp_path.rglob("frames.csv")).read_text().splitlines()
    assert [line.split(",")[0] for line in table] == ["index", "6", "5"]


@pytest.mark.parametrize("format", READERS)
def test_a_resumed_run_keeps_what_is_there(tmp_path: Path, format: str) -> None:
    data = examples.layout(free=1)
    first = set(range(20))
    sink = opened(tmp_path, data, format)
    store(sink, data, first)
    sink.close(missing=set(range(20, data.frames_planned)))
    again = opened(tmp_path, data, format, resume=True)
    store(again, data, set(range(data.frames_planned)) - first)
    again.close()
    found = read_all(tmp_path, data, format)
    assert len(found) == data.frames_planned
    for index, plane in found.items():
        np.testing.assert_array_equal(plane, examples.pixels(data, index))
    assert all(path.read_text() == "index,reason\n" for path in tmp_path.rglob("missing.csv"))


@pytest.mark.parametrize("format", READERS)
def test_a_torn_line_of_the_table_is_cut_off_on_resume(tmp_path: Path, format: str) -> None:
    data = examples.layout()
    sink = opened(tmp_path, data, format)
    store(sink, data, {0, 1})
    table = next(tmp_path.rglob("frames.csv"))
    whole = table.read_text()
    table.write_text(whole + "2,0,B3_0,0,")
    again = opened(tmp_path, data, format, resume=True)
    assert table.read_text() == whole
    store(again, data, {2})
    again.close()
    assert [line.split(",")[0] for line in table.read_text().splitlines()] == ["index", "0", "1", "2"]


@pytest.mark.parametrize("format", READERS)
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("mirror", [1, -1])
def test_turned_views_are_stored_as_they_look(tmp_path: Path, format: str, turns: int, mirror: int) -> None:
    data = examples.layout()
    record = next(examples.records(data))
    frame = examples.pixels(data, 0)
    memory = np.ascontiguousarray(np.rot90(frame[:, ::mirror], turns))
    view = np.rot90(memory, -turns)[:, ::mirror]
    np.testing.assert_array_equal(view, frame)
    sink = opened(tmp_path, data, format)
    sink.append(record, view)
    sink.close()
    np.testing.assert_array_equal(read_all(tmp_path, data, format)[0], frame)


@pytest.mark.parametrize("format", READERS)
def test_a_new_run_does_not_touch_the_frames_of_another(tmp_path: Path, format: str) -> None:
    data = examples.layout()
    sink = opened(tmp_path, data, format)
    store(sink, data, {0})
    sink.close()
    with pytest.raises(StorageError, match="frames of another run"):
        opened(tmp_path, data, format)
    assert set(read_all(tmp_path, data, format)) == {0}


@pytest.mark.parametrize("format", READERS)
def test_a_folder_that_went_away_is_an_error_until_it_is_back(tmp_path: Path, format: str) -> None:
    share, elsewhere = tmp_path / "run", tmp_path / "gone"
    share.mkdir()
    data = examples.layout()
    records = list(examples.records(data))
    sink = opened(share, data, format)
    store(sink, data, {0})
    share.rename(elsewhere)
    with pytest.raises(StorageError, match="cannot be reached"):
        sink.append(records[1], examples.pixels(data, 1))
    share.mkdir()
    with pytest.raises(StorageError, match="replaced"):
        sink.append(records[1], examples.pixels(data, 1))
    assert not any(share.iterdir())
    share.rmdir()
    elsewhere.rename(share)
    sink.append(records[1], examples.pixels(data, 1))
    sink.close()
    assert set(read_all(share, data, format)) == {0, 1}


@pytest.mark.parametrize("format", FORMATS)
def test_a_sink_that_was_dropped_is_opened_again(tmp_path: Path, format: str) -> None:
    data = examples.layout()
    records = list(examples.records(data))
    sink = opened(tmp_path, data, format)
    store(sink, data, {0, 1, 2})
    sink.append(records[3], examples.pixels(data, 3, salt=1))  # not flushed: it may be there or not
    sink.drop()
    sink.drop()
    sink.open(tmp_path, data, resume=True)
    store(sink, data, set(range(3, data.frames_planned)))
    sink.close()
    if format in READERS:
        found = read_all(tmp_path, data, format)
        assert len(found) == data.frames_planned
        for index, plane in found.items():
            np.testing.assert_array_equal(plane, examples.pixels(data, index))
        table = next(tmp_path.rglob("frames.csv")).read_text().splitlines()[1:]
        assert sorted(int(line.split(",")[0]) for line in table) == list(range(data.frames_planned))


@pytest.mark.parametrize("format", READERS)
def test_a_sink_is_not_opened_again_in_a_folder_that_went_away(tmp_path: Path, format: str) -> None:
    share = tmp_path / "run"
    share.mkdir()
    sink = opened(share, examples.layout(), format)
    share.rename(tmp_path / "gone")
    with pytest.raises(StorageError, match="cannot be reached"):
        sink.drop()
    (tmp_path / "gone").rename(share)
    sink.drop()


@pytest.mark.parametrize("format", READERS)
def test_a_durable_sink_stores_the_same(tmp_path: Path, format: str) -> None:
    data = examples.layout(wells=("B3",), fields=1)
    sink = make_sink(format, durable=True)
    sink.open(tmp_path, data, resume=False)
    store(sink, data)
    sink.close()
    assert len(read_all(tmp_path, data, format)) == data.frames_planned


@pytest.mark.parametrize("format", FORMATS)
def test_closing_twice_does_no_harm(tmp_path: Path, format: str) -> None:
    data = examples.layout()
    sink = opened(tmp_path, data, format)
    store(sink, data, {0})
    sink.close(missing={1})
    sink.close(missing={1})
    assert all((tmp_path / name).exists() for name in sink.outputs)


@pytest.mark.parametrize("format", FORMATS)
def test_a_sink_that_was_never_opened_can_be_closed(format: str) -> None:
    make_sink(format).close()


@pytest.mark.parametrize("format", READERS)
def test_a_plate_of_1536_wells_opens_without_making_them(tmp_path: Path, format: str) -> None:
    small = examples.layout(wells=("B3",), fields=1)
    image = small.images[0]
    images = tuple(dataclasses.replace(image, index=i, name=f"B3_{i}", field=i) for i in range(13_824))
    data = dataclasses.replace(small, images=images, frames_planned=12 * len(images))
    sink = opened(tmp_path, data, format)
    assert sum(1 for _ in tmp_path.rglob("*")) < 30
    sink.close()


def test_memory_keeps_copies_by_index(tmp_path: Path) -> None:
    data = examples.layout()
    sink = MemorySink()
    sink.open(tmp_path, data, resume=False)
    record = next(examples.records(data))
    frame = examples.pixels(data, 0)
    sink.append(record, frame)
    frame[:] = 0
    sink.skip(1, "lost")
    sink.close(missing={1, 2})
    assert sink.frames[0][0] == record
    np.testing.assert_array_equal(sink.frames[0][1], examples.pixels(data, 0))
    assert sink.missing == {1: "lost", 2: "not taken"}
    sink.open(tmp_path, data, resume=True)
    assert set(sink.frames) == {0}
    sink.open(tmp_path, data, resume=False)
    assert not sink.frames


@pytest.mark.parametrize(
    ("format", "compression", "allowed"),
    [("hdf5", "lz4", "ome-zarr, ome-tiff"), ("ome-zarr", "gzip", "lz4, zstd, none")],
)
def test_an_unknown_format_is_refused_with_those_there_are(format: str, compression: str, allowed: str) -> None:
    with pytest.raises(ConfigurationError, match=allowed):
        make_sink(format, compression)
