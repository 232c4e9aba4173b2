"""What every illumination promises."""

import threading
from collections.abc import Iterator

import pytest
from tests.contracts.table import ILLUMINATIONS, TIMEOUT_S, opened, simulated

from squid.abc.illumination import Illumination
from squid.errors import SettingError
from squid.utils.epoch import Epoch


@pytest.fixture(params=ILLUMINATIONS, ids=str)
def light(request: pytest.FixtureRequest) -> Iterator[Illumination]:
    with opened(request.param) as device:
        yield device


def test_is_dark_when_opened(light: Illumination) -> None:
    assert light.lit == ()
    assert light.on_latency_ms >= 0


def test_sources_have_different_names_and_sensible_wavelengths(light: Illumination) -> None:
    names = [source.name for source in light.sources]
    assert names
    assert len(set(names)) == len(names)
    assert all(s.wavelength_nm is None or 200 < s.wavelength_nm < 2000 for s in light.sources)


def test_switches_every_source(light: Illumination) -> None:
    for source in light.sources:
        light.turn_on(source.name, 0.5).result(TIMEOUT_S)
        assert light.lit == (source.name,)
        light.turn_off(source.name).result(TIMEOUT_S)
        assert light.lit == ()
        light.turn_off(source.name).result(TIMEOUT_S)


@pytest.mark.parametrize("intensity", [-0.01, 1.01, float("nan")])
def test_refuses_a_wrong_intensity(light: Illumination, intensity: float) -> None:
    with pytest.raises(SettingError, match="0 to 1"):
        light.turn_on(light.sources[0].name, intensity)
    assert light.lit == ()


def test_refuses_an_unknown_source_and_names_the_known(light: Illumination) -> None:
    for call in (lambda: light.turn_on("moonlight", 0.5), lambda: light.turn_off("moonlight")):
        with pytest.raises(SettingError, match=light.sources[0].name):
            call()


def test_all_off_darkens_everything(light: Illumination) -> None:
    for source in light.sources:
        light.turn_on(source.name, 1.0)
    assert len(light.lit) == len(light.sources)
    light.all_off()
    assert light.lit == ()


def test_closing_darkens(light: Illumination) -> None:
    light.turn_on(light.sources[0].name, 1.0).result(TIMEOUT_S)
    light.close()
    light.all_off()
    light.open()
    assert light.lit == ()


def test_a_revoked_task_may_still_darken(light: Illumination) -> None:
    name = light.sources[0].name
    epoch = Epoch("slow task")
    for darken in (lambda: light.turn_off(name).result(TIMEOUT_S), light.all_off):
        light.turn_on(name, 1.0).result(TIMEOUT_S)
        epoch.revoke("time limit")
        with epoch.entered():
            darken()
        assert light.lit == ()


def test_all_off_does_not_wait_for_a_call_that_hangs() -> None:
    with opened(simulated("illumination", faults=("illumination.hang@switch=2",))) as light:
        light.turn_on("488", 1.0).result(TIMEOUT_S)
        hanging = threading.Thread(target=_hang, args=(light,), daemon=True)
        hanging.start()
        hanging.join(0.05)
        assert hanging.is_alive()
        dark = threading.Thread(target=light.all_off, daemon=True)
        dark.start()
        dark.join(TIMEOUT_S)
        assert not dark.is_alive()
        assert light.lit == ()
        assert hanging.is_alive()


def _hang(light: Illumination) -> None:
    with pytest.raises(Exception, match="closed"):
        light.turn_on("405", 1.0)


def test_counts_light_that_was_cut_off_in_the_middle_of_something(light: Illumination) -> None:
    before = light.interruptions
    light.all_off()
    assert light.interruptions == before
    light.turn_on(light.sources[0].name, 0.5).result(TIMEOUT_S)
    light.turn_off(light.sources[0].name).result(TIMEOUT_S)
    light.all_off()
    assert light.interruptions == before
    light.turn_on(light.sources[0].name, 0.5).result(TIMEOUT_S)
    light.all_off()
    assert light.interruptions > before
