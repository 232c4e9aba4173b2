"""Every vector of the protocol's section 14 on a real pseudo-terminal, against stock behaviour and against ours."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from virtual_controller import Frame, crc8, packet

VECTORS = Path(__file__).parent / "vectors"


def read_vectors(name: str) -> list[str]:
    lines = (VECTORS / name).read_text("utf-8").splitlines()
    return [vector for line in lines if not line.startswith("#") for vector in line.split()]


COMMANDS = read_vectors("commands.txt")
START_UP = read_vectors("start_up.txt")

NOT_EXECUTED_BY_US = {
    "040300000fa00051": "there is no theta motor",
    "0a12000000660014": "wheel W was not initialised",
    "10050501000000a5": "wheel W was not initialised",
    "1c150540076c7f4c": "wheel W was not initialised",
}
TOO_SOON = {"371e800000303987"}  # refused when the trigger sent before it is still low, less than 1 ms ago

# Section 14.2: frames of unmodified firmware at rest, and what had been sent.
STOCK_FRAMES = [
    ("", "00000000000000000000000000000000000000000000146c"),
    ("4a06 00012747", "4a00000127470000000000000000000000000000000014a6"),
    ("4b07 ffff8ad0", "4b0000012747ffff8ad00000000000000000000000001494"),
    ("4c08 ffff0600", None),
    ("4d2a 00000000 00 !", "4d0200012747ffff8ad0ffff060000000000000000001478"),
    ("4e12 00000066", "4e0400012747ffff8ad0ffff06000000000000000000145f"),
    ("5027", "500000012747ffff8ad0ffff0600000000000000000014fd"),
    ("ff2a", "ff0000012747ffff8ad0ffff06000000000000000000145e"),
    ("01ff", "000000012747ffff8ad0ffff0600000000000000000014d6"),
    ("01fe", "0100000000000000000000000000000000000000000014d5"),
]


@pytest.mark.parametrize("vector", sorted({*COMMANDS, *START_UP}))
def test_our_encoder_agrees_with_the_captured_packet(vector):
    assert packet(vector[:14]).hex() == vector


def statuses(controller, vectors):
    """Send packets of an existing host one after the other; return the vector's final status for each."""
    ends = {}
    for vector in vectors:
        wanted = 0 if vector[2:4] == "ff" else int(vector[:2], 16)  # RESET makes the id 0
        controller.serial.write(bytes.fromhex(vector))
        ends[vector] = controller.frame_until(lambda f, wanted=wanted: f.id == wanted and f.status in (0, 4)).status
    return ends


def test_commands_of_existing_hosts_are_executed_or_refused_for_a_reason(start):
    ends = statuses(start("--speed", "50"), COMMANDS)

    refused = {vector for vector, status in ends.items() if status == 4}
    assert refused - TOO_SOON == set(NOT_EXECUTED_BY_US)


def test_existing_host_starts_a_squid_with_our_firmware(start):
    controller = start("--speed", "50")
    ends = statuses(controller, START_UP)

    assert set(ends.values()) == {0}
    frame = controller.frame()
    assert (frame.x, frame.y, frame.z) == (0x1EC20, 0, 0)


def test_stock_frames_are_byte_for_byte_those_of_the_stock_firmware(start):
    controller = start("--stock", "--speed", "20")
    for sent, wanted in STOCK_FRAMES:
        if sent:
            good = packet(sent.replace(" ", "").rstrip("!"))
            controller.serial.write(good[:7] + b"\0" if sent.endswith("!") else good)
        wanted_id = int(wanted[:2], 16) if wanted else int(sent[:2], 16)
        frame = controller.frame_until(lambda f, i=wanted_id: f.id == i and f.status != 1)
        if wanted:
            assert frame.raw.hex() == wanted


def test_our_frames_differ_only_in_version_and_documented_bytes(start):
    controller = start("--speed", "20")
    for sent, wanted in STOCK_FRAMES:
        if sent:
            good = packet(sent.replace(" ", "").rstrip("!"))
            controller.serial.write(good[:7] + b"\0" if sent.endswith("!") else good)
        wanted_id = int(wanted[:2], 16) if wanted else int(sent[:2], 16)
        frame = controller.frame_until(lambda f, i=wanted_id: f.id == i and f.status != 1)
        if wanted:
            assert frame.raw[:19] == bytes.fromhex(wanted)[:19]
            assert (frame.version, frame.reset_count, frame.flags) == (0x20, 1, 0)
            assert frame.raw[21] == crc8(frame.raw[:21] + frame.raw[22:23], 0xD5, 0xFF)


@pytest.fixture(params=[(), ("--stock",)], ids=["ours", "stock"])
def either(start, request):
    return start("--speed", "20", *request.param)


def test_bad_crc_gives_status_2_with_its_id_and_no_execution(either):
    either.serial.write(bytes.fromhex("0a23000000000000"))
    frame = either.frame_until(lambda f: f.id == 0x0A)
    assert frame.status == 2
    assert either.lights() == []
    either.stays(2, 0.05)
    either.do("2a")


def test_unknown_command_completes_on_stock_and_is_refused_by_ours(either):
    either.serial.write(bytes.fromhex("08c80102030000cc"))
    frame = either.frame_until(lambda f: f.id == 8)
    assert frame.status == (0 if frame.version == 0x14 else 4)


def test_heartbeat_keeps_an_error_and_39_clears_it(either):
    either.do("12 00000066", status=4)
    either.do("2a", status=4)
    either.do("27")


def is_stock(controller) -> bool:
    return bool(controller.frame().version == 0x14)


def test_home_theta(either):
    if not is_stock(either):
        either.do("05 03 01", status=4)
        return
    either.do("05 03 01", status=1)
    either.stays(1, 0.1)
    either.do("06 00000064")


def test_z_target_beyond_its_limit(either):
    either.do("09 04 00002710")
    either.do("09 05 fffe7960")
    if not is_stock(either):
        assert either.do("08 0000c350", status=4).z == 0
        either.do("08 00002328")
        return
    either.do("08 0000c350", status=1)
    either.frame_until(lambda f: f.z == 10000)
    either.stays(1, 0.1)
    either.do("0a", status=1)
    either.do("08 00002328")


def test_x_target_beyond_its_limit(either):
    either.do("09 00 00002710")
    if is_stock(either):
        either.do("06 0000c350", status=1)
        either.frame_until(lambda f: f.x == 10000)
        either.stays(1, 0.1)
    else:
        assert either.do("06 0000c350", status=4).x == 0
    assert either.do("00 0000c350").x == 10000


def test_limits_and_homing(either):
    either.do("09 01 0000c350")
    either.do("05 00 01")
    either.do("06 fffffe0c", status=4)
    frame = either.do("06 00007530", status=0 if is_stock(either) else 4)
    assert frame.x == (30000 if frame.version == 0x14 else 0)


def test_two_legacy_sources(either):
    for command in ("0c 0b ffff", "0a", "0c 0c ffff", "0b"):
        either.do(command)
    assert either.lights() == (["D1"] if is_stock(either) else [])
    either.do("27")
    assert either.lights() == []


def test_watchdog_is_one_shot_on_stock_and_rearms_with_ours(either):
    either.do("28 000000c8")  # 200 ms
    for is_second in (False, True):
        either.do("23 00")
        either.do("29 0f 01")
        assert either.lights() == ["D1", "af_laser"]
        fed_us = either.ask("state")["now_us"]
        if is_stock(either) and is_second:
            time.sleep(0.3)
            assert "D1" in either.lights()
            return
        either.frame_until(lambda f: either.lights() != ["D1", "af_laser"], timeout_s=2)
        off = next(t for t, name, level in either.ask("edges clear")["edges"] if name == "D1" and not level)
        assert 0.15e6 < off - fed_us < 0.4e6
        assert either.lights() == (["af_laser"] if is_stock(either) else [])
        if not is_stock(either):
            assert either.frame_until(lambda f: f.flags & 1).flags & 8
            either.do("41 01")


def test_trigger_without_strobe_during_a_strobe(either):
    stock = is_stock(either)
    either.do("0c 0b ffff")
    either.do("1e 80 000186a0")
    either.frame_until(lambda f: either.lights() == ["D1"], timeout_s=0.09)
    either.do("1e 00", status=0 if stock else 4)
    time.sleep(0.15)
    assert either.lights() == (["D1"] if stock else [])


def test_intensity_factor(either):
    either.do("11 3c")
    either.do("0c 0b 7fff")
    assert either.ask("state")["dac"][0] == 19660
    either.do("11 50")
    either.do("22 01 ffff")
    assert either.ask("state")["dac"][:2] == [19660, 52428]


def test_led_pattern_3(either):
    either.do("0d 03 ff 80 40")
    either.do("0a")
    matrix = either.ask("state")["matrix"]
    assert matrix["left_rgb"] == [0, 0, 25]
    assert matrix["right_rgb"] == ([0, 100, 0] if is_stock(either) else [50, 0, 0])


def test_set_lim_moves_z_on_stock_only(either):
    either.do("09 04 fffffbd5")
    time.sleep(0.1)
    assert either.frame_until(lambda f: True).z in (-1067, 0)
    either.serial.reset_input_buffer()
    assert either.frame_until(lambda f: f.raw[2:10] == bytes(8)).z == (-1067 if is_stock(either) else 0)


def test_resent_relative_move(either):
    move = packet("3000 000003e8")
    either.serial.write(move)
    either.frame_until(lambda f: f.id == 0x30 and f.status == 0)
    either.serial.write(move)
    time.sleep(0.15)
    either.serial.reset_input_buffer()
    frame = either.frame_until(lambda f: f.status == 0 and f.x % 1000 == 0)
    assert frame.x == (2000 if frame.version == 0x14 else 1000)


def test_reset_stops_motors_with_ours_only(either):
    either.do("01 000f4240", status=1)
    either.serial.write(packet("55ff"))
    either.frame_until(lambda f: f.id == 0 and f.status == 0)
    time.sleep(0.3)
    assert (
        either.ask("state")["axes"]["y"]["usteps"] == 1_000_000
        if is_stock(either)
        else (either.ask("state")["axes"]["y"]["usteps"] < 500_000)
    )


def test_end_of_one_axis_does_not_complete_another_with_ours(either):
    """Section 14.2: X at its target with status 0 while HOME_Y still runs."""
    either.do("05 01 01", status=1)
    frame = either.do("06 000003e8", status=0)
    homing_is_over = frame.y == 0 and not either.ask("state")["axes"]["y"]["running"]
    assert homing_is_over != is_stock(either)


def test_junk_before_a_frame_does_not_shift_a_strict_reader(start):
    """Section 14.2, last vector: what a host must make of it."""
    stream = bytes.fromhex("deadbeef550301ffffd74b0000000000000000000000000000000014c8")
    frames = [Frame(stream[i : i + 24]) for i in range(6) if crc8(stream[i : i + 23]) == stream[i + 23]]
    assert [(f.id, f.x) for f in frames] == [(3, -10421)]


@pytest.mark.parametrize(
    ("version", "byte", "status"), [("0.0", 0x00, 0), ("1.0", 0x10, 0), ("1.2", 0x12, 4), ("1.3", 0x13, 4)]
)
def test_older_stock_generations(start, version, byte, status):
    controller = start("--stock", version)
    frame = controller.do("12 00000066", status=status)
    assert frame.version == byte


def test_early_1_1_switches_ports_off_by_itself_and_shows_them(start):
    controller = start("--stock", "1.1-early")
    controller.do("28 00000064")
    controller.do("23 01")
    assert controller.frame_until(lambda f: f.raw[19] == 2).version == 0x11
    controller.frame_until(lambda f: f.raw[19] == 0, timeout_s=1)
    assert controller.lights() == []
