from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

import pytest
from tests.control.core.records import pixels, record

from control.core import frame_writer
from control.core.facts import Fact, FactStream, FrameMissing, FrameStored, Waiting
from control.core.frame_writer import FrameWriter, Tap
from control.core.index_set import IndexSet
from control.core.journal import FILE_NAME, Journal, Record, read_journal
from squid.errors import DiskFullError, StorageError
from squid.models.frame import FrameRecord
from squid.models.geometry import Pixels
from squid.models.layout import DatasetLayout

FRAMES = 100


class ObstinateSink:
    """Keeps frames in memory; `gate` can hold it up, `errors` are raised one per call of append or flush."""

    def __init__(self) -> None:
        self.outputs = ()
        self.appended: list[int] = []
        self.flushed: list[int] = []
        self.skipped: dict[int, str] = {}
        self.drops = 0
        self.closed_with: list[int] | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.append_errors: list[BaseException] = []
        self.flush_errors: list[BaseException] = []

    def open(self, folder: Path, layout: DatasetLayout, *, resume: bool) -> None:
        """Nothing to prepare."""

    def append(self, record: FrameRecord, pixels: Pixels) -> None:
        assert self.gate.wait(10)
        if self.append_errors:
            raise self.append_errors.pop(0)
        assert pixels[0, 0] == record.event.index
        self.appended.append(record.event.index)

    def skip(self, index: int, reason: str) -> None:
        self.skipped[index] = reason

    def flush(self) -> None:
        if self.flush_errors:
            raise self.flush_errors.pop(0)
        self.flushed = list(self.appended)

    def drop(self) -> None:
        self.drops += 1
        self.appended = list(self.flushed)
        self.skipped.clear()

    def close(self, missing: Collection[int] = ()) -> None:
        self.closed_with = sorted(missing)


class Bench:
    """A writer on an obstinate sink, with what it said."""

    def __init__(self, folder: Path, capacity_bytes: int = 1 << 20, taps: tuple[Tap, ...] = ()) -> None:
        self.folder = folder
        self.said: list[Fact] = []
        self.reopened = 0
        self.reopen_hook: Callable[[], object] = lambda: None
        self.hangs: list[str] = []
        self.sink = ObstinateSink()
        self.journal = Journal.create(folder, {}, frames=FRAMES, durable=False)
        self.writer = FrameWriter(
            self.sink,
            self.reopen,
            self.journal,
            FactStream((self.hear,)),
            stored=IndexSet(FRAMES),
            missing={},
            capacity_bytes=capacity_bytes,
            taps=taps,
        )
        self.writer.start(self.hangs.append)

    def reopen(self) -> None:
        assert self.sink.drops, "a sink is dropped before it is opened again"
        self.reopen_hook()
        self.reopened += 1

    def stored_lines(self) -> int:
        return (self.folder / FILE_NAME).read_text().count('"kind":"stored"')

    def hear(self, fact: Fact) -> None:
        if isinstance(fact, FrameStored):  # what is said to be stored is in the sink and in the journal
            index = fact.record.event.index
            assert index in self.sink.flushed
            assert index in read_journal(self.folder).stored
        self.said.append(fact)


def until(condition: Callable[[], object]) -> None:
    give_up_s = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < give_up_s
        time.sleep(0.001)


def test_stores_in_order_then_closes(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    for index in range(30):
        bench.writer.put(record(index), pixels(index))
    bench.writer.skip(30, "lost")
    assert bench.writer.finish(10)
    assert bench.sink.flushed == list(range(30))
    assert bench.sink.closed_with == [30]
    assert [f.record.event.index for f in bench.said if isinstance(f, FrameStored)] == list(range(30))
    assert bench.said[-1] == FrameMissing(30, "lost")
    state = read_journal(tmp_path)
    assert (len(state.stored), state.missing) == (30, {30: "lost"})


def test_the_bound_holds_the_engine_and_drops_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path, capacity_bytes=3 * pixels(0).nbytes)
    bench.sink.gate.clear()
    for index in range(3):
        assert bench.writer.wait_for_room(0)
        bench.writer.put(record(index), pixels(index))
    assert not bench.writer.wait_for_room(0.01)
    bench.sink.gate.set()
    assert bench.writer.wait_for_room(10)
    assert bench.writer.finish(10)
    assert bench.sink.flushed == [0, 1, 2]


@pytest.mark.parametrize("where", ["append_errors", "flush_errors"])
def test_a_full_disk_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    monkeypatch.setattr(frame_writer, "RETRY_S", 0.01)
    bench = Bench(tmp_path)
    full = DiskFullError(tmp_path, 2_000_000_000, 1_000)
    getattr(bench.sink, where).extend([full, full, full])
    bench.writer.put(record(0), pixels(0))
    bench.writer.put(record(1), pixels(1))
    assert bench.writer.finish(10)
    assert set(bench.sink.flushed) == {0, 1}
    said = [fact for fact in bench.said if isinstance(fact, Waiting)]
    assert len(said) == 1
    assert "2.00 GB needed" in said[0].reason
    assert bench.writer.failure is None


def test_nothing_more_is_exposed_while_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_writer, "RETRY_S", 0.01)
    bench = Bench(tmp_path)
    bench.sink.append_errors.extend([DiskFullError(tmp_path, 2_000_000_000, 1_000)] * 100_000)
    bench.writer.put(record(0), pixels(0))
    while not bench.writer.trouble:
        bench.writer.wait_for_room(0.001)
    assert "2.00 GB needed" in bench.writer.trouble
    assert not bench.writer.wait_for_room(0.05)
    bench.sink.append_errors.clear()
    assert bench.writer.wait_for_room(10)
    assert not bench.writer.trouble
    assert bench.writer.finish(10)
    assert bench.sink.flushed == [0]


def test_an_abandoned_writer_stops_waiting(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.sink.append_errors.extend([DiskFullError(tmp_path, 1, 0)] * 1000)
    bench.writer.put(record(0), pixels(0))
    assert not bench.writer.finish(0.05)
    bench.writer.abandon()
    assert bench.writer.finish(10)
    assert isinstance(bench.writer.failure, DiskFullError)
    assert len(read_journal(tmp_path).stored) == 0


def test_a_failing_disk_ends_patience(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_writer, "RETRY_S", 0.001)
    monkeypatch.setattr(frame_writer, "PATIENCE_S", 0.05)
    bench = Bench(tmp_path)
    bench.sink.flush_errors.extend([StorageError("the disk is gone")] * 10_000)
    bench.writer.put(record(0), pixels(0))
    assert bench.writer.finish(10)
    assert "the disk is gone" in str(bench.writer.failure)
    assert bench.writer.wait_for_room(0)  # the engine is not held: it has to learn of the failure


@pytest.mark.parametrize("where", ["append_errors", "flush_errors"])
@pytest.mark.parametrize("error", [ZeroDivisionError("bug"), MemoryError(), SystemExit()])
def test_a_writer_that_fails_is_started_again_with_the_same_frames(
    tmp_path: Path, where: str, error: BaseException
) -> None:
    bench = Bench(tmp_path)
    bench.writer.skip(0, "lost")
    bench.writer.put(record(1), pixels(1))
    until(lambda: len(bench.said) == 2)
    bench.sink.gate.clear()
    getattr(bench.sink, where).append(error)
    for index in range(2, 20):
        bench.writer.put(record(index), pixels(index))
    bench.sink.gate.set()
    assert bench.writer.finish(10)
    assert bench.writer.failure is None
    assert bench.reopened == 1
    assert bench.sink.flushed == list(range(1, 20))
    assert bench.sink.skipped == {0: "lost"}  # said again to the sink that was opened again, and to nobody else
    assert [f.record.event.index for f in bench.said if isinstance(f, FrameStored)] == list(range(1, 20))
    assert [f.index for f in bench.said if isinstance(f, FrameMissing)] == [0]
    assert [f.reason for f in bench.said if isinstance(f, Waiting)] == [
        f"the writer failed ({error!r}) and is started again"
    ]
    assert bench.stored_lines() == 19
    assert bench.writer.fill == 0.0


def test_a_writer_that_fails_after_the_commit_says_each_frame_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its records are in the journal: they are not written again."""
    bench = Bench(tmp_path)
    commit = bench.journal.commit

    def commit_and_die(records: Iterable[Record]) -> None:
        commit(records)
        monkeypatch.setattr(bench.journal, "commit", commit)
        raise MemoryError

    monkeypatch.setattr(bench.journal, "commit", commit_and_die)
    for index in range(20):
        bench.writer.put(record(index), pixels(index))
    assert bench.writer.finish(10)
    assert bench.reopened == 1
    assert [f.record.event.index for f in bench.said if isinstance(f, FrameStored)] == list(range(20))
    assert bench.stored_lines() == 20


def test_the_engine_is_held_while_the_writer_is_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path)
    is_reopening, go_on = threading.Event(), threading.Event()

    def reopen() -> None:
        is_reopening.set()
        assert go_on.wait(10)

    bench.reopen_hook = reopen
    bench.sink.append_errors.append(MemoryError())
    bench.writer.put(record(0), pixels(0))
    assert is_reopening.wait(10)
    assert bench.writer.is_down
    assert not bench.writer.wait_for_room(0)
    bench.writer.put(record(1), pixels(1))  # the exposure under way when it failed
    go_on.set()
    assert bench.writer.wait_for_room(10)
    assert not bench.writer.is_down
    assert bench.writer.finish(10)
    assert bench.sink.flushed == [0, 1]


def test_a_writer_that_fails_again_and_again_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_writer, "RETRY_S", 0.001)
    bench = Bench(tmp_path)
    bench.writer.put(record(0), pixels(0))
    until(lambda: bench.said)
    bench.sink.append_errors.extend([ZeroDivisionError("bug")] * 100)
    bench.writer.put(record(1), pixels(1))
    assert bench.writer.finish(10)
    assert str(bench.writer.failure).startswith(f"the writer failed {frame_writer.RESTARTS + 1} times in a row")
    assert "bug" in str(bench.writer.failure)
    assert bench.writer.wait_for_room(0)  # the engine has to learn of it
    assert bench.stored_lines() == 1


def test_a_full_disk_does_not_keep_a_writer_from_being_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame_writer, "RETRY_S", 0.001)
    bench = Bench(tmp_path)
    refusals = [DiskFullError(tmp_path, 1, 0)] * 3

    def reopen() -> None:
        if refusals:
            raise refusals.pop()

    bench.reopen_hook = reopen
    bench.sink.append_errors.append(MemoryError())
    bench.writer.put(record(0), pixels(0))
    assert bench.writer.finish(10)
    assert not refusals
    assert bench.sink.flushed == [0]
    assert bench.writer.failure is None


def test_a_writer_that_hangs_is_given_up_and_commits_nothing_when_it_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame_writer, "SILENCE_S", 0.2)
    bench = Bench(tmp_path)
    bench.sink.gate.clear()
    bench.writer.put(record(0), pixels(0))
    until(lambda: bench.writer.failure)
    assert "the writer hangs" in str(bench.writer.failure)
    assert bench.hangs == ["task 'frame writer' reported no progress for more than 0.2 s"]
    assert not bench.writer.finish(0.01)
    bench.sink.gate.set()
    assert bench.writer.finish(10)
    assert bench.stored_lines() == 0
    assert bench.said == []


def test_what_comes_after_the_end_is_not_stored(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    assert bench.writer.finish(10)
    bench.writer.put(record(0), pixels(0))
    assert bench.sink.appended == []


def test_taps_see_what_is_stored_and_only_that(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    bench = Bench(tmp_path, taps=(lambda record, frame: seen.append((record.event.index, int(frame[0, 0]))),))
    for index in range(10):
        bench.writer.put(record(index), pixels(index))
    bench.writer.skip(10, "lost")
    assert bench.writer.finish(10)
    assert seen == [(index, index) for index in range(10)]


def test_a_tap_that_raises_is_left_out_and_the_others_go_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[int] = []

    def broken(record: FrameRecord, frame: Pixels) -> None:
        raise ZeroDivisionError("a preview's bug")

    bench = Bench(tmp_path, taps=(broken, lambda record, _: seen.append(record.event.index)))
    for index in range(10):
        bench.writer.put(record(index), pixels(index))
    assert bench.writer.finish(10)
    assert seen == list(range(10))
    assert bench.sink.flushed == list(range(10))
    assert bench.writer.failure is None
    assert caplog.text.count("sees no more of this run") == 1


def test_the_fill_of_the_queue_shows(tmp_path: Path) -> None:
    bench = Bench(tmp_path, capacity_bytes=4 * pixels(0).nbytes)
    bench.sink.gate.clear()
    assert bench.writer.fill == 0.0
    for index in range(2):
        bench.writer.put(record(index), pixels(index))
    assert bench.writer.fill == 0.5
    for index in range(2, 6):
        bench.writer.put(record(index), pixels(index))
    assert bench.writer.fill == 1.0
    bench.sink.gate.set()
    assert bench.writer.finish(10)
    assert bench.writer.fill == 0.0
