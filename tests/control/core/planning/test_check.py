# ruff: noqa: E501  (the table of refusals has a line for each)
"""The check beside the typing: verdicts, totals also of what is refused, newest wins; where the fields lie."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests import rig

from control.core.planning import (
    ChannelChoice,
    FreePosition,
    GridFields,
    PlanCheck,
    PlanDraft,
    RandomFields,
    RegionPolygon,
    Section,
    TimeLapse,
    Verdict,
    ZStack,
    section_of,
)
from control.core.planning import check as check_module
from control.core.planning.check import verdict_of
from control.core.preflight import preflight
from control.core.schedule import Schedule
from squid.errors import ConfigurationError
from squid.microscope import Microscope
from squid.models.geometry import Roi
from squid.utils.worker_manager import WorkerManager

SQUARE = ((20_000.0, 20_000.0), (20_200.0, 20_000.0), (20_200.0, 20_150.0), (20_000.0, 20_150.0))
GOOD = PlanDraft(wells="A1:B2, D4", channels=(ChannelChoice("DAPI"), ChannelChoice("FITC")), z_um=3000.0)


@pytest.fixture(scope="module")
def microscope(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Microscope]:
    with Microscope.build(rig.machine(tmp_path_factory.mktemp("machine"))) as opened:
        yield opened


def test_a_good_plan_has_the_totals_of_preflight(microscope: Microscope, tmp_path: Path) -> None:
    draft = GOOD.replace(fields=GridFields(2, 2), z=ZStack("centre", 2.0, range_um=4.0), time=TimeLapse(60.0, 3))
    verdict = verdict_of(draft, microscope, tmp_path)
    checked = preflight(draft.to_plan(), microscope, tmp_path)
    assert verdict.is_runnable
    totals = verdict.totals
    assert totals is not None
    assert (totals.frames, totals.wells, totals.fields) == (5 * 4 * 2 * 3 * 3, 5, 20)
    assert (totals.bytes, totals.duration_s) == (checked.bytes, checked.estimated_s)
    assert totals.free_bytes is not None


def test_totals_are_of_the_runs_camera_settings_whatever_live_view_uses(microscope: Microscope, tmp_path: Path) -> None:
    before = verdict_of(GOOD, microscope, tmp_path)
    try:
        microscope.camera.set_binning(2)
        microscope.camera.set_roi(Roi(0, 0, 8, 8))
        after = verdict_of(GOOD, microscope, tmp_path)
    finally:
        microscope.apply_camera_config()
    assert after.totals is not None
    assert before.totals is not None
    assert (after.totals.bytes, after.totals.duration_s) == (before.totals.bytes, before.totals.duration_s)
    assert after.outlines.fov_um == before.outlines.fov_um


def test_what_a_newcomer_sees_first(microscope: Microscope) -> None:
    draft = PlanDraft.new(microscope.config)
    assert (draft.plate, draft.wells, [c.name for c in draft.channels]) == ("96 well plate", "", ["Brightfield"])
    verdict = verdict_of(draft, microscope, None)
    assert verdict.text_of(Section.WELLS) == ("choose at least one well",)
    assert len(verdict.refusals) == 1
    assert verdict.totals is None


REFUSED: list[tuple[dict[str, Any], Section, tuple[str, ...]]] = [
    ({"wells": "Z99"}, Section.WELLS, ("'Z99'", "A1 to H12")),
    ({"plate": "97 well plate"}, Section.PLATE, ("97 well plate", "96 well plate")),
    ({"plate": None}, Section.PLATE, ("no plate is chosen",)),
    ({"objective": "100x"}, Section.PLATE, ("100x", "20x")),
    ({"channels": ()}, Section.CHANNELS, ("choose at least one channel",)),
    ({"channels": (ChannelChoice("Purple"),)}, Section.CHANNELS, ("Purple", "DAPI")),
    ({"channels": (ChannelChoice("DAPI", exposure_ms=1e9),)}, Section.CHANNELS, ("DAPI, exposure: 1e+09 ms", "ms)")),
    ({"channels": (ChannelChoice("DAPI", intensity=3.0),)}, Section.CHANNELS, ("DAPI, intensity", "3.0", "equal to 1")),
    ({"fields": GridFields(0, 2)}, Section.FIELDS, ("0", "greater than or equal to 1")),
    ({"fields": RandomFields(5000)}, Section.FIELDS, ("5000", "1 to 500")),
    ({"z": ZStack("centre", 0.0, range_um=3.0)}, Section.Z, ("step of 0 µm",)),
    ({"z": ZStack("range", 1.0, bottom_um=30.0, top_um=20.0)}, Section.Z, ("from 30 to 20 µm",)),
    ({"z_um": 9e6}, Section.Z, ("z = 9000000.0 µm of A1", "z 0 to 6000 µm")),
    ({"z": ZStack("centre", 0.001, range_um=1e5)}, Section.Z, ("planes", "1 to 1000000")),
    ({"time": TimeLapse(-1.0, 3)}, Section.TIME, ("-1",)),
    ({"time": TimeLapse(1.0, 0)}, Section.TIME, ("0", "greater than 0")),
    ({"use": "positions", "positions": (FreePosition("far", 9e9, 0.0),)}, Section.POSITIONS, ("x = 9000000000.0 µm of far", "125000 µm")),
    ({"use": "positions", "positions": (FreePosition("a", 0.0, 0.0), FreePosition("A", 1.0, 0.0))}, Section.POSITIONS, ("2 positions", "'a'")),
    ({"use": "regions"}, Section.POSITIONS, ("no region is drawn",)),
    ({"use": "regions", "regions": (RegionPolygon("bow", ((0, 0), (9, 9), (9, 0), (0, 9))),)}, Section.POSITIONS, ("'bow' crosses itself",)),
    ({"use": "regions", "regions": (RegionPolygon("mm", ((0, 0), (9e6, 0), (0, 9e6))),)}, Section.POSITIONS, ("'mm' takes up to", "50000")),
    ({"storage_format": "jpeg"}, Section.STORAGE, ("jpeg", "ome-zarr")),
    ({"name": ""}, Section.PLATE, ("at least 1 character",)),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "section", "words"), REFUSED, ids=[str(case[0])[:40] for case in REFUSED])
def test_refused_where_it_is_edited(
    microscope: Microscope, changes: dict[str, Any], section: Section, words: tuple[str, ...]
) -> None:
    verdict = verdict_of(GOOD.replace(**changes), microscope, None)
    assert not verdict.is_runnable
    assert [refusal.section for refusal in verdict.refusals] == [section], verdict.refusals
    assert all(word in verdict.refusals[0].text for word in words), verdict.refusals[0].text
    assert "sequence." not in verdict.refusals[0].text


def test_totals_of_a_refused_plan(microscope: Microscope, tmp_path: Path) -> None:
    assert verdict_of(GOOD.replace(wells="A1, Z99"), microscope, tmp_path).totals is None
    far = verdict_of(GOOD.replace(z_um=9e6), microscope, tmp_path)
    assert far.totals is not None
    assert (far.totals.frames, far.totals.wells) == (10, 5)
    assert far.totals.duration_s is not None
    strange = verdict_of(GOOD.replace(channels=(*GOOD.channels, ChannelChoice("Purple"))), microscope, None)
    assert strange.totals is not None
    assert (strange.totals.frames, strange.totals.duration_s) == (15, None)


def test_a_disk_that_is_too_small(microscope: Microscope, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("control.core.preflight_machine.free_bytes", lambda _: 1000)
    monkeypatch.setattr(check_module, "free_bytes", lambda _: 1000)
    verdict = verdict_of(GOOD, microscope, tmp_path)
    assert "must leave 1.00 GB" in verdict.text_of(Section.STORAGE)[0]
    assert verdict.totals is not None
    assert verdict.totals.free_bytes == 1000


def test_notes_where_nothing_is_said(microscope: Microscope) -> None:
    assert "z is not given" in verdict_of(GOOD.replace(z_um=None), microscope, None).notes[-1]
    here = verdict_of(GOOD.replace(use="positions"), microscope, None)
    assert "where the stage stands" in here.notes[-1]
    assert verdict_of(GOOD, microscope, None).notes == ()


@pytest.mark.parametrize(
    ("key", "section"),
    [
        ("sequence.stage_positions.3.sequence.z_plan", Section.Z),
        ("stage_positions.plate", Section.PLATE),
        ("sequence.stage_positions.selected_wells", Section.WELLS),
        ("stage_positions.0.properties", Section.POSITIONS),
        ("recovery.min_free_gb", Section.RUN),
        ("sequence.autofocus_plan", Section.RUN),
        (None, Section.RUN),
    ],
)
def test_keys_of_files_belong_to_sections(key: str | None, section: Section) -> None:
    assert section_of(ConfigurationError("wrong", key=key)) is section


@pytest.mark.parametrize(
    "changes",
    [
        {"fields": GridFields(3, 2, 10.0)},
        {"fields": GridFields(9, 9, 0.0, clip=True), "plate": "1536 well plate"},
        {"fields": RandomFields(7, 3, 2000.0, 900.0)},
        {"use": "positions", "positions": (FreePosition("a", 500.0, 70.0), FreePosition("b", 900.0, -70.0))},
        {"use": "regions", "regions": (RegionPolygon("r", SQUARE), RegionPolygon("s", SQUARE[:3], 0.0))},
    ],
)
def test_outlines_are_the_images_of_the_run(microscope: Microscope, changes: dict[str, Any]) -> None:
    draft = GOOD.replace(**changes)
    verdict = verdict_of(draft, microscope, None)
    schedule = preflight(draft.to_plan(), microscope, None).schedule
    wells = [(image.well.row, image.well.column) if image.well else (-1, -1) for image in schedule.images]
    images = [(*well, image.x_um, image.y_um) for well, image in zip(wells, schedule.images, strict=True)]
    assert np.allclose(sorted(verdict.outlines.fields), sorted(images))
    assert verdict.outlines.fov_um == schedule.optics.fov_um


def test_regions_take_each_field_whole_before_the_next(microscope: Microscope) -> None:
    draft = GOOD.replace(
        use="regions",
        regions=(RegionPolygon("r", SQUARE),),
        z=ZStack("centre", 1.0, range_um=2.0),
        time=TimeLapse(9.0, 2),
    )
    schedule: Schedule = preflight(draft.to_plan(), microscope, None).schedule
    events = list(schedule.events())
    fields = len(schedule.images)
    assert fields > 1
    assert [event.image for event in events[:12]] == [0] * 6 + [1] * 6
    assert [(event.c, event.z) for event in events[:6]] == [(c, z) for c in range(2) for z in range(3)]
    assert len(events) == fields * 2 * 3 * 2
    first = schedule.images[0]
    assert (first.name, first.size_t, first.size_z) == ("r_0", 2, 3)


# --- in the task ------------------------------------------------------------------------------------------------------


@pytest.fixture
def manager() -> Iterator[WorkerManager]:
    made = WorkerManager()
    yield made
    made.shutdown(timeout=2.0)


def test_the_newest_draft_is_checked_in_the_gui_thread(
    microscope: Microscope, manager: WorkerManager, qtbot: Any, tmp_path: Path
) -> None:
    plan_check = PlanCheck(microscope, manager, debounce_ms=20)
    heard: list[tuple[Verdict, threading.Thread]] = []
    for wells in ("A1", "A1:A3", "A1:C6"):
        draft = GOOD.replace(wells=wells)
        plan_check.check(draft, tmp_path, lambda verdict: heard.append((verdict, threading.current_thread())))
    qtbot.waitUntil(lambda: bool(heard))
    assert manager.wait_for_done(5000)
    qtbot.wait(20)  # time for one that should not come
    assert [(verdict.draft.wells, thread) for verdict, thread in heard] == [("A1:C6", threading.main_thread())]
    assert plan_check.field_outlines(GOOD).fields == verdict_of(GOOD, microscope, None).outlines.fields
    assert len(plan_check.field_outlines(GOOD.replace(plate="1536 well plate", wells="all")).fields) == 1536


def test_an_older_check_that_still_runs_is_dropped(
    microscope: Microscope, manager: WorkerManager, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, go_on = threading.Event(), threading.Event()
    real = check_module.verdict_of

    def slow(draft: PlanDraft, *rest: Any) -> Verdict:
        if draft.name == "slow":
            entered.set()
            go_on.wait(10)
        return real(draft, *rest)

    monkeypatch.setattr(check_module, "verdict_of", slow)
    plan_check = PlanCheck(microscope, manager, debounce_ms=1)
    heard: list[str] = []
    plan_check.check(GOOD.replace(name="slow"), None, lambda verdict: heard.append(verdict.draft.name))
    qtbot.waitUntil(entered.is_set)
    plan_check.check(GOOD.replace(name="new"), None, lambda verdict: heard.append(verdict.draft.name))
    go_on.set()
    qtbot.waitUntil(lambda: bool(heard))
    assert manager.wait_for_done(5000)
    assert heard == ["new"]


def test_a_check_that_fails_is_told(
    microscope: Microscope, manager: WorkerManager, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dead() -> None:
        raise OSError("the stage's line is dead")

    monkeypatch.setattr(microscope.stage, "position", dead)
    heard: list[Verdict] = []
    PlanCheck(microscope, manager, debounce_ms=1).check(GOOD, None, heard.append)
    qtbot.waitUntil(lambda: bool(heard))
    assert "line is dead" in heard[0].text_of(Section.RUN)[0]
    assert heard[0].totals is None


def test_a_check_that_was_dropped_says_nothing(microscope: Microscope, manager: WorkerManager, qtbot: Any) -> None:
    heard: list[Verdict] = []
    plan_check = PlanCheck(microscope, manager, debounce_ms=1)
    plan_check.check(GOOD, None, heard.append)
    plan_check.drop()
    assert manager.wait_for_done(5000)
    qtbot.wait(20)
    assert heard == []


def test_the_largest_plate_is_checked_at_once(microscope: Microscope) -> None:
    names = ("Brightfield", "DAPI", "FITC", "TRITC", "Cy5")
    draft = PlanDraft(
        plate="1536 well plate",
        wells="all",
        fields=GridFields(3, 3),
        channels=tuple(ChannelChoice(name) for name in names),
        z=ZStack("centre", 1.0, range_um=10.0),
        time=TimeLapse(3600.0, 100),
        z_um=3000.0,
    )
    began_s = time.thread_time()
    verdict = verdict_of(draft, microscope, None)
    took_s = time.thread_time() - began_s
    assert verdict.totals is not None
    assert verdict.totals.frames == 1536 * 9 * 5 * 11 * 100
    assert took_s < 5  # 0.5 s on a quiet machine; this bound only catches what grows with the frames
