"""Builds the native programs once a session; without a C++ compiler the tests that need them are skipped."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from firmware.native import build
from virtual_controller import VirtualController

UNIT = Path(__file__).parent / "unit"


@pytest.fixture(scope="session")
def compiler() -> str:
    name = build.NATIVE_TOOLS.compiler
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed: the firmware's native build cannot be tested")
    return name


@pytest.fixture(scope="session")
def unit_program(compiler: str) -> Path:
    sources = [*build.core_sources(), build.NATIVE / "sim_motor.cpp", *sorted(UNIT.glob("*.cpp"))]
    return build.build("unit-tests", sources)


@pytest.fixture(scope="session")
def controller_program(compiler: str) -> Path:
    return build.build_controller()


@pytest.fixture
def start(controller_program: Path) -> Iterator[Callable[..., VirtualController]]:
    """Start virtual controllers; all end with the test."""
    with ExitStack() as stack:
        yield lambda *options: stack.enter_context(VirtualController(controller_program, *options))
