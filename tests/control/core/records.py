"""Frames and events made by hand, for tests of what handles them."""

from __future__ import annotations

import numpy as np

from squid.models.event import AcquisitionEvent
from squid.models.frame import FrameRecord
from squid.models.geometry import Pixels, StagePosition


def event(index: int, **changes: object) -> AcquisitionEvent:
    """An event of a one-field time-lapse."""
    fields: dict[str, object] = {
        "index": index,
        "image": 0,
        "t": index,
        "c": 0,
        "z": 0,
        "target": StagePosition(1000.0, 2000.0, 3000.0),
        "channel": "DAPI",
        "exposure_ms": 10.0,
    }
    return AcquisitionEvent(**{**fields, **changes})  # type: ignore[arg-type]


def record(index: int, **changes: object) -> FrameRecord:
    """A frame of `event(index)`."""
    return FrameRecord(
        event=event(index, **changes),
        actual=StagePosition(1000.1, 2000.1, 3000.01),
        exposure_ms=10.0,
        source="405",
        intensity=0.5,
        hardware_id=index + 1,
        monotonic_s=100.0 + index,
        utc_s=1_700_000_000.0 + index,
    )


def pixels(index: int) -> Pixels:
    """An image that tells its index."""
    return np.full((8, 8), index, dtype=np.uint16)
