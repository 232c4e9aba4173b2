"""Chooses the sink by the name that a plan's `storage` uses."""

from __future__ import annotations

from collections.abc import Callable

from control.core.sinks.memory import MemorySink
from control.core.sinks.null import NullSink
from control.core.sinks.ome_tiff import OmeTiffSink
from control.core.sinks.ome_zarr import OmeZarrSink
from control.core.sinks.sink import Sink
from control.core.sinks.tiff import TiffSink
from control.core.sinks.zarr_chunks import COMPRESSIONS
from squid.errors import ConfigurationError

_MAKERS: dict[str, Callable[[str, bool], Sink]] = {
    "ome-zarr": lambda compression, durable: OmeZarrSink(compression, durable=durable),
    "ome-tiff": lambda _, durable: OmeTiffSink(durable=durable),
    "tiff": lambda _, durable: TiffSink(durable=durable),
    "memory": lambda _compression, _durable: MemorySink(),
    "null": lambda _compression, _durable: NullSink(),
}

FORMATS = tuple(_MAKERS)


def make_sink(format: str, compression: str = "lz4", *, durable: bool = False) -> Sink:
    """Return a sink that is not open yet.

    Parameters
    ----------
    format : str
        Of `FORMATS`.
    compression : str
        ``lz4``, ``zstd`` or ``none``. It is OME-Zarr's: the other formats are always stored uncompressed.
    durable : bool
        What was flushed outlives a power cut, not only the process; slower.

    Raises
    ------
    ConfigurationError
        Unknown format or compression.
    """
    if format not in _MAKERS:
        raise ConfigurationError(f"{format!r} is no storage format", key="format", allowed=", ".join(FORMATS))
    if compression not in COMPRESSIONS:
        allowed = ", ".join(COMPRESSIONS)
        raise ConfigurationError(f"{compression!r} is no compression", key="compression", allowed=allowed)
    return _MAKERS[format](compression, durable)
