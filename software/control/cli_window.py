"""Whether a command line wants the window: found out before anything slow is imported, so that it shows at once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from control.core.user_folder import SIMULATION
from squid.errors import SquidError

EXIT_REFUSED = 2
WITH_VALUE = ("--machine", "--inject")


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
    values = [(key, value) for key, value in pairwise(arguments) if key in WITH_VALUE]
    named = [Path(value) for key, value in values if key == "--machine"]
    if "--simulation" in arguments:
        named.append(SIMULATION)
    if len(named) > 1:
        print("hcs: name one microscope: --simulation, or --machine FILE", file=sys.stderr)
        return EXIT_REFUSED
    return show(named[0] if named else None, [value for key, value in values if key == "--inject"])


def show(machine: Path | None, faults: Sequence[str] = ()) -> int:
    """Show the window; returns only when that is refused.

    Parameters
    ----------
    machine : Path or None
        Machine file; None: a person chooses.
    faults : sequence of str
        Injected into simulated devices.
    """
    from control.gui.app import start  # only with a window wanted

    try:
        return start(machine, faults)
    except SquidError as refusal:
        print(f"hcs: {refusal}", file=sys.stderr)
        return EXIT_REFUSED
