"""Drafts and plans: nothing is lost on the way there and back, whoever made the plan."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from pydantic import ValidationError
from tests.control.core.planning.drafts import changes, z_stacks
from tests.control.core.plans import sequences

from control.core.planning import (
    ChannelChoice,
    PlanDraft,
    ZStack,
)
from squid.machine_file import read_plates
from squid.models.plan import AcquisitionPlan, plan_digest

PROPERTY = settings(max_examples=60, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # useq's advice on orders of axes, at each validation
        yield


def opened(tmp_path: Path, text: str) -> PlanDraft:
    file = tmp_path / "opened.yaml"
    file.write_text(text, encoding="utf-8")
    return PlanDraft.read(file, read_plates())


@PROPERTY
@given(changes())
def test_what_the_window_makes_opens_as_the_same_draft(tmp_path: Path, keys: dict[str, Any]) -> None:
    draft = PlanDraft(**keys)
    draft.write(tmp_path / "plan.yaml")
    again = PlanDraft.read(tmp_path / "plan.yaml")
    assert again == draft
    assert again.kept_as_is == ()
    assert again.to_plan() is again.base
    assert plan_digest(draft.to_plan()) == plan_digest(again.to_plan())


@PROPERTY
@given(changes(), changes())
def test_an_opened_draft_may_become_any_other(tmp_path: Path, first: dict[str, Any], second: dict[str, Any]) -> None:
    PlanDraft(**first).write(tmp_path / "plan.yaml")
    draft = PlanDraft.read(tmp_path / "plan.yaml").replace(**second)
    draft.write(tmp_path / "plan.yaml")
    assert PlanDraft.read(tmp_path / "plan.yaml") == draft


@PROPERTY
@given(sequences(), changes())
def test_a_useq_file_of_others_is_written_back_unchanged(keys: dict[str, Any], other: dict[str, Any]) -> None:
    try:
        plan = AcquisitionPlan.model_validate({"name": "x", "sequence": keys})
    except ValidationError:
        return
    draft = PlanDraft.of(plan)
    assert draft.to_plan() is plan
    renamed = draft.replace(name="y").to_plan()  # one part changed, all others as they were
    assert renamed.sequence == plan.sequence
    assert renamed.model_copy(update={"name": "x"}) == plan
    changed = draft.replace(z=other["z"], time=other["time"]).to_plan()
    for name in ("stage_positions", "grid_plan", "channels", "keep_shutter_open_across"):
        assert getattr(changed.sequence, name) == getattr(plan.sequence, name)
    assert (PlanDraft.of(changed).z, PlanDraft.of(changed).time) == (other["z"], other["time"])


@PROPERTY
@given(z_stacks)
def test_planes_are_counted_as_the_run_takes_them(z: ZStack | None) -> None:
    plan = PlanDraft(z=z, channels=(ChannelChoice("A"),), wells="A1").to_plan()
    assert len(tuple(plan.sequence.z_plan or (0,))) == (z.planes if z is not None else 1)
