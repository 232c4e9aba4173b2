// Random commands: whatever a host sends, some things hold.
#include <random>

#include "check.h"
#include "rig.h"

using namespace squid;

namespace {

// A packet with a good CRC and anything in it; often small numbers, so that indices are hit.
Packet random_packet(std::mt19937& random) {
  Packet p;
  p.bytes[0] = static_cast<std::uint8_t>(random());
  const auto code = random() % 96;
  p.bytes[1] = static_cast<std::uint8_t>(code < 92 ? code : 160 + code);  // 252..255, too
  for (std::size_t at = 2; at < 7; ++at) {
    p.bytes[at] = static_cast<std::uint8_t>(random() % 2 == 0 ? random() % 18 : random());
  }
  p.bytes[7] = crc8(p.bytes.data(), 7);
  return p;
}

bool any_light(const MemoryBoard& board) {
  bool on = board.output(Output::AfLaser);
  for (std::size_t port = 0; port < kPorts; ++port) {
    on = on || board.output(port_output(port));
  }
  for (const Rgb& led : board.leds) {
    on = on || led.red != 0 || led.green != 0 || led.blue != 0;
  }
  return on;
}

}  // namespace

TEST("random commands never light a port past the interlock, tear a frame or keep a lock") {
  std::mt19937 random(20);
  Rig rig;
  for (int i = 0; i < 20'000; ++i) {
    rig.board.is_safe = (i / 500) % 2 == 0;
    rig.put(random_packet(random));
    rig.run_us(random() % 8 == 0 ? 20'000 : 100);
    for (std::size_t port = 0; port < kPorts; ++port) {
      CHECK(rig.board.is_safe || !rig.board.output(port_output(port)));
    }
    CHECK_EQUAL(rig.board.locks, 0);
    CHECK_EQUAL(rig.frame()[23], crc8(rig.frame().data(), 23));
    rig.board.frames.resize(1);
    rig.board.frames.shrink_to_fit();
  }
}

TEST("after random commands RESET and LIGHTS_OUT are dark and stay so") {
  std::mt19937 random(21);
  for (int round = 0; round < 60; ++round) {
    Rig rig;
    for (int i = 0; i < 200; ++i) {
      rig.put(random_packet(random));
      rig.run_us(100);
    }
    rig.put(Rig::packet(1, round % 2 == 0 ? Code::Reset : Code::LightsOut, {}));
    for (int i = 0; i < 20; ++i) {
      rig.run_ms(i < 10 ? 1 : 100);
      CHECK(!any_light(rig.board));
    }
  }
}
