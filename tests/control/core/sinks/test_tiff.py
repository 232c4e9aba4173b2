"""Squid's folder layout: names, columns and keys as its own program writes them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import yaml
from tests.control.core.sinks import examples
from tests.control.core.sinks.test_contract import opened, store


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_files_have_squids_names(tmp_path: Path) -> None:
    data = examples.layout(free=1)
    sink = opened(tmp_path, data, "tiff")
    store(sink, data)
    sink.close()
    names = sorted(path.name for path in (tmp_path / "1").glob("*.tiff"))
    assert len(names) == 30
    assert "B3_1_2_Fluorescence_405_nm_Ex.tiff" in names
    assert "site_0_0_0_Fluorescence_405_nm_Ex.tiff" in names
    assert {path.name for path in tmp_path.iterdir()} == {
        "0", "1", ".done", "coordinates.csv", "acquisition parameters.json", "acquisition_channels.yaml",
        "frames.csv", "missing.csv",
    }  # fmt: skip


def test_planned_and_actual_coordinates(tmp_path: Path) -> None:
    data = examples.layout()
    sink = opened(tmp_path, data, "tiff")
    store(sink, data)
    sink.close()
    planned = rows(tmp_path / "coordinates.csv")
    assert list(planned[0]) == ["region", "x (mm)", "y (mm)", "z (mm)"]
    assert [row["region"] for row in planned] == ["B3", "B3", "C11", "C11"]
    assert [float(planned[1][key]) for key in ("x (mm)", "y (mm)", "z (mm)")] == [1.01, 0.5, -0.003]
    actual = rows(tmp_path / "1" / "coordinates.csv")
    assert list(actual[0]) == ["region", "fov", "z_level", "x (mm)", "y (mm)", "z (um)", "time"]
    assert [(row["region"], row["fov"], row["z_level"]) for row in actual[:4]] == [
        ("B3", "0", "0"), ("B3", "0", "1"), ("B3", "0", "2"), ("B3", "1", "0"),
    ]  # fmt: skip
    assert len(actual) == 12
    assert [float(actual[3][key]) for key in ("x (mm)", "y (mm)", "z (um)")] == [1.0101, 0.4999, -2.98]
    assert actual[0]["time"] == "2026-05-28_20-26-43.250000"


def test_coordinates_are_not_doubled_by_resume(tmp_path: Path) -> None:
    data = examples.layout(free=1)
    sink = opened(tmp_path, data, "tiff")
    store(sink, data, set(range(10)))
    again = opened(tmp_path, data, "tiff", resume=True)
    store(again, data, set(range(8, data.frames_planned)))
    again.close()
    for t in "01":
        places = [(row["region"], row["fov"], row["z_level"]) for row in rows(tmp_path / t / "coordinates.csv")]
        assert len(places) == len(set(places)) == 15


def test_parameters_have_squids_keys(tmp_path: Path) -> None:
    data = examples.layout(fields=3)
    opened(tmp_path, data, "tiff").close()
    parameters = json.loads((tmp_path / "acquisition parameters.json").read_text())
    assert set(parameters) == {
        "dx(mm)", "Nx", "dy(mm)", "Ny", "dz(um)", "Nz", "dt(s)", "Nt", "with AF", "with reflection AF",
        "with manual focus map", "objective", "sensor_pixel_size_um", "tube_lens_mm", "confocal_mode", "pixel_size_um",
    }  # fmt: skip
    assert (parameters["Nx"], parameters["dx(mm)"], parameters["Nz"], parameters["dz(um)"]) == (3, 1.01, 3, 1.5)
    assert (parameters["Nt"], parameters["dt(s)"]) == (2, 30.0)
    assert parameters["objective"] == {"magnification": 20, "NA": 0.8, "tube_lens_f_mm": 180, "name": "20x"}
    optics = parameters["objective"]
    pixel_um = (
        parameters["sensor_pixel_size_um"]
        * optics["tube_lens_f_mm"] / optics["magnification"] / parameters["tube_lens_mm"]
    )  # fmt: skip
    assert pixel_um == pytest.approx(data.pixel_size_um)


def test_channels_are_those_of_the_run(tmp_path: Path) -> None:
    data = examples.layout()
    opened(tmp_path, data, "tiff").close()
    channels = yaml.safe_load((tmp_path / "acquisition_channels.yaml").read_text())
    assert channels["objective"] == "20x"
    assert [each["name"] for each in channels["channels"]] == [each.name for each in data.channels]
    assert channels["channels"][0]["illumination_settings"]["intensity"] == {"405": 20.0}
    assert channels["channels"][0]["camera_settings"]["exposure_time_ms"] == 20


@pytest.mark.parametrize("missing", [0, 1])
def test_done_means_that_nothing_is_missing(tmp_path: Path, missing: int) -> None:
    data = examples.layout()
    sink = opened(tmp_path, data, "tiff")
    store(sink, data, set(range(data.frames_planned - missing)))
    assert not (tmp_path / ".done").exists()
    sink.close()
    assert (tmp_path / ".done").exists() == (missing == 0)
