"""The rules of the house that no linter knows."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOFTWARE = ROOT / "software"
QT = ("PyQt5", "qtpy", "pyqtgraph")
WORKER_LAYER, WINDOW, DRIVERS = "squid/utils/", "control/gui/", "squid/drivers/"


@cache
def imports() -> tuple[tuple[str, str], ...]:
    """Every import in the program: the file, and the module or name that it imports."""
    found = []
    for file in sorted(SOFTWARE.rglob("*.py")):
        name = file.relative_to(SOFTWARE).as_posix()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), filename=name)):
            if isinstance(node, ast.Import):
                found += [(name, alias.name) for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                found += [(name, f"{node.module}.{alias.name}") for alias in node.names]
    return tuple(found)


def test_qt_stays_in_the_worker_layer_and_the_window() -> None:
    users = {(file, what) for file, what in imports() if what.split(".")[0] in QT}
    assert users, "the worker layer uses Qt; if it no longer does, so much the better: forbid it"
    assert [(file, what) for file, what in users if not file.startswith((WORKER_LAYER, WINDOW))] == []


def test_widgets_stay_in_the_window() -> None:
    widgets = [(file, what) for file, what in imports() if what.startswith(("PyQt5.QtWidgets", "pyqtgraph"))]
    assert [(file, what) for file, what in widgets if not file.startswith(WINDOW)] == []


def test_threads_and_processes_are_made_by_the_worker_layer_and_by_drivers() -> None:
    makers = re.compile(
        r"\b(threading\.(Thread|Timer)|ThreadPoolExecutor|ProcessPoolExecutor|QThreadPool|QRunnable"
        r"|multiprocessing\.\w+|subprocess\.(run|Popen|call|check_\w+)|os\.fork)\("
    )
    own = [
        file.relative_to(SOFTWARE).as_posix()
        for file in SOFTWARE.rglob("*.py")
        if makers.search(file.read_text(encoding="utf-8"))
    ]
    assert any(file.startswith(WORKER_LAYER) for file in own)
    assert [file for file in own if not file.startswith((WORKER_LAYER, DRIVERS))] == []


def test_one_technology_does_not_know_another() -> None:
    strangers = []
    for file, what in imports():
        if file.startswith(DRIVERS) and what.startswith("squid.drivers."):
            own = file.removeprefix(DRIVERS).split("/")[0].removesuffix(".py")
            strangers += [(file, what)] if what.split(".")[2] != own else []
    assert strangers == []


def test_the_application_knows_no_driver() -> None:
    assert [(file, what) for file, what in imports() if file.startswith("control/") and "squid.drivers" in what] == []


def test_no_file_names_the_place_it_was_written_at() -> None:
    files = [*SOFTWARE.rglob("*.py"), *SOFTWARE.rglob("*.yaml"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*.*")]
    texts = {file: file.read_text(encoding="utf-8") for file in files if file.is_file()}
    assert [file.name for file, text in texts.items() if re.search(r"(?<![\w.~])/(work|home|root)/", text)] == []


PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []
