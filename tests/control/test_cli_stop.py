"""Ctrl-C and SIGTERM."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from control.cli_stop import SIGNALS, stop_requests

SOFTWARE = Path(__file__).resolve().parents[2] / "software"

TWO_SIGNALS = """
import os, signal
from control.cli_stop import stop_requests
with stop_requests() as stop:
    stop.make_safe = lambda: "light off"
    os.kill(os.getpid(), signal.SIGINT)
    assert stop.requested == "SIGINT"
    os.kill(os.getpid(), signal.SIGTERM)
    print("still here")
"""


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_is_a_request(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with stop_requests() as stop:
        assert stop.requested is None
        os.kill(os.getpid(), number)
        assert stop.requested == number.name
    assert signal.getsignal(number) is before


def test_the_second_leaves_at_once_in_a_safe_state() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TWO_SIGNALS],
        env={**os.environ, "PYTHONPATH": str(SOFTWARE)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 130
    assert done.stdout == ""
    assert done.stderr == "\nstopped at once: light off\n"


@pytest.mark.alone
def test_the_handler_runs_within_100_ms_of_a_signal_to_a_waiting_main_thread() -> None:
    handled_s: list[float] = []
    sent_s: list[float] = []

    def send() -> None:
        sent_s.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGTERM)

    with stop_requests() as stop:
        handle = stop.handle

        def note(number: int, frame: object) -> None:
            handled_s.append(time.monotonic())
            handle(number, None)

        signal.signal(signal.SIGTERM, note)
        timer = threading.Timer(0.05, send)
        timer.start()
        threading.Event().wait(0.5)  # as the command line waits for its run
        timer.join()
    assert stop.requested == "SIGTERM"
    assert handled_s[0] - sent_s[0] < 0.1
