"""`control.core.travel`: a position counts when it is needed, not when the move ended."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests import rig

from control.core.device_calls import DeviceCalls
from control.core.run_control import RunControl
from control.core.step_watch import StepWatch
from control.core.travel import Travel
from squid.errors import StageMoveError
from squid.utils.deadlines import DeadlineWatch


def test_a_stage_that_was_pushed_after_its_move_has_not_arrived(tmp_path: Path) -> None:
    watch = DeadlineWatch()
    with rig.rig(rig.machine(tmp_path)) as bench:
        stage = bench.microscope.stage
        travel = Travel(bench.microscope, DeviceCalls(StepWatch(watch, lambda _: None), RunControl(), lambda: None))
        target = stage.position()._replace(x_um=20_000.0)
        moves = travel.start(target, None)
        assert moves.stage is not None
        moves.stage.result(10)
        stage.move_to(x_um=target.x_um + 500).result(10)  # as during the hours before a time point
        with pytest.raises(StageMoveError, match="not at"):
            travel.arrive(target, moves)
    watch.close()
