"""The rules of the house that no linter knows."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOFTWARE = ROOT / "software"
FILES = sorted(SOFTWARE.rglob("*.py"))

QT_ROOMS = ("squid/utils/worker_manager", "squid/utils/delivery", "control/gui/")
"""Qt stays here (docs/architecture.md); the run itself needs none."""


def imported(file: Path) -> Iterator[str]:
    """Names of the modules that a file imports."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def name_of(file: Path) -> str:
    return file.relative_to(SOFTWARE).as_posix()


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_qt_stays_in_its_rooms(file: Path) -> None:
    uses = [module for module in imported(file) if module.split(".")[0] in ("PyQt5", "qtpy", "pyqtgraph")]
    assert not uses or name_of(file).startswith(QT_ROOMS), f"{name_of(file)} imports {uses}"


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_technologies_do_not_know_one_another(file: Path) -> None:
    parts = file.relative_to(SOFTWARE).parts
    if parts[:2] != ("squid", "drivers"):
        return
    own = ".".join(parts[:3]).removesuffix(".py")
    others = [m for m in imported(file) if m.startswith("squid.drivers.") and not f"{m}.".startswith(f"{own}.")]
    assert not others, f"{name_of(file)} imports {others}"


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_no_module_says_what_machine_it_was_written_on(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert not [line for line in text.splitlines() if "/work/" in line or "/home/" in line]


PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []
