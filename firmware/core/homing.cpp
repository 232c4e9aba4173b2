#include "homing.h"

namespace squid {
namespace {

constexpr std::uint64_t kReturnLimitUs = 500'000;  // spec 5.4: home is called 0 by then, arrived or not

}  // namespace

void Homing::start(Motor& motor, Direction direction, bool is_wheel, double speed, std::uint64_t now_us,
                   std::uint64_t limit_us) {
  direction_ = direction;
  is_wheel_ = is_wheel;
  speed_ = speed;
  deadline_us_ = now_us + limit_us;
  if (at_reference(motor)) {
    phase_ = Phase::BackOff;
    motor.spin(sign(opposite(direction_)) * speed_);
  } else {
    enter_search(motor);
  }
}

bool Homing::at_reference(Motor& motor) const {
  return is_wheel_ ? !motor.at_switch(Direction::Negative) : motor.at_switch(direction_);
}

void Homing::enter_search(Motor& motor) {
  phase_ = Phase::Search;
  motor.spin(sign(direction_) * speed_);
}

Homing::Result Homing::tick(Motor& motor, std::uint64_t now_us) {
  if (now_us >= deadline_us_) {
    motor.spin(0);
    return Result::Failed;
  }
  if (phase_ == Phase::BackOff && !at_reference(motor)) {
    enter_search(motor);
  } else if (phase_ == Phase::Search && at_reference(motor)) {
    // The stage's switch stops the motor and latches; a wheel runs on and is turned back.
    reference_ = is_wheel_ ? motor.position() : motor.switch_position();
    motor.move_to(reference_);
    phase_ = Phase::Return;
    return_deadline_us_ = now_us + kReturnLimitUs;
  } else if (phase_ == Phase::Return) {
    const bool arrived = !motor.is_running() && motor.position() == reference_;
    if (arrived || now_us >= return_deadline_us_) {
      motor.set_position(0);
      return Result::Found;
    }
  }
  return Result::Running;
}

}  // namespace squid
