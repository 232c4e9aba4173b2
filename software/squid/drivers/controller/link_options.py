"""Options of the serial link to a controller."""

from __future__ import annotations

from pydantic import Field

from squid.drivers.controller.ports import PortOptions


class LinkOptions(PortOptions):
    """Options of the link.

    Attributes
    ----------
    lease_ms : int or None
        The controller darkens this long after the last packet; None: 500 for firmware 2.0, 5000 for stock firmware.
    beat_fresh_ms : int
        How long a beat of the application keeps heartbeats going.
    """

    lease_ms: int | None = Field(default=None, ge=50, le=3_600_000)
    beat_fresh_ms: int = Field(default=100, ge=10)
