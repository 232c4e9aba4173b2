// The joystick panel: spec 9, 14.3.
#include <initializer_list>

#include "check.h"
#include "rig.h"

using namespace squid;

namespace {

const std::initializer_list<int> kRest{1, 1, 1, 1, 1, 1, 1, 1, 2, 1, 1, 0};
const std::initializer_list<int> kHalfLeft{6, 0xFF, 0xFF, 0xFF, 0x60, 0x40, 2, 0xE0, 2, 1, 1, 0};
const std::initializer_list<int> kFullDiagonal{1, 1, 2, 4, 5, 0x80, 1, 0x7F, 0xFF, 1, 1, 0};

void panel(Rig& rig, std::initializer_list<int> bytes) {
  for (const int byte : bytes) {
    rig.controller.receive_panel(static_cast<std::uint8_t>(byte));
  }
}

void hold(Rig& rig, std::initializer_list<int> bytes, int milliseconds) {
  for (int t = 0; t < milliseconds; t += 10) {
    panel(rig, bytes);
    rig.run_ms(10);
  }
}

}  // namespace

TEST("the panel's frames are decoded") {
  PanelReader reader;
  bool is_new = false;
  for (const int byte : kHalfLeft) {
    is_new = reader.push(static_cast<std::uint8_t>(byte));
  }
  CHECK(is_new);
  CHECK_EQUAL(reader.report().wheel, -160);
  CHECK_EQUAL(reader.report().dx, 16384);
  CHECK_EQUAL(reader.report().dy, -8192);
  CHECK(!reader.report().is_pressed);
}

TEST("a pressed button and full deflection are decoded, frames of another size ignored") {
  PanelReader reader;
  for (const int byte : {3, 9, 9, 0}) {
    CHECK(!reader.push(static_cast<std::uint8_t>(byte)));
  }
  bool is_new = false;
  for (const int byte : kFullDiagonal) {
    is_new = reader.push(static_cast<std::uint8_t>(byte));
  }
  CHECK(is_new);
  CHECK_EQUAL(reader.report().wheel, 1024);
  CHECK_EQUAL(reader.report().dx, -32767);
  CHECK_EQUAL(reader.report().dy, 32767);
  CHECK(reader.report().is_pressed);
}

TEST("the button is shown to a host that asked for pages, until acknowledged") {
  Rig rig;
  panel(rig, kFullDiagonal);
  rig.run_ms(20);
  CHECK_EQUAL(rig.frame()[status_at::kInputs] & 1, 0);
  rig.send(Code::SetReport, {0, kAllPages});
  CHECK_EQUAL(rig.frame()[status_at::kInputs] & 1, 1);
  rig.send(Code::AckJoystickButtonPressed);
  CHECK_EQUAL(rig.frame()[status_at::kInputs] & 1, 0);
}

TEST("the stick moves X and Y without showing progress, and they stop when it is let go") {
  Rig rig;
  hold(rig, kHalfLeft, 500);
  CHECK(rig.x() < -1000);
  CHECK(rig.y() < -500);
  CHECK_EQUAL(rig.status(), ExecutionStatus::Completed);
  hold(rig, kRest, 1000);
  const std::int32_t x = rig.x();
  hold(rig, kRest, 100);
  CHECK_EQUAL(rig.x(), x);
}

TEST("an unplugged panel does not drive on") {
  Rig rig;
  hold(rig, kHalfLeft, 200);
  rig.run_ms(500);
  const std::int32_t x = rig.x();
  CHECK(rig.board.motors[0].carriage_mm() > 10);  // not yet at the switch
  rig.run_ms(100);
  CHECK_EQUAL(rig.x(), x);
}

TEST("the stick does not disturb a commanded move, nor cross a limit") {
  Rig rig;
  rig.set_limit(LimitCode::XNegative, -5000);
  rig.send32(Code::MovetoX, 50000);
  hold(rig, kHalfLeft, 100);
  rig.run_to_end();
  CHECK_EQUAL(rig.x(), 50000);
  hold(rig, kHalfLeft, 3000);
  CHECK_EQUAL(rig.x(), -5000);
}

TEST("the wheel moves Z by what it turned since it was first heard") {
  Rig rig;
  hold(rig, kRest, 50);
  hold(rig, kHalfLeft, 200);
  CHECK_EQUAL(rig.z(), -160);
}

TEST("the motor's own limits are back after homing") {
  Rig rig;
  rig.set_limit(LimitCode::XPositive, 20000);
  rig.send(Code::HomeOrZero, {0, 1});
  rig.run_to_end();
  hold(rig, {6, 0xFF, 0xFF, 0xFF, 0x60, 0xC0, 2, 0xE0, 2, 1, 1, 0}, 500);
  CHECK_EQUAL(rig.x(), 20000);
}
