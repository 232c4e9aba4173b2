"""A snap on disk: valid OME-TIFF, true pixels, everything known of them, whole or not at all."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import ome_types
import pytest
import tifffile
from tests import rig
from tests.hands import hand_bench

from control.core.live_frame import LiveFrame
from squid.errors import StorageError


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[LiveFrame, Path]:
    folder = tmp_path_factory.mktemp("snap")
    with hand_bench(rig.machine(folder), folder) as bench:
        bench.live.set(channel="FITC", exposure_ms=12.5, intensity=0.3)
        frame = bench.ask(bench.live.snap)
        path = folder / "new folder" / "cells B3.ome.tiff"
        bench.ask(lambda: bench.live.save_snap(frame, path))
    return frame, path


def test_the_pixels_are_those_that_were_shown(saved: tuple[LiveFrame, Path]) -> None:
    frame, path = saved
    np.testing.assert_array_equal(tifffile.imread(path), frame.pixels)
    assert not list(path.parent.glob("*.partial"))


def test_the_metadata_is_valid_and_complete(saved: tuple[LiveFrame, Path]) -> None:
    frame, path = saved
    ome_types.validate_xml(tifffile.tiffcomment(path))
    image = ome_types.from_tiff(path).images[0]
    pixels = image.pixels
    assert (pixels.size_x, pixels.size_y) == frame.pixels.shape[::-1]
    assert pixels.physical_size_x == pytest.approx(6.5 / 20)
    assert (pixels.physical_size_x_unit.value, pixels.significant_bits) == ("µm", 12)
    assert pixels.channels[0].name == "FITC"
    assert pixels.channels[0].color.as_rgb_tuple()[:3] == (0, 255, 0)
    plane = pixels.planes[0]
    assert (plane.exposure_time, plane.exposure_time_unit.value) == (12.5, "ms")
    assert (plane.position_x, plane.position_y, plane.position_z) == pytest.approx(frame.position)
    assert plane.position_x_unit.value == "µm"
    assert image.acquisition_date is not None
    assert abs(image.acquisition_date.timestamp() - frame.utc_s) < 0.01
    assert "objective 20x" in (image.description or "")
    assert "light 488 at 30.0%" in (image.description or "")
    assert datetime.fromtimestamp(frame.utc_s).year >= 2024


def test_a_folder_that_takes_nothing_is_named_and_the_old_file_stays(
    saved: tuple[LiveFrame, Path], tmp_path: Path
) -> None:
    frame, _ = saved
    with hand_bench(rig.machine(tmp_path), tmp_path) as bench:
        no_folder = tmp_path / "file"
        no_folder.write_text("not a folder")
        with pytest.raises(StorageError, match="the snap was not saved"):
            bench.ask(lambda: bench.live.save_snap(frame, no_folder / "snap.tif"))
        assert no_folder.read_text() == "not a folder"
