"""Finds what a useq file says and useq does not hear: its models ignore the keys that they do not know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

_ALSO_READ = {"row", "col", "uid"}
"""Keys that useq reads though they are no fields: old names of ``grid_row`` and ``grid_col``, and its own id."""


def unknown_keys(raw: object, parsed: object, key: str) -> Iterator[tuple[str, str]]:
    """Yield (dotted key, keys that exist there) for each key of `raw` that `parsed` has not taken.

    Parameters
    ----------
    raw : object
        As read from the file.
    parsed : object
        What useq made of it.
    key : str
        Dotted path of `raw` in its file; may be empty.
    """
    if isinstance(raw, Mapping) and isinstance(parsed, BaseModel):
        yield from _of_mapping(raw, parsed, key)
    elif isinstance(raw, list) and (items := _items(parsed)) is not None:
        for number, (one_raw, one_parsed) in enumerate(zip(raw, items, strict=False)):
            yield from unknown_keys(one_raw, one_parsed, _join(key, number))


def _of_mapping(raw: Mapping[Any, Any], parsed: BaseModel, key: str) -> Iterator[tuple[str, str]]:
    names = type(parsed).model_fields
    for name, value in raw.items():
        if name not in names and name not in _ALSO_READ:
            yield _join(key, name), ", ".join(names)
        elif name in names and name != "metadata":
            yield from unknown_keys(value, getattr(parsed, name), _join(key, name))


def _items(parsed: object) -> Sequence[object] | None:
    phases = getattr(parsed, "phases", None)  # a time plan of several phases is written as a list
    if phases is not None:
        return tuple(phases)
    return parsed if isinstance(parsed, (list, tuple)) else None


def _join(key: str, name: object) -> str:
    return f"{key}.{name}" if key else str(name)
