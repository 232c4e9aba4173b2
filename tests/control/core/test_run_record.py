from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from control.core.run_record import (
    RUN_FILE,
    RunSummary,
    create_run_folder,
    read_summary,
    replace_text,
    versions,
    write_summary,
)
from squid.errors import ResumeRefusedError, StorageError

NOW = datetime(2026, 11, 21, 3, 4, 5)


def test_folders_are_named_after_plan_and_time_and_never_shared(tmp_path: Path) -> None:
    folders = [create_run_folder(tmp_path / "plates", "My plate: 5 µM / day 2", NOW) for _ in range(3)]
    assert [folder.name for folder in folders] == [
        "My_plate_5_µM_day_2_2026-11-21_03-04-05",
        "My_plate_5_µM_day_2_2026-11-21_03-04-05-2",
        "My_plate_5_µM_day_2_2026-11-21_03-04-05-3",
    ]


@pytest.mark.parametrize("name", ["", "..", "///", "\ud800"])
def test_a_name_without_letters_still_gives_a_folder(tmp_path: Path, name: str) -> None:
    assert create_run_folder(tmp_path, name, NOW).parent == tmp_path
    assert create_run_folder(tmp_path, name, NOW).name.startswith("run_2026")


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("Größe µ 細胞", "Größe_µ_細胞"),
        ("Клетки (день 2)", "Клетки_(день_2)"),
        ("e\u0301chantillon", "\u00e9chantillon"),
        ('a<b>c:d"e/f\\g|h?i*j\tk\x00l', "a_b_c_d_e_f_g_h_i_j_k_l"),
        ("細" * 300, "細" * 66),
    ],
)
def test_letters_of_any_language_stay_in_a_folders_name(tmp_path: Path, name: str, stem: str) -> None:
    folder = create_run_folder(tmp_path, name, NOW)
    assert folder.name == f"{stem}_2026-11-21_03-04-05"
    assert folder.is_dir()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"file/plan_2026.* cannot be made"):
        create_run_folder(tmp_path / "file", "plan", NOW)


def test_a_summary_is_read_as_written(tmp_path: Path) -> None:
    summary = RunSummary(
        name="p", status="running", frames_planned=3, started_utc="2026-11-21", plan_digest="0", versions=versions()
    )
    write_summary(tmp_path, summary)
    assert read_summary(tmp_path) == summary
    assert {"squid-hcs", "python", "numpy", "useq-schema"} <= summary.versions.keys()


@pytest.mark.parametrize("content", [None, "", "{}", '{"status": "fine"}'])
def test_what_is_no_summary_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / RUN_FILE).write_text(content)
    with pytest.raises(ResumeRefusedError, match=r"run\.json"):
        read_summary(tmp_path)


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    """Row 13, really: the process may not write files beyond 4 kB."""
    path = tmp_path / "run.json"
    replace_text(path, "old")
    software = Path(sys.modules["control"].__path__[0]).parent
    script = f"""
import resource, signal, sys
from pathlib import Path
sys.path.insert(0, {str(software)!r})
from control.core.run_record import replace_text
from squid.errors import StorageError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
try:
    replace_text(Path({str(path)!r}), "new" * 4000)
except StorageError as e:
    print(e)
"""
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "could not be written" in out
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["run.json"]
