// Light, interlock, lease, triggers and strobes: spec 6, 7.
#include "check.h"
#include "rig.h"

using namespace squid;

namespace {

constexpr int kD1 = static_cast<int>(LightSource::D1);
constexpr int kD2 = static_cast<int>(LightSource::D2);

void select(Rig& rig, int source, int intensity) {
  rig.send(Code::SetIllumination, {source, intensity >> 8, intensity & 255});
}

ExecutionStatus trigger(Rig& rig, int control, std::int32_t on_us) {
  const auto v = static_cast<std::uint32_t>(on_us);
  return rig.send(Code::SendHardwareTrigger, {control, static_cast<int>(v >> 24), static_cast<int>(v >> 16 & 255),
                                              static_cast<int>(v >> 8 & 255), static_cast<int>(v & 255)});
}

bool any_port(const Rig& rig) {
  for (std::size_t port = 0; port < kPorts; ++port) {
    if (rig.board.output(port_output(port))) {
      return true;
    }
  }
  return false;
}

}  // namespace

TEST("sources 13 and 14 are D4 and D3") {
  Rig rig;
  select(rig, 14, 0x7FFF);
  rig.send(Code::TurnOnIllumination);
  CHECK(rig.board.output(Output::D3));
  CHECK(!rig.board.output(Output::D4));
  CHECK_EQUAL(rig.board.dac[2], 19660);
}

TEST("intensity is scaled by the factor in force when it is written") {
  Rig rig;
  rig.send(Code::SetIlluminationIntensityFactor, {60});
  select(rig, kD1, 0x7FFF);
  CHECK_EQUAL(rig.board.dac[0], 19660);
  rig.send(Code::SetIlluminationIntensityFactor, {80});
  rig.send(Code::SetPortIntensity, {1, 0xFF, 0xFF});
  CHECK_EQUAL(rig.board.dac[1], 52428);
  CHECK_EQUAL(rig.board.dac[0], 19660);
  rig.send(Code::SetIlluminationIntensityFactor, {100});
  select(rig, kD1, 0xFFFF);
  CHECK_EQUAL(rig.board.dac[0], 65535);
}

TEST("selecting another source while one is on changes over") {
  Rig rig;
  select(rig, kD1, 0xFFFF);
  rig.send(Code::TurnOnIllumination);
  select(rig, kD2, 0xFFFF);
  CHECK(!rig.board.output(Output::D1));
  CHECK(rig.board.output(Output::D2));
  rig.send(Code::TurnOffIllumination);
  CHECK(!any_port(rig));
}

TEST("ports go on and off one by one, together, and all off") {
  Rig rig;
  rig.send(Code::SetMultiPortMask, {0, 0x1F, 0, 0x15});
  CHECK(rig.board.output(Output::D1) && rig.board.output(Output::D3) && rig.board.output(Output::D5));
  CHECK(!rig.board.output(Output::D2));
  rig.send(Code::TurnOffPort, {0});
  rig.send(Code::SetPortIllumination, {1, 0xFF, 0xFF, 1});
  CHECK(!rig.board.output(Output::D1));
  CHECK(rig.board.output(Output::D2));
  CHECK(rig.has_flag(Flag::LightOn));
  rig.send(Code::TurnOffAllPorts);
  CHECK(!any_port(rig));
  CHECK(!rig.has_flag(Flag::LightOn));
}

TEST("ports, channels, pins and sources that do not exist are refused") {
  Rig rig;
  for (const auto code : {Code::TurnOnPort, Code::TurnOffPort, Code::SetPortIntensity, Code::SetPortIllumination}) {
    CHECK_EQUAL(rig.send(code, {5, 1, 1, 1}), ExecutionStatus::ExecutionError);
  }
  CHECK_EQUAL(rig.send(Code::SetMultiPortMask, {0, 0x3F, 0, 0x3F}), ExecutionStatus::ExecutionError);
  CHECK(!any_port(rig));
  CHECK_EQUAL(rig.send(Code::AnalogWriteOnboardDac, {8, 1, 1}), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.send(Code::SetStrobeDelay, {4}), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.send(Code::SetTriggerMode, {2}), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(trigger(rig, 0x84, 100), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.send(Code::SetIllumination, {16}), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.send(Code::SetIlluminationLedMatrix, {9}), ExecutionStatus::ExecutionError);
}

TEST("a laser pin cannot be raised past the interlock") {
  Rig rig;
  CHECK_EQUAL(rig.send(Code::SetPinLevel, {5, 1}), ExecutionStatus::ExecutionError);
  CHECK(!rig.board.output(Output::D1));
  CHECK_EQUAL(rig.send(Code::SetPinLevel, {15, 1}), ExecutionStatus::Completed);
  CHECK(rig.board.output(Output::AfLaser));
}

TEST("an open interlock darkens, latches, refuses, and closing it does not restore light") {
  Rig rig;
  rig.send(Code::SetReport, {0, kAllPages});
  rig.send(Code::TurnOnPort, {0});
  rig.board.is_safe = false;
  rig.run_ms(1);
  CHECK(!any_port(rig));
  CHECK_EQUAL(rig.send(Code::TurnOnPort, {1}), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.reason(), Reason::InterlockOpen);
  CHECK(rig.has_flag(Flag::InterlockOpen));
  rig.board.is_safe = true;
  rig.run_ms(30);
  CHECK(!any_port(rig));
  CHECK(!rig.has_flag(Flag::InterlockOpen));
  CHECK(rig.has_flag(Flag::InterlockOpened));
  rig.send(Code::ClearEvents, {static_cast<int>(Flag::InterlockOpened)});
  CHECK(!rig.has_flag(Flag::InterlockOpened));
}

TEST("LED colours are green, red, blue on the wire, at most 100") {
  Rig rig;
  rig.send(Code::SetIlluminationLedMatrix, {0, 10, 255, 51});
  rig.send(Code::TurnOnIllumination);
  rig.run_ms(1);
  CHECK_EQUAL(rig.board.leds[0].red, 100);
  CHECK_EQUAL(rig.board.leds[0].green, 3);
  CHECK_EQUAL(rig.board.leds[127].blue, 20);
}

TEST("pattern 3 is blue on the left and red on the right") {
  Rig rig;
  rig.send(Code::SetIlluminationLedMatrix, {3, 0xFF, 0x80, 0x40});
  rig.send(Code::TurnOnIllumination);
  rig.run_ms(1);
  CHECK(rig.board.leds[0].red == 0 && rig.board.leds[0].green == 0 && rig.board.leds[0].blue == 25);
  CHECK(rig.board.leds[127].red == 50 && rig.board.leds[127].green == 0 && rig.board.leds[127].blue == 0);
}

TEST("patterns light the LEDs that they should") {
  const int counts[] = {128, 64, 64, 128, 12, 4, 4, 64, 64};
  for (int pattern = 0; pattern < 9; ++pattern) {
    Rig rig;
    rig.send(Code::SetIlluminationLedMatrix, {pattern, 255, 255, 255});
    rig.send(Code::TurnOnIllumination);
    rig.run_ms(1);
    int lit = 0;
    for (const Rgb& led : rig.board.leds) {
      lit += led.red != 0 || led.blue != 0 ? 1 : 0;
    }
    CHECK_EQUAL(lit, counts[pattern]);
    rig.send(Code::TurnOffIllumination);
    rig.run_ms(1);
    CHECK_EQUAL(rig.board.leds[127].blue + rig.board.leds[0].blue + rig.board.leds[56].blue, 0);
  }
}

TEST("the light lease ends all light, the autofocus laser too, again and again, and says so") {
  Rig rig;
  rig.send32(Code::SetWatchdogTimeout, 500);
  CHECK(rig.has_flag(Flag::LeaseArmed));
  for (int round = 0; round < 2; ++round) {
    rig.send(Code::TurnOnPort, {0});
    rig.send(Code::SetPinLevel, {15, 1});
    rig.send(Code::SetIlluminationLedMatrix, {0, 9, 9, 9});
    rig.send(Code::TurnOnIllumination);
    rig.run_ms(490);
    CHECK(rig.board.output(Output::D1) && rig.board.output(Output::AfLaser) && rig.board.leds[0].red != 0);
    CHECK(!rig.has_flag(Flag::LeaseExpired));
    rig.run_ms(20);
    CHECK(!rig.board.output(Output::D1) && !rig.board.output(Output::AfLaser) && rig.board.leds[0].red == 0);
    CHECK(rig.has_flag(Flag::LeaseExpired));
    rig.send(Code::ClearEvents, {static_cast<int>(Flag::LeaseExpired)});
    CHECK(!rig.has_flag(Flag::LeaseExpired));
  }
}

TEST("good packets feed the lease, corrupt ones do not") {
  Rig rig;
  rig.send32(Code::SetWatchdogTimeout, 500);
  rig.send(Code::TurnOnPort, {0});
  for (int i = 0; i < 10; ++i) {
    rig.run_ms(400);
    rig.send(Code::Heartbeat);
  }
  CHECK(rig.board.output(Output::D1));
  Packet bad = Rig::packet(1, Code::Heartbeat, {});
  bad.bytes[7] ^= 3;
  rig.run_ms(400);
  rig.put(bad);
  rig.run_ms(110);
  CHECK(!rig.board.output(Output::D1));
}

TEST("an expired lease with nothing lit is no event") {
  Rig rig;
  rig.send32(Code::SetWatchdogTimeout, 500);
  rig.run_ms(1000);
  CHECK(!rig.has_flag(Flag::LeaseExpired));
}

TEST("a strobe that is still to come does not fire after the lease expired") {
  Rig rig;
  rig.send32(Code::SetWatchdogTimeout, 500);
  select(rig, kD1, 0xFFFF);
  rig.send(Code::SetStrobeDelay, {0, 0, 0x09, 0x27, 0xC0});  // 600 ms
  trigger(rig, 0x80, 100'000);
  rig.run_ms(590);
  CHECK(rig.has_flag(Flag::LeaseExpired));
  rig.run_ms(100);
  CHECK(!rig.board.output(Output::D1));
}

TEST("RESET and LIGHTS_OUT turn off everything") {
  for (const Code code : {Code::Reset, Code::LightsOut}) {
    Rig rig;
    rig.send(Code::SetPortIllumination, {2, 1, 1, 1});
    rig.send(Code::SetPinLevel, {15, 1});
    select(rig, kD1, 0xFFFF);
    trigger(rig, 0x80, 1'000'000);
    rig.run_ms(10);
    CHECK(rig.board.output(Output::D1));
    rig.send(code);
    rig.run_ms(10);
    CHECK(!any_port(rig));
    CHECK(!rig.board.output(Output::AfLaser));
    CHECK(!rig.has_flag(Flag::LightOn));
  }
}

TEST("an edge trigger is a short pulse, a level trigger as long as the exposure") {
  Rig rig;
  CHECK(rig.board.output(Output::Trigger1));
  trigger(rig, 1, 20'000);
  CHECK(!rig.board.output(Output::Trigger1));
  rig.run_ms(2);
  CHECK(rig.board.output(Output::Trigger1));
  rig.send(Code::SetTriggerMode, {1});
  trigger(rig, 1, 20'000);
  rig.run_ms(19);
  CHECK(!rig.board.output(Output::Trigger1));
  rig.run_ms(2);
  CHECK(rig.board.output(Output::Trigger1));
}

TEST("a strobe lights the source that was selected at the trigger, from delay to delay plus on time") {
  Rig rig;
  select(rig, kD1, 0xFFFF);
  rig.send(Code::SetStrobeDelay, {0, 0, 0, 0x27, 0x10});  // 10 ms
  trigger(rig, 0x80, 30'000);
  select(rig, kD2, 0xFFFF);
  rig.run_ms(9);
  CHECK(!any_port(rig));
  rig.run_ms(2);
  CHECK(rig.board.output(Output::D1) && !rig.board.output(Output::D2));
  rig.run_ms(28);
  CHECK(rig.board.output(Output::D1));
  rig.run_ms(2);
  CHECK(!any_port(rig));
}

TEST("a trigger without strobe during a strobe never leaves the light on") {
  Rig rig;
  select(rig, kD1, 0xFFFF);
  trigger(rig, 0x80, 100'000);
  rig.run_ms(30);
  CHECK_EQUAL(trigger(rig, 0x00, 0), ExecutionStatus::ExecutionError);
  rig.run_ms(60);
  CHECK(rig.board.output(Output::D1));
  rig.run_ms(20);
  CHECK(!rig.board.output(Output::D1));
}

TEST("a strobe does not light a port while the interlock is open") {
  Rig rig;
  select(rig, kD1, 0xFFFF);
  rig.send(Code::SetStrobeDelay, {0, 0, 0, 0x27, 0x10});
  trigger(rig, 0x80, 30'000);
  rig.board.is_safe = false;
  rig.run_ms(15);
  CHECK(!any_port(rig));
  CHECK_EQUAL(trigger(rig, 0x80, 30'000), ExecutionStatus::ExecutionError);
}
