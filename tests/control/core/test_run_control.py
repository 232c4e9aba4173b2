from __future__ import annotations

import threading
import time

from control.core.run_control import RunControl


def test_the_first_reason_counts() -> None:
    control = RunControl()
    assert control.abort_reason is None
    control.abort("user")
    control.abort("later")
    assert control.abort_reason == "user"


def test_sleep_ends_at_its_time() -> None:
    due_s = time.monotonic() + 0.02
    assert RunControl().sleep_until(due_s)
    assert time.monotonic() >= due_s


def test_sleep_hears_an_abort() -> None:
    control = RunControl()
    threading.Timer(0.02, control.abort, ("user",)).start()
    started_s = time.monotonic()
    assert not control.sleep_until(started_s + 30)
    assert time.monotonic() - started_s < 10


def test_a_pause_lasts_until_go_on_or_abort() -> None:
    for end in (RunControl.go_on, lambda control: control.abort("user")):
        control = RunControl()
        control.pause()
        assert control.is_paused
        timer = threading.Timer(0.02, end, (control,))
        assert not control.wait_while_paused(0.001)
        timer.start()
        assert control.wait_while_paused(10)
        timer.join()
