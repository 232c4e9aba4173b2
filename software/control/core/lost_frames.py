"""Frames that the journal calls stored and that are not on disk any more, found when a run goes on.

::

    OME-Zarr   one look for each image with stored frames
    OME-TIFF   one listing of the folder of files, one for each image
    TIFF       one listing for each time point; every frame is looked for in it

Looks and lists, and reads no pixels: a file that is there may be damaged (`control.core.stored_run` finds that).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from control.core.index_set import IndexSet
from control.core.journal import FILE_NAME, JournalState, Record, lost_record, read_records
from control.core.review.folders import schedule_of
from control.core.review.planes import OmeTiffPlanes, TiffPlanes, ZarrPlanes
from control.core.sinks.frame_table import TABLE
from control.core.sinks.ome_tiff import FOLDER
from squid.errors import ResumeRefusedError, StorageError
from squid.models.layout import DatasetLayout

LOST = "was stored, but was not on disk any more when the run was resumed"
"""Reason of a lost frame, until it is taken again."""

_TABLES = {
    "ome-zarr": tuple((f"{name}.ome.zarr", f"OME/{TABLE}") for name in ("plate", "positions")),
    "ome-tiff": ((FOLDER, TABLE),),
    "tiff": ((".", TABLE),),
}
"""By format: where images are, and the table in it. Other formats leave nothing on disk."""

IsGone = Callable[[Record], bool]
"""Whether the frame of a journal's record is not on disk."""


def lost_frames(folder: Path, state: JournalState) -> tuple[Record, ...]:
    """Return a journal's record for each image of which stored frames are gone.

    Parameters
    ----------
    folder : Path
        The run folder.
    state : JournalState
        What its journal says.

    Raises
    ------
    ResumeRefusedError
        All that was stored is gone, or the table of frames beside them is.
    StorageError
        The disk does not answer as it should: nothing is known of the frames.
    """
    if not state.stored:
        return ()
    schedule = schedule_of(folder, state.header)
    storage, layout = schedule.plan.storage, schedule.layout()
    if storage.format not in _TABLES:
        return ()
    is_gone = _is_gone(storage.format, storage.compression, folder, layout, state)
    indexes: dict[int, list[int]] = {}
    for record in _stored(folder, state) if is_gone else ():
        if is_gone is not None and is_gone(record):
            indexes.setdefault(record["image"], []).append(record["index"])
    if sum(map(len, indexes.values())) == len(state.stored):
        raise ResumeRefusedError(
            f"{folder}: none of the images that were stored is there any more "
            "(allowed: put them back, or start a new run)"
        )
    _refuse_lost_table(storage.format, folder)
    return tuple(lost_record(image, each, LOST) for image, each in indexes.items())


def _stored(folder: Path, state: JournalState) -> Iterator[Record]:
    """Yield the record of each stored frame once."""
    seen = IndexSet(state.header["frames"])
    for record, _ in read_records(folder / FILE_NAME):
        if record["kind"] == "stored" and record["index"] in state.stored and record["index"] not in seen:
            seen.add(record["index"])
            yield record


def _is_gone(format: str, compression: str, folder: Path, layout: DatasetLayout, state: JournalState) -> IsGone | None:
    """Return what tells of a frame whether it is gone; None when none is."""
    if format == "tiff":
        return _tiff_is_gone(folder, layout)
    images = [layout.images[index] for index, count in state.stored_by_image.items() if count]
    if format == "ome-zarr":
        zarr = ZarrPlanes(folder, layout, compression)
        gone = {image.index for image in images if not _is_there(zarr.folder(image) / "0" / "c")}
    else:
        tiff, names = OmeTiffPlanes(folder, layout), _names(folder / FOLDER)
        gone = {image.index for image in images if tiff.path(image, 0, 0, 0).name not in names}
    return (lambda record: record["image"] in gone) if gone else None


def _tiff_is_gone(folder: Path, layout: DatasetLayout) -> IsGone:
    tiff = TiffPlanes(folder, layout)
    listed: dict[int, frozenset[str]] = {}

    def is_gone(record: Record) -> bool:
        t, image = record["t"], layout.images[record["image"]]
        if t not in listed:
            listed[t] = _names(folder / str(t))
        return tiff.path(image, t, record["c"], record["z"]).name not in listed[t]

    return is_gone


def _refuse_lost_table(format: str, folder: Path) -> None:
    """Refuse when the table of the frames that are there is gone: what they are would be known of the new ones only."""
    for root, table in _TABLES[format]:
        if _is_there(folder / root) and not _is_there(folder / root / table):
            raise ResumeRefusedError(
                f"{folder / root / table} is not there any more (allowed: put it back, or start a new run)"
            )


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as e:
        raise StorageError(f"{path} cannot be looked at: {e.strerror or e}") from e
    return True


def _names(folder: Path) -> frozenset[str]:
    try:
        return frozenset(path.name for path in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()
    except OSError as e:
        raise StorageError(f"{folder} cannot be listed: {e.strerror or e}") from e
