"""`hcs`, the requirement files and the start of the program."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOFTWARE = ROOT / "software"
PIN = re.compile(r"^(?P<name>[A-Za-z0-9_.-]+)(\[[a-z,]+\])?==\S+( ; [^#]+?)? +# \S")
REQUIREMENTS = sorted(ROOT.glob("requirements*.txt"))


def lines_of(file: Path) -> list[str]:
    return [line for line in file.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]


def names_in(file: Path) -> set[str]:
    return {match["name"].lower() for line in lines_of(file) if (match := PIN.match(line))}


def imported_packages(folder: Path) -> set[str]:
    """Distributions that the code under a folder imports."""
    modules = set()
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                modules.add(node.module.split(".")[0])
    distributions = packages_distributions()
    return {name.lower() for module in modules for name in distributions.get(module, ())}


@pytest.mark.parametrize("file", REQUIREMENTS, ids=lambda file: file.name)
def test_every_requirement_is_pinned_and_says_what_it_is_for(file: Path) -> None:
    assert not [line for line in lines_of(file) if not PIN.match(line)]


def test_the_run_requirements_are_what_the_program_imports() -> None:
    listed = names_in(ROOT / "requirements.txt") - {"pyqt5-qt5"}  # Qt itself has no module of its own
    assert imported_packages(SOFTWARE) - {"pyqt5_sip"} == listed  # PyQt5 brings its sip along


def test_constraints_agree_with_the_requirements() -> None:
    constrained = {line.split(" ;")[0].lower() for line in lines_of(ROOT / "constraints.txt")}
    for file in (ROOT / "requirements.txt", ROOT / "requirements-dev.txt"):
        pins = {line.split("#")[0].split(";")[0].strip().lower() for line in lines_of(file)}
        assert pins <= constrained, file.name


def test_hcs_is_posix_shell() -> None:
    shell = shutil.which("dash") or shutil.which("sh")
    assert shell is not None
    subprocess.run([shell, "-n", ROOT / "hcs"], check=True)


def test_ci_calls_the_readme_s_test_command() -> None:
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1] == "exec ./hcs test"
    assert "./hcs test" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("python", ["", "#!/bin/sh\nexit 1\n"], ids=["missing", "too old"])
def test_hcs_without_a_usable_python_says_so(tmp_path: Path, python: str) -> None:
    shutil.copy(ROOT / "hcs", tmp_path)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("dirname", "readlink", "cat", "cksum", "sh"):
        (tools / name).symlink_to(shutil.which(name) or name)
    if python:
        (tools / "python3").write_text(python)
        (tools / "python3").chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", tmp_path / "hcs", "devices"], env={"PATH": str(tools)}, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr == ("hcs: needs Python 3.11 or newer as python3; HCS_PYTHON=/path/to/python3 names another\n")
    assert not (tmp_path / ".venv").exists()


def test_hcs_without_pip_says_what_to_install(tmp_path: Path) -> None:
    shutil.copy(ROOT / "hcs", tmp_path)
    python = tmp_path / "python3"
    python.write_text(f'#!/bin/sh\n[ "$2" = pip ] && exit 1\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", tmp_path / "hcs", "devices"],
        env={"PATH": os.environ["PATH"], "HCS_PYTHON": str(python)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "has no pip: install it (Debian: apt-get install python3-pip)" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_crash_dumps_go_to_a_file_of_their_own_even_without_stderr(tmp_path: Path) -> None:
    crash = (
        "import faulthandler, main_hcs, ctypes; faulthandler.enable(main_hcs.open_crash_file()); ctypes.string_at(0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import os; os.close(2); {crash}"],
        env={**os.environ, "SQUID_LOG_FOLDER": str(tmp_path), "PYTHONPATH": str(SOFTWARE)},
        capture_output=True,
    )
    assert done.returncode < 0
    (dump,) = (tmp_path).glob("crash-*.log")
    assert "Segmentation fault" in dump.read_text()


def test_an_orderly_end_leaves_no_crash_file(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, SOFTWARE / "main_hcs.py", "--help"],
        env={**os.environ, "SQUID_LOG_FOLDER": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert "run a plan" in done.stdout
    assert list((tmp_path).iterdir()) == []
