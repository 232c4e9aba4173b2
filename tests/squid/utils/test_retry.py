"""Retries and the circuit, on a clock that the test sets."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from squid.utils import Outcome, TaskCancelledError, WorkerManager
from squid.utils.retry import Circuit, CircuitOpenError, retrying

Make = Callable[..., WorkerManager]


class _Flaky:
    def __init__(self, failures: int, error: Exception) -> None:
        self.called = threading.Event()
        self.left = failures
        self.calls = 0
        self.error = error

    def __call__(self) -> str:
        self.calls += 1
        self.called.set()
        if self.left > 0:
            self.left -= 1
            raise self.error
        return "ok"


def test_it_tries_again_until_it_works() -> None:
    call = _Flaky(2, OSError("x"))
    assert retrying(call, attempts=3, initial_s=0.001)() == "ok"
    assert call.calls == 3


@pytest.mark.parametrize(
    ("error", "calls"),
    [(OSError("x"), 3), (ValueError("x"), 1), (TaskCancelledError("x"), 1)],
    ids=["on", "not", "stop"],
)
def test_the_last_error_is_raised_and_only_the_named_are_retried(error: Exception, calls: int) -> None:
    call = _Flaky(99, error)
    with pytest.raises(type(error)):
        retrying(call, attempts=3, initial_s=0.001, on=(OSError, TaskCancelledError))()
    assert call.calls == calls


def test_cancelling_ends_the_wait_between_two_tries(make_manager: Make) -> None:
    manager, call = make_manager(), _Flaky(99, OSError("x"))
    handle = manager.submit("read", retrying(call, attempts=9, initial_s=60, max_s=60))
    assert call.called.wait(5)
    assert handle.cancel()
    assert handle.wait(5)
    assert handle.outcome is Outcome.CANCELLED
    assert call.calls == 1


def test_the_circuit_opens_probes_and_closes() -> None:
    now = [0.0]
    circuit = Circuit("camera", max_errors=3, cool_down_s=60, clock=lambda: now[0])
    call = _Flaky(4, OSError("x"))
    guarded = circuit.guard(call)
    for _ in range(3):
        with pytest.raises(OSError, match="x"):
            guarded()
    assert circuit.is_open
    with pytest.raises(CircuitOpenError, match=r"camera: 3 errors in a row; next try in 60\.0 s"):
        guarded()
    assert call.calls == 3
    now[0] = 61.0
    with pytest.raises(OSError, match="x"):
        guarded()  # the probe
    now[0] = 62.0
    with pytest.raises(CircuitOpenError):
        guarded()
    now[0] = 122.0
    assert guarded() == "ok"
    assert not circuit.is_open


def test_recover_closes_the_circuit_by_hand_and_success_starts_the_count_again() -> None:
    circuit = Circuit("camera", max_errors=2)
    bad, good = circuit.guard(_Flaky(99, OSError("x"))), circuit.guard(lambda: "ok")
    for _ in range(3):  # one error, one success: never two in a row
        with pytest.raises(OSError, match="x"):
            bad()
        assert good() == "ok"
    for _ in range(2):
        with pytest.raises(OSError, match="x"):
            bad()
    assert circuit.is_open
    circuit.recover()
    assert good() == "ok"
