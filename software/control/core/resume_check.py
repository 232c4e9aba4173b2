"""Whether plan and machine are still those of the run's beginning. Knows no device and writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from squid.errors import ResumeRefusedError
from squid.machine_file import MachineConfig
from squid.models.plan import AcquisitionPlan, sequence_channels

_SHOWN = 5


def refuse_changes(folder: Path, header: Mapping[str, Any], plan: AcquisitionPlan, machine: MachineConfig) -> None:
    """Refuse to go on with another plan or machine than the journal's.

    Presets that the run does not use may have been edited since, and plates may have been added.

    Parameters
    ----------
    folder : Path
        The run folder, for the message.
    header : mapping
        Of the journal.
    plan, machine
        With which the run would go on.

    Raises
    ------
    ResumeRefusedError
        Names each key with both values.
    """
    _refuse(folder, "plan", header["plan"], plan.model_dump(mode="json"))
    objective: str = header["optics"]["objective"]
    names = {channel.config for channel in sequence_channels(plan.sequence)}
    then, now = (_as_used(each, objective, names) for each in (header["machine"], machine.model_dump(mode="json")))
    plates = {name: plate for name, plate in now["plates"].items() if name in then["plates"]}
    _refuse(folder, "machine", then, {**now, "plates": plates})


def _as_used(machine: Mapping[str, Any], objective: str, names: set[str]) -> dict[str, Any]:
    """Return a machine with only those presets that a run uses, as its objective has them."""
    channels = machine["channels"]
    presets = {**channels.get("default", {}), **channels.get(objective, {})}
    used = {name: preset for name, preset in presets.items() if name in names}
    return {**machine, "channels": {objective: used}}


def _refuse(folder: Path, what: str, then: Any, now: Any) -> None:
    differences = list(_differences(then, now, ()))
    if differences:
        more = len(differences) - _SHOWN
        shown = "; ".join(differences[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")
        raise ResumeRefusedError(f"{folder}: the {what} has changed since the run began: {shown}")


def _differences(then: Any, now: Any, path: tuple[str, ...]) -> Iterator[str]:
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for key in sorted({*then, *now}):
            yield from _differences(then.get(key), now.get(key), (*path, key))
    elif then != now:
        yield f"{'.'.join(path)} was {then!r}, is {now!r}"
