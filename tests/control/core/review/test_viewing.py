"""Planes of a stored run: cache, grey values, what is absent."""

from __future__ import annotations

import numpy as np
import pytest
from tests.control.core.review.runs import SENSOR_PX, MadeRun, make_run

from control.core.grey_values import GreyCounts
from control.core.review.viewing import PlaneCache, Viewing, ViewRequest
from control.core.stored_run import StoredRun


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeRun:
    faults = ["camera.none@frame=2,times=always"]
    return make_run(
        tmp_path_factory.mktemp("made"), "tiff", faults=faults, wells="B2", fields={"rows": 1, "columns": 1}
    )


def test_planes_are_counted_and_what_fits_the_run_stays(made: MadeRun) -> None:
    viewing = Viewing(StoredRun.open(made.folder))
    image = viewing.run.layout.images[0]
    first = viewing.show(ViewRequest(image, 0, 1, (0,)))
    assert first.planes[0].shape == SENSOR_PX
    assert first.counts[0].seen() == (first.planes[0].min(), first.planes[0].max())
    assert first.fitting[0] == first.counts[0].limits()
    both = viewing.show(ViewRequest(image, 0, 1, (0, 1), level=1))
    assert both.planes[1].shape == (SENSOR_PX[0] // 2, SENSOR_PX[1] // 2)
    assert both.fitting[0] == first.fitting[0], "a plane counts once, at whichever size"


def test_what_fits_is_that_of_all_planes_looked_at(made: MadeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    viewing = Viewing(StoredRun.open(made.folder))
    image, bits = viewing.run.layout.images[0], viewing.run.layout.significant_bits
    monkeypatch.setattr(StoredRun, "read", lambda _, *place: np.full((64, 64), 100 if place[3] else 200, np.uint16))
    requests = [ViewRequest(image, 0, z, (0,)) for z in (1, 0, 1)]
    found = [viewing.show(request) for request in requests]
    assert found[0].fitting[0] == found[0].counts[0].limits()
    assert found[1].fitting[0] == found[2].fitting[0] == (100, 200)
    assert found[2].counts[0].limits() == GreyCounts.of(np.full((64, 64), 100, np.uint16), bits).limits()


def test_what_is_absent_is_said(made: MadeRun) -> None:
    viewing = Viewing(StoredRun.open(made.folder))
    image = viewing.run.layout.images[0]
    picture = viewing.show(ViewRequest(image, 0, 0, (0, 1)))
    assert set(picture.planes) == {0}
    assert picture.absences[1].startswith("missing: camera")
    nothing = viewing.show(ViewRequest(image, 0, 0, (1,)))
    assert not nothing.planes
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
