"""Small pictures of a run: in their places, within their memory, and never a trouble to the run."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from tests.control.core.layouts import PIXEL_UM, layout, plate, positions_layout
from tests.control.core.records import record

from control.core.facts import RunFinished, RunStarted
from control.core.previews import BUDGET_BYTES, MAX_TILE_PX, Previews
from control.core.shrinking import shrunk
from squid.models.geometry import Orientation, Pixels
from squid.models.layout import DatasetLayout

SIDE_PX = 64
FIELD_UM = SIDE_PX * PIXEL_UM
QUARTERS = [(-FIELD_UM / 2, -FIELD_UM / 2), (FIELD_UM / 2, -FIELD_UM / 2), (-FIELD_UM / 2, FIELD_UM / 2)]
"""Three fields of a square of four: upper left, upper right, lower left."""


def _of(data: DatasetLayout, budget_bytes: int = BUDGET_BYTES) -> Previews:
    previews = Previews(budget_bytes)
    previews.hear(RunStarted(Path("run"), data, 1.0, 0))
    return previews


def _grey(value: int, side_px: int = SIDE_PX) -> Pixels:
    return np.full((side_px, side_px), value, np.uint16)


def _tile(previews: Previews, channel: int, well: int) -> Pixels:
    tile = previews.tile(channel, well)
    assert tile is not None
    return tile


def test_before_a_run_there_is_nothing() -> None:
    previews = Previews()
    previews.see(record(0), _grey(1))
    assert previews.newest() is None
    assert previews.tile(0, 0) is None
    assert previews.mosaic(0) is None
    assert previews.contrasts() == ()


def test_each_field_lies_where_the_stage_was() -> None:
    previews = _of(layout([(0, 0), (2, 3)], QUARTERS))
    for field, value in enumerate((100, 200, 300)):
        previews.see(record(field, image=3 + field, c=1), _grey(value))
    assert previews.tile(1, 0) is None
    tile = _tile(previews, 1, 1)
    half = previews.tile_px // 2
    assert np.unique(tile[:half, :half]).tolist() == [100]
    assert np.unique(tile[:half, half:]).tolist() == [200]
    assert np.unique(tile[half:, :half]).tolist() == [300]
    assert np.unique(tile[half:, half:]).tolist() == [0]
    mosaic = previews.mosaic(1)
    assert mosaic is not None
    assert (mosaic.well.name, mosaic.pixels[0, 0], mosaic.pixels[-1, 0]) == ("C4", 100, 300)
    assert mosaic.pixel_um * mosaic.pixels.shape[0] == pytest.approx(2 * FIELD_UM)


def test_the_mosaic_is_of_the_well_in_work() -> None:
    previews = _of(layout([(0, 0), (0, 1)], QUARTERS))
    previews.see(record(0, image=0, c=0), _grey(100))
    previews.see(record(1, image=0, c=1), _grey(150))
    previews.see(record(2, image=4, c=0), _grey(200))
    first, second = previews.mosaic(0), previews.mosaic(1)
    assert first is not None
    assert second is not None
    assert (first.well.name, second.well.name) == ("A2", "A2")
    assert set(np.unique(first.pixels)) == {0, 200}
    assert not second.pixels.any()  # that channel has nothing of this well yet


def test_of_a_stack_the_middle_plane_is_shown_and_the_newest_time_point() -> None:
    previews = _of(layout([(0, 0)], size_z=5, size_t=2))
    for t in (0, 1):
        for z in range(5):
            previews.see(record(0, image=0, t=t, z=z), _grey(100 + 10 * z + t))
            newest = previews.newest()
            assert newest is not None
            assert newest.pixels[0, 0] == 100 + 10 * z + t
        assert np.unique(_tile(previews, 0, 0)).tolist() == [120 + t]


def test_a_channel_without_a_stack_is_shown_too() -> None:
    previews = _of(layout([(0, 0)], size_z=4))
    previews.see(record(0, image=0, z=2), _grey(70))
    assert np.unique(_tile(previews, 0, 0)).tolist() == [70]


def test_revisions_tell_what_changed() -> None:
    previews = _of(layout([(0, 0), (0, 1)]))
    assert previews.tile_revisions().tolist() == [0, 0]
    before = previews.mosaic_revision
    previews.see(record(0, image=1), _grey(1))
    assert previews.tile_revisions().tolist() == [0, 1]
    assert previews.mosaic_revision != before
    number = previews.run_number
    previews.hear(RunFinished("completed", "", 1, 0))
    assert previews.tile_revisions().tolist() == [0, 1]  # pictures stay when the run ends
    previews.hear(RunStarted(Path("next"), layout([(0, 0)]), 1.0, 0))
    assert previews.run_number == number + 1
    assert previews.newest() is None


def test_a_run_that_is_resumed_keeps_its_pictures_and_takes_what_was_stored_before() -> None:
    data = layout([(0, 0), (2, 3)], QUARTERS)
    previews = _of(data)
    previews.see(record(0, image=3), _grey(100))
    previews.hear(RunStarted(Path("run"), data, 1.0, 1))
    assert previews.run_number == 2
    assert previews.earlier == Path("run")
    assert previews.tile_revisions().tolist() == [0, 1]
    assert previews.earlier_px(0, 3) == 0, "it has been seen"
    assert previews.earlier_px(0, 4) > previews.earlier_px(0, 0) > 0, "the mosaic wants more than a tile"
    for image, run_number in ((3, 2), (4, 2), (0, 2), (1, 1)):
        previews.put_earlier(run_number, 0, image, _grey(200, 32))
    half = previews.tile_px // 2
    tile, mosaic = _tile(previews, 0, 1), previews.mosaic(0)
    assert mosaic is not None
    assert (tile[0, 0], tile[0, half + 1], mosaic.pixels[0, 0], mosaic.pixels[0, -1]) == (100, 200, 100, 200)
    assert (_tile(previews, 0, 0)[0, 0], _tile(previews, 0, 0)[0, half + 1]) == (200, 0)
    previews.hear(RunStarted(Path("next"), data, 1.0, 0))
    assert previews.earlier is None
    assert previews.tile_revisions().tolist() == [0, 0]


def test_free_positions_have_pictures_as_wells_have() -> None:
    previews = _of(positions_layout([("colony", 0, 0.0, 0.0), ("colony", 1, FIELD_UM, 0.0)]))
    previews.see(record(0, image=1), _grey(90))
    tile = _tile(previews, 0, 0)
    middle, half = tile.shape[0] // 2, tile.shape[1] // 2
    assert (tile[middle, half - 2], tile[middle, half + 2]) == (0, 90)


@pytest.mark.parametrize(
    ("wells", "channels", "frame_px"), [((2, 3), 1, 512), ((16, 24), 4, 2048), ((32, 48), 5, 2048), ((32, 48), 5, 5120)]
)
def test_any_plate_fits_into_the_budget(wells: tuple[int, int], channels: int, frame_px: int) -> None:
    every = [(row, column) for row in range(wells[0]) for column in range(wells[1])]
    names = [f"channel {number}" for number in range(channels)]
    data = layout(every, channels=names, shape_px=(frame_px, frame_px), on=plate(*wells))
    previews = _of(data)
    side_px = previews.tile_px
    previews.see(record(0, image=0), np.zeros((8, 8), np.uint16))
    mosaic = previews.mosaic(0)
    assert mosaic is not None
    kept = len(every) * channels * 2 * side_px**2 + channels * mosaic.pixels.nbytes + 2 * data.frame_bytes
    assert kept <= BUDGET_BYTES
    assert 60 <= side_px <= MAX_TILE_PX


def test_shrinking_is_the_mean_of_areas_for_any_size() -> None:
    pixels = np.random.default_rng(1).integers(0, 4096, (512, 640)).astype(np.uint16)
    for height, width in ((256, 320), (64, 80), (100, 130), (7, 9), (1, 1)):
        small = shrunk(pixels, height, width)
        assert small.shape == (height, width)
        assert small.mean() == pytest.approx(pixels.mean(), rel=0.02)
    blocks = pixels.reshape(64, 8, 80, 8).mean(axis=(1, 3))
    assert np.abs(shrunk(pixels, 64, 80) - blocks).max() <= 2  # halves are rounded


@pytest.mark.parametrize("rotate_deg", [0, 90, 180, 270])
@pytest.mark.parametrize("flip_x", [False, True])
def test_a_turned_frame_shrinks_as_it_looks(rotate_deg: int, flip_x: bool) -> None:
    pixels = np.random.default_rng(2).integers(0, 4096, (128, 192)).astype(np.uint16)
    turned = Orientation.model_validate({"rotate_deg": rotate_deg, "flip_x": flip_x}).apply(pixels)
    height, width = turned.shape[0] // 4, turned.shape[1] // 4
    assert np.array_equal(shrunk(turned, height, width), shrunk(np.ascontiguousarray(turned), height, width))


def test_the_contrast_is_that_of_the_whole_plate() -> None:
    previews = _of(layout([(0, 0), (2, 3)], QUARTERS))
    previews.see(record(0, image=0, c=1), _grey(100))
    dark = previews.contrasts()[1]
    previews.see(record(1, image=3, c=1), _grey(3000))
    assert previews.contrasts()[0] == (0, 1), "of the other channel nothing was seen"
    assert (dark[0], previews.contrasts()[1]) == (100, (100, 3000))


def test_the_mosaic_says_where_it_lies() -> None:
    previews = _of(layout([(0, 0), (2, 3)], QUARTERS))
    previews.see(record(0, image=3), _grey(100))
    mosaic = previews.mosaic(0)
    assert mosaic is not None
    image = previews.layout.images[3]  # type: ignore[union-attr]
    left_um, top_um = (
        centre - mosaic.pixel_um * len(mosaic.pixels) / 2 for centre in (mosaic.centre_x_um, mosaic.centre_y_um)
    )
    rows, columns = np.nonzero(mosaic.pixels)
    assert left_um + (columns.mean() + 0.5) * mosaic.pixel_um == pytest.approx(image.x_um, abs=mosaic.pixel_um)
    assert top_um + (rows.mean() + 0.5) * mosaic.pixel_um == pytest.approx(image.y_um, abs=mosaic.pixel_um)


def test_a_frame_costs_the_writer_little() -> None:
    previews = _of(layout([(0, 0)], QUARTERS, shape_px=(2048, 2048), size_z=3))
    frame = np.random.default_rng(3).integers(0, 4096, (2048, 2048)).astype(np.uint16)
    middle, other = record(0, image=0, z=1), record(0, image=0, z=0)
    previews.see(middle, frame)
    begin_s = time.thread_time()
    for _ in range(5):
        previews.see(middle, frame)
    shown_ms = (time.thread_time() - begin_s) / 5 * 1e3
    begin_s = time.thread_time()
    for _ in range(50):
        previews.see(other, frame)
    passed_ms = (time.thread_time() - begin_s) / 50 * 1e3
    assert shown_ms < 30  # measured: 1.2; processor time, with room for a slow machine
    assert passed_ms < 1  # measured: 0.002
