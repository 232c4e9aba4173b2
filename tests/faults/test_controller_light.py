"""Fault cases 9, 26 and 27: the light lease, and the interlock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from tests.squid.drivers.controller.bench import TIMEOUT_S, Bench
from tests.squid.drivers.controller.conftest import program, start

from squid.drivers.controller.virtual import VirtualController
from squid.errors import DeviceError

__all__ = ["program", "start"]

Start = Callable[..., Bench]
SOFTWARE = Path(__file__).resolve().parents[2] / "software"


def beat_for(bench: Bench, seconds: float) -> None:
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        bench.link.lease.beat()
        time.sleep(0.02)


@pytest.mark.alone
def test_row_26_light_stays_while_the_application_beats_and_the_lease_is_armed_again(start: Start) -> None:
    bench = start()
    light = bench.light()
    for times in (1, 2):
        light.turn_on("488", 1.0).result(TIMEOUT_S)
        beat_for(bench, 0.5)
        assert bench.lit() == {"D2"}
        assert light.lit == ("488",)
        bench.eventually(lambda: not bench.lit(), 2.0)  # beats have ended
        bench.eventually(lambda: light.lit == ())
        assert light.state()["light_lease_expired"] == times
        assert bench.link.state()["light_lease_expired"] == times
    bench.link.lease.acknowledge()
    assert bench.link.state()["light_lease_expired"] == 0


@pytest.mark.alone
def test_the_default_lease_darkens_within_its_bound(start: Start) -> None:
    bench = start()
    light = bench.light()
    bench.link.lease.beat()
    light.turn_on("488", 1.0).result(TIMEOUT_S)
    beat_for(bench, 0.3)
    limit_s = 0.1 + 0.5 + 0.1  # the last beat's freshness, the lease, and the time to see it
    assert bench.eventually(lambda: not bench.lit(), 2.0) < limit_s


@pytest.mark.parametrize("version", ["1.1-early", "1.1", "1.2", "1.4"])
def test_row_26_a_stock_watchdog_is_armed_again(start: Start, version: str) -> None:
    bench = start("--stock", version, lease_ms=300, beat_fresh_ms=100)
    light = bench.light()

    def has_expired(times: int) -> bool:
        return light.state()["light_lease_expired"] == times

    for times in (1, 2):
        light.turn_on("488", 1.0).result(TIMEOUT_S)
        bench.eventually(lambda: not bench.lit(), 2.0)
        bench.eventually(lambda: light.lit == ())
        bench.eventually(partial(has_expired, times))
        assert bench.link.state()["light_lease_armed"] is False
        bench.link.lease.beat()
        bench.eventually(lambda: bench.link.state()["light_lease_armed"])


def test_a_port_that_early_1_1_switches_off_by_itself_is_known_to_be_dark(start: Start) -> None:
    bench = start("--stock", "1.1-early", lease_ms=300, beat_fresh_ms=100)
    light = bench.light()
    light.turn_on("488", 1.0).result(TIMEOUT_S)
    before = light.interruptions
    beat_for(bench, 0.6)  # there is no heartbeat that would keep it on
    assert not bench.lit()
    assert light.lit == ()
    assert light.interruptions > before
    light.turn_on("488", 1.0).result(TIMEOUT_S)
    lit = light.interruptions
    light.turn_off("488").result(TIMEOUT_S)
    beat_for(bench, 0.1)
    assert light.interruptions == lit  # switched off by us: no interruption


@pytest.mark.parametrize("version", ["0.0", "1.0"])
def test_firmware_without_a_lease_says_so(start: Start, version: str) -> None:
    bench = start("--stock", version)
    assert "none" in str(bench.link.state()["light_lease"])
    assert bench.link.state()["light_lease_armed"] is False


HOST = """
import sys, time
sys.path.insert(0, sys.argv[1])
from squid.drivers.controller.illumination import ControllerIllumination, IlluminationOptions
from squid.drivers.controller.link import ControllerLink
from squid.drivers.controller.link_options import LinkOptions
link = ControllerLink("controller", LinkOptions(port=sys.argv[2]))
link.open()
light = ControllerIllumination("light", IlluminationOptions(sources={"488": {"port": "D2"}}), link)
light.open()
light.turn_on("488", 1.0).result(5)
print("lit", flush=True)
while True:
    link.lease.beat()
    if light.lit == ():
        print("dark", light.state()["light_lease_expired"], flush=True)
        break
    time.sleep(0.02)
sys.stdin.read()
light.close()
link.close()
"""


@pytest.mark.alone
@pytest.mark.parametrize("blow", [signal.SIGSTOP, signal.SIGKILL])
def test_row_9_a_stopped_or_dead_program_leaves_no_light(program: Path, blow: signal.Signals) -> None:
    controller = VirtualController(program)
    host = subprocess.Popen(
        [sys.executable, "-c", HOST, str(SOFTWARE), controller.port],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert host.stdout is not None
        assert host.stdout.readline() == "lit\n"
        os.kill(host.pid, blow)
        struck_s = time.monotonic()
        while controller.ask("state")["outputs"]["D2"]:
            assert time.monotonic() - struck_s < 2.0
        assert time.monotonic() - struck_s < 0.75  # 0.5 s of lease, and a loaded machine
        if blow is signal.SIGSTOP:
            os.kill(host.pid, signal.SIGCONT)
            assert host.stdout.readline() == "dark 1\n"  # it knows, and does not light again by itself
            assert controller.ask("state")["outputs"]["D2"] is False
    finally:
        host.kill()
        host.communicate()
        controller.close()


def test_row_27_an_open_interlock_is_an_error_and_not_a_dark_image(start: Start) -> None:
    bench = start()
    light = bench.light()
    light.turn_on("488", 1.0).result(TIMEOUT_S)
    bench.controller.ask("interlock open")
    bench.eventually(lambda: light.lit == ())
    assert light.state()["interlock_openings"] == 1
    assert bench.link.state()["interlock_open"] is True
    with pytest.raises(DeviceError, match=r"488 was not switched on: .*interlock open"):
        light.turn_on("488", 1.0).result(TIMEOUT_S)
    assert light.lit == ()
    bench.controller.ask("interlock closed")
    bench.eventually(lambda: not bench.link.state()["interlock_open"])
    light.turn_on("488", 1.0).result(TIMEOUT_S)
    assert bench.lit() == {"D2"}
