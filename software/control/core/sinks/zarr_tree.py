"""The groups of an OME-Zarr data set: made when a field's first frame comes, and valid at every moment.

::

    plate.ome.zarr/              plate: lists the wells that exist
      OME/                       frames.csv, missing.csv
      B/                         row
        3/                       well: lists the fields that exist
          0/                     image: multiscales, omero
            0/ 1/ 2/ …           arrays, one per level

Free positions, which have no well, are images ``0/ 1/ …`` of a collection (``bioformats2raw.layout``), and
``OME/zarr.json`` lists those that exist.

Documents are written from the leaves to the root, each atomically, so that nothing is listed before it is there: a run
that was killed or aborted leaves a valid data set. Owns the documents; pixels are the arrays' business.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from control.core.sinks import zarr_metadata as metadata
from control.core.sinks.disk import Disk
from control.core.sinks.pyramid import level_shapes
from control.core.sinks.zarr_metadata import Json, Window
from squid.models.layout import DatasetLayout, ImageLayout, WellRef


class ZarrTree:
    """The documents of one data set.

    Parameters
    ----------
    disk : Disk
        Of the run.
    root : Path
        ``plate.ome.zarr`` or ``positions.ome.zarr``.
    layout : DatasetLayout
        The run.
    images : sequence of ImageLayout
        Those of this data set: all in wells, or all free.
    compression : str
        Of `zarr_chunks.COMPRESSIONS`.
    """

    def __init__(
        self, disk: Disk, root: Path, layout: DatasetLayout, images: Sequence[ImageLayout], compression: str
    ) -> None:
        self._disk = disk
        self._root = root
        self._layout = layout
        self._compression = compression
        self._is_plate = layout.plate is not None and images[0].well is not None
        self._field_count = max(_fields_per_well(images).values(), default=1)
        self._numbers = {} if self._is_plate else {image.index: number for number, image in enumerate(images)}
        self._existing: dict[int, ImageLayout] = {}
        self._fields: dict[WellRef, set[int]] = {}
        self._windows: list[Window | None] = [None] * len(layout.channels)
        self._outdated: set[int] = set()

    def open(self, images: Sequence[ImageLayout], *, resume: bool) -> None:
        """Make the root with the first image in it, or find the images that an earlier part of the run made."""
        if resume:
            self._find(images)
        self._disk.write(self._root / "OME" / "zarr.json", self._text(metadata.group()))
        self.ensure(images[0])
        self._list_in_root()

    def folder(self, image: ImageLayout) -> Path:
        """Return where an image is."""
        if not self._is_plate or image.well is None:
            return self._root / str(self._numbers[image.index])
        return self._root / metadata.well_path(image.well) / str(image.field)

    def arrays(self, image: ImageLayout) -> list[Json]:
        """Return the documents of the image's levels."""
        shapes = level_shapes(self._layout.shape_px)
        return [metadata.array(self._layout, image, shape, self._compression) for shape in shapes]

    def ensure(self, image: ImageLayout) -> None:
        """Make the image and list it, unless it is there."""
        if image.index in self._existing:
            return
        folder = self.folder(image)
        for level, document in enumerate(self.arrays(image)):
            self._disk.write(folder / str(level) / "zarr.json", self._text(document))
        self._write_image(image)
        self._list(image)
        self._existing[image.index] = image

    def set_window(self, c: int, window: Window) -> None:
        """Set a channel's display range for all images; those that exist get it at `finish`."""
        if self._windows[c] is None:
            self._windows[c] = window
            self._outdated = set(self._existing)

    def has_window(self, c: int) -> bool:
        """Whether the channel has a display range."""
        return self._windows[c] is not None

    def finish(self) -> None:
        """Bring the display ranges of all images up to date."""
        while self._outdated:
            index = next(iter(self._outdated))
            self._write_image(self._existing[index])
            self._outdated.discard(index)

    def _find(self, images: Sequence[ImageLayout]) -> None:
        """Note the images that an earlier part of the run made; one that is not listed yet, or lost, is made again."""
        for image in images:
            if self._is_plate and image.well is not None:
                if image.well not in self._fields:
                    self._fields[image.well] = self._listed_fields(self.folder(image).parent)
                if image.field in self._fields[image.well] and self._is_made(image):
                    self._existing[image.index] = image
            elif self._is_made(image):
                self._existing[image.index] = image
        self._fields = {well: fields for well, fields in self._fields.items() if fields}

    def _is_made(self, image: ImageLayout) -> bool:
        """Whether the documents of an image are there: the array's are written first, its own last."""
        folder = self.folder(image)
        return (folder / "zarr.json").exists() and (folder / "0" / "zarr.json").exists()

    def _listed_fields(self, well_folder: Path) -> set[int]:
        path = well_folder / "zarr.json"
        if not path.exists():
            return set()
        with self._disk.guard(path):
            return metadata.fields_of_well(json.loads(path.read_text(encoding="utf-8")))

    def _write_image(self, image: ImageLayout) -> None:
        document = metadata.image(self._layout, image, self._windows)
        self._disk.write(self.folder(image) / "zarr.json", self._text(document))

    def _list(self, image: ImageLayout) -> None:
        """Put the image into its well and the well into its plate, or the image into its collection."""
        if not self._is_plate or image.well is None:
            self._list_in_root(also=image)
            return
        fields = self._fields.get(image.well, set()) | {image.field}
        well_folder = self.folder(image).parent
        is_new = image.well not in self._fields
        if is_new:  # the row lists nothing: it may be there first, and a well that is there has one
            self._disk.write(well_folder.parent / "zarr.json", self._text(metadata.group()))
        self._disk.write(well_folder / "zarr.json", self._text(metadata.well(sorted(fields))))
        if is_new:
            self._list_in_root(also=image)
        self._fields[image.well] = fields

    def _list_in_root(self, also: ImageLayout | None = None) -> None:
        added = [also] if also else []
        if self._is_plate:
            wells = {*self._fields, *(image.well for image in added if image.well)}
            document = metadata.plate(self._layout, sorted(wells), self._field_count)
        else:
            numbers = sorted(self._numbers[image.index] for image in (*self._existing.values(), *added))
            document = metadata.collection(self._layout)
            self._disk.write(
                self._root / "OME" / "zarr.json", self._text(metadata.series([str(number) for number in numbers]))
            )
        self._disk.write(self._root / "zarr.json", self._text(document))

    @staticmethod
    def _text(document: Json) -> str:
        return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _fields_per_well(images: Sequence[ImageLayout]) -> dict[WellRef, int]:
    counts: dict[WellRef, int] = {}
    for image in images:
        if image.well:
            counts[image.well] = counts.get(image.well, 0) + 1
    return counts
