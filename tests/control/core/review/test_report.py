"""The report: times by kind of step, focus, what is missing, what was retaken; as text, Markdown and HTML."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.control.core.review.runs import FRAMES, MadeRun, make_run

from control.core.review.document import Chapter, Document, Table
from control.core.review.focus import fit_plane, focus_points, focus_summary, signed
from control.core.review.frames import ROW
from control.core.review.steps import step_times
from control.core.stored_run import StoredRun
from squid.errors import ConfigurationError


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeRun:
    faults = ["camera.none@frame=3,times=always", "camera.none@frame=9"]
    return make_run(tmp_path_factory.mktemp("made"), "ome-tiff", faults=faults)


def test_the_report_of_a_run_with_a_hole_and_a_retake(made: MadeRun) -> None:
    run = StoredRun.open(made.folder)
    report = run.report()
    assert (report.stored, report.not_taken) == (FRAMES - 1, 0)
    (hole,) = report.missing
    assert (hole.where, hole.count, hole.first_index) == ("B2", 1, 3)
    assert "delivered nothing" in hole.reason
    event = run.schedule.event(9)
    (again,) = report.retaken
    assert (again.image, again.channel, again.t, again.z, again.attempts) == (
        run.layout.images[event.image].name,
        event.channel,
        event.t,
        event.z,
        2,
    )
    assert len(report.faults) == 3, "two more tries of frame 3, one of frame 9"
    assert report.stacks_file is None
    by_kind = {each.kind: each.count for each in report.steps}
    # of 31 planned steps the z step to frame 3 and the field move behind it became one; the z step to 9 is apart, too
    assert by_kind == {
        "all frames": 30,
        "z step": 16 - 2,
        "channel change": 8,
        "field move": 4 - 1,
        "well move": 2,
        "time point": 1,
        "after a hole or a retake": 2,
    }
    text = report.text()
    for words in ("Run test plate", "1 frame was given up.", "B2", "no tilt can be told", "% of the time"):
        assert words in text


def rows(**columns: object) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    """Frames with these columns."""
    size = max(len(values) for values in columns.values())  # type: ignore[arg-type]
    made = np.zeros(size, ROW)
    made["index"] = np.arange(size)
    made["attempts"] = 1
    for name, values in columns.items():
        made[name] = values
    return made


def test_intervals_by_kind() -> None:
    """z, z, channel, field, well, time point; then a hole, a retake, and another part of the run."""
    frames = rows(
        index=[0, 1, 2, 3, 4, 5, 6, 8, 9, 10],
        image=[0, 0, 0, 0, 1, 2, 0, 0, 0, 0],
        t=[0, 0, 0, 0, 0, 0, 1, 1, 1, 1],
        c=[0, 0, 0, 1, 1, 1, 1, 1, 1, 1],
        z=[0, 1, 2, 0, 0, 0, 0, 2, 3, 4],
        attempts=[1, 1, 1, 1, 1, 1, 1, 1, 3, 1],
        part=[1, 1, 1, 1, 1, 1, 1, 1, 1, 2],
        exposure_ms=[10] * 10,
        monotonic_s=[0, 1, 3, 6, 10, 15, 21, 28, 36, 2],
    )
    times = {each.kind: each for each in step_times(frames, np.array([0, 0, 1], np.int32))}
    assert {kind: (each.count, each.total_s) for kind, each in times.items()} == {
        "all frames": (8, 36.0),
        "z step": (2, 3.0),
        "channel change": (1, 3.0),
        "field move": (1, 4.0),
        "well move": (1, 5.0),
        "time point": (1, 6.0),
        "after a hole or a retake": (2, 15.0),
    }
    assert times["z step"].median_s == 1.5
    assert times["all frames"].max_s == 8.0
    assert times["z step"].exposure_s == 0.01


def test_the_plane_of_a_tilted_plate() -> None:
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(0, 9000, 1000.0), np.arange(0, 5000, 1000.0)))
    plane = fit_plane(x, y, 100 + 0.002 * x - 0.0005 * y)
    assert plane is not None
    assert (plane.tilt_x_um_per_mm, plane.tilt_y_um_per_mm) == pytest.approx((2.0, -0.5))
    assert plane.spread_um == pytest.approx(0.0, abs=1e-9)
    assert fit_plane(x[:2], y[:2], x[:2]) is None
    assert fit_plane(x[:9], y[:9], x[:9]) is None, "points in one line"


def test_focus_of_a_run() -> None:
    actual = [(0, 0, 10.5), (1000, 0, 12.0), (0, 1000, 11.0), (0, 1000, 99.0)]
    frames = rows(image=[0, 1, 2, 2], z=[0, 0, 0, 1], actual_um=actual, target_um=[(0, 0, 10)] * 3 + [(0, 0, 99)])
    assert list(focus_points(frames)["image"]) == [0, 1, 2]
    summary = focus_summary(frames)
    assert summary is not None
    assert (summary.lowest_um, summary.highest_um, summary.error_max_um) == (10.5, 12.0, 2.0)
    assert summary.plane is not None
    assert summary.plane.tilt_x_um_per_mm == pytest.approx(1.5)
    assert focus_summary(frames[:0]) is None


def test_nothing_is_never_negative() -> None:
    assert [signed(value) for value in (-0.001, 0.0, -1.0, 2.345)] == ["+0.00", "+0.00", "-1.00", "+2.35"]


TABLE = Table(("name", "n"), (("x|y", "1"), ("z", "20")))
DOCUMENT = Document("a <b> | c", (Chapter("d", ("e & f",), (TABLE,)),))


def test_a_document_in_three_ways(tmp_path: Path) -> None:
    assert DOCUMENT.text() == "a <b> | c\n=========\n\nd\n-\ne & f\n\nname   n\nx|y    1\nz     20\n"
    assert DOCUMENT.markdown() == (
        "# a \\<b\\> \\| c\n\n## d\n\n- e & f\n\n| name | n |\n| --- | ---: |\n| x\\|y | 1 |\n| z | 20 |\n"
    )
    assert "<h1>a &lt;b&gt; | c</h1>" in DOCUMENT.html()
    assert '<td align="right">20</td>' in DOCUMENT.html()
    for end in (".txt", ".md", ".html"):
        DOCUMENT.save(tmp_path / f"report{end}")
    assert (tmp_path / "report.md").read_text(encoding="utf-8") == DOCUMENT.markdown()
    with pytest.raises(ConfigurationError, match=r"'.docx' is no kind of report"):
        DOCUMENT.save(tmp_path / "report.docx")


def test_reports_of_runs_that_have_little_to_tell(made: MadeRun, tmp_path: Path) -> None:
    """No frame, no log, no end: the report still stands."""
    (tmp_path / "journal.jsonl").write_bytes((made.folder / "journal.jsonl").read_bytes().splitlines(True)[0])
    report = StoredRun.open(tmp_path).report()
    assert (report.stored, report.not_taken, report.steps, report.focus) == (0, FRAMES, (), None)
    assert "cannot be read" in report.faults[0]
    assert "No frame is stored." in report.text()
