"""What every test shares: no display is needed, and the specimen that lies beside the repository."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
SETTINGS = Path(tempfile.gettempdir()) / f"squid-settings-of-tests-{os.getpid()}"  # not the user's own presets
os.environ.setdefault("SQUID_SETTINGS_FOLDER", str(SETTINGS))

ROOT = Path(__file__).resolve().parent.parent


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
