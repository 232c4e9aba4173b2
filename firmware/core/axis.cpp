#include "axis.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ramp.h"

namespace squid {
namespace {

constexpr std::int64_t kLowest = std::numeric_limits<std::int32_t>::min();
constexpr std::int64_t kHighest = std::numeric_limits<std::int32_t>::max();
constexpr double kMaxAcceleration = 4'194'303.75;     // 24 bits of 22.2 fixed point in the chip (spec 5.2)
constexpr double kFullStepsPerTurn = 200;
constexpr std::uint64_t kStartGraceUs = 5'000;        // before "not running" means "stopped"
constexpr double kWheelHomingTurnsPerS = 0.15;        // spec 5.4
constexpr std::uint64_t kWheelHomingLimitUs = 20'000'000;
constexpr double kStageTravelMm = 260;                // the widest power-on range of stock firmware (spec 5.2)
constexpr double kFocusTravelMm = 40;

constexpr std::uint64_t to_us(double seconds) { return static_cast<std::uint64_t>(seconds * 1e6); }

}  // namespace

// Power-on values of stock firmware (spec 5.2).
Axis::Axis(AxisId id) : id_(id) {
  if (is_wheel()) {
    drive_ = {1.0, 64, 1900, 0.5, 4};
    velocity_mm_s_ = 3.19;
    acceleration_mm_s2_ = 300;
  } else if (id == AxisId::Z) {
    drive_ = {0.3, 256, 500, 0.5, 4};
    velocity_mm_s_ = 2;
    acceleration_mm_s2_ = 20;
  } else {
    drive_ = {2.54, 256, 1000, 0.25, 4};
    velocity_mm_s_ = 50;
    acceleration_mm_s2_ = 200;
  }
  pitch_mm_ = drive_.pitch_mm;
}

void Axis::initialise() {
  limits_ = {};
  home_side_ = {};
  op_ = Op::Idle;
  is_homed_ = false;
  fault_ = Reason::None;
  is_initialised_ = true;
  motor_->reset();
  motor_->configure(drive_);
  motor_->set_ramp(velocity_usteps(), acceleration_usteps());
}

double Axis::usteps_per_mm() const { return kFullStepsPerTurn * drive_.microsteps / drive_.pitch_mm; }
double Axis::velocity_usteps() const { return velocity_mm_s_ * usteps_per_mm(); }
double Axis::acceleration_usteps() const {
  return std::min(acceleration_mm_s2_ * usteps_per_mm(), kMaxAcceleration);
}

std::int64_t Axis::lower_bound() const {
  const std::int64_t limit = limits_.has_lower ? limits_.lower : kLowest;
  return std::max(limit, home_side_.has_lower ? std::int64_t{home_side_.lower} : kLowest);
}

std::int64_t Axis::upper_bound() const {
  const std::int64_t limit = limits_.has_upper ? limits_.upper : kHighest;
  return std::min(limit, home_side_.has_upper ? std::int64_t{home_side_.upper} : kHighest);
}

Reason Axis::check_target(std::int64_t target) const {
  if (!is_initialised_) {
    return Reason::NotInitialised;
  }
  return target < lower_bound() || target > upper_bound() ? Reason::OutsideLimits : Reason::None;
}

// Clamped, but never the wrong way when the axis stands outside its limits (spec 4, code 0).
std::int32_t Axis::clamp_step(std::int32_t base, std::int32_t delta) const {
  const std::int64_t wanted = std::int64_t{base} + delta;
  const std::int64_t target = delta > 0 ? std::max<std::int64_t>(base, std::min(wanted, upper_bound()))
                                        : std::min<std::int64_t>(base, std::max(wanted, lower_bound()));
  return static_cast<std::int32_t>(target);
}

Reason Axis::move_by(std::int32_t delta, std::uint64_t now_us) {
  if (!is_initialised_) {
    return Reason::NotInitialised;
  }
  if (op_ == Op::Homing || op_ == Op::Stopping) {
    return Reason::Busy;
  }
  // Two steps sent quickly are two steps: the second counts from the first one's target (spec 3.1).
  const std::int32_t base = op_ == Op::Moving ? target_ : motor_->position();
  begin_move(clamp_step(base, delta), now_us);
  return Reason::None;
}

Reason Axis::move_to(std::int32_t target, std::uint64_t now_us) {
  const Reason refusal = check_target(target);
  if (refusal != Reason::None) {
    return refusal;
  }
  if (op_ == Op::Homing || op_ == Op::Stopping) {
    return Reason::Busy;
  }
  begin_move(target, now_us);
  return Reason::None;
}

void Axis::begin_move(std::int32_t target, std::uint64_t now_us) {
  const double distance = std::fabs(static_cast<double>(target) - motor_->position());
  // From full speed the wrong way the axis must first brake and come back: once more the time to full speed.
  const double brake_s = velocity_usteps() / acceleration_usteps();
  const double planned_s = travel_time_s(distance, velocity_usteps(), acceleration_usteps()) + 3 * brake_s;
  op_ = Op::Moving;
  fault_ = Reason::None;
  target_ = target;
  started_us_ = now_us;
  deadline_us_ = now_us + to_us(2 * planned_s + 1);
  motor_->move_to(target);
}

Reason Axis::home(Direction direction, std::uint64_t now_us) {
  if (!is_initialised_) {
    return Reason::NotInitialised;
  }
  if (op_ == Op::Moving || op_ == Op::Homing || op_ == Op::Stopping) {
    return Reason::Busy;
  }
  op_ = Op::Homing;
  fault_ = Reason::None;
  is_homed_ = false;
  home_side_ = {};
  home_direction_ = direction;
  motor_->set_limits({});  // the switch may lie outside them; they come back when homing ends
  if (is_wheel()) {
    homing_.start(*motor_, direction, true, kWheelHomingTurnsPerS * kFullStepsPerTurn * drive_.microsteps, now_us,
                  kWheelHomingLimitUs);
  } else {
    const bool is_focus = id_ == AxisId::Z;
    const double speed = velocity_usteps() * (is_focus ? 0.5 : 0.8);
    const double travel = (is_focus ? kFocusTravelMm : kStageTravelMm) * usteps_per_mm();
    homing_.start(*motor_, direction, false, speed, now_us, to_us(travel / speed + 5));
  }
  return Reason::None;
}

Reason Axis::set_zero() {
  if (is_moving()) {
    return Reason::Busy;
  }
  home_side_ = {};
  is_homed_ = false;  // the new zero is wherever the host found it
  motor_->set_position(0);
  return Reason::None;
}

Reason Axis::configure_drive(std::uint16_t microsteps, std::uint16_t current_ma, double hold_fraction) {
  if ((microsteps & (microsteps - 1)) != 0) {
    return Reason::BadArgument;
  }
  if (!is_initialised_) {
    return Reason::NotInitialised;
  }
  if (is_moving()) {
    return Reason::Busy;
  }
  drive_.pitch_mm = pitch_mm_;
  drive_.microsteps = microsteps;
  drive_.current_ma = current_ma;
  drive_.hold_fraction = hold_fraction;
  motor_->configure(drive_);
  motor_->set_ramp(velocity_usteps(), acceleration_usteps());
  return Reason::None;
}

Reason Axis::set_ramp(double velocity_mm_s, double acceleration_mm_s2) {
  if (velocity_mm_s <= 0 || acceleration_mm_s2 <= 0) {
    return Reason::BadArgument;
  }
  velocity_mm_s_ = velocity_mm_s;
  acceleration_mm_s2_ = acceleration_mm_s2;
  motor_->set_ramp(velocity_usteps(), acceleration_usteps());
  return Reason::None;
}

Reason Axis::set_pitch(double pitch_mm) {
  if (pitch_mm <= 0) {
    return Reason::BadArgument;
  }
  pitch_mm_ = pitch_mm;
  return Reason::None;
}

Reason Axis::set_home_margin(double margin_um) {
  drive_.home_margin_usteps = static_cast<std::int32_t>(margin_um / 1000 * usteps_per_mm());
  motor_->configure(drive_);
  return Reason::None;
}

Reason Axis::set_encoder(const EncoderSettings& settings) {
  encoder_ = settings;
  motor_->set_encoder(encoder_);
  return Reason::None;
}

Reason Axis::close_loop(bool closed) {
  motor_->close_loop(closed);
  return Reason::None;
}

Reason Axis::enable(bool enabled) {
  motor_->enable(enabled);
  return Reason::None;
}

void Axis::set_limit(Direction side, std::int32_t position) {
  if (side == Direction::Negative) {
    limits_.has_lower = true;
    limits_.lower = position;
  } else {
    limits_.has_upper = true;
    limits_.upper = position;
  }
  apply_limits();
}

void Axis::apply_limits() {
  if (op_ != Op::Homing) {
    motor_->set_limits(limits_);
  }
}

void Axis::stop() {
  if (op_ == Op::Idle) {
    return;
  }
  motor_->spin(0);
  fault_ = is_commanded() ? Reason::Stopped : fault_;
  op_ = Op::Stopping;
  apply_limits();
}

void Axis::jog(double fraction) {
  const bool is_free = op_ == Op::Idle || op_ == Op::Jogging;
  if (!is_free || !is_initialised_ || (op_ == Op::Idle && fraction == 0)) {
    return;
  }
  op_ = Op::Jogging;
  motor_->spin(fraction * velocity_usteps());
}

void Axis::nudge(std::int32_t delta) {
  const bool is_free = op_ == Op::Idle || op_ == Op::Nudging;
  if (!is_free || !is_initialised_ || delta == 0) {
    return;
  }
  target_ = clamp_step(op_ == Op::Nudging ? target_ : motor_->position(), delta);
  op_ = Op::Nudging;
  motor_->move_to(target_);
}

void Axis::tick(std::uint64_t now_us) {
  switch (op_) {
    case Op::Moving:
      tick_move(now_us);
      break;
    case Op::Homing:
      tick_homing(now_us);
      break;
    case Op::Stopping:
    case Op::Jogging:
    case Op::Nudging:
      if (!motor_->is_running()) {
        op_ = Op::Idle;
      }
      break;
    case Op::Idle:
      break;
  }
}

void Axis::tick_move(std::uint64_t now_us) {
  const bool stands = !motor_->is_running();  // before the position, which is then final
  if (stands && motor_->position() == target_) {
    finish(Reason::None);
  } else if (stands && now_us - started_us_ >= kStartGraceUs) {
    finish(Reason::StoppedShort);  // a switch, a limit or a stall: never "completed" (spec 3.1)
  } else if (now_us >= deadline_us_) {
    motor_->spin(0);
    finish(Reason::MotionOverdue);
    op_ = Op::Stopping;
  }
}

void Axis::tick_homing(std::uint64_t now_us) {
  const Homing::Result result = homing_.tick(*motor_, now_us);
  if (result == Homing::Result::Running) {
    return;
  }
  finish(result == Homing::Result::Found ? Reason::None : Reason::HomingFailed);
  is_homed_ = result == Homing::Result::Found;
  if (!is_homed_) {
    op_ = Op::Stopping;
  } else if (!is_wheel()) {
    const bool low = home_direction_ == Direction::Negative;
    home_side_ = {low, !low, 0, 0};
  }
  apply_limits();  // stock leaves them off (spec 5.4)
}

void Axis::finish(Reason reason) {
  op_ = Op::Idle;
  fault_ = reason;
  is_fault_new_ = reason != Reason::None;
}

Reason Axis::take_failure() {
  const Reason failure = is_fault_new_ ? fault_ : Reason::None;
  is_fault_new_ = false;
  return failure;
}

}  // namespace squid
