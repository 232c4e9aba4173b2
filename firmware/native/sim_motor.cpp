#include "sim_motor.h"

#include <algorithm>
#include <cmath>

namespace squid::native {
namespace {

constexpr double kGapTurns = 0.04;

}  // namespace

SimMotor::SimMotor(const Travel& travel, double speed)
    : travel_(travel), speed_(speed), origin_mm_(travel.start_mm) {}

void SimMotor::set_time(std::uint64_t now_us) {
  now_s_ = static_cast<double>(now_us) * 1e-6 * speed_;
  advance();
}

void SimMotor::reset() {
  advance();
  limits_ = {};
  set_position(0);
}

void SimMotor::configure(const DriveSettings& settings) {
  advance();
  const double here_mm = origin_mm_ + last_ / usteps_per_mm_;
  usteps_per_mm_ = 200.0 * settings.microsteps / settings.pitch_mm;
  origin_mm_ = here_mm - last_ / usteps_per_mm_;  // the carriage stays, the count stays
}

void SimMotor::set_ramp(double velocity, double acceleration) { ramp_.set_limits(velocity, acceleration); }

void SimMotor::set_limits(const SoftLimits& limits) {
  advance();
  limits_ = limits;
}

void SimMotor::move_to(std::int32_t target) {
  advance();
  if (is_enabled_) {
    ramp_.move_to(target, now_s_);
  }
}

void SimMotor::spin(double velocity) {
  advance();
  if (is_enabled_) {
    ramp_.spin(velocity, now_s_);
  }
}

void SimMotor::set_position(std::int32_t position) {
  advance();
  origin_mm_ += (last_ - position) / usteps_per_mm_;
  halt(position);
}

void SimMotor::set_frozen(bool frozen) {
  advance();
  is_frozen_ = frozen;
}

void SimMotor::halt(double position) {
  ramp_.set_position(position);
  last_ = position;
}

// Where a motion from `from` towards `direction` ends: at the switch, at the limit, or at once when beyond one of them.
double SimMotor::blocked_at(double from, Direction direction, double switch_count, bool has_limit,
                            double limit) const {
  const double s = sign(direction);
  double end = travel_.is_wheel ? s * INFINITY : switch_count;
  if (has_limit && limit * s < end * s) {
    end = limit;
  }
  return from * s >= end * s ? from : end;
}

void SimMotor::advance() {
  const double wanted = ramp_.at(now_s_).position;
  if (wanted == last_) {
    return;
  }
  if (is_stalled_ || is_frozen_) {
    halt(last_);
    return;
  }
  const Direction direction = wanted > last_ ? Direction::Positive : Direction::Negative;
  const bool up = direction == Direction::Positive;
  const double edge = std::round(count_at(up ? travel_.right_switch_mm : travel_.left_switch_mm));
  const double end = up ? blocked_at(last_, direction, edge, limits_.has_upper, limits_.upper)
                        : blocked_at(last_, direction, edge, limits_.has_lower, limits_.lower);
  const bool is_blocked = up ? wanted >= end : wanted <= end;
  last_ = wanted;
  if (is_blocked && !(ramp_.end_s() <= now_s_ && wanted == end)) {
    halt(end);
  }
  if (is_blocked && end == edge) {
    switch_position_ = static_cast<std::int32_t>(edge);
  }
}

std::int32_t SimMotor::position() {
  advance();
  return static_cast<std::int32_t>(std::lround(last_));
}

bool SimMotor::is_running() {
  advance();
  return is_frozen_ || ramp_.is_running(now_s_);
}

bool SimMotor::at_switch(Direction direction) {
  advance();
  if (travel_.is_wheel) {
    const double turn = carriage_mm() - std::floor(carriage_mm());
    return direction == Direction::Negative && turn >= kGapTurns;
  }
  return direction == Direction::Negative ? last_ <= std::round(count_at(travel_.left_switch_mm))
                                          : last_ >= std::round(count_at(travel_.right_switch_mm));
}

double SimMotor::carriage_mm() {
  advance();
  return origin_mm_ + last_ / usteps_per_mm_;
}

}  // namespace squid::native
