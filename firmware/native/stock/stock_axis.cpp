#include "stock_axis.h"

#include <algorithm>

namespace squid::native {
namespace {

constexpr std::uint64_t kNever = 3'600'000'000'000U;  // stock has no motion timeout (spec 3.1)

std::int32_t saturate(double value) {
  return static_cast<std::int32_t>(std::clamp(value, -2147483648.0, 2147483647.0));
}

}  // namespace

void StockAxis::power_on() {
  if (is_wheel()) {
    drive = {1.0, 64, 1900, 0.5, 4};
    velocity_mm_s = 3.19;
    acceleration_mm_s2 = 300;
    upper = std::numeric_limits<std::int32_t>::max();
    lower = std::numeric_limits<std::int32_t>::min();
  } else {
    const bool is_focus = id == AxisId::Z;
    drive = is_focus ? DriveSettings{0.3, 256, 500, 0.5, 4} : DriveSettings{2.54, 256, 1000, 0.25, 4};
    velocity_mm_s = is_focus ? 2 : 50;
    acceleration_mm_s2 = is_focus ? 20 : 200;
    upper = saturate((is_focus ? 20 : 130) * usteps_per_mm());
    lower = -upper;
  }
  pitch_mm = drive.pitch_mm;
}

void StockAxis::initialise() {
  is_initialised = true;
  is_commanded = false;
  is_homing = false;
  virtual_stops = {};
  motor->reset();
  motor->configure(drive);
  apply_ramp();
}

void StockAxis::apply_ramp() const {
  motor->set_ramp(velocity_mm_s * usteps_per_mm(), std::min(acceleration_mm_s2 * usteps_per_mm(), 4194303.75));
}

void StockAxis::set_limit(Direction side, std::int32_t position) {
  if (side == Direction::Positive) {
    upper = position;
    virtual_stops.has_upper = true;
    virtual_stops.upper = position;
  } else {
    lower = position;
    virtual_stops.has_lower = true;
    virtual_stops.lower = position;
  }
  motor->set_limits(virtual_stops);
}

void StockAxis::start_move(std::int32_t to) {
  travel_sign = to >= motor->position() ? 1 : -1;
  target = to;
  is_commanded = true;
  motor->move_to(to);
}

// The clamp moves the "wrong" way outside the limits: at 30000 with NEG_LIMIT 50000, -40000 goes to 50000 (spec 4).
std::int32_t StockAxis::clamp_relative(std::int32_t delta) const {
  const std::int64_t wanted = std::int64_t{motor->position()} + delta;
  const std::int64_t clamped =
      delta > 0 ? std::min(wanted, std::int64_t{upper}) : std::max(wanted, std::int64_t{lower});
  return static_cast<std::int32_t>(clamped);
}

void StockAxis::start_homing(Direction direction, std::uint64_t now_us) {
  is_homing = true;
  is_commanded = false;
  home_direction = direction;
  virtual_stops = {};
  motor->set_limits(virtual_stops);
  const double speed = is_wheel() ? 0.15 * 200 * drive.microsteps
                                  : velocity_mm_s * usteps_per_mm() * (id == AxisId::Z ? 0.5 : 0.8);
  homing.start(*motor, direction, is_wheel(), speed, now_us, kNever);
}

bool StockAxis::tick_homing(std::uint64_t now_us) {
  if (!is_homing || homing.tick(*motor, now_us) == Homing::Result::Running) {
    return false;
  }
  is_homing = false;
  const bool low = home_direction == Direction::Negative && !is_wheel();
  const bool high = home_direction == Direction::Positive && !is_wheel();
  range_low = low ? 0 : std::numeric_limits<std::int32_t>::min();
  range_high = high ? 0 : std::numeric_limits<std::int32_t>::max();
  return true;
}

}  // namespace squid::native
