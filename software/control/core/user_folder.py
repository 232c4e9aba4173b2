"""Where the program keeps what belongs to a user, and which machine file is the simulation.

Known before anything slow is imported.
"""

from __future__ import annotations

import os
from pathlib import Path

SIMULATION = Path(__file__).resolve().parents[2] / "configs" / "simulation.yaml"
"""The machine file that ``--simulation`` means."""


def user_folder() -> Path:
    """Return the folder of the user's settings, presets and queue: SQUID_SETTINGS_FOLDER, or ``~/.squid-hcs``."""
    chosen = os.environ.get("SQUID_SETTINGS_FOLDER")
    return Path(chosen) if chosen else Path.home() / ".squid-hcs"
