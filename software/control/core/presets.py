"""A user's own channel presets and plates, over those of the machine file.

::

    machine file ──▶ MachineConfig ─┐
    user's file (YAML) ─────────────┴─▶ Presets ──machine()──▶ MachineConfig that window and command line open

The user's file holds whole presets and plates, and only those that were edited; the machine file is never written.
Knows no device: `PresetChoices` says what the devices take.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from control.core.run_record import replace_text
from squid.errors import ConfigurationError, MachineFileError, StorageError
from squid.machine_file import MachineConfig, read_plates
from squid.microscope import Microscope
from squid.models.base import FileModel
from squid.models.channel import ChannelPreset
from squid.models.file import read_mapping, validate, yaml_text
from squid.models.plate import PlateGeometry


class UserEdits(FileModel):
    """The user's file.

    Attributes
    ----------
    machine : str
        Name of the machine that it belongs to.
    channels : mapping of str to mapping of str to ChannelPreset
        Edited presets by objective and channel.
    plates : mapping of str to PlateGeometry
        The user's own plates by name.
    """

    machine: str
    channels: Mapping[str, Mapping[str, ChannelPreset]] = Field(default_factory=dict)
    plates: Mapping[str, PlateGeometry] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PresetChoices:
    """What the devices of a microscope take in a preset.

    Attributes
    ----------
    sources, filters : tuple of str
        Names of light sources and of the wheel's filters; no filters without a wheel.
    exposure_range_ms, gain_range : (float, float)
        Of the camera.
    """

    sources: tuple[str, ...]
    filters: tuple[str, ...]
    exposure_range_ms: tuple[float, float]
    gain_range: tuple[float, float]

    @classmethod
    def of(cls, microscope: Microscope) -> PresetChoices:
        """Return the choices of an open microscope."""
        wheel = microscope.filter_wheel
        return cls(
            sources=tuple(source.name for source in microscope.illumination.sources),
            filters=tuple(wheel.filters) if wheel is not None else (),
            exposure_range_ms=microscope.camera.exposure_range_ms,
            gain_range=microscope.camera.gain_range,
        )

    def refuse(self, preset: ChannelPreset, key: str) -> None:
        """Raise `ConfigurationError`, naming key, value and allowed range, for what the devices do not take."""
        low_ms, high_ms = self.exposure_range_ms
        low, high = self.gain_range
        if preset.source not in self.sources:
            allowed = ", ".join(self.sources)
            raise ConfigurationError(f"no light source '{preset.source}'", key=f"{key}.source", allowed=allowed)
        if preset.filter is not None and preset.filter not in self.filters:
            allowed = ", ".join(self.filters) or "none: there is no filter wheel"
            raise ConfigurationError(f"no filter '{preset.filter}'", key=f"{key}.filter", allowed=allowed)
        if not low_ms <= preset.exposure_ms <= high_ms:
            allowed = f"{low_ms:g} to {high_ms:g} ms"
            raise ConfigurationError(f"{preset.exposure_ms:g} ms", key=f"{key}.exposure_ms", allowed=allowed)
        if preset.gain is not None and not low <= preset.gain <= high:
            raise ConfigurationError(f"{preset.gain:g}", key=f"{key}.gain", allowed=f"{low:g} to {high:g}")


class Presets:
    """Channel presets and plates of one machine, the user's own over the machine file's.

    Any thread may use it; what writes the file may take as long as a disk does.

    Parameters
    ----------
    machine : MachineConfig
        As its file says.
    file : Path or None
        The user's file, see `control.core.user_files.machine_file_of_user`; it need not exist. None: nothing is kept
        longer than this object.

    Raises
    ------
    MachineFileError
        The user's file is damaged, or another machine's; names file, key, value and what is allowed.
    """

    def __init__(self, machine: MachineConfig, file: Path | None) -> None:
        self._machine = machine
        self.file = file
        self._edits = _read(file, machine.name)
        self._lock = threading.RLock()

    def names(self, objective: str) -> tuple[str, ...]:
        """Return the channels of an objective, in the machine file's order, the user's own after them."""
        return tuple(self.machine().channels_of(objective))

    def get(self, objective: str, name: str) -> ChannelPreset:
        """Return a preset, edited or not; `KeyError` when there is no such channel."""
        return self.machine().channels_of(objective)[name]

    def save(
        self, objective: str, name: str, preset: ChannelPreset | Mapping[str, Any], choices: PresetChoices | None = None
    ) -> ChannelPreset:
        """Keep a preset for an objective, in the user's file, and return it.

        Parameters
        ----------
        objective, name : str
            Of the machine; a new name makes a channel of the user's own.
        preset : ChannelPreset or mapping
            Its values; a mapping is checked.
        choices : PresetChoices, optional
            What the devices take.

        Raises
        ------
        ConfigurationError
            A value is out of range; nothing changed. Names key, value and what is allowed.
        StorageError
            The file could not be written; nothing changed.
        """
        key = f"channels.{objective}.{name}"
        if objective not in self._machine.objectives:
            allowed = ", ".join(self._machine.objectives)
            raise MachineFileError(f"no objective '{objective}'", key=key, allowed=allowed)
        if not name.strip():
            raise MachineFileError("a channel has no name", key=key, allowed="at least one letter")
        data = preset.model_dump() if isinstance(preset, ChannelPreset) else preset
        checked = validate(data, ChannelPreset, MachineFileError, file=None, key=key)
        if choices is not None:
            choices.refuse(checked, key)
        with self._lock:
            of_objective = {**self._edits.channels.get(objective, {}), name: checked}
            if self._machine.channels_of(objective).get(name) == checked:
                of_objective.pop(name)  # the machine file's own again
            self._keep(channels={**self._edits.channels, objective: of_objective})
        return checked

    def reset(self, objective: str, name: str) -> None:
        """Return to the machine file's preset; a channel of the user's own is gone."""
        with self._lock:
            of_objective = {n: preset for n, preset in self._edits.channels.get(objective, {}).items() if n != name}
            self._keep(channels={**self._edits.channels, objective: of_objective})

    def is_edited(self, objective: str, name: str) -> bool:
        """Return whether the user's preset stands in place of the machine file's."""
        return name in self._edits.channels.get(objective, {})

    def is_own(self, objective: str, name: str) -> bool:
        """Return whether the user has made this channel: the machine file has none of that name."""
        return self.is_edited(objective, name) and name not in self._machine.channels_of(objective)

    def edited(self) -> tuple[tuple[str, str], ...]:
        """Return (objective, channel) of every edited preset of the machine's objectives."""
        return tuple((objective, name) for objective, presets in self._known().items() for name in presets)

    def machine(self) -> MachineConfig:
        """Return the machine with the user's presets and plates in it."""
        channels = {objective: dict(presets) for objective, presets in self._machine.channels.items()}
        for objective, presets in self._known().items():
            channels.setdefault(objective, {}).update(presets)
        plates = {**self._machine.plates, **self._edits.plates}
        return self._machine.model_copy(update={"channels": channels, "plates": plates})

    # --- plates -----------------------------------------------------------------------------------------------------

    def plates(self) -> dict[str, PlateGeometry]:
        """Return every plate by name: the standard ones, the machine file's, the user's own."""
        return {**read_plates(), **self._machine.plates, **self._edits.plates}

    def plate_names(self) -> tuple[str, ...]:
        """Return the names of all plates: the user's own and the machine file's first, then the standard ones."""
        return tuple(dict.fromkeys((*self._edits.plates, *self._machine.plates, *read_plates())))

    def is_own_plate(self, name: str) -> bool:
        """Return whether the user has made this plate."""
        return name in self._edits.plates

    def save_plate(self, plate: PlateGeometry | Mapping[str, Any]) -> PlateGeometry:
        """Keep a plate of the user's own, in place of an own one of that name, and return it.

        Parameters
        ----------
        plate : PlateGeometry or mapping
            Name, rows, columns, A1, spacing and size in mm, round or square; a mapping is checked.

        Raises
        ------
        MachineFileError
            A value is out of range, wells would overlap, or the name is a standard plate's or the machine file's; names
            key, value and what is allowed.
        StorageError
            The file could not be written; nothing changed.
        """
        data = plate.model_dump() if isinstance(plate, PlateGeometry) else plate
        name = str(data.get("name", "")).strip()
        key = f"plates.{name}"
        if not name or name in {**read_plates(), **self._machine.plates}:
            what = "has no name" if not name else "is the name of a plate that is there already"
            raise MachineFileError(f"'{name}' {what}", key="plates", allowed="a name of its own")
        checked = validate({**data, "name": name}, PlateGeometry, MachineFileError, file=None, key=key)
        if max(checked.rows, checked.columns) > 1 and checked.well_spacing_mm < max(checked.well_size_mm, 0.01):
            message = f"{checked.well_spacing_mm:g} mm: wells of {checked.well_size_mm:g} mm would overlap"
            allowed = f"{max(checked.well_size_mm, 0.01):g} mm or more"
            raise MachineFileError(message, key=f"{key}.well_spacing_mm", allowed=allowed)
        with self._lock:
            self._keep(plates={**self._edits.plates, name: checked})
        return checked

    def remove_plate(self, name: str) -> None:
        """Remove a plate of the user's own; others stay."""
        with self._lock:
            self._keep(plates={own: plate for own, plate in self._edits.plates.items() if own != name})

    # --- the file ---------------------------------------------------------------------------------------------------

    def _known(self) -> dict[str, Mapping[str, ChannelPreset]]:
        """Return the edits of objectives that the machine has; those of others wait in the file."""
        return {o: presets for o, presets in self._edits.channels.items() if o in self._machine.objectives and presets}

    def _keep(self, **changes: Any) -> None:
        edits = self._edits.model_copy(update=changes)
        edits = edits.model_copy(update={"channels": {o: dict(p) for o, p in edits.channels.items() if p}})
        if self.file is not None:
            text = yaml_text(edits.model_dump(mode="json"))
            try:
                self.file.parent.mkdir(parents=True, exist_ok=True)
            except OSError as e:
                raise StorageError(f"{self.file.parent} cannot be made: {e.strerror}") from e
            replace_text(self.file, text)
        self._edits = edits


def _read(file: Path | None, machine_name: str) -> UserEdits:
    if file is None or not file.exists():
        return UserEdits(machine=machine_name)
    edits = validate(read_mapping(file, MachineFileError), UserEdits, MachineFileError, file=file)
    if edits.machine != machine_name:
        raise MachineFileError(f"'{edits.machine}'", file=file, key="machine", allowed=machine_name)
    return edits


def edited_text(edited: Iterable[tuple[str, str]]) -> str:
    """Return edited presets in words, by objective: ``20x: DAPI, FITC; 40x: Cy5``; empty for none."""
    by_objective: dict[str, list[str]] = {}
    for objective, name in edited:
        by_objective.setdefault(objective, []).append(name)
    return "; ".join(f"{objective}: {', '.join(names)}" for objective, names in by_objective.items())
