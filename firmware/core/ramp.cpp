#include "ramp.h"

#include <cmath>
#include <limits>

namespace squid {
namespace {

constexpr double kNegligible = 1e-9;

double change_time_s(double from, double to, double acceleration) { return std::fabs(to - from) / acceleration; }

}  // namespace

void Ramp::set_limits(double velocity, double acceleration) {
  max_velocity_ = velocity;
  max_acceleration_ = acceleration;
}

void Ramp::set_position(double position) {
  start_ = {position, 0};
  phase_count_ = 0;
  has_target_ = false;
  final_velocity_ = 0;
}

void Ramp::begin(double now_s) {
  start_ = at(now_s);
  start_s_ = now_s;
  phase_count_ = 0;
}

void Ramp::add_phase(double from_velocity, double to_velocity, double duration_s) {
  if (duration_s > kNegligible) {
    phases_[phase_count_++] = {duration_s, (to_velocity - from_velocity) / duration_s};
  }
}

void Ramp::move_to(double target, double now_s) {
  begin(now_s);
  has_target_ = true;
  target_ = target;
  final_velocity_ = 0;
  const double a = max_acceleration_;
  const double stop_at = start_.position + start_.velocity * std::fabs(start_.velocity) / (2 * a);
  const double direction = target >= stop_at ? 1 : -1;
  // Everything below in the direction of travel: u is the velocity now, c the velocity of the cruise.
  const double distance = (target - start_.position) * direction;
  const double u = start_.velocity * direction;
  const double peak = std::sqrt(std::fmax(0.0, a * distance + u * u / 2));
  const double c = std::fmin(peak, max_velocity_);
  const double t_change = change_time_s(u, c, a);
  const double t_brake = c / a;
  const double rest = distance - (u + c) / 2 * t_change - c / 2 * t_brake;
  add_phase(u * direction, c * direction, t_change);
  add_phase(c * direction, c * direction, c > 0 ? std::fmax(0.0, rest) / c : 0);
  add_phase(c * direction, 0, t_brake);
}

void Ramp::spin(double velocity, double now_s) {
  begin(now_s);
  has_target_ = false;
  final_velocity_ = velocity;
  add_phase(start_.velocity, velocity, change_time_s(start_.velocity, velocity, max_acceleration_));
}

RampState Ramp::at(double now_s) const {
  double left_s = now_s - start_s_;
  RampState state = start_;
  for (std::size_t i = 0; i < phase_count_; ++i) {
    const Phase& phase = phases_[i];
    const double t = std::fmin(left_s, phase.duration_s);
    state.position += state.velocity * t + phase.acceleration / 2 * t * t;
    state.velocity += phase.acceleration * t;
    left_s -= t;
    if (left_s <= 0) {
      return state;
    }
  }
  if (has_target_) {
    return {target_, 0};
  }
  return {state.position + final_velocity_ * left_s, final_velocity_};
}

bool Ramp::is_running(double now_s) const { return now_s < end_s(); }

double Ramp::end_s() const {
  if (final_velocity_ != 0) {
    return std::numeric_limits<double>::infinity();
  }
  double end = start_s_;
  for (std::size_t i = 0; i < phase_count_; ++i) {
    end += phases_[i].duration_s;
  }
  return end;
}

double travel_time_s(double distance, double velocity, double acceleration) {
  Ramp ramp;
  ramp.set_limits(velocity, acceleration);
  ramp.move_to(distance, 0);
  return ramp.end_s();
}

}  // namespace squid
