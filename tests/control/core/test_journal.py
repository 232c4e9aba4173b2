from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.control.core.records import record

from control.core import journal as journal_module
from control.core.journal import FILE_NAME, Journal, missing_record, part_record, read_journal, stored_record
from squid.errors import ResumeRefusedError

FRAMES = 50


def make(folder: Path, stored: int, missing: tuple[int, ...] = ()) -> bytes:
    journal = Journal.create(folder, {"plan": {"name": "p"}}, frames=FRAMES, durable=False)
    journal.commit([part_record(1_700_000_000.0, 1)])
    for index in range(stored):
        journal.commit([stored_record(record(index))])
    journal.commit(missing_record(index, "lost") for index in missing)
    journal.close()
    journal.close()
    return (folder / FILE_NAME).read_bytes()


def test_says_what_was_committed(tmp_path: Path) -> None:
    make(tmp_path, 5, missing=(6, 7))
    state = read_journal(tmp_path)
    assert state.header["plan"] == {"name": "p"}
    assert list(state.stored.absent()) == list(range(5, FRAMES))
    assert state.missing == {6: "lost", 7: "lost"}
    assert state.last_t == 4
    assert state.earlier_s == pytest.approx(4.0)  # the part began with frame 0, and frame 4 came 4 s later


def test_a_retaken_frame_is_no_longer_missing(tmp_path: Path) -> None:
    make(tmp_path, 1, missing=(2,))
    journal = Journal.reopen(tmp_path, read_journal(tmp_path), durable=True)
    journal.commit([stored_record(record(2))])
    journal.close()
    assert read_journal(tmp_path).missing == {}
    assert 2 in read_journal(tmp_path).stored


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_torn_anywhere_it_tells_a_truthful_beginning(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    whole = make(folder, 12)
    header_end = whole.index(b"\n") + 1
    cut = data.draw(st.integers(header_end, len(whole)))
    garbage = data.draw(st.binary(max_size=40).filter(lambda b: not b.startswith(whole[cut : cut + 1] or b"\x00")))
    (folder / FILE_NAME).write_bytes(whole[:cut] + garbage)
    state = read_journal(folder)
    whole_records = whole[header_end:cut].count(b"\n") - 1  # the first is the part record
    assert len(state.stored) >= max(0, whole_records)
    assert len(state.stored) <= max(0, whole_records) + 1  # garbage may complete the torn line's end
    journal = Journal.reopen(folder, state, durable=False)
    journal.commit([stored_record(record(40))])
    journal.close()
    again = read_journal(folder)
    assert 40 in again.stored
    assert len(again.stored) == len(state.stored) + 1


def test_a_flipped_bit_ends_the_truth(tmp_path: Path) -> None:
    whole = bytearray(make(tmp_path, 10))
    lines = bytes(whole).splitlines(keepends=True)
    whole[len(b"".join(lines[:6])) + 20] ^= 1
    (tmp_path / FILE_NAME).write_bytes(whole)
    assert len(read_journal(tmp_path).stored) == 4  # header, part, frames 0 to 3


@pytest.mark.parametrize("content", [None, b"", b"hello\n", b'{"kind":"header"}\t00000000\n'])
def test_refuses_what_is_no_journal(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(ResumeRefusedError, match="no run folder"):
        read_journal(tmp_path)


def test_a_commit_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """The disk refuses in the middle of a group, really: the process may not write files beyond a size."""
    script = f"""
import resource, signal, sys
from pathlib import Path
sys.path[:0] = {[str(Path(journal_module.__file__).parents[2]), str(Path(__file__).parents[3])]!r}
from control.core.journal import Journal, stored_record, read_journal
from squid.errors import StorageError
from tests.control.core.records import record
folder = Path({str(tmp_path)!r})
journal = Journal.create(folder, {{}}, frames=1000, durable=False)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
done = 0
try:
    while True:
        journal.commit([stored_record(record(done)), stored_record(record(done + 1))])
        done += 2
except StorageError as e:
    print(done, e)
"""
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    done, message = out.split(" ", 1)
    assert "could not be written" in message
    state = read_journal(tmp_path)
    assert len(state.stored) == int(done)
    assert state.valid_bytes == (tmp_path / FILE_NAME).stat().st_size


def test_durable_commits_wait_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    Journal.create(tmp_path, {}, frames=1, durable=True).close()
    assert len(synced) == 1


def test_an_index_outside_the_plan_is_an_error(tmp_path: Path) -> None:
    make(tmp_path, 1, missing=())
    journal = Journal.reopen(tmp_path, read_journal(tmp_path), durable=False)
    journal.commit([stored_record(record(FRAMES))])
    with pytest.raises(IndexError):
        read_journal(tmp_path)
