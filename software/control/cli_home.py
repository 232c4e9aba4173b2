"""Homing before a run, for those who have no window: ``hcs run … --home``."""

from __future__ import annotations

from control.cli_stop import StopRequests
from control.core.hands import Hands
from control.core.manual import Manual
from control.core.safe_state import make_safe
from control.core.words import duration, in_words
from squid.errors import StageMoveError
from squid.microscope import Microscope
from squid.utils.safety_lane import SafetyLane
from squid.utils.worker_manager import WorkerManager

POLL_S = 0.05
"""How often the main thread looks at signals."""


def home(microscope: Microscope, manager: WorkerManager, stop: StopRequests) -> None:
    """Home the stage in the dark, under the deadlines of work by hand; a request to stop stops it.

    Raises
    ------
    StageMoveError
        It was not homed; light and stage were commanded off, and the message says what they confirmed.
    """
    lane = SafetyLane()
    manual = Manual(microscope, Hands(microscope), manager, lane)
    try:
        lane.submit("light off", microscope.illumination.all_off)
        print(f"homes the stage, up to {duration(microscope.stage.homing_time_s())}", flush=True)
        homing = manual.home()
        while not homing.wait(POLL_S):
            if stop.requested is not None:
                manual.stop()
        if stop.requested is not None:
            return
        error = homing.result.error if homing.result is not None else None
        if error is not None or not microscope.stage.is_homed:
            said = in_words(error) if error is not None else "it still does not know where it is"
            raise StageMoveError(microscope.stage.label, f"was not homed: {said}; {make_safe(microscope)}")
    finally:
        manual.close()
        lane.close()
