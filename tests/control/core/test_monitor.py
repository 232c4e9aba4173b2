"""The rig's state as the window reads it, also while a device does not answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests import rig
from tests.hands import HandBench, finished, hand_bench, wait_until

from control.core import monitor as monitor_module
from control.core.hands import OWNER
from control.core.monitor import RigState
from squid.errors import DeviceError


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[HandBench]:
    with hand_bench(rig.machine(tmp_path), tmp_path) as made:
        yield made


def newest(bench: HandBench) -> RigState:
    """The newest state; there is one."""
    state = bench.monitor.newest
    assert state is not None
    return state


def test_it_tells_position_light_objective_and_what_devices_say(bench: HandBench) -> None:
    assert bench.monitor.newest is None
    bench.monitor.start()
    bench.monitor.start()  # harmless
    wait_until(lambda: bench.monitor.newest and newest(bench).devices, "a state")
    state = newest(bench)
    assert state.position == pytest.approx(bench.microscope.stage.position())
    assert (state.is_homed, state.objective, state.owner, state.trouble) == (True, "20x", None, None)
    assert state.lights == ()
    assert state.devices["camera"]["binning"] == 1
    assert state.drivers["stage"] == "simulated.stage"
    light = bench.microscope.illumination
    light.turn_on("488", 0.5)
    wait_until(lambda: newest(bench).lights == ("488",), "the light")
    light.all_off()
    wait_until(lambda: newest(bench).lights == (), "the dark")


def test_it_follows_moves_and_objectives(bench: HandBench) -> None:
    bench.monitor.start()
    finished(bench.manual.move_to(x_um=10_000))
    finished(bench.manual.set_objective("4x"))

    def there() -> bool:
        state = bench.monitor.newest
        return state is not None and state.position is not None and abs(state.position.x_um - 10_000) < 1

    wait_until(there, "the position")
    wait_until(lambda: newest(bench).objective == "4x", "the objective")


def test_it_tells_who_has_the_microscope(bench: HandBench) -> None:
    bench.monitor.start()
    with bench.hands.at_work():
        wait_until(lambda: bench.monitor.newest and newest(bench).owner == OWNER, "the hands")
        assert newest(bench).is_free_for_hands
    with bench.microscope.reserve("the run of plate 7"):
        wait_until(lambda: newest(bench).owner == "the run of plate 7", "the run")
        assert not newest(bench).is_free_for_hands


def test_a_stopped_monitor_looks_no_more_and_can_start_again(bench: HandBench) -> None:
    bench.monitor.start()
    wait_until(lambda: bench.monitor.newest, "a state")
    bench.monitor.stop()
    bench.monitor.stop()
    assert bench.manager.wait_for_done(10_000)
    last = bench.monitor.newest
    bench.monitor.start()
    wait_until(lambda: bench.monitor.newest is not last, "a newer state")


def test_what_a_device_refuses_is_told_and_hides_no_other(bench: HandBench, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> object:
        raise DeviceError("stage", "lost its encoder")

    with monkeypatch.context() as patch:
        patch.setattr(bench.microscope.stage, "_do_position", broken)
        bench.monitor.start()
        wait_until(lambda: bench.monitor.newest and newest(bench).devices, "a state")
        state = newest(bench)
        assert state.position is None
        assert state.trouble == "stage.position: lost its encoder"
        assert state.devices["camera"]["binning"] == 1
    wait_until(lambda: newest(bench).trouble is None and newest(bench).position is not None, "the recovery")


@pytest.mark.parametrize("device", ["stage", "camera"])
def test_a_device_that_hangs_is_named_and_asked_again_once_it_answers(
    bench: HandBench, monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    monkeypatch.setattr(monitor_module, "ANSWER_S", 0.3)
    monkeypatch.setattr(monitor_module, "STATE_S", 0.1)
    released, hangs = threading.Event(), [0]
    hung = bench.microscope.devices[device]
    name = "position" if device == "stage" else "state"
    answer = getattr(hung, name)

    def hang() -> object:
        if not released.is_set():
            hangs[0] += 1
            released.wait(30)
        return answer()

    monkeypatch.setattr(hung, name, hang)
    bench.monitor.start()
    wait_until(lambda: bench.monitor.newest and newest(bench).trouble, "the trouble")
    assert newest(bench).trouble == f"{device}.{name} has not answered for 0.3 s"
    seen_s = newest(bench).monotonic_s
    wait_until(lambda: newest(bench).monotonic_s > seen_s + 0.5, "newer states without it")
    assert newest(bench).lights == ()
    assert (newest(bench).position is None) == (device == "stage")
    assert hangs == [1]  # one thread hangs, not one more every look
    assert f"{device}.{name}" in bench.stacks.read_text()
    released.set()
    wait_until(lambda: newest(bench).trouble is None and newest(bench).position is not None, "the recovery")
    wait_until(lambda: bench.manager.get_statistics()["quarantined_threads"] == 0, "the late thread")


def test_a_device_that_answers_just_as_it_is_found_to_hang_is_asked_again(
    bench: HandBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor_module, "ANSWER_S", 0.2)
    stage, released, hangs = bench.microscope.stage, threading.Event(), [0]
    position, found = stage.position, bench.monitor.not_answering

    def hang() -> object:
        if not released.is_set():
            hangs[0] += 1
            released.wait(30)
        return position()

    def found_late(watch: Any, step: Any) -> None:
        before = bench.monitor.newest
        released.set()
        wait_until(lambda: bench.monitor.newest is not before, "the answer")
        found(watch, step)

    monkeypatch.setattr(stage, "position", hang)
    monkeypatch.setattr(bench.monitor, "not_answering", found_late)
    bench.monitor.start()
    wait_until(lambda: bench.manager.get_statistics()["timed_out"] == 1, "the hang")
    wait_until(lambda: newest(bench).trouble is None and newest(bench).position is not None, "the recovery")
    assert hangs == [1]
