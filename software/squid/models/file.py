"""YAML and JSON: reading a model from a file, with errors that name file, key, value and what is allowed; writing."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from squid.errors import ConfigurationError

ModelT = TypeVar("ModelT", bound=BaseModel)

_Dumper: type = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # the same text, ten times faster
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _StrictLoader(_Loader):  # type: ignore[misc]
    """A safe loader that refuses a key given twice in one mapping, which YAML would let the last one win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key '{key}' stands twice", key_node.start_mark)
            seen.add(key)
        made: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return made


def read_mapping(path: Path, error: type[ConfigurationError]) -> dict[str, Any]:
    """Return the mapping in a YAML or JSON file.

    Parameters
    ----------
    path : Path
        ``.json`` is read as JSON, anything else as YAML.
    error : type
        Raised, naming the file, when it cannot be read or is no mapping.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # Windows editors put a mark before the text
        data = json.loads(text) if path.suffix == ".json" else yaml.load(text, _StrictLoader)
    except OSError as e:
        raise error(f"cannot be read: {e.strerror or e}", file=path) from e
    except (yaml.YAMLError, json.JSONDecodeError, UnicodeDecodeError) as e:
        raise error(f"is not valid {'JSON' if path.suffix == '.json' else 'YAML'}: {e}", file=path) from e
    if not isinstance(data, dict):
        raise error(f"holds {type(data).__name__}, not keys and values", file=path)
    return data


def yaml_text(data: Mapping[str, Any]) -> str:
    """Return plain data as YAML, its keys in their order."""
    return str(yaml.dump(dict(data), Dumper=_Dumper, sort_keys=False, allow_unicode=True))


def validate(
    data: Mapping[str, Any], model: type[ModelT], error: type[ConfigurationError], *, file: Path | None, key: str = ""
) -> ModelT:
    """Return `data` as `model`, or raise `error` naming file, key, value and what is allowed.

    Parameters
    ----------
    data : mapping
        As read from the file.
    model : type
        A pydantic model.
    error : type
        The `ConfigurationError` to raise.
    file : Path or None
        Named in the error.
    key : str
        Dotted path of `data` within the file.
    """
    try:
        return model.model_validate(data)
    except ValidationError as e:
        raise explain(e, error, file=file, key=key, model=model) from e


def explain(
    failure: ValidationError,
    error: type[ConfigurationError],
    *,
    file: Path | None,
    key: str = "",
    model: type[BaseModel] | None = None,
) -> ConfigurationError:
    """Turn pydantic's first complaint into one of ours; a wrong value is told before a missing one."""
    errors = failure.errors(include_url=False)
    first = next((error for error in errors if error["type"] != "missing"), errors[0])
    path = ".".join(str(part) for part in (key, *first["loc"]) if part != "")
    more = f" (and {failure.error_count() - 1} more)" if failure.error_count() > 1 else ""
    if first["type"] == "extra_forbidden":
        siblings = ", ".join(model.model_fields) if model and len(first["loc"]) == 1 else None
        return error(f"unknown key{more}", file=file, key=path, allowed=siblings)
    if first["type"] == "missing":
        return error(f"is missing{more}", file=file, key=path)
    message = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:  # keys that do not go together: the whole file is no news
        return error(f"{message}{more}", file=file, key=path or None)
    return error(f"{first['input']!r}: {message}{more}", file=file, key=path)
