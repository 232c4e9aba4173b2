// Moves, limits, homing: spec 3.1, 4, 5.
#include "check.h"
#include "rig.h"

using namespace squid;

namespace {

constexpr int kX = static_cast<int>(AxisCode::X);
constexpr int kHomeNegative = static_cast<int>(HomeType::Negative);

void home_x(Rig& rig) {
  CHECK_EQUAL(rig.send(Code::HomeOrZero, {kX, kHomeNegative}), ExecutionStatus::InProgress);
  CHECK_EQUAL(rig.run_to_end(), ExecutionStatus::Completed);
}

}  // namespace

TEST("an absolute move is in progress, arrives, and is reported at once") {
  Rig rig;
  CHECK_EQUAL(rig.send32(Code::MovetoX, 75591), ExecutionStatus::InProgress);
  CHECK_EQUAL(rig.run_to_end(), ExecutionStatus::Completed);
  CHECK_EQUAL(rig.x(), 75591);
}

TEST("two steps sent quickly are two steps") {
  Rig rig;
  rig.send32(Code::MoveX, 10000);
  rig.run_ms(20);
  rig.send32(Code::MoveX, 10000);
  CHECK_EQUAL(rig.run_to_end(), ExecutionStatus::Completed);
  CHECK_EQUAL(rig.x(), 20000);
}

TEST("a target beyond a limit is refused, and nothing moves") {
  Rig rig;
  rig.send(Code::SetReport, {0, kAllPages});
  rig.set_limit(LimitCode::XPositive, 10000);
  CHECK_EQUAL(rig.send32(Code::MovetoX, 50000), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.reason(), Reason::OutsideLimits);
  rig.run_ms(100);
  CHECK_EQUAL(rig.x(), 0);
  CHECK_EQUAL(rig.send32(Code::MovetoX, 9000), ExecutionStatus::InProgress);
  CHECK_EQUAL(rig.run_to_end(), ExecutionStatus::Completed);
}

TEST("a relative move is clamped to the limit") {
  Rig rig;
  rig.set_limit(LimitCode::XPositive, 10000);
  rig.send32(Code::MoveX, 50000);
  CHECK_EQUAL(rig.run_to_end(), ExecutionStatus::Completed);
  CHECK_EQUAL(rig.x(), 10000);
}

TEST("a relative move outside the limits never goes the wrong way") {
  Rig rig;
  rig.send32(Code::MovetoX, 30000);
  rig.run_to_end();
  rig.set_limit(LimitCode::XNegative, 50000);
  rig.send32(Code::MoveX, -40000);
  CHECK_EQUAL(rig.run_to_end(), ExecutionStatus::Completed);
  CHECK_EQUAL(rig.x(), 30000);
  rig.send32(Code::MoveX, 5000);
  CHECK_EQUAL(rig.run_to_end(), ExecutionStatus::Completed);
  CHECK_EQUAL(rig.x(), 35000);
}

TEST("setting a limit does not move Z") {
  Rig rig;
  rig.set_limit(LimitCode::ZPositive, -1067);
  rig.run_ms(200);
  CHECK_EQUAL(rig.z(), 0);
  CHECK_EQUAL(rig.status(), ExecutionStatus::Completed);
}

TEST("homing finds the switch and makes it 0") {
  Rig rig;
  rig.send(Code::SetReport, {0, kAllPages});
  home_x(rig);
  CHECK_EQUAL(rig.x(), 0);
  CHECK(std::abs(rig.board.motors[0].carriage_mm()) < 0.001);
  CHECK_EQUAL(rig.page(Page::Axes) >> 8 & 0xFF, 1U);
}

TEST("limits survive homing") {
  Rig rig;
  rig.set_limit(LimitCode::XNegative, 50000);
  rig.set_limit(LimitCode::XPositive, 900000);
  home_x(rig);
  CHECK_EQUAL(rig.send32(Code::MovetoX, 30000), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.send32(Code::MovetoX, 901000), ExecutionStatus::ExecutionError);
  rig.send32(Code::MovetoX, 60000);
  CHECK_EQUAL(rig.run_to_end(), ExecutionStatus::Completed);
}

TEST("nothing lies beyond the home switch") {
  Rig rig;
  home_x(rig);
  CHECK_EQUAL(rig.send32(Code::MovetoX, -500), ExecutionStatus::ExecutionError);
  rig.send32(Code::MovetoX, 500);
  CHECK_EQUAL(rig.run_to_end(), ExecutionStatus::Completed);
}

TEST("homing on the switch backs off first") {
  Rig rig;
  home_x(rig);
  home_x(rig);
  CHECK_EQUAL(rig.x(), 0);
  CHECK(std::abs(rig.board.motors[0].carriage_mm()) < 0.001);
}

TEST("XY homes both axes") {
  Rig rig;
  CHECK_EQUAL(rig.send(Code::HomeOrZero, {4, 1, 1}), ExecutionStatus::InProgress);
  CHECK_EQUAL(rig.run_to_end(), ExecutionStatus::Completed);
  CHECK(std::abs(rig.board.motors[0].carriage_mm()) < 0.001);
  CHECK(std::abs(rig.board.motors[1].carriage_mm()) < 0.001);
}

TEST("an X move that ends does not complete Y's homing") {
  Rig rig;
  rig.send(Code::HomeOrZero, {1, 1});
  rig.send32(Code::MovetoX, 1000);
  rig.run_ms(300);
  CHECK_EQUAL(rig.x(), 1000);
  CHECK_EQUAL(rig.status(), ExecutionStatus::InProgress);
  CHECK_EQUAL(rig.run_to_end(), ExecutionStatus::Completed);
  CHECK_EQUAL(rig.y(), 0);
}

TEST("a refused move of one axis does not lose the other one's") {
  Rig rig;
  rig.set_limit(LimitCode::XPositive, 1000);
  rig.send32(Code::MovetoY, 200000);
  CHECK_EQUAL(rig.send32(Code::MovetoX, 5000), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.send(Code::TurnOffAllPorts), ExecutionStatus::InProgress);
  CHECK_EQUAL(rig.run_to_end(), ExecutionStatus::Completed);
  CHECK_EQUAL(rig.y(), 200000);
}

TEST("a move into a switch is an error, not a success") {
  Rig rig;
  rig.send(Code::SetReport, {0, kAllPages});
  rig.send32(Code::MovetoX, 100'000'000);
  CHECK_EQUAL(rig.run_to_end(), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.reason(), Reason::StoppedShort);
  CHECK_EQUAL(rig.page(Page::Axes) >> 16 & 0xFF, 1U);
}

TEST("a stall is an error") {
  Rig rig;
  rig.send32(Code::MovetoX, 500000);
  rig.run_ms(200);
  rig.board.motors[0].set_stalled(true);
  CHECK_EQUAL(rig.run_to_end(), ExecutionStatus::ExecutionError);
}

TEST("a move that never ends is overdue after twice its time and a second") {
  Rig rig;
  rig.send(Code::SetReport, {0, kAllPages});
  rig.board.motors[0].set_frozen(true);
  rig.send32(Code::MovetoX, 20000);
  CHECK_EQUAL(rig.run_to_end(), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.reason(), Reason::MotionOverdue);
  CHECK(rig.board.time_us < 1'000'000 + 4'000'000);
}

TEST("a search for home that finds nothing ends") {
  Rig rig;
  rig.send(Code::SetReport, {0, kAllPages});
  home_x(rig);
  rig.send32(Code::MovetoX, 5000);
  rig.run_to_end();
  rig.board.motors[0].set_frozen(true);
  rig.send(Code::HomeOrZero, {kX, kHomeNegative});
  CHECK_EQUAL(rig.page(Page::Axes) >> 8 & 0xFF, 0U);
  CHECK_EQUAL(rig.run_to_end(), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.reason(), Reason::HomingFailed);
  CHECK_EQUAL(rig.page(Page::Axes) >> 8 & 0xFF, 0U);
}

TEST("a homing axis takes no moves") {
  Rig rig;
  rig.send(Code::HomeOrZero, {kX, kHomeNegative});
  CHECK_EQUAL(rig.send32(Code::MovetoX, 100), ExecutionStatus::ExecutionError);
}

TEST("axes, types and limits that do not exist are refused") {
  Rig rig;
  CHECK_EQUAL(rig.send(Code::HomeOrZero, {3, 1}), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.send(Code::HomeOrZero, {5, 1}), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.send(Code::HomeOrZero, {0, 3}), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.send(Code::HomeOrZero, {4, 2, 1}), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.send(Code::HomeOrZero, {99, 1}), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.send(Code::SetLim, {6}), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.send32(Code::MoveTheta, 4000), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.send(Code::ConfigureStepperDriver, {7, 16, 3, 232, 64}), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.send(Code::ConfigureStepperDriver, {0, 3, 3, 232, 64}), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.send(Code::SetMaxVelocityAcceleration, {0, 0, 0, 0, 0}), ExecutionStatus::ExecutionError);
}

TEST("zero names the position where the axis stands") {
  Rig rig;
  rig.send32(Code::MovetoX, 1234);
  rig.run_to_end();
  CHECK_EQUAL(rig.send(Code::HomeOrZero, {0, 2}), ExecutionStatus::Completed);
  CHECK_EQUAL(rig.x(), 0);
}

TEST("speed follows pitch, microsteps and velocity") {
  Rig rig;
  rig.send(Code::SetLeadScrewPitch, {0, 0x09, 0xEC});                      // 2.54 mm
  rig.send(Code::ConfigureStepperDriver, {0, 32, 0x03, 0xE8, 0x3F});
  rig.send(Code::SetMaxVelocityAcceleration, {0, 0x0B, 0xB8, 0x13, 0x88});  // 30 mm/s, 500 mm/s2
  const std::uint64_t start = rig.board.time_us;
  rig.send32(Code::MovetoX, 75591);  // 30 mm at 2519.685 usteps/mm
  rig.run_to_end();
  const double took_s = static_cast<double>(rig.board.time_us - start) * 1e-6;
  CHECK(took_s > 1.05 && took_s < 1.07);
}

TEST("a wheel refuses everything until it is initialised, then homes to the gap's edge again and again") {
  Rig rig;
  CHECK_EQUAL(rig.send32(Code::MoveW, 100), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.send32(Code::MovetoW2, 100), ExecutionStatus::ExecutionError);
  rig.send(Code::Initfilterwheel);
  double edges[2] = {};
  for (double& edge : edges) {
    rig.send(Code::HomeOrZero, {5, 1});
    CHECK_EQUAL(rig.run_to_end(), ExecutionStatus::Completed);
    edge = rig.board.motors[3].carriage_mm();
    rig.send32(Code::MovetoW, 1702);
    CHECK_EQUAL(rig.run_to_end(), ExecutionStatus::Completed);
  }
  CHECK(std::abs(edges[0] - edges[1]) < 0.001);
}

TEST("a wheel that stands in its gap finds the gap's edge, too") {
  Rig rig;
  rig.send(Code::Initfilterwheel);
  rig.send(Code::HomeOrZero, {5, 1});
  rig.run_to_end();
  const double edge = rig.board.motors[3].carriage_mm();
  rig.send32(Code::MoveW, -256);  // half the gap
  rig.run_to_end();
  rig.send(Code::HomeOrZero, {5, 1});
  CHECK_EQUAL(rig.run_to_end(), ExecutionStatus::Completed);
  CHECK(std::abs(rig.board.motors[3].carriage_mm() - edge) < 0.001);
}

TEST("a guarded move checks its second byte") {
  Rig rig;
  rig.send(Code::SetReport, {0, kAllPages});
  Packet p = Rig::packet32(1, Code::GuardedMovetoX, 4000);
  p.bytes[6] = packet_guard(p);
  p.bytes[7] = crc8(p.bytes.data(), 7);
  rig.put(p);
  rig.turn();
  CHECK_EQUAL(rig.run_to_end(), ExecutionStatus::Completed);
  CHECK_EQUAL(rig.x(), 4000);
  CHECK_EQUAL(rig.send32(Code::GuardedMovetoX, 5000), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.reason(), Reason::GuardMismatch);
}

TEST("RESET stops every motor, keeps positions, and the id becomes 0") {
  Rig rig;
  rig.send32(Code::MovetoX, 500000);
  rig.send(Code::HomeOrZero, {2, 0});
  rig.run_ms(200);
  rig.send(Code::Reset);
  CHECK_EQUAL(rig.frame()[0], 0);
  CHECK_EQUAL(rig.run_to_end(), ExecutionStatus::Completed);
  const std::int32_t x = rig.x();
  CHECK(x > 0 && x < 500000);
  rig.run_ms(500);
  CHECK_EQUAL(rig.x(), x);
  CHECK(!rig.has_flag(Flag::Moving));
}

TEST("INITIALIZE makes positions 0 and limits void") {
  Rig rig;
  rig.set_limit(LimitCode::XPositive, 10000);
  rig.send32(Code::MovetoX, 9000);
  rig.run_to_end();
  CHECK_EQUAL(rig.send(Code::Initialize), ExecutionStatus::Completed);
  CHECK_EQUAL(rig.x(), 0);
  CHECK_EQUAL(rig.send32(Code::MovetoX, 20000), ExecutionStatus::InProgress);
}

TEST("STOP_MOTION is in progress until the motors stand, then completed") {
  Rig rig;
  rig.send(Code::SetReport, {0, kAllPages});
  rig.send32(Code::MovetoX, 500000);
  rig.run_ms(300);
  CHECK_EQUAL(rig.send(Code::StopMotion), ExecutionStatus::InProgress);
  CHECK_EQUAL(rig.run_to_end(), ExecutionStatus::Completed);
  CHECK_EQUAL(rig.page(Page::Axes) >> 16 & 0xFF, 1U);
  CHECK(rig.x() < 500000);
}
