"""Real cells as the specimen, a camera that sits turned: the plate on disk shows them where they belong."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tensorstore as ts
import tifffile
import yaml
from tests import rig

from squid.machine_file import CONFIGS, MachineConfig, read_machine_file
from squid.models.plan import read_plan

SENSOR_PX = (640, 768)  # height, width as mounted: the stored image is 768 high and 640 wide
PIXEL_UM = 0.65  # 6.5 µm, 10x
CHANNELS = {"DAPI": "d0", "FITC": "d1", "TRITC": "d2"}
PLAN = {
    "plate": "96 well plate",
    "wells": "D3, D4",
    "fields": {"rows": 1, "columns": 2, "fov_width": 64.0, "fov_height": 64.0},  # 64 µm apart: they overlap
    "objective": "10x",
    "z_um": 3000.0,
    "sequence": {"channels": [{"config": name, "exposure": 20.0} for name in CHANNELS]},
}


def machine(folder: Path, human_cells: Path) -> MachineConfig:
    """The simulated microscope with the images as specimen, a flat plate, and a camera mounted turned and mirrored."""
    data = yaml.safe_load((CONFIGS / "simulation.yaml").read_text(encoding="utf-8"))
    world = data["devices"]["world"]["options"]
    world |= {
        "time_scale": 20.0,
        "specimen": {"images": str(human_cells), "pixel_um": PIXEL_UM},
        "focus": {"z_um": 3000, "tilt_x_um_per_mm": 0, "tilt_y_um_per_mm": 0, "bow_um": 0},
    }
    data["devices"]["camera"]["options"] |= {
        "sensor_shape_px": list(SENSOR_PX),
        "mounting": {"rotate_deg": 90, "flip_x": True},
    }
    data["camera"]["orientation"] = {"rotate_deg": 90, "flip_x": True}
    for presets in data["channels"].values():
        for preset in presets.values():
            preset["z_offset_um"] = 0.0
    file = folder / "machine.yaml"
    file.write_text(yaml.safe_dump(data), encoding="utf-8")
    return read_machine_file(file)


@pytest.fixture(scope="module")
def plate(tmp_path_factory: pytest.TempPathFactory, human_cells: Path) -> Path:
    """The plate of one run."""
    folder = tmp_path_factory.mktemp("human_cells")
    plan_file = folder / "cells.yaml"
    plan_file.write_text(yaml.safe_dump(PLAN), encoding="utf-8")
    with rig.rig(machine(folder, human_cells)) as bench:
        run, summary = bench.run(read_plan(plan_file), folder / "out")
    assert summary.status == "completed"
    return run.folder / "plate.ome.zarr"


def stored(plate: Path, well: str, field: int) -> np.ndarray:
    """One field's channels: shape (channel, Y, X)."""
    store = {"driver": "file", "path": str(plate / well / str(field) / "0")}
    return ts.open({"driver": "zarr3", "kvstore": store}, read=True).result()[0, :, 0].read().result()


def cells(human_cells: Path, channel: str) -> np.ndarray:
    """One channel of the real image, 512 x 512."""
    return tifffile.imread(next(human_cells.glob(f"*{channel}.tif")))


def likeness(image: np.ndarray, wanted: np.ndarray) -> float:
    """Pearson's correlation of two images of one shape, by blocks of 4 x 4 pixels: shot noise is no difference."""
    pair = [each[: each.shape[0] // 4 * 4, : each.shape[1] // 4 * 4] for each in (image, wanted)]
    coarse = [each.reshape(each.shape[0] // 4, 4, -1, 4).mean(axis=(1, 3)).ravel() for each in pair]
    return float(np.corrcoef(*coarse)[0, 1])


def cut(image: np.ndarray, right_px: int) -> np.ndarray:
    """The 512 x 512 part of a stored field whose centre lies `right_px` right of the field's centre."""
    top, left = (image.shape[0] - 512) // 2, (image.shape[1] - 512) // 2 + right_px
    return image[top : top + 512, left : left + 512]


@pytest.mark.parametrize("channel", CHANNELS)
def test_each_channel_shows_its_own_stain_the_right_way_round(plate: Path, human_cells: Path, channel: str) -> None:
    image = stored(plate, "D/3", 0)[list(CHANNELS).index(channel)]
    assert image.shape == (SENSOR_PX[1], SENSOR_PX[0])
    shift_px = round(32.0 / PIXEL_UM)  # field 0 lies half a step left of the well's centre: the cells lie right of its
    seen = cut(image, shift_px).astype(float)
    wanted = cells(human_cells, CHANNELS[channel]).astype(float)
    right = likeness(seen, wanted)
    assert right > 0.9
    turned = [np.rot90(wanted, k) for k in range(4)]
    others = [*turned[1:], *(np.fliplr(each) for each in turned)]
    assert max(likeness(seen, other) for other in others) < right - 0.3
    for name in CHANNELS.values():
        if name != CHANNELS[channel]:
            assert likeness(seen, cells(human_cells, name).astype(float)) < right


def test_stage_plus_x_moves_the_view_right(plate: Path) -> None:
    left, right = (stored(plate, "D/3", field)[0].astype(float) for field in (0, 1))
    step_px = round(64.0 / PIXEL_UM)
    assert likeness(left[:, step_px:], right[:, :-step_px]) > 0.9


def test_the_empty_well_shows_no_cells(plate: Path, human_cells: Path) -> None:
    image = cut(stored(plate, "D/4", 0)[0], round(32.0 / PIXEL_UM)).astype(float)
    assert abs(likeness(image, cells(human_cells, "d0").astype(float))) < 0.1


def test_the_pixel_size_is_that_of_the_objective(plate: Path) -> None:
    attributes = json.loads((plate / "D" / "3" / "0" / "zarr.json").read_text())["attributes"]["ome"]
    scale = attributes["multiscales"][0]["datasets"][0]["coordinateTransformations"][0]["scale"]
    assert scale[-2:] == pytest.approx([PIXEL_UM, PIXEL_UM])
    assert [channel["label"] for channel in attributes["omero"]["channels"]] == list(CHANNELS)
