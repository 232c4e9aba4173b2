"""The main job as a person does it: the program as a process, one plan, a simulated plate, every image on disk.

The first plate is taken as it is shipped; where pictures are not the point, the simulated camera has a small sensor.
What is refused before a process matters is asked of the command line within the test's own.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import zarr
from tests import rig

from control.cli import main

ROOT = Path(__file__).resolve().parents[2]
MAIN = ROOT / "software" / "main_hcs.py"
FIRST_PLATE = ROOT / "examples" / "first_plate.yaml"
FRAMES = 144
PATIENCE_S = 60

SMALL_PLAN = """
plate: 96 well plate
wells: A1:A2
sequence:
  channels: [DAPI, Cy5]
  z_plan: {range: 4, step: 2}
"""
SMALL_FRAMES = 12
SLOW = "channels: {DAPI: {exposure_ms: 9000}}\n"


@pytest.fixture(autouse=True)
def own_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUID_LOG_FOLDER", str(tmp_path / "log"))


@pytest.fixture
def plates(tmp_path: Path) -> Path:
    return tmp_path / "plates"


@pytest.fixture
def small_plan(tmp_path: Path) -> Path:
    plan = tmp_path / "small.yaml"
    plan.write_text(SMALL_PLAN)
    return plan


@pytest.fixture(scope="module")
def small_camera(tmp_path_factory: pytest.TempPathFactory) -> tuple[object, ...]:
    """Options that name the simulated microscope with a small sensor, otherwise as shipped."""
    folder = tmp_path_factory.mktemp("machine")
    rig.machine(folder, time_scale=1.0)
    return "--machine", folder / "machine.yaml"


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Carry out a command line in this process."""
    monkeypatch.setenv("SQUID_SETTINGS_FOLDER", str(tmp_path / "user"))
    level = logging.getLogger().level

    def carry_out(*arguments: object) -> subprocess.CompletedProcess[str]:
        capsys.readouterr()
        try:
            code: Any = main([*map(str, arguments)])
        except SystemExit as end:  # argparse
            code = end.code
        finally:
            logging.getLogger().setLevel(level)
        return subprocess.CompletedProcess(arguments, code, *capsys.readouterr())

    return carry_out


def command(*arguments: object) -> list[str]:
    return [sys.executable, str(MAIN), *map(str, arguments)]


def hcs(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def quick(plan: Path, plates: Path, *more: object) -> tuple[object, ...]:
    """A run with hardware that is 20 times as fast; `more` names the microscope."""
    return ("run", plan, "--output", plates, "--time-scale", 20, "--json", *more)


def record(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return content


def stored_indexes(folder: Path) -> list[int]:
    lines = (json.loads(line.rpartition("\t")[0]) for line in (folder / "journal.jsonl").read_text().splitlines())
    return [line["index"] for line in lines if line["kind"] == "stored"]


@contextmanager
def running(*arguments: object) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A run under way, and its folder; killed if the test leaves it behind."""
    process = subprocess.Popen(command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("run folder: "), process.stderr and process.stderr.read()
        yield process, Path(line.removeprefix("run folder: ").strip())
    finally:
        process.kill()
        process.communicate()


def wait_for_frames(folder: Path, frames: int) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while len(stored_indexes(folder)) < frames:
        assert time.monotonic() < end_s, f"no {frames} frames in {folder}"
        time.sleep(0.02)


def test_the_first_plate_is_stored_whole(plates: Path) -> None:
    done = hcs(*quick(FIRST_PLATE, plates, "--simulation"))
    assert done.returncode == 0, done.stderr
    run = record(done)
    assert run["status"] == "completed"
    assert (run["frames_planned"], run["frames_stored"], run["frames_missing"]) == (FRAMES, FRAMES, 0)
    folder = Path(run["run_folder"])
    assert folder.parent == plates
    assert run == {**json.loads((folder / "run.json").read_text()), "run_folder": str(folder)}
    (plate,) = (folder / output for output in run["outputs"])
    assert f"open: {plate}" in done.stdout
    wells = zarr.open_group(plate, mode="r").attrs["ome"]["plate"]["wells"]  # type: ignore[index,call-overload]
    assert [well["path"] for well in wells] == ["A/1", "A/2", "A/3", "B/1", "B/2", "B/3"]
    assert sorted(stored_indexes(folder)) == list(range(FRAMES))
    for name in ("plan.yaml", "machine.yaml", "run.log"):
        assert (folder / name).stat().st_size > 0
    assert not (folder / "stacks.log").exists()


def test_progress_without_a_terminal_is_quiet_lines(
    plates: Path, small_plan: Path, small_camera: tuple[object, ...]
) -> None:
    done = hcs(*quick(small_plan, plates, *small_camera))
    lines = done.stderr.splitlines()
    assert lines[0].startswith(f"{SMALL_FRAMES} frames, about ")
    assert lines[-1] == f"{SMALL_FRAMES} of {SMALL_FRAMES} frames"
    assert len(lines) <= 11


def test_progress_on_a_terminal_is_a_bar(plates: Path, small_plan: Path, small_camera: tuple[object, ...]) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        command(*quick(small_plan, plates, *small_camera)), stdout=subprocess.DEVNULL, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(ours, 4096)
        except OSError:  # the terminal's other end is closed
            break
    os.close(ours)
    assert process.wait(PATIENCE_S) == 0
    assert f"{SMALL_FRAMES}/{SMALL_FRAMES}".encode() in shown


Here = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("channels: [DAPI, Cy5]", "channels: [DAPI, PINK]"),
        ("wells: A1:A2", "wells: A1:A2, Z9"),
        ("plate: 96 well plate", "plate: 97 well plate"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused_before_anything_moves(
    plates: Path, small_plan: Path, here: Here, wrong: str, said: str
) -> None:
    small_plan.write_text(SMALL_PLAN.replace(wrong, said))
    done = here(*quick(small_plan, plates, "--simulation"))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"hcs: {small_plan}: ")
    assert "allowed: " in done.stderr
    assert "Traceback" not in done.stderr
    assert not plates.exists()
    assert here("check", small_plan).stderr == done.stderr


def test_a_refusal_is_the_exit_code_of_the_process(plates: Path, small_plan: Path, here: Here) -> None:
    wrong = ("run", small_plan, "--output", plates)
    done = hcs(*wrong)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "hcs: no microscope was named (allowed: --simulation, or --machine FILE)\n"
    assert here(*wrong).stderr == done.stderr


def test_a_machine_file_that_is_wrong_is_refused_by_name(
    tmp_path: Path, plates: Path, small_plan: Path, here: Here
) -> None:
    machine = tmp_path / "rig.yaml"
    machine.write_text("name: rig\ncamera_typo: 1\n")
    done = here("run", small_plan, "--machine", machine, "--output", plates)
    assert done.returncode == 2
    assert done.stderr.startswith(f"hcs: {machine}: ")


def test_faults_and_time_scales_that_are_not_understood_are_refused(plates: Path, small_plan: Path, here: Here) -> None:
    for option in (["--inject", "camera.sneeze@frame=1"], ["--time-scale", "0"], ["--time-scale", "fast"]):
        done = here("run", small_plan, "--simulation", "--output", plates, *option)
        assert done.returncode == 2, option
        assert done.stderr
        assert "Traceback" not in done.stderr
    assert not plates.exists()


def test_check_says_what_a_plan_takes_and_makes_nothing(plates: Path, tmp_path: Path, here: Here) -> None:
    before = set(tmp_path.iterdir())
    done = here("check", FIRST_PLATE, "--simulation", "--output", plates)
    assert done.returncode == 0, done.stderr
    assert str(FRAMES) in done.stdout
    assert set(tmp_path.iterdir()) - before <= {tmp_path / "log"}


def test_devices_tell_what_they_know() -> None:
    done = hcs("devices")
    assert done.returncode == 0, done.stderr
    for expected in ("simulated.camera, role camera", "exposure_ms: ", "simulated.stage, role stage"):
        assert expected in done.stdout


def test_a_hang_aborts_the_run_and_resume_completes_it(
    plates: Path, small_plan: Path, small_camera: tuple[object, ...], here: Here
) -> None:
    done = hcs(*quick(small_plan, plates, *small_camera, "--inject", "camera.hang@frame=5"))
    assert done.returncode == 3, done.stderr
    run = record(done)
    assert run["status"] == "aborted"
    assert run["reason"].startswith("hung: camera.")
    folder = Path(run["run_folder"])
    assert f"go on with: hcs resume {folder}" in done.stderr
    assert "trigger" in (folder / "stacks.log").read_text()
    assert sorted(stored_indexes(folder)) == list(range(5))

    resumed = hcs("resume", folder, "--json")
    assert resumed.returncode == 0, resumed.stderr
    assert record(resumed)["frames_stored"] == SMALL_FRAMES
    assert sorted(stored_indexes(folder)) == list(range(SMALL_FRAMES))

    again = here("resume", folder)
    assert again.returncode == 2
    assert "is complete" in again.stderr


def test_a_frame_that_cannot_be_had_is_missing_at_its_own_index(
    plates: Path, small_plan: Path, small_camera: tuple[object, ...]
) -> None:
    done = hcs(*quick(small_plan, plates, *small_camera, "--inject", "camera.lost_frame@frame=5,times=always"))
    assert done.returncode == 4, done.stderr
    run = record(done)
    assert run["status"] == "completed_with_missing"
    assert run["frames_missing"] == 1
    assert "frame 5 is missing: " in done.stderr
    assert sorted(stored_indexes(Path(run["run_folder"]))) == [i for i in range(SMALL_FRAMES) if i != 5]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_cleanly_and_it_can_be_resumed(
    plates: Path, small_camera: tuple[object, ...], number: signal.Signals
) -> None:
    leisurely = ("--time-scale", 4)
    with running("run", FIRST_PLATE, *small_camera, "--output", plates, "--json", *leisurely) as (process, folder):
        wait_for_frames(folder, 3)
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130, err
    run = json.loads(out.splitlines()[-1])
    assert (run["status"], run["reason"]) == ("aborted", f"user ({number.name})")
    assert sorted(stored_indexes(folder)) == list(range(run["frames_stored"]))
    assert 3 <= run["frames_stored"] < FRAMES

    resumed = hcs("resume", folder, "--json")
    assert resumed.returncode == 0, resumed.stderr
    assert sorted(stored_indexes(folder)) == list(range(FRAMES))


def test_the_second_ctrl_c_leaves_at_once_in_the_dark(
    plates: Path, small_plan: Path, small_camera: tuple[object, ...]
) -> None:
    small_plan.write_text(SMALL_PLAN + SLOW)
    with running("run", small_plan, *small_camera, "--output", plates) as (process, folder):
        assert process.stderr is not None
        process.send_signal(signal.SIGINT)
        while "once more leaves at once" not in process.stderr.readline():
            assert process.poll() is None
        pressed_s = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE_S)
    assert time.monotonic() - pressed_s < 5  # an exposure takes 9 s
    assert process.returncode == 130
    assert "stopped at once: light off, stage stopped" in err
    assert json.loads((folder / "run.json").read_text())["status"] == "running"


def test_a_run_that_was_killed_is_resumed_to_the_same_frames(plates: Path, small_camera: tuple[object, ...]) -> None:
    with running(*quick(FIRST_PLATE, plates, *small_camera)) as (process, folder):
        wait_for_frames(folder, 20)
        process.kill()
    resumed = hcs("resume", folder, "--json")
    assert resumed.returncode == 0, resumed.stderr
    run = record(resumed)
    assert (run["status"], run["frames_stored"], run["parts"]) == ("completed", FRAMES, 2)
    assert sorted(set(stored_indexes(folder))) == list(range(FRAMES))
