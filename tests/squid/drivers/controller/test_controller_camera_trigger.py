"""Pulses and strobes as the outputs show them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.squid.drivers.controller.bench import TIMEOUT_S, Bench

from squid.drivers.controller.camera_trigger import ControllerStrobedTrigger, StrobedTriggerOptions
from squid.errors import DeviceError, SettingError

Start = Callable[..., Bench]


def strobed(bench: Bench, **options: object) -> ControllerStrobedTrigger:
    light = bench.light()
    given = StrobedTriggerOptions.model_validate(options)
    trigger: ControllerStrobedTrigger = bench.opened(ControllerStrobedTrigger("trigger", given, bench.link, light))
    assert trigger.strobes is light
    return trigger


def ms_of(bench: Bench, name: str, level: int) -> list[float]:
    return [edge[0] / 1000 for edge in bench.controller.ask("edges")["edges"] if edge[1:] == [name, level]]


@pytest.mark.alone
def test_a_strobe_lights_from_its_delay_on_for_its_time(bench: Bench) -> None:
    trigger = strobed(bench, strobe_delay_ms=20.0)
    for source, port in (("488", "D2"), ("561", "D3"), ("488", "D2")):
        bench.controller.ask("edges clear")
        trigger.strobe(source, 0.5, 60.0)
        bench.eventually(lambda port=port: ms_of(bench, port, 0))  # type: ignore[misc]
        (pulse,) = ms_of(bench, "trigger0", 0)
        (on,), (off,) = ms_of(bench, port, 1), ms_of(bench, port, 0)
        assert on - pulse == pytest.approx(20, abs=10)  # a busy machine; the firmware's own tests are exact
        assert off - on == pytest.approx(60, abs=10)
        assert off - pulse >= 80 - 0.1
    assert bench.lit() == set()


def test_a_pattern_of_the_matrix_is_strobed_too(bench: Bench) -> None:
    trigger = strobed(bench)
    trigger.strobe("BF", 1.0, 60.0)
    bench.eventually(lambda: ms_of(bench, "matrix", 0))
    assert len(ms_of(bench, "matrix", 1)) == 1


def test_all_off_ends_a_strobe(start: Start) -> None:
    bench = start()
    trigger = strobed(bench)
    trigger.strobe("488", 1.0, 5000.0)
    bench.eventually(lambda: bench.lit() == {"D2"})
    assert trigger.strobes is not None
    trigger.strobes.all_off()
    assert bench.lit() == set()


def test_the_interlock_refuses_a_strobe(start: Start) -> None:
    bench = start()
    trigger = strobed(bench)
    bench.controller.ask("interlock open")
    with pytest.raises(DeviceError, match="interlock open"):
        trigger.strobe("488", 1.0, 10.0)
    assert ms_of(bench, "trigger0", 0) == []


def test_bad_values_trigger_nothing(start: Start) -> None:
    bench = start()
    trigger = strobed(bench)
    for source, intensity, on_ms in (("moon", 0.5, 5.0), ("488", 1.5, 5.0), ("488", 0.5, 0.0)):
        with pytest.raises(SettingError):
            trigger.strobe(source, intensity, on_ms)
    assert ms_of(bench, "trigger0", 0) == []


def test_firmware_that_may_change_a_strobes_source_has_none(start: Start) -> None:
    bench = start("--stock", "1.2")
    light = bench.light()
    trigger = bench.opened(ControllerStrobedTrigger("trigger", StrobedTriggerOptions(), bench.link, light))
    assert trigger.strobes is None
    with pytest.raises(SettingError, match="no strobe"):
        trigger.strobe("488", 0.5, 5.0)
    light.turn_on("488", 0.5).result(TIMEOUT_S)
    assert bench.lit() == {"D2"}
