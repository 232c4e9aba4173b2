"""Where a user's own settings are kept, beside what the machine's files say."""

from __future__ import annotations

import os
import re
import zlib
from pathlib import Path


def user_folder() -> Path:
    """Return the user's folder: ``SQUID_SETTINGS_FOLDER``, else ``.squid-hcs`` in the home folder. Made by nobody here.

    Raises
    ------
    RuntimeError
        The user has no home folder, and no other was named.
    """
    chosen = os.environ.get("SQUID_SETTINGS_FOLDER")
    return Path(chosen) if chosen else Path.home() / ".squid-hcs"


def machine_file_of_user(machine_name: str) -> Path:
    """Return the file of the user's own presets and plates for the machine of that name."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", machine_name).strip("-") or "machine"
    return user_folder() / "machines" / f"{readable}-{zlib.crc32(machine_name.encode()):08x}.yaml"
