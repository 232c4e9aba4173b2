"""Numbers of things as people say them."""

from __future__ import annotations

import pytest

from control.core.words import counted


@pytest.mark.parametrize(
    ("count", "words", "text"),
    [
        (0, ("well",), "0 wells"),
        (1, ("well",), "1 well"),
        (2, ("well",), "2 wells"),
        (1, ("frame is", "frames are"), "1 frame is"),
        (3, ("frame is", "frames are"), "3 frames are"),
    ],
)
def test_one_is_no_plural(count: int, words: tuple[str, ...], text: str) -> None:
    assert counted(count, *words) == text
