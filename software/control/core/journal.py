"""The journal of a run: which frame is on disk, what is known of it, and which is missing.

One text line per record: JSON, a tab, the CRC-32 of the JSON in hex. The first line is the header. Records are
appended in groups, after their pixels are on disk, with one write each; so after a crash every record tells the
truth, and only the last can be torn. Reading stops at the first line that is torn, and appending cuts it off.

Owns the file ``journal.jsonl``; knows no device, no sink and no thread: one writer at a time calls it.
"""

from __future__ import annotations

import json
import os
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from control.core.index_set import IndexSet
from squid.errors import ResumeRefusedError, StorageError
from squid.models.frame import FrameRecord

FILE_NAME = "journal.jsonl"
VERSION = 1

Record = Mapping[str, Any]


@dataclass(slots=True)
class JournalState:
    """What a journal says.

    Attributes
    ----------
    header : mapping
        The first record.
    stored : IndexSet
        Frames on disk.
    missing : dict of int to str
        Frames given up or lost, with the reason.
    lost : int
        So many times a frame on disk was gone when the run was resumed; most are taken again.
    stored_by_image : Counter of int
        Number of frames on disk, by image.
    last_t : int
        Latest time point of which a frame is stored.
    clock_s, clock_utc_s : float
        What the clock of time points showed at the last stored frame, and when that was.
    earlier_s : float
        Time that earlier parts of the run took, up to their last record.
    valid_bytes : int
        Length of the file up to its last whole record.
    """

    header: Record
    stored: IndexSet
    missing: dict[int, str] = field(default_factory=dict)
    lost: int = 0
    stored_by_image: Counter[int] = field(default_factory=Counter)
    last_t: int = 0
    clock_s: float = 0.0
    clock_utc_s: float = 0.0
    earlier_s: float = 0.0
    valid_bytes: int = 0

    def see(self, record: Record) -> None:
        """Take in one record."""
        if record["kind"] == "stored":
            self.stored_by_image[record["image"]] += record["index"] not in self.stored
            self.stored.add(record["index"])
            self.missing.pop(record["index"], None)
            self.last_t = max(self.last_t, record["t"])
            self.clock_s, self.clock_utc_s = record["clock_s"], record["utc_s"]
        elif record["kind"] == "missing":
            self.missing[record["index"]] = record["reason"]
        elif record["kind"] == "lost":
            self._lose(record)

    def _lose(self, record: Record) -> None:
        for index in record["indexes"]:
            self.stored.discard(index)
            self.missing[index] = record["reason"]
        self.stored_by_image[record["image"]] -= len(record["indexes"])
        self.lost += len(record["indexes"])


class Journal:
    """Appends records; `commit` returns when they are in the operating system's hands (or on the platter).

    Parameters
    ----------
    path : Path
        The file; made when it does not exist.
    durable : bool
        Also wait for the disk, so that a power cut loses nothing that was committed.
    """

    def __init__(self, path: Path, *, durable: bool = False) -> None:
        self._path = path
        self._durable = durable
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
        self._size = os.lseek(self._file, 0, os.SEEK_END)

    @classmethod
    def create(cls, folder: Path, header: Record, *, frames: int, durable: bool) -> Journal:
        """Start the journal of a new run."""
        journal = cls(folder / FILE_NAME, durable=durable)
        journal.commit([{"kind": "header", "version": VERSION, "frames": frames, **header}])
        return journal

    @classmethod
    def reopen(cls, folder: Path, state: JournalState, *, durable: bool) -> Journal:
        """Go on with the journal of an interrupted run; a torn last record is cut off."""
        os.truncate(folder / FILE_NAME, state.valid_bytes)
        return cls(folder / FILE_NAME, durable=durable)

    @property
    def committed_bytes(self) -> int:
        """Length of the file up to the last commit that succeeded."""
        return self._size

    def commit(self, records: Iterable[Record]) -> None:
        """Append records, all with one write.

        Raises
        ------
        StorageError
            They could not be written; what was there before is intact.
        """
        data = b"".join(map(_encode, records))
        try:
            self._reopen_if_replaced()
            written = 0
            while written < len(data):
                written += os.pwrite(self._file, data[written:], self._size + written)
            if self._durable:
                os.fdatasync(self._file)
        except OSError as e:
            self.roll_back()
            raise StorageError(f"{self._path} could not be written: {e.strerror}") from e
        self._size += len(data)

    def _reopen_if_replaced(self) -> None:
        """Write to the file that bears the name: after a remount or a restore it may be another than the one opened."""
        there = self._path.stat()
        if self._file >= 0:
            here = os.fstat(self._file)
            if (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino):
                return
            os.close(self._file)
        self._file = os.open(self._path, os.O_WRONLY)
        os.ftruncate(self._file, self._size)

    def roll_back(self) -> None:
        """Cut off what a commit that failed has written; the next one opens the file anew, and cuts it off at last."""
        if self._file >= 0:
            with suppress(OSError):
                os.ftruncate(self._file, self._size)
            with suppress(OSError):
                os.close(self._file)
        self._file = -1

    def close(self) -> None:
        """Close the file; harmless when repeated."""
        if self._file >= 0:
            with suppress(OSError):
                os.close(self._file)
            self._file = -1


def stored_record(record: FrameRecord) -> Record:
    """Return the journal's record of a frame that is on disk. Lengths in µm, times in s and ms as named."""
    event = record.event
    return {
        "kind": "stored",
        "index": event.index,
        "image": event.image,
        "t": event.t,
        "c": event.c,
        "z": event.z,
        "channel": event.channel,
        "target_um": [round(value, 4) for value in event.target],
        "actual_um": [round(value, 4) for value in record.actual],
        "exposure_ms": record.exposure_ms,
        "source": record.source,
        "intensity": record.intensity,
        "hardware_id": record.hardware_id,
        "monotonic_s": round(record.monotonic_s, 6),
        "utc_s": round(record.utc_s, 6),
        "clock_s": round(record.clock_s, 3),
        "attempts": record.attempts,
    }


def missing_record(index: int, reason: str) -> Record:
    """Return the journal's record of a frame that was given up."""
    return {"kind": "missing", "index": index, "reason": reason}


def lost_record(image: int, indexes: Sequence[int], reason: str) -> Record:
    """Return the journal's record of an image's frames that were on disk and are not there any more."""
    return {"kind": "lost", "image": image, "indexes": list(indexes), "reason": reason}


def part_record(utc_s: float, pid: int) -> Record:
    """Return the record that opens each part of a run: the first start and every resume."""
    return {"kind": "part", "utc_s": utc_s, "pid": pid}


def read_records(path: Path, offset: int = 0) -> Iterator[tuple[Record, int]]:
    """Yield every whole record from `offset` on, and the file offset behind it, up to the first torn line."""
    with path.open("rb") as file:
        file.seek(offset)
        for line in file:
            record = _decode(line)
            if record is None:
                return
            offset += len(line)
            yield record, offset


def read_journal(folder: Path) -> JournalState:
    """Read what a run folder's journal says.

    Raises
    ------
    ResumeRefusedError
        There is no journal, or its header cannot be read.
    """
    path = folder / FILE_NAME
    try:
        records = read_records(path)
        header, valid_bytes = next(records, ({}, 0))
        if header.get("kind") != "header" or header.get("version") != VERSION:
            raise ResumeRefusedError(f"{path}: the header is unreadable or of another version; this is no run folder")
        state = JournalState(header, IndexSet(header["frames"]), valid_bytes=valid_bytes)
        clock = _PartClock()
        for record, end in records:
            clock.see(record)
            state.see(record)
            state.valid_bytes = end
        state.earlier_s = clock.total_s
    except OSError as e:
        raise ResumeRefusedError(f"{path} cannot be read ({e.strerror}); this is no run folder") from e
    return state


class _PartClock:
    """Adds up how long each part of a run took, from the times in the records."""

    def __init__(self) -> None:
        self.total_s = 0.0
        self._last_s: float | None = None

    def see(self, record: Record) -> None:
        now_s = record.get("utc_s")
        if now_s is None:
            return
        if record["kind"] == "stored" and self._last_s is not None:
            self.total_s += max(0.0, now_s - self._last_s)
        self._last_s = now_s


def _encode(record: Record) -> bytes:
    text = json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode()
    return b"%s\t%08x\n" % (text, zlib.crc32(text))


def _decode(line: bytes) -> Record | None:
    text, tab, crc = line.rpartition(b"\t")
    if not tab or not line.endswith(b"\n") or crc.strip() != b"%08x" % zlib.crc32(text):
        return None
    record: Record = json.loads(text)
    return record
