"""The devices on our firmware and on stock firmware, against what the virtual hardware really did."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from tests.squid.drivers.controller.bench import TIMEOUT_S, Bench

from squid.drivers.controller.autofocus_laser import ControllerAutofocusLaser
from squid.drivers.controller.axis import Axis, xy_axis, z_axis
from squid.drivers.controller.camera_trigger import CameraTriggerOptions, ControllerCameraTrigger
from squid.drivers.controller.light_sources import PortSource, interpolate
from squid.drivers.controller.protocol_table import AxisCode, Code
from squid.drivers.controller.requests import Command, CommandRefusedError
from squid.errors import DeviceError, SettingError, StageMoveError
from squid.models.geometry import StagePosition

Start = Callable[..., Bench]


def test_homing_ends_inside_the_limits_and_moves_go_where_they_should(bench: Bench) -> None:
    stage = bench.stage()
    assert stage.is_homed
    home = stage.position()
    assert home.x_um in stage.limits.x
    assert home.z_um in stage.limits.z
    arrived = stage.move_to(x_um=20000, y_um=30000, z_um=3000).result(TIMEOUT_S)
    axes = bench.state()["axes"]
    assert axes["x"]["carriage_mm"] == pytest.approx(20, abs=1e-3)
    assert axes["y"]["carriage_mm"] == pytest.approx(30, abs=1e-3)
    assert axes["z"]["carriage_mm"] == pytest.approx(-3, abs=1e-4)  # home is the upper end
    assert stage.is_at(arrived, stage.position())


def test_limits_are_there_again_after_homing(bench: Bench) -> None:
    stage = bench.stage()
    limit = Axis(AxisCode.X, xy_axis(5, 115)).to_usteps(stage.limits.x.min_um)
    with suppress(CommandRefusedError):  # ours says so, stock parks at the limit
        bench.send(Command(Code.MOVETO_X, {"target_usteps": limit - 3000}))
    bench.eventually(lambda: not bench.state()["axes"]["x"]["running"])
    assert bench.state()["axes"]["x"]["usteps"] >= limit


def test_a_move_into_a_wall_is_an_error_and_not_an_arrival(bench: Bench) -> None:
    beyond = xy_axis(5, 200)  # the simulated x has a switch at 125 mm
    stage = bench.stage(x=beyond)
    with pytest.raises(StageMoveError, match="x"):
        stage.move_to(x_um=180_000).result(TIMEOUT_S)
    assert stage.position().x_um < 126_000


def test_a_stalled_motor_is_an_error_and_the_stage_works_again(bench: Bench) -> None:
    stage = bench.stage()
    bench.controller.ask("stall x on")
    with pytest.raises(StageMoveError):
        stage.move_to(x_um=9000).result(TIMEOUT_S)
    bench.controller.ask("stall x off")
    assert stage.move_to(x_um=9000).result(TIMEOUT_S).x_um == pytest.approx(9000, abs=1)


def test_an_unhomed_stage_does_not_move(bench: Bench) -> None:
    stage = bench.stage(home=False)
    with pytest.raises(StageMoveError, match="not homed"):
        stage.move_to(x_um=20000)


def test_stop_ends_homing(bench: Bench) -> None:
    stage = bench.stage(home=False)
    homing = stage.home()
    bench.eventually(lambda: stage.position().z_um != 0 or homing.done())
    stage.stop()
    assert isinstance(homing.exception(TIMEOUT_S), StageMoveError)
    assert not any(axis["running"] for axis in bench.state()["axes"].values())
    assert not stage.is_homed


def test_the_way_is_cleared_before_homing(start: Start) -> None:
    bench = start("--speed", "50")
    bench.stage(clear_y_um=20000, clear_x_um=50000)
    assert bench.state()["axes"]["y"]["carriage_mm"] == pytest.approx(4, abs=0.01)


@pytest.mark.parametrize("version", ["0.0", "1.1", "1.4", "2.0"])
def test_a_stage_at_its_far_end_can_be_homed_again(start: Start, version: str) -> None:
    bench = start("--speed", "50", *(("--stock", version) if version != "2.0" else ()))
    stage = bench.stage(clear_y_um=20000, clear_x_um=50000)
    stage.move_to(x_um=110000, y_um=70000).result(TIMEOUT_S)
    home = stage.home().result(TIMEOUT_S)  # what clears the way would leave the limits
    assert (home.x_um, home.y_um) == pytest.approx((55000, 4000), abs=1)
    stage.move_to(y_um=30000).result(TIMEOUT_S)
    assert bench.state()["axes"]["y"]["carriage_mm"] == pytest.approx(30, abs=1e-3)


def test_home_is_kept_over_sessions_only_when_asked_for(start: Start) -> None:
    bench = start("--speed", "50")
    bench.stage().close()
    assert not bench.stage(home=False).is_homed
    kept = bench.stage(home=False, keep_home=True)
    assert kept.is_homed
    assert kept.move_to(x_um=7000).result(TIMEOUT_S).x_um == pytest.approx(7000, abs=1)


def test_z_always_ends_upwards_where_its_screw_has_play(bench: Bench) -> None:
    z = z_axis().model_copy(update={"backlash_um": 5.0})
    stage = bench.stage(z=z)
    lowest = []
    for z_um in (100, 90, 92, 51):  # 5 below 51 is outside the limits, which begin at 50
        seen: list[float] = []
        end = bench.link.on_frame(lambda frame, seen=seen: seen.append(stage.position_in(frame).z_um))
        stage.move_to(z_um=z_um).result(TIMEOUT_S)
        end()
        lowest.append(min(seen))
        assert seen[-1] == pytest.approx(z_um, abs=0.1)
    assert (lowest[1], lowest[3]) == pytest.approx((85, 50), abs=0.1)
    assert lowest[2] > 89.9  # upwards: straight there
    down = stage.travel_time_s(StagePosition(0, 0, 100), StagePosition(0, 0, 90))
    up = stage.travel_time_s(StagePosition(0, 0, 90), StagePosition(0, 0, 100))
    assert down > up
    assert stage.why_no_z_steps((90, 91, 91, 92)) is None
    assert "goes down" in str(stage.why_no_z_steps((90, 92, 91)))


def test_small_steps_of_z_are_the_piezos(bench: Bench) -> None:
    stage = bench.stage(piezo={"range_um": 300, "settle_ms": 1})
    stage.move_to(z_um=3000).result(TIMEOUT_S)
    motor = bench.state()["axes"]["z"]["usteps"]
    for z_um, fraction in ((3100, 0.5 + 100 / 300), (2900, 0.5 - 100 / 300), (3000, 0.5)):
        assert stage.move_to(z_um=z_um).result(TIMEOUT_S).z_um == pytest.approx(z_um, abs=0.1)
        assert bench.state()["dac"][7] == pytest.approx(65535 * fraction, abs=20)
        assert bench.state()["axes"]["z"]["usteps"] == motor
    assert stage.move_to(z_um=3500).result(TIMEOUT_S).z_um == pytest.approx(3500, abs=0.1)
    assert bench.state()["axes"]["z"]["usteps"] != motor
    assert bench.state()["dac"][7] == pytest.approx(65535 / 2, abs=1)


@pytest.mark.parametrize("version", ["0.0", "1.0", "1.1-early", "1.1", "1.4", None])
def test_every_source_switches_its_own_output_on_every_firmware(start: Start, version: str | None) -> None:
    bench = start(*(("--stock", version) if version else ()))
    light = bench.light()
    outputs = {"405": "D1", "488": "D2", "561": "D3", "638": "D4", "BF": "matrix"}
    for source, output in outputs.items():
        light.turn_on(source, 0.5).result(TIMEOUT_S)
        assert bench.lit() == {output}
        light.turn_off(source).result(TIMEOUT_S)
        assert bench.lit() == set()
    for source in outputs:
        light.turn_on(source, 0.5).result(TIMEOUT_S)
    assert bench.lit() == set(outputs.values())
    light.turn_off("488").result(TIMEOUT_S)
    assert "D2" not in bench.lit()
    light.all_off()
    assert bench.lit() == set()


def test_intensity_is_scaled_by_the_factor_and_the_calibration(bench: Bench) -> None:
    light = bench.light()
    light.turn_on("405", 1.0).result(TIMEOUT_S)
    assert bench.state()["dac"][0] == 39321
    light.turn_on("405", 0.5).result(TIMEOUT_S)
    assert bench.state()["dac"][0] == 19660
    assert PortSource(port="D1", calibration=((0.5, 0.8),)).level(0.25) == int(0.4 * 65535)
    assert [interpolate(((0.5, 0.8),), x) for x in (0.0, 0.5, 1.0)] == [0.0, 0.8, 1.0]


@pytest.mark.alone
def test_lights_go_off_during_a_move_without_waiting_for_it(bench: Bench) -> None:
    stage, light = bench.stage(), bench.light()
    light.turn_on("488", 1.0).result(TIMEOUT_S)
    move = stage.move_to(x_um=100_000)
    start_s = time.monotonic()
    light.all_off()
    assert time.monotonic() - start_s < 0.1
    assert bench.lit() == set()
    assert move.result(TIMEOUT_S).x_um == pytest.approx(100_000, abs=1)


def test_closing_the_link_leaves_everything_dark(bench: Bench) -> None:
    light = bench.light()
    laser = bench.opened(ControllerAutofocusLaser("laser", bench.link))
    light.turn_on("488", 1.0).result(TIMEOUT_S)
    laser.turn_on().result(TIMEOUT_S)
    assert bench.lit() == {"D2", "af_laser"}
    assert laser.is_on
    bench.link.close()
    assert bench.lit() == set()


def test_lights_left_on_by_another_program_are_off_after_opening(start: Start) -> None:
    for stock in ((), ("--stock", "1.4"), ("--stock", "0.0")):
        bench = start(*stock)
        light = bench.light()
        light.turn_on("488", 1.0).result(TIMEOUT_S)
        bench.link._stop()  # as if it had died
        assert bench.lit() == {"D2"}
        bench.link._is_open = False
        bench.link.open()
        assert bench.lit() == set()


def test_a_pulse_is_one_pulse(bench: Bench) -> None:
    line = bench.opened(ControllerCameraTrigger("line", CameraTriggerOptions(channel=2), bench.link))
    bench.controller.ask("edges clear")
    line.pulse()
    bench.eventually(lambda: len(_edges(bench, "trigger2")) == 2)
    assert _edges(bench, "trigger2") == [0, 1]  # active low


def test_a_level_pulse_is_as_long_as_the_exposure(bench: Bench) -> None:
    options = CameraTriggerOptions(shape="level", low_ms=30)
    line = bench.opened(ControllerCameraTrigger("line", options, bench.link))
    bench.controller.ask("edges clear")
    line.pulse()
    bench.eventually(lambda: len(_edges(bench, "trigger0")) == 2)
    down, up = (edge[0] for edge in bench.controller.ask("edges")["edges"] if edge[1] == "trigger0")
    assert (up - down) / 1000 == pytest.approx(30, abs=5)


def _edges(bench: Bench, name: str) -> list[int]:
    return [edge[2] for edge in bench.controller.ask("edges")["edges"] if edge[1] == name]


def test_a_filter_wheel_turns_to_the_places_of_the_existing_host(bench: Bench) -> None:
    names = tuple("12345678")
    wheel = bench.wheel(filters=names)
    assert wheel.current is None
    assert [wheel.usteps(name) for name in names] == [102, 1702, 3302, 4902, 6502, 8102, 9702, 11302]
    assert wheel.move_to("3").result(TIMEOUT_S) == "3"
    assert bench.state()["axes"]["w"]["usteps"] == 3302
    assert wheel.current == "3"


def test_two_wheels_have_motors_of_their_own(start: Start) -> None:
    bench = start("--speed", "20")
    first, second = bench.wheel(), bench.wheel(output="w2")
    moves = [first.move_to("green"), second.move_to("blue")]
    assert [move.result(TIMEOUT_S) for move in moves] == ["green", "blue"]
    assert bench.state()["axes"]["w2"]["usteps"] == second.usteps("blue")


def test_an_old_firmware_has_no_filter_wheels(start: Start) -> None:
    with pytest.raises(DeviceError, match=r"firmware 1\.1 cannot turn filter wheels \(allowed: 1\.2"):
        start("--stock", "1.1").wheel()


def test_wheel_and_stage_move_at_the_same_time(bench: Bench) -> None:
    stage, wheel = bench.stage(), bench.wheel()
    wheel.move_to("red").result(TIMEOUT_S)
    moves = [stage.move_to(x_um=30000), wheel.move_to("blue"), stage.move_to(y_um=20000)]
    assert [move.exception(TIMEOUT_S) for move in moves] == [None, None, None]
    assert bench.state()["axes"]["w"]["usteps"] == wheel.usteps("blue")


def test_the_joystick_button_is_heard_and_acknowledged(start: Start) -> None:
    bench = start()
    presses: list[int] = []
    bench.link.on_joystick_button(lambda: presses.append(1))
    bench.controller.ask("panel 010102040580017fff010100")
    bench.eventually(lambda: presses == [1])
    bench.eventually(lambda: not bench.link.frame.is_button_pressed)


def test_two_programs_cannot_have_one_controller(bench: Bench) -> None:
    other = type(bench.link)("other", bench.link._options)
    with pytest.raises(DeviceError, match="cannot be opened"):
        other.open()


def test_acceleration_saturates_as_the_motion_chip_does() -> None:
    fine = Axis(AxisCode.Z, z_axis().model_copy(update={"microsteps": 256}))
    assert fine.acceleration_um_s2 / 1000 == pytest.approx(24.6, abs=0.1)  # 100 were asked for
    assert Axis(AxisCode.Z, z_axis()).acceleration_um_s2 / 1000 == 100


def test_wrong_settings_are_refused_before_anything_is_sent(bench: Bench) -> None:
    stage, light = bench.stage(), bench.light()
    before = bench.state()["bytes_received"]
    with pytest.raises(SettingError):
        stage.move_to(x_um=1e9)
    with pytest.raises(SettingError):
        light.turn_on("488", 1.5)
    assert bench.state()["bytes_received"] == before
