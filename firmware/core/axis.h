// One axis: its settings, its limits, and the one thing it is doing.
//
//            move / home accepted             arrived
//   Idle ───────────────────────▶ Moving ──────────────▶ Idle            (commanded: shown as IN_PROGRESS)
//    │ ▲                          Homing ──stop──▶ Stopping ──▶ Idle, fault
//    │ └──────── released ─────── Jogging, Nudging                        (joystick: never IN_PROGRESS, spec 9)
//    └── joystick ──▶
#pragma once

#include <cstdint>

#include "board.h"
#include "homing.h"

namespace squid {

class Axis {
 public:
  explicit Axis(AxisId id);

  void attach(Motor& motor) { motor_ = &motor; }

  // Resets the motor's chips: position 0, limits and home void. A wheel refuses motion until then.
  void initialise();

  // Each returns why it was refused, or Reason::None.
  Reason move_by(std::int32_t delta, std::uint64_t now_us);
  Reason move_to(std::int32_t target, std::uint64_t now_us);
  Reason home(Direction direction, std::uint64_t now_us);
  Reason set_zero();
  Reason configure_drive(std::uint16_t microsteps, std::uint16_t current_ma, double hold_fraction);
  Reason set_ramp(double velocity_mm_s, double acceleration_mm_s2);
  Reason set_pitch(double pitch_mm);
  Reason set_home_margin(double margin_um);
  Reason set_encoder(const EncoderSettings& settings);
  Reason close_loop(bool closed);
  Reason enable(bool enabled);

  void set_limit(Direction side, std::int32_t position);
  void stop();                      // ends what is commanded with Reason::Stopped
  void jog(double fraction);        // of the top speed, signed; 0 stops
  void nudge(std::int32_t delta);   // the joystick's wheel
  void tick(std::uint64_t now_us);

  // Whether a target could be moved to; nothing moves.
  Reason check_target(std::int64_t target) const;

  bool is_commanded() const { return op_ == Op::Moving || op_ == Op::Homing || op_ == Op::Stopping; }
  bool is_moving() const { return op_ != Op::Idle; }
  bool is_homing() const { return op_ == Op::Homing; }
  bool is_homed() const { return is_homed_; }
  bool is_wheel() const { return id_ == AxisId::W || id_ == AxisId::W2; }
  std::int32_t position() const { return motor_->position(); }
  const EncoderSettings& encoder() const { return encoder_; }

  // Why the last motion did not end as commanded; None again when the next is accepted.
  Reason fault() const { return fault_; }

  // The fault, once, when it is new and was not asked for by stop().
  Reason take_failure();

 private:
  enum class Op : std::uint8_t { Idle, Moving, Homing, Stopping, Jogging, Nudging };

  double usteps_per_mm() const;
  double velocity_usteps() const;
  double acceleration_usteps() const;
  std::int64_t lower_bound() const;
  std::int64_t upper_bound() const;
  std::int32_t clamp_step(std::int32_t base, std::int32_t delta) const;
  void begin_move(std::int32_t target, std::uint64_t now_us);
  void finish(Reason reason);
  void apply_limits();
  void tick_move(std::uint64_t now_us);
  void tick_homing(std::uint64_t now_us);

  AxisId id_;
  Motor* motor_ = nullptr;
  DriveSettings drive_{};
  EncoderSettings encoder_{};
  double pitch_mm_ = 1;  // as last sent; drive_ has it from the next configure_drive on (spec 4, code 23)
  double velocity_mm_s_ = 1;
  double acceleration_mm_s2_ = 1;
  SoftLimits limits_{};
  SoftLimits home_side_{};  // nothing lies beyond the home switch
  Op op_ = Op::Idle;
  bool is_initialised_ = false;
  bool is_homed_ = false;
  Reason fault_ = Reason::None;
  bool is_fault_new_ = false;
  std::int32_t target_ = 0;
  std::uint64_t started_us_ = 0;
  std::uint64_t deadline_us_ = 0;
  Direction home_direction_ = Direction::Negative;
  Homing homing_{};
};

}  // namespace squid
