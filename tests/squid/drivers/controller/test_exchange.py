"""The rules of section 13.1 on one command, with time and frames in hand."""

from __future__ import annotations

import dataclasses

import pytest

from squid.drivers.controller.exchange import MAX_REPETITIONS, Exchange
from squid.drivers.controller.packets import StatusFrame, crc8
from squid.drivers.controller.protocol_table import Code, Page, Reason
from squid.drivers.controller.requests import Command, CommandDamagedError, CommandRefusedError
from squid.errors import DeviceTimeoutError

MOVE = Command(Code.MOVETO_X, {"target_usteps": 1000})
PULSE = Command(Code.SEND_HARDWARE_TRIGGER, {})
IDLE = StatusFrame(41, 0, 0, 0, 0, 0, 0, 0, 0, (1, 4))


def showing(command_id: int, status: int, like: StatusFrame = IDLE) -> StatusFrame:
    return dataclasses.replace(like, command_id=command_id, status=status)


@pytest.fixture
def exchange() -> Exchange:
    made = Exchange("controller")
    made.synchronise(IDLE)
    return made


def test_ids_go_on_from_the_controllers_own(exchange: Exchange) -> None:
    packet = exchange.start(MOVE, 0.0)
    assert packet[0] == 42
    assert packet[7] == crc8(packet[:7])
    assert exchange.on_frame(IDLE, 0.01) is None  # a frame from before is no answer
    assert exchange.on_frame(showing(42, 1), 0.02) == showing(42, 1)
    assert exchange.is_idle


def test_ids_wrap_and_a_reset_is_answered_with_id_0(exchange: Exchange) -> None:
    exchange.synchronise(showing(255, 0))
    assert exchange.start(Command(Code.RESET), 0.0)[0] == 0
    assert exchange.on_frame(showing(0, 0), 0.01) is not None
    assert exchange.start(MOVE, 0.02)[0] == 1


def test_a_damaged_command_is_sent_again_once_for_all_frames_in_flight(exchange: Exchange) -> None:
    packet = exchange.start(MOVE, 0.0)
    assert exchange.on_frame(showing(42, 2), 0.01) == packet
    assert [exchange.on_frame(showing(42, 2), 0.01 + n / 1000) for n in range(1, 20)] == [None] * 19
    assert exchange.on_frame(showing(42, 2), 0.05) == packet
    assert exchange.on_frame(showing(42, 1), 0.06) is not None
    assert exchange.repetitions == 2


def test_an_old_damage_report_is_not_about_the_next_command(exchange: Exchange) -> None:
    exchange.on_frame(showing(9, 2), 0.0)
    exchange.start(PULSE, 0.001)
    assert exchange.on_frame(showing(9, 2), 0.002) is None


def test_a_pulse_is_never_sent_twice(exchange: Exchange) -> None:
    exchange.start(PULSE, 0.0)
    with pytest.raises(CommandDamagedError, match="not carried out"):
        exchange.on_frame(showing(42, 2), 0.01)
    exchange.start(PULSE, 1.0)
    assert exchange.on_time(1.3) is None
    with pytest.raises(DeviceTimeoutError, match="sent 1 times"):
        exchange.on_time(1.6)
    assert exchange.is_idle


def test_a_lost_command_is_repeated_and_given_up(exchange: Exchange) -> None:
    packet = exchange.start(MOVE, 0.0)
    patience_s = exchange.capabilities.ack_timeout_s + 0.001
    for number in range(1, MAX_REPETITIONS + 1):
        assert exchange.on_time(number * patience_s - 0.01) is None
        assert exchange.on_time(number * patience_s) == packet
    with pytest.raises(DeviceTimeoutError, match="not acknowledged"):
        exchange.on_time((MAX_REPETITIONS + 1) * patience_s)
    assert MAX_REPETITIONS * patience_s < 2.5


def test_refusals_name_the_reason_when_the_firmware_tells(exchange: Exchange) -> None:
    exchange.start(MOVE, 0.0)
    with pytest.raises(CommandRefusedError, match="does not say why"):
        exchange.on_frame(showing(42, 4), 0.01)
    ours = dataclasses.replace(IDLE, version=(2, 0))
    exchange.synchronise(ours)
    exchange.start(MOVE, 0.1)
    assert exchange.on_frame(showing(42, 4, ours), 0.11) is None  # the page with the reason comes next
    page = dataclasses.replace(ours, inputs=Page.FAULT << 4, page_data=Reason.OUTSIDE_LIMITS << 24)
    with pytest.raises(CommandRefusedError, match="MOVETO_X was refused: outside limits") as refusal:
        exchange.on_frame(showing(42, 4, page), 0.12)
    assert refusal.value.reason is Reason.OUTSIDE_LIMITS


def test_what_the_guard_finds_damaged_is_sent_again(exchange: Exchange) -> None:
    """Two wrong bytes that the checksum let pass: nothing moved, and nobody refused the move as it was meant."""
    ours = dataclasses.replace(IDLE, version=(2, 0))
    page = dataclasses.replace(ours, inputs=Page.FAULT << 4, page_data=Reason.GUARD_MISMATCH << 24)
    exchange.synchronise(ours)
    move = Command(Code.GUARDED_MOVETO_X, {"target_usteps": 1000})
    packet = exchange.start(move, 0.0)
    assert exchange.on_frame(showing(42, 4, ours), 0.01) is None
    assert exchange.on_frame(showing(42, 4, page), 0.012) == packet
    assert exchange.on_frame(showing(42, 4, ours), 0.02) is None  # of the packet before
    assert exchange.on_time(0.03) is None
    assert exchange.on_frame(showing(42, 1, ours), 0.031) is not None
    assert exchange.repetitions == 1
    assert exchange.start(move, 1.0)
    for number in range(MAX_REPETITIONS):
        assert exchange.on_frame(showing(43, 4, page), 1.1 + number / 10) is not None
    with pytest.raises(CommandDamagedError):
        exchange.on_frame(showing(43, 4, page), 9.0)


def test_a_lingering_error_does_not_fail_a_heartbeat(exchange: Exchange) -> None:
    exchange.start(Command(Code.HEARTBEAT), 0.0)
    assert exchange.on_frame(showing(42, 4), 0.01) is not None
