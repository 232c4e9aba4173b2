"""Which device call is under way, and what happens when it does not come back."""

from __future__ import annotations

import threading

import pytest

from control.core.step_watch import Step, StepWatch
from squid.utils.deadlines import DeadlineWatch


def test_the_step_under_way_shows_and_ends() -> None:
    watch = DeadlineWatch()
    steps = StepWatch(watch, lambda step: None)
    assert steps.current is None
    with steps.step("stage", "move_to", 5.0):
        current = steps.current
        assert current is not None
        assert (str(current.step), current.step.deadline_s) == ("stage.move_to", 5.0)
        assert current.age_s >= 0
    assert steps.current is None
    watch.close()


def test_a_wait_shows_and_the_calls_within_it_too() -> None:
    watch = DeadlineWatch()
    steps = StepWatch(watch, lambda step: None)
    with steps.waiting("camera", "frame", 2.0):
        with steps.step("camera", "cancel", 3.0):
            assert str(steps.current and steps.current.step) == "camera.cancel"
        assert str(steps.current and steps.current.step) == "camera.frame"
    assert steps.current is None
    watch.close()


def test_a_step_that_fails_ends_too() -> None:
    watch = DeadlineWatch()
    steps = StepWatch(watch, lambda step: None)
    with pytest.raises(ValueError, match="broken"), steps.step("stage", "stop", 5.0):
        raise ValueError("broken")
    assert steps.current is None
    watch.close()


def test_an_overdue_step_is_told_and_still_shows() -> None:
    watch = DeadlineWatch(resolution_s=0.005)
    told: list[Step] = []
    was_told = threading.Event()

    def on_overdue(step: Step) -> None:
        told.append(step)
        was_told.set()

    steps = StepWatch(watch, on_overdue)
    with steps.step("camera", "trigger", 0.01):
        assert was_told.wait(10)
        assert str(steps.current and steps.current.step) == "camera.trigger"
    assert told == [Step("camera", "trigger", 0.01)]
    watch.close()
