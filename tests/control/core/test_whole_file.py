"""Files that a person asks for are there whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from control.core.planning import FreePosition, read_positions, write_positions
from control.core.whole_file import whole_file
from squid.errors import StorageError
from squid.utils.task import Outcome, current_task
from squid.utils.worker_manager import WorkerManager


def test_it_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("old")
    with whole_file(tmp_path / "a.html") as beside:
        assert beside.suffix == ".html"
        beside.write_text("new")
        assert (tmp_path / "a.html").read_text() == "old"
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.html", "new")]


def test_a_failure_half_way_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")

    def write() -> None:
        with whole_file(tmp_path / "a.txt") as beside:
            beside.write_text("half")
            raise OSError(28, "disk full")

    with pytest.raises(StorageError, match=r"a\.txt could not be written: disk full"):
        write()
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "old")]


def _cancel() -> None:
    task = current_task()
    assert task is not None
    task.cancel_requested = True
    task.request_stop()


def test_a_task_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    def write() -> None:
        with whole_file(tmp_path / "a.txt") as beside:
            beside.write_text("all of it")
            _cancel()

    manager = WorkerManager()
    handle = manager.submit("write", write)
    assert handle.wait(10)
    manager.shutdown(timeout=1.0)
    assert handle.outcome is Outcome.CANCELLED
    assert list(tmp_path.iterdir()) == []


def test_a_list_of_positions_stops_half_way(tmp_path: Path) -> None:
    seen = []

    def places() -> object:
        for number in range(100_000):
            if number == 500:
                _cancel()
            seen.append(number)
            yield FreePosition(f"P{number}", 0.0, 0.0)

    manager = WorkerManager()
    handle = manager.submit("export", lambda: write_positions(tmp_path / "a.csv", places()))  # type: ignore[arg-type]
    assert handle.wait(10)
    assert handle.outcome is Outcome.CANCELLED
    assert len(seen) < 2000
    file = tmp_path / "b.csv"
    file.write_text("x_um,y_um\n" + "1,2\n" * 5000)

    def read() -> None:
        _cancel()
        read_positions(file)

    handle = manager.submit("import", read)
    assert handle.wait(10)
    manager.shutdown(timeout=1.0)
    assert handle.outcome is Outcome.CANCELLED
    assert [p.name for p in tmp_path.iterdir()] == ["b.csv"]


def test_ten_thousand_positions_of_one_name_are_told_apart_at_once(tmp_path: Path) -> None:
    file = tmp_path / "same.csv"
    file.write_text("x_um,y_um,name\n" + "1,2,spot\n" * 10_000)
    names = [position.name for position in read_positions(file)]
    assert names[:3] == ["spot", "spot-2", "spot-3"]
    assert len(set(names)) == 10_000
