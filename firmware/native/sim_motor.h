// A simulated motor: a trapezoidal ramp, a carriage between two switches (or a wheel with a gap), and faults on request.
#pragma once

#include <cstdint>

#include "../core/board.h"
#include "../core/ramp.h"

namespace squid::native {

// Where the carriage can go, in mm of its own, growing with the motor's positive direction.
struct Travel {
  double start_mm = 0;
  double left_switch_mm = 0;
  double right_switch_mm = 0;
  bool is_wheel = false;  // endless; the left input is inactive in a gap after each full turn
};

class SimMotor final : public Motor {
 public:
  // `speed`: how many times faster than real its time runs.
  SimMotor(const Travel& travel, double speed);

  void set_time(std::uint64_t now_us);

  void reset() override;
  void configure(const DriveSettings& settings) override;
  void set_ramp(double velocity, double acceleration) override;
  void set_limits(const SoftLimits& limits) override;
  void set_encoder(const EncoderSettings& /*settings*/) override {}
  void close_loop(bool closed) override { is_loop_closed_ = closed; }
  void enable(bool enabled) override { is_enabled_ = enabled; }
  void move_to(std::int32_t target) override;
  void spin(double velocity) override;
  void set_position(std::int32_t position) override;
  std::int32_t position() override;
  bool is_running() override;
  bool at_switch(Direction direction) override;
  std::int32_t switch_position() override { return switch_position_; }

  double carriage_mm();
  void set_stalled(bool stalled) { is_stalled_ = stalled; }  // stops and reports that it stands
  void set_frozen(bool frozen);                              // stops and reports that it runs

 private:
  void advance();
  void halt(double position);
  double count_at(double mm) const { return (mm - origin_mm_) * usteps_per_mm_; }
  double blocked_at(double from, Direction direction, double switch_count, bool has_limit, double limit) const;

  Travel travel_;
  double speed_;
  double now_s_ = 0;
  Ramp ramp_{};
  double last_ = 0;        // position at the last look
  double origin_mm_ = 0;   // where the carriage is at count 0
  double usteps_per_mm_ = 1;
  SoftLimits limits_{};
  std::int32_t switch_position_ = 0;
  bool is_enabled_ = true;
  bool is_loop_closed_ = false;
  bool is_stalled_ = false;
  bool is_frozen_ = false;
};

}  // namespace squid::native
