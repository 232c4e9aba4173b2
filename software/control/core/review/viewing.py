"""A view of a stored run: planes, how their grey values are spread, what fits the run; planes are kept for a while.

::

    ViewRequest ──show──▶ planes (cache, else disk) ──▶ grey values of each, and of all seen of the run ──▶ View

For use in tasks: `Viewing.show` reads the disk. Knows no widget, no colour and no choice of contrast: whoever shows a
`View` can change both without reading again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from control.core.grey_values import GreyCounts, Limits
from control.core.stored_run import StoredFrame, StoredRun
from squid.models.geometry import Pixels
from squid.models.layout import ImageLayout

CACHE_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class ViewRequest:
    """What to show.

    Attributes
    ----------
    image : ImageLayout
        Field or position.
    t, z : int
        Time point and plane.
    channels : tuple of int
        Channels, on top of one another.
    level : int
        Of the pyramid.
    """

    image: ImageLayout
    t: int
    z: int
    channels: tuple[int, ...]
    level: int = 0


@dataclass(frozen=True, slots=True)
class View:
    """What there is to show.

    Attributes
    ----------
    request : ViewRequest
        What was asked for.
    planes : mapping of int to ndarray
        Grey values by channel, of those that are there.
    counts : mapping of int to GreyCounts
        How they are spread, by channel.
    fitting : mapping of int to Limits
        What fits all planes of the channel that were looked at in this run: they can be compared by eye.
    absences : mapping of int to str
        Why a plane is not there, by channel.
    frame : StoredFrame or None
        Of the first channel that is there.
    """

    request: ViewRequest
    planes: Mapping[int, Pixels]
    counts: Mapping[int, GreyCounts]
    fitting: Mapping[int, Limits]
    absences: Mapping[int, str]
    frame: StoredFrame | None


class PlaneCache:
    """The planes used last, up to a number of bytes.

    Parameters
    ----------
    budget_bytes : int
        Pixels kept at most.
    """

    def __init__(self, budget_bytes: int = CACHE_BYTES) -> None:
        self._budget_bytes = budget_bytes
        self._planes: OrderedDict[tuple[int, ...], Pixels] = OrderedDict()
        self.used_bytes = 0

    def get(self, key: tuple[int, ...]) -> Pixels | None:
        """Return a plane that was put in, if it is still there."""
        plane = self._planes.get(key)
        if plane is not None:
            self._planes.move_to_end(key)
        return plane

    def put(self, key: tuple[int, ...], plane: Pixels) -> None:
        """Keep a plane; those not used for longest go."""
        old = self._planes.pop(key, None)
        self.used_bytes += plane.nbytes - (old.nbytes if old is not None else 0)
        self._planes[key] = plane
        while self.used_bytes > self._budget_bytes and self._planes:
            self.used_bytes -= self._planes.popitem(last=False)[1].nbytes


class Viewing:
    """Shows one run.

    Parameters
    ----------
    run : StoredRun
        The run.
    budget_bytes : int
        For planes kept in memory.
    """

    def __init__(self, run: StoredRun, budget_bytes: int = CACHE_BYTES) -> None:
        self.run = run
        self._cache = PlaneCache(budget_bytes)
        self._run_counts: dict[int, GreyCounts] = {}
        self._counted: set[tuple[int, ...]] = set()
        self._lock = threading.Lock()

    def show(self, request: ViewRequest) -> View:
        """Return what a request shows.

        Raises
        ------
        StorageError
            The disk does not answer as it should.
        """
        bits = self.run.layout.significant_bits
        with self._lock:
            planes = {c: plane for c in request.channels if (plane := self._plane(request, c)) is not None}
            for c, plane in planes.items():
                self._count(request, c, plane)
            place = (request.image, request.t)
            frame = self.run.frame(*place, next(iter(planes)), request.z) if planes else None
            absent = (c for c in request.channels if c not in planes)
            return View(
                request=request,
                planes=planes,
                counts={c: GreyCounts.of(plane, bits) for c, plane in planes.items()},
                fitting={c: self._run_counts[c].limits() for c in planes},
                absences={c: self.run.absence(*place, c, request.z) for c in absent},
                frame=frame,
            )

    def _plane(self, request: ViewRequest, c: int) -> Pixels | None:
        image = request.image
        key = (image.index, request.t, c, request.z, request.level)
        plane = self._cache.get(key)
        if plane is None:
            plane = self.run.read(image, request.t, c, request.z, request.level)
            if plane is not None:
                self._cache.put(key, plane)
        return plane

    def _count(self, request: ViewRequest, c: int, plane: Pixels) -> None:
        """Take a plane into what is known of the run, once."""
        key = (request.image.index, request.t, c, request.z)
        if key not in self._counted:
            self._counted.add(key)
            self._run_counts.setdefault(c, GreyCounts(self.run.layout.significant_bits)).add(plane)
