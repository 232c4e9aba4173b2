"""Whether two run folders hold the same plate: the same frames, at the same places, with the same pictures on them.

Two stages do not stand at the very same µm, so pictures are compared by how they correlate, not byte by byte.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import zarr

from control.core.journal import FILE_NAME, read_records


def compared(first: Path, second: Path) -> dict[str, float]:
    """Return what differs between the stored runs in two output folders.

    Returns
    -------
    dict
        ``same_frames``: 1 when both hold the same indices, wells and channels; ``position_um``: largest distance
        between two frames of an index; ``least_correlation``: of the middle plane of each image's first channel.
    """
    folders = [_stored_run(output) for output in (first, second)]
    a, b = (_records(folder) for folder in folders)
    told = ("index", "image", "t", "c", "z", "channel", "exposure_ms", "source", "intensity")
    same = a.keys() == b.keys() and all(a[i][key] == b[i][key] for i in a for key in told)
    apart = [np.abs(np.subtract(a[i]["actual_um"], b[i]["actual_um"])).max() for i in a.keys() & b.keys()]
    images = [_images(folder) for folder in folders]
    same = same and images[0].keys() == images[1].keys()
    correlations = [_correlation(images[0][path], images[1][path]) for path in images[0]]
    return {"same_frames": float(same), "position_um": float(max(apart)), "least_correlation": min(correlations)}


def _stored_run(output: Path) -> Path:
    return next(folder for folder in sorted(output.iterdir()) if (folder / "plate.ome.zarr").exists())


def _records(folder: Path) -> dict[int, dict[str, Any]]:
    records = (record for record, _ in read_records(folder / FILE_NAME))
    return {record["index"]: record for record in records if record["kind"] == "stored"}


def _images(folder: Path) -> dict[str, Path]:
    plate = folder / "plate.ome.zarr"
    return {str(image.relative_to(plate)): image for image in sorted(plate.glob("*/*/*/2"))}


def _correlation(first: Path, second: Path) -> float:
    planes = []
    for image in (first, second):
        array = zarr.open_array(image, mode="r")
        planes.append(np.asarray(array[0, 0, array.shape[2] // 2], dtype=np.float64).ravel())
    return float(np.corrcoef(*planes)[0, 1])
