from __future__ import annotations

import threading

import pytest

from squid.utils.bounded import start_bounded


def test_a_call_that_succeeds_in_time() -> None:
    assert start_bounded("light off", lambda: None)(10)


@pytest.mark.parametrize("error", [OSError("gone"), SystemExit(3)])
def test_a_call_that_fails_has_not_succeeded_and_says_why(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise error

    assert not start_bounded("light off", fail)(10)
    assert "light off failed" in caplog.text


def test_a_call_that_hangs_is_left_behind() -> None:
    hanging = threading.Event()
    wait = start_bounded("hangs", lambda: hanging.wait(30))
    thread = next(each for each in threading.enumerate() if each.name == "hangs")
    assert thread.daemon  # the exit of the process does not wait for it
    assert not wait(0.01)
    assert start_bounded("another", lambda: None)(10)
    hanging.set()
    assert wait(10)
