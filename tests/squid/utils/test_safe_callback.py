"""Callbacks whose exceptions stay where they are."""

from __future__ import annotations

import pytest

from squid.utils import CallbackResult, safe_callback


def test_a_value_comes_back() -> None:
    result = safe_callback(lambda name, greeting: f"{greeting}, {name}!", "Wally", greeting="Hi")
    assert result == CallbackResult(True, "Hi, Wally!")
    result.raise_if_error()


def test_an_exception_is_held_and_told() -> None:
    told: list[tuple[Exception, str]] = []
    result = safe_callback(int, "x", on_error=lambda error, stack: told.append((error, stack)))
    assert not result.success
    assert isinstance(result.error, ValueError)
    assert result.stack_trace is not None
    assert "ValueError" in result.stack_trace
    assert told == [(result.error, result.stack_trace)]
    with pytest.raises(ValueError, match="invalid literal"):
        result.raise_if_error()


def test_a_bad_error_handler_is_held_too() -> None:
    assert not safe_callback(int, "x", on_error=lambda error, stack: 1 / 0).success
