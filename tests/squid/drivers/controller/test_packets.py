"""Packets against the vectors of the protocol's section 14."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squid.drivers.controller.axis import driver_fields, ramp_fields
from squid.drivers.controller.packets import (
    StatusFrame,
    crc8,
    decode,
    decode_legacy,
    encode,
    encode_status,
    guard8,
)
from squid.drivers.controller.protocol_table import COMMANDS, AxisCode, Code, HomeType, LightSource, LimitCode, Page

X, Y, Z, W, W2 = AxisCode.X, AxisCode.Y, AxisCode.Z, AxisCode.W, AxisCode.W2
BACK, ZERO = HomeType.NEGATIVE, HomeType.ZERO

COMMAND_VECTORS = [
    ("01ff000000000070", Code.RESET, {}),
    ("01fe000000000059", Code.INITIALIZE, {}),
    ("01fc00000000000b", Code.INITFILTERWHEEL_W2, {}),
    ("0100000003e80089", Code.MOVE_X, {"delta_usteps": 1000}),
    ("0302ffffffff0020", Code.MOVE_Z, {"delta_usteps": -1}),
    ("040300000fa00051", Code.MOVE_THETA, {"delta_usteps": 4000}),
    ("0613fffff9c0007a", Code.MOVE_W2, {"delta_usteps": -1600}),
    ("0706000127470096", Code.MOVETO_X, {"target_usteps": 75591}),
    ("0908ffff060000ef", Code.MOVETO_Z, {"target_usteps": -64000}),
    ("0a12000000660014", Code.MOVETO_W, {"target_usteps": 102}),
    ("0c05000100000004", Code.HOME_OR_ZERO, {"axis": X, "kind": BACK}),
    ("0d050101000000b9", Code.HOME_OR_ZERO, {"axis": Y, "kind": BACK}),
    ("0f05040101000086", Code.HOME_OR_ZERO, {"axis": AxisCode.XY, "kind": BACK, "kind_y": BACK}),
    ("10050501000000a5", Code.HOME_OR_ZERO, {"axis": W, "kind": BACK}),
    ("12050002000000cb", Code.HOME_OR_ZERO, {"axis": X, "kind": ZERO}),
    ("130506020000005f", Code.HOME_OR_ZERO, {"axis": W2, "kind": ZERO}),
    ("150900000453497f", Code.SET_LIM, {"limit": LimitCode.X_POSITIVE, "position_usteps": 283465}),
    ("160905fffdb8ab07", Code.SET_LIM, {"limit": LimitCode.Z_NEGATIVE, "position_usteps": -149333}),
    ("181c0200640000e6", Code.SET_HOME_SAFETY_MARGIN, {"axis": Z, "margin_um": 100}),
    ("191500ff03e83fcf", Code.CONFIGURE_STEPPER_DRIVER, driver_fields(X, 256, 1000, 0.25)),
    ("1b15020001f47fd9", Code.CONFIGURE_STEPPER_DRIVER, driver_fields(Z, 1, 500, 0.5)),
    ("1c150540076c7f4c", Code.CONFIGURE_STEPPER_DRIVER, driver_fields(W, 64, 1900, 0.5)),
    ("1e1605013f0bb876", Code.SET_MAX_VELOCITY_ACCELERATION, ramp_fields(W, 3.19, 300)),
    ("1f170009ec0000f9", Code.SET_LEAD_SCREW_PITCH, {"axis": X, "pitch_um": 2540}),
    ("2118000016e3602b", Code.SET_OFFSET_VELOCITY, {"axis": X, "velocity_nm_s": 1_500_000}),
    ("221801fffc2f70d6", Code.SET_OFFSET_VELOCITY, {"axis": Y, "velocity_nm_s": -250_000}),
    ("241905010fa00088", Code.CONFIGURE_STAGE_PID, {"axis": W, "invert": 1, "transitions": 4000}),
    ("251a050000000065", Code.ENABLE_STAGE_PID, {"axis": W}),
    ("272002000000004d", Code.SET_AXIS_DISABLE_ENABLE, {"axis": Z, "enabled": 0}),
    ("280c0b7fff0000d4", Code.SET_ILLUMINATION, {"source": LightSource.D1, "intensity": 0x7FFF}),
    ("2a0a0000000000ef", Code.TURN_ON_ILLUMINATION, {}),
    ("2b0b000000000019", Code.TURN_OFF_ILLUMINATION, {}),
    ("2d0d037fff3f0074", Code.SET_ILLUMINATION_LED_MATRIX, {"source": 3, "red": 255, "green": 127, "blue": 63}),
    ("2e113c00000000f0", Code.SET_ILLUMINATION_INTENSITY_FACTOR, {"percent": 60}),
    ("30100080000000dd", Code.SET_DAC80508_REFDIV_GAIN, {"refdiv": 0, "gains": 0x80}),
    ("310f078000000025", Code.ANALOG_WRITE_ONBOARD_DAC, {"channel": 7, "value": 32768}),
    ("33290f010000006f", Code.SET_PIN_LEVEL, {"pin": 15, "level": 1}),
    ("34290f000000006a", Code.SET_PIN_LEVEL, {"pin": 15, "level": 0}),
    ("361e000000000099", Code.SEND_HARDWARE_TRIGGER, {}),
    ("371e800000303987", Code.SEND_HARDWARE_TRIGGER, {"control": 0x80, "on_time_us": 12345}),
    ("391f0000003a98f3", Code.SET_STROBE_DELAY, {"channel": 0, "delay_us": 15000}),
    ("3a21010000000051", Code.SET_TRIGGER_MODE, {"mode": 1}),
    ("3c23040000000022", Code.TURN_ON_PORT, {"port": 4}),
    ("3d24040000000022", Code.TURN_OFF_PORT, {"port": 4}),
    ("3f26001f001500e5", Code.SET_MULTI_PORT_MASK, {"select": 0x1F, "on": 0x15}),
    ("40270000000000a1", Code.TURN_OFF_ALL_PORTS, {}),
    ("4228000000000088", Code.SET_WATCHDOG_TIMEOUT, {"timeout_ms": 0}),
    ("432a000000000005", Code.HEARTBEAT, {}),
    ("002a000000000026", Code.HEARTBEAT, {}),
]
"""Section 14.1, each call of the existing host as our code and fields."""


@pytest.mark.parametrize(("vector", "code", "fields"), COMMAND_VECTORS, ids=[v for v, _, _ in COMMAND_VECTORS])
def test_commands_are_those_of_the_existing_host(vector: str, code: Code, fields: dict[str, int]) -> None:
    assert encode(bytes.fromhex(vector)[0], code, **fields).hex() == vector


FRAME_VECTORS = [
    ("00000000000000000000000000000000000000000000146c", (0, 0, 0, 0, 0), (1, 4)),
    ("4a00000127470000000000000000000000000000000014a6", (74, 0, 75591, 0, 0), (1, 4)),
    ("4b0000012747ffff8ad00000000000000000000000001494", (75, 0, 75591, -30000, 0), (1, 4)),
    ("4d0200012747ffff8ad0ffff060000000000000000001478", (77, 2, 75591, -30000, -64000), (1, 4)),
    ("4e0400012747ffff8ad0ffff06000000000000000000145f", (78, 4, 75591, -30000, -64000), (1, 4)),
    ("500000012747ffff8ad0ffff0600000000000000000014fd", (80, 0, 75591, -30000, -64000), (1, 4)),
    ("ff0000012747ffff8ad0ffff06000000000000000000145e", (255, 0, 75591, -30000, -64000), (1, 4)),
    ("000000012747ffff8ad0ffff0600000000000000000014d6", (0, 0, 75591, -30000, -64000), (1, 4)),
    ("0100000000000000000000000000000000000000000014d5", (1, 0, 0, 0, 0), (1, 4)),
    ("0304000000000000e75200000000000000000000000014f5", (3, 4, 0, 59218, 0), (1, 4)),
    ("020000030d40fff7e10f000000000000000000000000148b", (2, 0, 200000, -532209, 0), (1, 4)),
    ("0601000000000000000000000000000000000100000013d6", (6, 1, 0, 0, 0), (1, 3)),
    ("0702ffffffff7fffffff8000000000000000030000001329", (7, 2, -1, 2**31 - 1, -(2**31)), (1, 3)),
    ("090000000001000000020000000300000004000000000091", (9, 0, 1, 2, 3), (0, 0)),
]
"""Section 14.2: id, status, x, y, z; firmware version."""


@pytest.mark.parametrize(("vector", "expected", "version"), FRAME_VECTORS, ids=[v for v, _, _ in FRAME_VECTORS])
def test_frames_are_read_as_the_section_says(
    vector: str, expected: tuple[int, int, int, int, int], version: tuple[int, int]
) -> None:
    frame = decode(bytes.fromhex(vector))
    assert frame is not None
    assert (frame.command_id, frame.status, *frame.usteps) == expected
    assert frame.version == version
    assert encode_status(frame).hex() == vector


def test_joystick_button_and_page_are_told_apart() -> None:
    pressed = decode(bytes.fromhex("0601000000000000000000000000000000000100000013d6"))
    assert pressed is not None
    assert pressed.is_button_pressed
    assert pressed.page is Page.NONE


def test_a_frame_without_checksum_is_none_unless_asked_for() -> None:
    data = bytes.fromhex("090000000001000000020000000300000004000000000000")
    assert decode(data) is None
    frame = decode_legacy(data)
    assert frame is not None
    assert frame.usteps == (1, 2, 3)


def test_crc_has_the_check_values_of_the_section() -> None:
    assert (crc8(b"123456789"), crc8(b"\x01"), crc8(b"")) == (0xF4, 0x07, 0x00)


def test_corrupt_and_unknown_packets_of_the_section() -> None:
    assert crc8(bytes.fromhex("0a2a0000000000")) == 0x75
    assert crc8(bytes.fromhex("08c80102030000")) == 0xCC


def test_a_guarded_move_bears_both_checks() -> None:
    packet = encode(7, Code.GUARDED_MOVETO_X, target_usteps=-5)
    assert packet[6] == guard8(packet[:6])
    assert packet[7] == crc8(packet[:7])


@pytest.mark.parametrize(
    ("fields", "message"),
    [({"target_usteps": 2**31}, "target_usteps 2147483648"), ({"speed": 1}, "no field speed")],
)
def test_what_does_not_fit_is_refused(fields: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        encode(1, Code.MOVETO_X, **fields)


@given(st.sampled_from(sorted(COMMANDS)), st.integers(0, 255), st.data())
def test_every_field_comes_back_from_its_bytes(code: Code, command_id: int, data: st.DataObject) -> None:
    sizes = {"u8": (1, 0, 0xFF), "u16": (2, 0, 0xFFFF), "u32": (4, 0, 2**32 - 1), "i32": (4, -(2**31), 2**31 - 1)}
    wanted = {
        field.name: data.draw(st.integers(*sizes[field.type][1:]), label=field.name)
        for field in COMMANDS[code].fields
        if field.name != "guard"
    }
    packet = encode(command_id, code, **wanted)
    assert (len(packet), packet[0], packet[1]) == (8, command_id, code)
    for name, at, kind in COMMANDS[code].fields:
        if name in wanted:
            size = sizes[kind][0]
            assert int.from_bytes(packet[at : at + size], "big", signed=kind == "i32") == wanted[name]


def frames(version: tuple[int, int]) -> st.SearchStrategy[StatusFrame]:
    i32 = st.integers(-(2**31), 2**31 - 1)
    u8 = st.integers(0, 255)
    ours = version >= (2, 0)
    return st.builds(
        StatusFrame,
        command_id=u8,
        status=st.sampled_from([0, 1, 2, 4]),
        x_usteps=i32,
        y_usteps=i32,
        z_usteps=i32,
        page_data=st.integers(0, 2**32 - 1) if ours else st.just(0),
        inputs=st.integers(0, 0x7F) if ours else st.integers(0, 3),
        reset_count=u8 if ours else st.just(0),
        flags=st.integers(0, 0x7F) if ours else st.just(0),
        version=st.just(version),
    )


@given(frames((2, 0)))
def test_a_frame_comes_back_from_its_bytes(frame: StatusFrame) -> None:
    assert decode(encode_status(frame)) == frame


@given(frames((2, 0)), st.integers(0, 23), st.integers(1, 255))
def test_no_damaged_byte_is_accepted(frame: StatusFrame, at: int, change: int) -> None:
    data = bytearray(encode_status(frame))
    data[at] ^= change
    assert decode(bytes(data)) is None


@given(frames((2, 0)), st.lists(st.tuples(st.integers(0, 23), st.integers(1, 255)), min_size=2, max_size=6))
def test_several_damaged_bytes_pass_only_as_rarely_as_two_checksums_say(
    frame: StatusFrame, damage: list[tuple[int, int]]
) -> None:
    data = bytearray(encode_status(frame))
    for at, change in damage:
        data[at] ^= change
    found = decode(bytes(data))
    one_checksum_fits = crc8(bytes(data[:23])) == data[23]
    assert found is None or bytes(data) == encode_status(frame) or one_checksum_fits
