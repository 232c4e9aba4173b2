"""Whether a command line wants the window: found out before anything slow is imported, so that it shows at once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from control.core.user_folder import SIMULATION
from squid.errors import SquidError

EXIT_REFUSED = 2


def wants_window(arguments: Sequence[str]) -> bool:
    """Return whether there is no command, and nothing that only the full parser understands."""
    rest = list(arguments)
    while rest:
        match rest:
            case ["--simulation", *rest]:
                continue
            case ["--machine" | "--inject", _, *rest]:
                continue
            case _:
                return False
    return True


def window(arguments: Sequence[str]) -> int:
    """Show the window; returns only when that is refused.

    Parameters
    ----------
    arguments : sequence of str
        For which `wants_window` holds.
    """
    from control.gui.app import start  # only with a window wanted

    named = dict(pairwise(arguments))
    machine = Path(named["--machine"]) if "--machine" in named else None
    if "--simulation" in arguments:
        if machine is not None:
            print("hcs: --simulation and --machine exclude each other", file=sys.stderr)
            return EXIT_REFUSED
        machine = SIMULATION
    faults = [value for key, value in pairwise(arguments) if key == "--inject"]
    try:
        return start(machine, faults)
    except SquidError as refusal:
        print(f"hcs: {refusal}", file=sys.stderr)
        return EXIT_REFUSED
