#include <cmath>

#include "check.h"
#include "core/ramp.h"

using namespace squid;

namespace {

bool near(double a, double b) { return std::fabs(a - b) < 1e-6 * (1 + std::fabs(b)); }

}  // namespace

TEST("a long move takes distance over speed plus one ramp") {
  CHECK(near(travel_time_s(1000, 100, 200), 1000.0 / 100 + 100.0 / 200));
}

TEST("a short move never reaches its speed") { CHECK(near(travel_time_s(2, 100, 200), 2 * std::sqrt(2 / 200.0))); }

TEST("no distance takes no time") { CHECK_EQUAL(travel_time_s(0, 100, 200), 0.0); }

TEST("a move ends exactly at its target, both ways") {
  Ramp ramp;
  ramp.set_limits(1234.5, 6789);
  ramp.set_position(17);
  ramp.move_to(-5000, 1);
  CHECK(ramp.is_running(1.01));
  CHECK_EQUAL(ramp.at(100).position, -5000.0);
  CHECK(!ramp.is_running(100));
}

TEST("speed and acceleration stay within their limits, also when retargeted in flight") {
  Ramp ramp;
  ramp.set_limits(100, 500);
  ramp.move_to(300, 0);
  const double turns[][2] = {{0.5, -300}, {1.1, 40}, {1.15, 39}, {2, 1000}};
  RampState before = ramp.at(0);
  std::size_t next = 0;
  for (double t = 0.001; t < 20; t += 0.001) {
    if (next < 4 && t >= turns[next][0]) {
      ramp.move_to(turns[next][1], t - 0.001);
      ++next;
    }
    const RampState now = ramp.at(t);
    CHECK(std::fabs(now.velocity) <= 100 + 1e-6);
    CHECK(std::fabs(now.velocity - before.velocity) <= 0.5 + 1e-6);
    CHECK(std::fabs(now.position - before.position) <= 0.1 + 1e-6);
    before = now;
  }
  CHECK_EQUAL(before.position, 1000.0);
}

TEST("a spinning motor keeps its speed, and stops within its braking distance") {
  Ramp ramp;
  ramp.set_limits(1000, 100);
  ramp.spin(50, 0);
  CHECK(near(ramp.at(10).velocity, 50));
  CHECK(std::isinf(ramp.end_s()));
  const double at = ramp.at(10).position;
  ramp.spin(0, 10);
  CHECK(near(ramp.at(100).position, at + 50 * 50 / 200.0));
  CHECK(!ramp.is_running(100));
}
