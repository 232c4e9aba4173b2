"""What every test shares: no display is needed, the specimen that lies beside the repository, and whose turn it is."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from tests.turns import Turns

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
SETTINGS = Path(tempfile.gettempdir()) / f"squid-settings-of-tests-{os.getpid()}"  # not the user's own presets
os.environ["SQUID_SETTINGS_FOLDER"] = str(SETTINGS)  # nor those of another process of the same `pytest -n`

ROOT = Path(__file__).resolve().parent.parent
TURNS = pytest.StashKey[Turns]()


def pytest_configure(config: pytest.Config) -> None:
    """Take turns with the other processes of this `pytest -n`; a process that is alone needs none.

    Hypothesis measures no example: on a busy machine each of them may take long.
    """
    settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("tests")
    if hasattr(config, "workerinput"):
        config.stash[TURNS] = Turns(Path(config.getoption("basetemp")).parent)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run a test when it is its turn; `pytest-timeout` counts from then."""
    turns = item.config.stash.get(TURNS, None)
    if turns is None:
        return (yield)
    with turns.taken(alone=item.get_closest_marker("alone") is not None):
        return (yield)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def human_cells() -> Path:
    """Folder of real cell images, beside the repository."""
    folder = ROOT.parent / "shared" / "data" / "human_cells"
    if not folder.is_dir():
        pytest.skip(f"no specimen images in {folder}")
    return folder
