"""What is slow to import is there before somebody wants it, and leaves the program's hooks alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import control

SOFTWARE = Path(control.__file__).parent.parent

PROGRAM = """
import sys, threading
from control.gui.preload import load

def mine(*_): ...

sys.excepthook = threading.excepthook = mine
load()
print("pyqtgraph" in sys.modules, "tifffile" in sys.modules, sys.excepthook is mine, threading.excepthook is mine)
"""


def test_what_is_wanted_later_is_loaded_and_the_hooks_for_errors_stay_the_programs() -> None:
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, cwd=SOFTWARE, check=False)
    assert done.stdout.split() == ["True"] * 4, done.stderr
