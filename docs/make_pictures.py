"""Make the README's picture from a run: its plate as it lies on disk, in the channels' colours.

::

    ./hcs run examples/first_plate.yaml --simulation --output plates
    .venv/bin/python docs/make_pictures.py plates/first_plate_… docs/pictures/first_plate.png

Needs the packages of `./hcs test`. Reads nothing but the OME-Zarr plate: fields lie where their translations say,
planes are projected to the brightest.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import tensorstore as ts

WELL_PX = 256
WELL_UM = 330.0
"""Side of what is shown of each well, around the middle of its fields."""

GAP_PX = 6
BRIGHTEST = 99.8
"""Percentile of a channel, over the plate, that is shown at full colour."""

Image = npt.NDArray[np.float32]


def ome(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "zarr.json").read_text(encoding="utf-8"))["attributes"]["ome"]
    return content


def projected(image: Path, level: str) -> Image:
    """The brightest of all planes at the first time point; shape (C, Y, X)."""
    store = ts.open({"driver": "zarr3", "kvstore": {"driver": "file", "path": str(image / level)}}).result()
    return np.asarray(store[0].read().result()).max(axis=1).astype(np.float32)


def well_image(well: Path) -> Image:
    """The middle of a well's fields, each at its place; shape (C, Y, X)."""
    tiles = []
    for entry in ome(well)["well"]["images"]:
        field = well / entry["path"]
        datasets = ome(field)["multiscales"][0]["datasets"]
        coarse = datasets[min(1, len(datasets) - 1)]
        scale, translation = (step[step["type"]] for step in coarse["coordinateTransformations"])
        place = np.round(np.array(translation[-2:]) / scale[-2:]).astype(int)
        tiles.append((place, projected(field, coarse["path"])))
    origin = np.min([place for place, _ in tiles], axis=0)
    height, width = np.max([place - origin + tile.shape[1:] for place, tile in tiles], axis=0)
    whole = np.zeros((tiles[0][1].shape[0], height, width), np.float32)
    for place, tile in tiles:
        y, x = place - origin
        whole[:, y : y + tile.shape[1], x : x + tile.shape[2]] = tile
    half = round(WELL_UM / scale[-1] / 2)
    middle = whole[:, height // 2 - half : height // 2 + half, width // 2 - half : width // 2 + half]
    return np.stack([cv2.resize(c, (WELL_PX, WELL_PX), interpolation=cv2.INTER_AREA) for c in middle])


def coloured(channels: Image, colours: list[str]) -> npt.NDArray[np.uint8]:
    """Add the channels in their colours; shape (Y, X, 3), blue first as OpenCV has it."""
    picture = np.zeros((*channels.shape[1:], 3), np.float32)
    for channel, colour in zip(channels, colours, strict=True):
        rgb = [int(colour[i : i + 2], 16) for i in (0, 2, 4)]
        picture += channel[..., None] * np.array(rgb[::-1], np.float32)
    return np.clip(picture, 0, 255).astype(np.uint8)


def plate_picture(plate: Path) -> npt.NDArray[np.uint8]:
    """The wells of a plate in their rows and columns."""
    about = ome(plate)["plate"]
    wells = {(w["rowIndex"], w["columnIndex"]): well_image(plate / w["path"]) for w in about["wells"]}
    colours = [c["color"] for c in ome(plate / about["wells"][0]["path"] / "0")["omero"]["channels"]]
    every = np.stack(list(wells.values()))
    low = np.median(every, axis=(0, 2, 3))[:, None, None]
    high = np.percentile(every, BRIGHTEST, axis=(0, 2, 3))[:, None, None]
    rows, columns = (sorted({place[axis] for place in wells}) for axis in (0, 1))
    pitch = WELL_PX + GAP_PX
    canvas = np.full((len(rows) * pitch + GAP_PX, len(columns) * pitch + GAP_PX, 3), 255, np.uint8)
    for (row, column), channels in wells.items():
        y, x = (GAP_PX + pitch * n for n in (rows.index(row), columns.index(column)))
        shown = np.clip((channels - low) / (high - low), 0, 1)
        canvas[y : y + WELL_PX, x : x + WELL_PX] = coloured(shown, colours)
    return canvas


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a picture of the plate in a run folder.")
    parser.add_argument("run_folder", type=Path)
    parser.add_argument("picture", type=Path)
    args = parser.parse_args()
    run = json.loads((args.run_folder / "run.json").read_text(encoding="utf-8"))
    args.picture.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(args.picture), plate_picture(args.run_folder / run["outputs"][0]), [cv2.IMWRITE_PNG_COMPRESSION, 9])


if __name__ == "__main__":
    main()
