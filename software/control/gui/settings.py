"""What the window remembers of a user between two starts: one small JSON file, never a reason not to start.

A file that cannot be read is put aside (``settings.json.broken``), said in the log, and the window starts as for a new
user. A key that is unknown, or has a value of another kind, is left out and said; the others are kept.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

_log = logging.getLogger(__name__)

RECENT_FILES = 8


@dataclass(frozen=True)
class Settings:
    """A user's settings.

    Attributes
    ----------
    geometry, layout : str
        Of the window and its docks, as Qt gives them, in base 64; empty: as on the first day.
    page : str
        Last page: ``look``, ``plan``, ``run`` or ``review``.
    machine_files : tuple of str
        Machine files used before, newest first.
    pages : mapping of str to mapping
        What each page remembers, by its name: JSON values, checked by the page.
    """

    geometry: str = ""
    layout: str = ""
    page: str = "look"
    machine_files: tuple[str, ...] = ()
    pages: dict[str, dict[str, Any]] = field(default_factory=dict)


class SettingsFile:
    """The settings of one user, in memory and in a file; `save` from any thread.

    Parameters
    ----------
    path : Path
        ``settings.json`` in the user's folder; need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.values = _read(path)
        self._saved = self.values
        self._saving = threading.Lock()

    @property
    def is_changed(self) -> bool:
        """Whether the file says something else."""
        return self.values != self._saved

    def change(self, **values: Any) -> None:
        """Set some of the settings, in memory."""
        self.values = replace(self.values, **values)

    def used_machine(self, file: Path) -> None:
        """Put a machine file first among those used before."""
        name = str(file.absolute())
        others = [each for each in self.values.machine_files if each != name]
        self.change(machine_files=(name, *others)[:RECENT_FILES])

    def save(self) -> None:
        """Write the file, whole or not at all.

        Raises
        ------
        OSError
            It cannot be written; the old one is intact.
        """
        with self._saving:
            values = self.values
            self.path.parent.mkdir(parents=True, exist_ok=True)
            partial = self.path.with_suffix(".partial")
            with partial.open("w", encoding="utf-8") as file:
                json.dump(asdict(values), file, indent=1)
                file.flush()
                os.fsync(file.fileno())  # before a power cut could leave an empty file under the name
            partial.replace(self.path)
            self._saved = values


def _read(path: Path) -> Settings:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(data, dict):
            raise ValueError(f"holds a {type(data).__name__}, not an object")
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        _log.warning("the settings cannot be read, starting without: %s", error)
        return Settings()
    except ValueError as error:  # also a JSONDecodeError or a UnicodeDecodeError
        aside = path.with_name(f"{path.name}.broken")
        _log.warning("the settings in %s are broken (%s), starting without; they are kept in %s", path, error, aside)
        _put_aside(path, aside)
        return Settings()
    return _checked(data)


def _put_aside(path: Path, aside: Path) -> None:
    try:
        path.replace(aside)
    except OSError as error:
        _log.warning("%s cannot be put aside: %s", path, error)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("text")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError("a list of texts")
    return tuple(map(_text, value))[:RECENT_FILES]


def _objects(value: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(value, dict) or not all(isinstance(each, dict) for each in value.values()):
        raise TypeError("objects by name")
    return value


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "geometry": _text,
    "layout": _text,
    "page": _text,
    "machine_files": _texts,
    "pages": _objects,
}


def _checked(data: dict[str, Any]) -> Settings:
    good = {}
    for key, value in data.items():
        try:
            good[key] = _CHECKS[key](value)
        except KeyError:
            _log.warning("settings: unknown key '%s' left out", key)
        except TypeError as wanted:
            _log.warning("settings: '%s' is %r, not %s; left out", key, value, wanted)
    return Settings(**good)
