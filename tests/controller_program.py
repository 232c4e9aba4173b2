"""The virtual controller's program, looked for once in each process of the tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from squid.drivers.controller.virtual import build_controller


@cache
def controller_program() -> Path:
    """Build it unless it is there; asking whether it is takes a tenth of a second."""
    return build_controller()
