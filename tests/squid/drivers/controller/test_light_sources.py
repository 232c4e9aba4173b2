"""What a machine file says of the controller's lights: a mistake is told at its own key, of the one kind it means."""

from __future__ import annotations

from typing import Any

import pytest

from squid.drivers.controller.illumination import IlluminationOptions
from squid.errors import MachineFileError
from squid.models.file import validate

CASES: tuple[tuple[dict[str, Any], str], ...] = (
    ({"pattern": "full", "colour": [1.8, 1, 1]}, "sources.a: .*colour holds fractions from 0 to 1"),
    ({"pattern": "ring"}, "sources.a.pattern: 'ring': .*'low_na'"),
    ({"port": "D9"}, "sources.a.port: 'D9': .*'D5'"),
    ({"port": "D1", "colour": [1, 1, 1]}, "sources.a.colour: unknown key$"),
    ({"wavelength_nm": 405}, "sources.a.port: is missing$"),
)


@pytest.mark.parametrize(("source", "message"), CASES, ids=[message for _, message in CASES])
def test_a_wrong_light_source_is_named_with_its_key(source: dict[str, Any], message: str) -> None:
    with pytest.raises(MachineFileError, match=message):
        validate({"sources": {"a": source}}, IlluminationOptions, MachineFileError, file=None)
