"""Planes to pictures: cache, contrast, what is absent."""

from __future__ import annotations

import numpy as np
import pytest
from tests.control.core.review.runs import SENSOR_PX, MadeRun, make_run

from control.core.review.viewing import PlaneCache, Viewing, ViewRequest, histogram
from control.core.stored_run import StoredRun


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeRun:
    faults = ["camera.none@frame=2,times=always"]
    return make_run(
        tmp_path_factory.mktemp("made"), "tiff", faults=faults, wells="B2", fields={"rows": 1, "columns": 1}
    )


def test_one_channel_is_grey_two_are_coloured(made: MadeRun) -> None:
    viewing = Viewing(StoredRun.open(made.folder))
    image = viewing.run.layout.images[0]
    grey = viewing.show(ViewRequest(image, 0, 1, (0,)))
    assert grey.rgb is not None
    assert grey.rgb.shape == (*SENSOR_PX, 4)
    assert (grey.rgb[..., 0] == grey.rgb[..., 2]).all()
    low, high = grey.limits[0]
    plane = grey.planes[0]
    assert (grey.rgb[..., 0][plane <= low] == 0).all()
    assert (grey.rgb[..., 0][plane >= high] == 255).all()
    both = viewing.show(ViewRequest(image, 0, 1, (0, 1), level=1))
    assert both.rgb is not None
    assert both.rgb.shape == (SENSOR_PX[0] // 2, SENSOR_PX[1] // 2, 4)
    assert (both.rgb[..., 0] != both.rgb[..., 1]).any()
    assert both.limits[0] == grey.limits[0], "contrast stays, so that planes can be compared"


def test_chosen_limits_are_used(made: MadeRun) -> None:
    viewing = Viewing(StoredRun.open(made.folder))
    picture = viewing.show(ViewRequest(viewing.run.layout.images[0], 0, 0, (0,), limits={0: (0, 1)}))
    assert picture.rgb is not None
    assert (picture.rgb[..., 0][picture.planes[0] > 0] == 255).all()


def test_what_is_absent_is_said(made: MadeRun) -> None:
    viewing = Viewing(StoredRun.open(made.folder))
    image = viewing.run.layout.images[0]
    picture = viewing.show(ViewRequest(image, 0, 0, (0, 1)))
    assert set(picture.planes) == {0}
    assert picture.absences[1].startswith("missing: camera")
    nothing = viewing.show(ViewRequest(image, 0, 0, (1,)))
    assert nothing.rgb is None
    assert nothing.frame is None


def test_a_plane_is_read_once(made: MadeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    viewing = Viewing(StoredRun.open(made.folder))
    request = ViewRequest(viewing.run.layout.images[0], 0, 1, (0, 1))
    first = viewing.show(request)
    monkeypatch.setattr(StoredRun, "read", lambda *_: pytest.fail("read again"))
    second = viewing.show(request)
    assert all(second.planes[c] is plane for c, plane in first.planes.items())


def test_the_cache_keeps_its_budget() -> None:
    cache = PlaneCache(budget_bytes=250)
    planes = [np.full((10, 10), number, np.uint8) for number in range(3)]
    for number, plane in enumerate(planes):
        cache.put((number,), plane)
        cache.get((0,))
    assert cache.used_bytes == 200
    assert [cache.get((number,)) is not None for number in range(3)] == [True, False, True]
    cache.put((0,), planes[1])
    assert cache.used_bytes == 200
    cache.put((9,), np.zeros(300, np.uint8).reshape(10, 30))
    assert cache.used_bytes == 0, "a plane above the budget is not kept"


def test_histogram_counts_every_sampled_pixel() -> None:
    plane = np.arange(1000, 1000 + 65536 // 4, dtype=np.uint16).reshape(128, 128)
    counts, span = histogram(plane, bins=64)
    assert counts.sum() == plane.size
    assert span == (0, 1000 + 16383 + 16383 // 4)
    assert histogram(np.full((4, 4), 100, np.uint8))[1] == (92, 108)
