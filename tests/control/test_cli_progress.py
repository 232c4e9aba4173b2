"""The command line's bar and lines."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from control.cli_progress import RunProgress
from control.cli_streams import PatientStream
from control.core.facts import FrameMissing, FrameStored, Hung, Paused, Resumed, RunStarted, Waiting
from control.core.lost_frames import LOST
from control.core.words import duration
from squid.models.channel import ChannelLayout, ChannelPreset
from squid.models.event import AcquisitionEvent
from squid.models.frame import FrameRecord
from squid.models.geometry import StagePosition
from squid.models.layout import DatasetLayout

HERE = StagePosition(0, 0, 0)
EVENT = AcquisitionEvent(index=0, image=0, t=0, c=0, z=0, target=HERE, channel="DAPI", exposure_ms=10)
STORED = FrameStored(
    FrameRecord(EVENT, actual=HERE, exposure_ms=10, source="led", intensity=1, hardware_id=1, monotonic_s=0, utc_s=0)
)


def started(frames: int, stored: int = 0) -> RunStarted:
    layout = DatasetLayout(
        name="test",
        images=(),
        channels=(ChannelLayout("DAPI", ChannelPreset(source="led", intensity=1, exposure_ms=10)),),
        shape_px=(8, 8),
        dtype="uint16",
        significant_bits=12,
        pixel_size_um=1.0,
        z_step_um=None,
        time_interval_s=None,
        plate=None,
        frames_planned=frames,
        objective="20x",
    )
    return RunStarted(Path("run"), layout, estimated_s=75.0, already_stored=stored)


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_quiet_lines_come_once_for_each_tenth() -> None:
    stream = io.StringIO()
    progress = RunProgress(stream)
    progress.hear(started(20))
    for _ in range(20):
        progress.hear(STORED)
        progress.draw()
        progress.draw()
    progress.close()
    lines = stream.getvalue().splitlines()
    assert lines == ["20 frames, about 75 s", *(f"{done} of 20 frames" for done in range(2, 21, 2))]


def test_a_resumed_run_starts_where_it_stood() -> None:
    stream = io.StringIO()
    progress = RunProgress(stream)
    progress.hear(started(20, stored=11))
    progress.draw()
    progress.hear(STORED)
    progress.close()
    assert stream.getvalue().splitlines() == ["20 frames, 11 stored already, about 75 s", "12 of 20 frames"]


def test_frames_that_were_lost_on_disk_are_told_at_the_start() -> None:
    stream = io.StringIO()
    progress = RunProgress(stream)
    progress.hear(replace(started(1), missing={0: LOST}))
    progress.close()
    told = "1 stored frame not on disk any more: taken again if still due"
    assert stream.getvalue().splitlines() == ["1 frame, about 75 s", told]


@pytest.mark.parametrize(
    ("fact", "line"),
    [
        (FrameMissing(7, "camera: no frame"), "frame 7 is missing: camera: no frame"),
        (Waiting("the disk is full"), "waits: the disk is full"),
        (Waiting("time point 2", 180.0), "waits 3 min: time point 2"),
        (Paused(), "paused"),
        (Resumed(), "goes on"),
        (Hung("camera", "trigger", 1.0, Path("stacks.log")), "camera.trigger hangs; stacks are in stacks.log"),
    ],
)
def test_what_matters_is_said(fact: FrameMissing | Waiting | Paused | Resumed | Hung, line: str) -> None:
    stream = io.StringIO()
    progress = RunProgress(stream)
    progress.hear(started(20))
    progress.hear(fact)
    progress.close()
    assert stream.getvalue().splitlines()[1] == line


def test_short_waits_are_not_said() -> None:
    stream = io.StringIO()
    progress = RunProgress(stream)
    progress.hear(started(20))
    progress.hear(Waiting("queue", 0.6))
    progress.close()
    assert "waits" not in stream.getvalue()


def test_a_terminal_gets_a_bar_with_an_estimate_and_the_missing_frames() -> None:
    stream = Terminal()
    progress = RunProgress(stream)
    progress.hear(started(4))
    progress.draw()
    progress.hear(FrameMissing(0, "lost"))
    for _ in range(3):
        progress.hear(STORED)
    progress.close()
    shown = stream.getvalue()
    assert "3/4" in shown
    assert "frame/s" in shown
    assert "missing=1" in shown
    assert "frame 0 is missing: lost" in shown


def test_letters_that_a_terminal_does_not_know_do_not_lose_the_line() -> None:
    raw = io.BytesIO()
    stream = PatientStream(io.TextIOWrapper(raw, encoding="ascii"))
    print("run folder: Gr\u00f6\u00dfe", file=stream, flush=True)
    assert raw.getvalue() == b"run folder: Gr\\xf6\\xdfe\n"


def test_without_a_console_nothing_is_drawn() -> None:
    progress = RunProgress(None)
    progress.hear(started(4))
    progress.draw()
    progress.close()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.34, "0.3 s"),
        (42.4, "42 s"),
        (99.6, "100 s"),
        (420, "7 min"),
        (5_940, "99 min"),
        (12_000, "3 h 20 min"),
        (187_200, "2 d 4 h"),
    ],
)
def test_durations_read_as_people_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text
