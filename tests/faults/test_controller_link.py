"""Fault cases 22 to 25 on a real pseudo-terminal: cable pulled, bytes corrupted, reset, silence, stale ids."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.squid.drivers.controller.bench import TIMEOUT_S, Bench
from tests.squid.drivers.controller.conftest import program, start

from squid.drivers.controller.axis import Axis, AxisOptions, xy_axis, z_axis
from squid.drivers.controller.protocol_table import AxisCode, Code
from squid.drivers.controller.requests import Command
from squid.errors import ConnectionLostError, DeviceError, DeviceTimeoutError, StageMoveError
from squid.models.geometry import StagePosition

__all__ = ["program", "start"]

Start = Callable[..., Bench]
MOVES = 10_000
BOTH = pytest.mark.parametrize("stock", [(), ("--stock",)], ids=["ours", "stock"])


def quick() -> dict[str, AxisOptions]:
    """Stage options without settling."""
    at_once = {"settle_ms": 0}
    return {
        "x": xy_axis(5, 115).model_copy(update=at_once),
        "y": xy_axis(4, 76).model_copy(update=at_once),
        "z": z_axis().model_copy(update=at_once),
    }


def test_row_24_one_percent_of_bytes_corrupted_and_no_wrong_motion(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the moves on each of two controllers, at the same time."""
    monkeypatch.setattr("squid.drivers.controller.connection.SILENCE_S", 5.0)  # a busy machine is silent at times
    with ThreadPoolExecutor(2) as both:
        benches = [start("--speed", "1000", "--seed", str(seed)) for seed in (7, 8)]
        wrong = [*both.map(wrong_moves, benches, (1, 2), (MOVES // 2,) * 2)]
    assert wrong == [[], []]
    for name in ("repeated_commands", "damaged_frames"):  # the corruption was there
        assert sum(int(bench.link.state()[name]) for bench in benches) > MOVES / 100
    assert [bench.link.reconnections for bench in benches] == [0, 0]


def wrong_moves(bench: Bench, seed: int, moves: int) -> list[object]:
    """Make so many moves over a bad cable, three axes at a time; return those that ended elsewhere."""
    options = quick()
    stage = bench.stage(**options)
    axes = [Axis(AxisCode[name.upper()], options[name]) for name in "xyz"]
    rng = random.Random(seed)
    bench.controller.ask("corrupt 0.01")
    wrong: list[object] = []
    for number in range(0, moves, 3):  # each of the three axes is sent a move of its own
        target = StagePosition(rng.uniform(20e3, 21e3), rng.uniform(20e3, 21e3), rng.uniform(3000, 3100))
        arrived = stage.move_to(**target._asdict()).result(TIMEOUT_S)
        wanted = [axis.to_usteps(um) for axis, um in zip(axes, target, strict=True)]
        reported = [axis.to_usteps(um) for axis, um in zip(axes, arrived, strict=True)]
        real = reported
        if number % 60 == 0:
            state = bench.state()["axes"]
            real = [state[name]["usteps"] for name in "xyz"]
        if not wanted == reported == real:
            wrong.append((number, wanted, reported, real))
    bench.controller.ask("corrupt 0")
    return wrong


def test_row_24_on_stock_firmware(start: Start) -> None:
    bench = start("--speed", "1000", "--stock")
    stage = bench.stage(**quick())
    bench.controller.ask("corrupt 0.01")
    for number in range(60):
        target_um = 20_000 + 100 * (number % 7)
        assert stage.move_to(x_um=target_um).result(TIMEOUT_S).x_um == pytest.approx(target_um, abs=0.5)
        assert bench.state()["axes"]["x"]["carriage_mm"] * 1000 == pytest.approx(target_um, abs=0.5)


@BOTH
def test_lost_bytes_cost_time_and_nothing_else(start: Start, stock: tuple[str, ...]) -> None:
    bench = start("--speed", "1000", *stock)
    stage = bench.stage(**quick())
    bench.controller.ask("drop 0.005")
    for number in range(40):
        target_um = 20_000 + 100 * (number % 7)
        assert stage.move_to(x_um=target_um).result(TIMEOUT_S).x_um == pytest.approx(target_um, abs=0.5)


@pytest.mark.alone
@BOTH
def test_row_23_cable_pulled_in_mid_move(start: Start, stock: tuple[str, ...], tmp_path: Path) -> None:
    path = str(tmp_path / "controller")
    bench = start("--speed", "5", "--link", path, *stock, port=path)
    stage, light = bench.stage(), bench.light()
    light.turn_on("488", 1.0).result(TIMEOUT_S)
    move = stage.move_to(x_um=110_000)
    bench.controller.ask("unplug")
    assert isinstance(move.exception(TIMEOUT_S), ConnectionLostError)
    with pytest.raises(ConnectionLostError, match="no connection"):
        stage.move_to(x_um=110_000)
    if not stock:
        assert bench.eventually(lambda: not bench.lit(), 2.0) < 0.8
    bench.controller.ask("plug")
    assert bench.eventually(lambda: bench.link.is_connected) < 2.0
    assert bench.link.reconnections == 1
    assert stage.is_homed  # the controller went on living
    assert bench.lit() == set()
    assert light.lit == ()
    bench.eventually(lambda: not bench.state()["axes"]["x"]["running"])
    assert stage.move_to(x_um=30_000).result(TIMEOUT_S).x_um == pytest.approx(30_000, abs=1)


@pytest.mark.alone
@BOTH
def test_row_25_the_controller_resets_itself(start: Start, stock: tuple[str, ...]) -> None:
    bench = start("--speed", "50", "--boot-ms", "50", *stock)
    stage, light = bench.stage(), bench.light()
    stage.move_to(x_um=20_000).result(TIMEOUT_S)
    light.turn_on("488", 1.0).result(TIMEOUT_S)
    bench.controller.ask("reset")
    assert bench.eventually(lambda: not stage.is_homed) < 0.5
    assert light.lit == ()
    bench.eventually(lambda: bench.link.is_connected)
    with pytest.raises(StageMoveError, match="not homed"):
        stage.move_to(x_um=20_000)
    stage.home().result(TIMEOUT_S)
    assert stage.move_to(x_um=21_000).result(TIMEOUT_S).x_um == pytest.approx(21_000, abs=1)
    assert bench.state()["axes"]["x"]["carriage_mm"] == pytest.approx(21, abs=0.001)
    light.turn_on("488", 1.0).result(TIMEOUT_S)
    assert bench.state()["dac"][1] == 39321  # the intensity factor was sent again


def test_row_25_a_reset_in_mid_move_fails_the_move(start: Start) -> None:
    bench = start("--speed", "5", "--boot-ms", "50")
    stage = bench.stage()
    move = stage.move_to(x_um=110_000)
    bench.eventually(lambda: stage.position().x_um > 10_000)
    bench.controller.ask("reset")
    assert isinstance(move.exception(TIMEOUT_S), ConnectionLostError)


@BOTH
def test_a_stale_id_is_never_taken_for_an_answer(start: Start, stock: tuple[str, ...]) -> None:
    """Section 3.4: a host that begins at id 1 takes the last one's frame for its own answer."""
    bench = start("--speed", "100", *stock)
    stage = bench.stage()
    bench.controller.ask("deaf on")
    move = stage.move_to(x_um=30_000)
    with pytest.raises(TimeoutError):
        move.result(0.3)
    bench.controller.ask("deaf off")
    assert move.result(TIMEOUT_S).x_um == pytest.approx(30_000, abs=1)


def test_a_pulse_that_nobody_hears_is_an_error_and_not_repeated(start: Start) -> None:
    bench = start()
    bench.controller.ask("deaf on")
    pulse: Future[None] = bench.link.submit(_pulse())
    assert isinstance(pulse.exception(TIMEOUT_S), DeviceTimeoutError)
    bench.controller.ask("deaf off")
    bench.send(Command(Code.TURN_OFF_ALL_PORTS))
    assert [edge for edge in bench.controller.ask("edges")["edges"] if edge[1] == "trigger0" and not edge[2]] == []


def _pulse():  # type: ignore[no-untyped-def]
    yield Command(Code.SEND_HARDWARE_TRIGGER, {})


@pytest.mark.alone
@pytest.mark.parametrize("fault", ["silent", "hang"])
def test_silence_is_noticed_by_the_hosts_own_timer(start: Start, fault: str) -> None:
    bench = start("--speed", "100")
    stage = bench.stage()
    bench.controller.ask(f"{fault} on")
    start_s = time.monotonic()
    error = stage.move_to(x_um=30_000).exception(TIMEOUT_S)
    assert isinstance(error, DeviceError)
    assert time.monotonic() - start_s < 1.0
    assert not bench.link.is_connected
    bench.controller.ask(f"{fault} off")
    bench.eventually(lambda: bench.link.is_connected)
    assert stage.is_homed
    assert stage.move_to(x_um=31_000).result(TIMEOUT_S).x_um == pytest.approx(31_000, abs=1)


def test_a_silent_controller_cannot_be_opened_and_says_why(start: Start) -> None:
    with pytest.raises(DeviceError, match="silent"):
        start("--silent")


@BOTH
def test_row_22_done_elsewhere_is_noticed(start: Start, stock: tuple[str, ...]) -> None:
    bench = start("--speed", "100", *stock)
    stage = bench.stage(x=xy_axis(5, 200))  # there is a switch at 125 mm
    with pytest.raises(StageMoveError):
        stage.move_to(x_um=150_000).result(TIMEOUT_S)
