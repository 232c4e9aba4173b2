// Packets, CRC, status frames, duplicates: spec 2, 3.4, 13.1.
#include "check.h"
#include "rig.h"

using namespace squid;

TEST("the CRC is CRC-8/SMBUS") {
  const std::uint8_t digits[] = {'1', '2', '3', '4', '5', '6', '7', '8', '9'};
  CHECK_EQUAL(crc8(digits, 9), 0xF4);
  const std::uint8_t one = 1;
  CHECK_EQUAL(crc8(&one, 1), 0x07);
  CHECK_EQUAL(crc8(nullptr, 0), 0x00);
}

TEST("a frame comes every 10 ms when nothing happens") {
  Rig rig;
  rig.run_ms(1);
  const std::size_t before = rig.board.frames.size();
  rig.run_ms(1000);
  const std::size_t count = rig.board.frames.size() - before;
  CHECK(count >= 98 && count <= 101);
}

TEST("a command is answered at once, with its id") {
  Rig rig;
  rig.run_ms(3);
  const std::size_t before = rig.board.frames.size();
  rig.put(Rig::packet(0x42, Code::Heartbeat, {}));
  rig.turn();
  CHECK_EQUAL(rig.board.frames.size(), before + 1);
  CHECK_EQUAL(rig.frame()[0], 0x42);
}

TEST("an old host sees zeros in bytes 14 to 18") {
  Rig rig;
  rig.send32(Code::MovetoX, 5000);
  rig.run_ms(50);
  for (const FrameBytes& frame : rig.board.frames) {
    CHECK(frame[14] == 0 && frame[15] == 0 && frame[16] == 0 && frame[17] == 0 && frame[18] == 0);
  }
}

TEST("a frame carries version, reset count and both checks") {
  Rig rig;
  rig.run_ms(1);
  CHECK_EQUAL(rig.frame()[status_at::kVersion], 0x20);
  CHECK_EQUAL(rig.frame()[status_at::kResetCount], 7);
  CHECK_EQUAL(rig.frame()[status_at::kCrc], crc8(rig.frame().data(), 23));
  CHECK_EQUAL(rig.frame()[status_at::kGuard], frame_guard(rig.frame()));
}

TEST("a corrupt packet is not executed, and status 2 holds until a good one comes") {
  Rig rig;
  Packet bad = Rig::packet(10, Code::TurnOnPort, {0});
  bad.bytes[7] ^= 1;
  rig.put(bad);
  rig.run_ms(50);
  CHECK_EQUAL(rig.status(), ExecutionStatus::ChecksumError);
  CHECK_EQUAL(rig.frame()[0], 10);
  CHECK(!rig.board.output(Output::D1));
  CHECK_EQUAL(rig.send(Code::Heartbeat), ExecutionStatus::Completed);
}

TEST("what waits behind a corrupt packet is thrown away with it") {
  Rig rig;
  Packet bad = Rig::packet(1, Code::Heartbeat, {});
  bad.bytes[7] ^= 0x55;
  const Packet good = Rig::packet(2, Code::TurnOnPort, {0});
  std::vector<std::uint8_t> both(bad.bytes.begin(), bad.bytes.end());
  both.insert(both.end(), good.bytes.begin(), good.bytes.end());
  rig.controller.receive(both.data(), both.size());
  rig.turn();
  CHECK_EQUAL(rig.frame()[0], 1);
  CHECK(!rig.board.output(Output::D1));
}

TEST("packets sent back to back are all executed") {
  Rig rig;
  std::vector<std::uint8_t> bytes;
  for (std::uint8_t port = 0; port < kPorts; ++port) {
    const Packet p = Rig::packet(port, Code::TurnOnPort, {port});
    bytes.insert(bytes.end(), p.bytes.begin(), p.bytes.end());
  }
  rig.controller.receive(bytes.data(), bytes.size());
  for (std::size_t port = 0; port < kPorts; ++port) {
    CHECK(rig.board.output(port_output(port)));
  }
}

TEST("a host that died mid-packet does not cost the next one its packet") {
  Rig rig;
  const std::uint8_t junk[] = {1, 2, 3};
  rig.controller.receive(junk, 3);
  rig.run_ms(60);
  CHECK_EQUAL(rig.status(), ExecutionStatus::ChecksumError);
  CHECK_EQUAL(rig.send(Code::TurnOnPort, {0}), ExecutionStatus::Completed);
  CHECK(rig.board.output(Output::D1));
}

TEST("a repeated relative move is executed once") {
  Rig rig;
  const Packet move = Rig::packet32(9, Code::MoveX, 1000);
  rig.put(move);
  rig.run_ms(100);
  rig.put(move);
  rig.run_ms(500);
  CHECK_EQUAL(rig.x(), 1000);
  CHECK_EQUAL(rig.status(), ExecutionStatus::Completed);
}

TEST("a repetition behind a corrupt packet is recognised, too") {
  Rig rig;
  const Packet move = Rig::packet32(9, Code::MoveX, 1000);
  rig.put(move);
  Packet bad = move;
  bad.bytes[4] ^= 0xFF;
  rig.put(bad);
  rig.put(move);
  rig.run_ms(500);
  CHECK_EQUAL(rig.x(), 1000);
}

TEST("the same jog with a new id, and the same packet after 4 s, are executed") {
  Rig rig;
  rig.put(Rig::packet32(9, Code::MoveX, 1000));
  rig.run_ms(500);
  rig.put(Rig::packet32(10, Code::MoveX, 1000));
  rig.run_ms(500);
  CHECK_EQUAL(rig.x(), 2000);
  rig.run_ms(4000);
  rig.put(Rig::packet32(10, Code::MoveX, 1000));
  rig.run_ms(500);
  CHECK_EQUAL(rig.x(), 3000);
}

TEST("the same packet after 256 others is a command of its own") {
  Rig rig;
  rig.put(Rig::packet32(9, Code::MoveX, 1000));
  rig.run_ms(300);
  for (int i = 1; i < 256; ++i) {
    rig.put(Rig::packet(static_cast<std::uint8_t>(9 + i), Code::Heartbeat, {}));
  }
  rig.put(Rig::packet32(9, Code::MoveX, 1000));
  rig.run_ms(500);
  CHECK_EQUAL(rig.x(), 2000);
}

TEST("a trigger sent again because its answer was lost gives one pulse") {
  Rig rig;
  const Packet trigger = Rig::packet(5, Code::SendHardwareTrigger, {0});
  rig.put(trigger);
  CHECK(!rig.board.output(Output::Trigger0));
  rig.run_ms(5);
  CHECK(rig.board.output(Output::Trigger0));
  rig.put(trigger);
  CHECK(rig.board.output(Output::Trigger0));
  CHECK_EQUAL(rig.status(), ExecutionStatus::Completed);
}

TEST("an unknown command is an error, not a success") {
  Rig rig;
  rig.send(Code::SetReport, {0, kAllPages});
  CHECK_EQUAL(rig.send(static_cast<Code>(200), {1, 2, 3}), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.reason(), Reason::UnknownCommand);
}

TEST("a heartbeat does not clear an error, any other command does") {
  Rig rig;
  CHECK_EQUAL(rig.send32(Code::MovetoW, 102), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.send(Code::Heartbeat), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.send(Code::TurnOffAllPorts), ExecutionStatus::Completed);
}

TEST("a frame that does not fit is not sent in part, and the next one comes a period later") {
  Rig rig;
  rig.run_ms(1);
  rig.board.is_full = true;
  const std::size_t before = rig.board.frames.size();
  rig.run_ms(100);
  rig.board.is_full = false;
  CHECK_EQUAL(rig.board.frames.size(), before);
  rig.run_ms(11);
  CHECK(rig.board.frames.size() > before);
}

TEST("pages that were asked for come in turn, unknown ones are refused") {
  Rig rig;
  CHECK_EQUAL(rig.send(Code::SetReport, {1, 0}), ExecutionStatus::ExecutionError);
  rig.send(Code::SetReport, {0, 1 | (1 << 1) | (1 << 6)});
  rig.run_ms(100);
  int axes = 0;
  int lights = 0;
  for (std::size_t i = rig.board.frames.size() - 8; i < rig.board.frames.size(); ++i) {
    axes += rig.board.frames[i][18] >> 4 == 1 ? 1 : 0;
    lights += rig.board.frames[i][18] >> 4 == 6 ? 1 : 0;
  }
  CHECK_EQUAL(axes, 4);
  CHECK_EQUAL(lights, 4);
}

TEST("locks are given back") {
  Rig rig;
  rig.send(Code::TurnOnIllumination);
  rig.send(Code::SendHardwareTrigger, {0x80, 0, 0, 100, 0});
  rig.run_ms(50);
  CHECK_EQUAL(rig.board.locks, 0);
}
