"""The example plans pass on the simulated microscope, and take what their comments say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from control.core.preflight import Preflight, describe, preflight
from control.core.timing import Physics, ideal_s, sum_of_events_s
from squid.machine_file import CONFIGS, read_machine_file
from squid.microscope import Microscope
from squid.models.plan import read_plan

MACHINE = CONFIGS / "simulation.yaml"


@pytest.fixture(scope="module")
def microscope() -> Iterator[Microscope]:
    with Microscope.build(read_machine_file(MACHINE), MACHINE) as microscope:
        yield microscope


def checked(microscope: Microscope, root: Path, name: str) -> Preflight:
    file = root / "examples" / name
    return preflight(read_plan(file), microscope, None, file=file)


@pytest.mark.parametrize(
    ("name", "frames", "fields", "seconds"),
    [
        ("first_plate.yaml", 144, 24, 60),
        ("time_lapse.yaml", 24, 3, 60),
        ("useq_bare.yaml", 24, 6, 60),
        ("reference.yaml", 576, 96, 120),
    ],
)
def test_examples_pass(microscope: Microscope, root: Path, name: str, frames: int, fields: int, seconds: float) -> None:
    before = microscope.stage.position()
    found = checked(microscope, root, name)
    assert (found.frames, len(found.layout.images)) == (frames, fields)
    assert 0 < found.ideal_s < found.estimated_s < seconds
    assert not found.notes
    assert f"frames: {frames}" in describe(found)
    assert microscope.stage.position() == before
    assert microscope.illumination.lit == ()


def test_the_ideal_time_is_the_sum_of_the_events(microscope: Microscope, root: Path) -> None:
    schedule = checked(microscope, root, "reference.yaml").schedule
    physics = Physics.of(microscope, schedule.channels)
    assert ideal_s(schedule, physics) == pytest.approx(sum_of_events_s(schedule, physics), rel=1e-9)


def test_the_bare_file_is_placed_by_the_machine(microscope: Microscope, root: Path) -> None:
    found = checked(microscope, root, "useq_bare.yaml")
    assert found.layout.plate is not None
    assert found.layout.plate.name == "96 well plate"
    assert {image.well.name for image in found.layout.images if image.well} == {"A1", "A2", "B2"}
