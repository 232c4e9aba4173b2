"""Virtual controllers on real pseudo-terminals, built once a session, and devices on links to them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.controller_program import controller_program
from tests.squid.drivers.controller.bench import Bench


@pytest.fixture(scope="session")
def program() -> Path:
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed: there is no virtual controller to talk to")
    return controller_program()


@pytest.fixture
def start(program: Path) -> Iterator[Callable[..., Bench]]:
    """Start benches with the program's options; all end with the test."""
    with ExitStack() as stack:
        yield lambda *arguments, **options: stack.enter_context(Bench(program, *arguments, **options))


@pytest.fixture(params=["2.0", "1.4"])
def bench(request: pytest.FixtureRequest, start: Callable[..., Bench]) -> Bench:
    """A bench with our firmware, and one with stock firmware."""
    return start("--speed", "50", *(("--stock", "1.4") if request.param == "1.4" else ()))
