"""A view of a stored run as a picture: which planes, in which colours and contrast; planes are kept in a small cache.

::

    ViewRequest ──show──▶ planes (cache, else disk) ──▶ contrast ──▶ Picture

For use in tasks: `Viewing.show` reads the disk. Knows no widget.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from control.core.contrast import RunningContrast
from control.core.rendering import Layer, Renderer, Rgb32
from control.core.stored_run import StoredFrame, StoredRun
from squid.models.geometry import Pixels
from squid.models.layout import ImageLayout

CACHE_BYTES = 256 << 20

Limits = tuple[int, int]
"""Grey values shown as black and as full brightness."""


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
        Channels, on top of one another; one alone is shown grey.
    level : int
        Of the pyramid.
    limits : mapping of int to Limits
        Contrast of channels; a channel without gets one from the first of its planes that is shown.
    """

    image: ImageLayout
    t: int
    z: int
    channels: tuple[int, ...]
    level: int = 0
    limits: Mapping[int, Limits] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Picture:
    """What there is to show.

    Attributes
    ----------
    request : ViewRequest
        What was asked for.
    rgb : ndarray or None
        See `control.core.rendering`; None when none of the planes is there.
    planes : mapping of int to ndarray
        Grey values by channel, of those that are there.
    limits : mapping of int to Limits
        Contrast used.
    absences : mapping of int to str
        Why a plane is not there, by channel.
    frame : StoredFrame or None
        Of the first channel that is there.
    """

    request: ViewRequest
    rgb: Rgb32 | None
    planes: Mapping[int, Pixels]
    limits: Mapping[int, Limits]
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
        self._renderer = Renderer()
        self._limits: dict[int, Limits] = {}
        self._lock = threading.Lock()

    def show(self, request: ViewRequest) -> Picture:
        """Return the picture of a request.

        Raises
        ------
        StorageError
            The disk does not answer as it should.
        """
        with self._lock:
            planes = {c: plane for c in request.channels if (plane := self._plane(request, c)) is not None}
            limits = {c: self._limits_of(request, c, plane) for c, plane in planes.items()}
            place = (request.image, request.t)
            frame = self.run.frame(*place, next(iter(planes)), request.z) if planes else None
            absent = (c for c in request.channels if c not in planes)
            return Picture(
                request=request,
                rgb=self._render(planes, limits) if planes else None,
                planes=planes,
                limits=limits,
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

    def _limits_of(self, request: ViewRequest, c: int, plane: Pixels) -> Limits:
        if c in request.limits:
            return request.limits[c]
        if c not in self._limits:
            self._limits[c] = auto_limits(plane, self.run.layout.significant_bits)
        return self._limits[c]

    def _render(self, planes: Mapping[int, Pixels], limits: Mapping[int, Limits]) -> Rgb32:
        layers = [
            Layer(plane, limits[c], self.run.layout.channels[c].preset.colour if len(planes) > 1 else "#FFFFFF")
            for c, plane in planes.items()
        ]
        return self._renderer.render(layers, layers[0].pixels.shape)


def auto_limits(plane: Pixels, significant_bits: int) -> Limits:
    """Return a contrast in which a plane looks good."""
    contrast = RunningContrast(significant_bits)
    contrast.add(plane)
    return contrast.limits()


def histogram(plane: Pixels, bins: int = 128) -> tuple[npt.NDArray[np.int64], Limits]:
    """Return how the grey values of a plane are spread, from a sample of about 256 x 256 of its pixels.

    Returns
    -------
    counts : ndarray, shape (bins,)
        Pixels in equal classes.
    span : (int, int)
        Grey values where the first class begins and the last ends: a little more than the sample needs.
    """
    sample = plane[:: max(1, plane.shape[0] // 256), :: max(1, plane.shape[1] // 256)].ravel()
    darkest, brightest = int(sample.min()), int(sample.max())
    margin = max(8, (brightest - darkest) // 4)
    span = (max(0, darkest - margin), brightest + margin)
    counts, _ = np.histogram(sample, bins=bins, range=span)
    return counts, span
