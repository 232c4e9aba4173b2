"""Where a user's own presets and plates of a machine are kept."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

from control.core.user_folder import user_folder


def machine_file_of_user(machine_name: str) -> Path:
    """Return the file of the user's own presets and plates for the machine of that name."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", machine_name).strip("-") or "machine"
    return user_folder() / "machines" / f"{readable}-{zlib.crc32(machine_name.encode()):08x}.yaml"
