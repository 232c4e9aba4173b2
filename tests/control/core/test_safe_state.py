"""Safe state with real drivers whose calls hang: neither holds up the other, nor the caller."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from tests import rig

from control.core.safe_state import make_safe


def test_light_goes_off_and_the_stage_stops(tmp_path: Path) -> None:
    with rig.rig(rig.machine(tmp_path, time_scale=1)) as bench:
        scope = bench.microscope
        scope.illumination.turn_on(scope.illumination.sources[0].name, 1.0).result(5)
        moving = scope.stage.move_to(x_um=100_000.0)
        state = make_safe(scope)
        assert (state.dark, state.stopped) == (True, True)
        assert scope.illumination.lit == ()
        assert moving.exception(5) is not None
        assert not scope.stage.is_moving
    assert str(state) == "light off, stage stopped"


@pytest.mark.parametrize("device", ["illumination", "stage"])
def test_a_driver_that_hangs_holds_up_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    with rig.rig(rig.machine(tmp_path)) as bench:
        scope = bench.microscope
        released = threading.Event()
        name = "_do_all_off" if device == "illumination" else "_do_stop"
        monkeypatch.setattr(getattr(scope, device), name, lambda: released.wait(30))
        started_s = time.monotonic()
        state = make_safe(scope, timeout_s=0.2)
        took_s = time.monotonic() - started_s
        released.set()
    assert (state.dark, state.stopped) == (device != "illumination", device != "stage")
    assert took_s < 2
    assert ("NOT CONFIRMED" in str(state)) == (device == "illumination")
