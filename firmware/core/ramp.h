// Trapezoidal motion in closed form: at most three phases of constant acceleration, evaluated at any time.
//
// The firmware plans with it (how long may this move take?); the native build moves its simulated motors with it.
#pragma once

#include <array>
#include <cstddef>

namespace squid {

struct RampState {
  double position = 0;  // microsteps
  double velocity = 0;  // microsteps/s
};

class Ramp {
 public:
  // Takes effect with the next move_to or spin.
  void set_limits(double velocity, double acceleration);

  void set_position(double position);

  // Retarget from wherever the motor is at `now_s`, with whatever velocity it has.
  void move_to(double target, double now_s);

  // Accelerate to a velocity and keep it; 0 stops.
  void spin(double velocity, double now_s);

  RampState at(double now_s) const;
  bool is_running(double now_s) const;

  // Time at which the motor stands; infinite when spinning.
  double end_s() const;

 private:
  struct Phase {
    double duration_s;
    double acceleration;
  };

  void begin(double now_s);
  void add_phase(double from_velocity, double to_velocity, double duration_s);

  double max_velocity_ = 1;
  double max_acceleration_ = 1;
  double start_s_ = 0;
  RampState start_{};
  std::array<Phase, 3> phases_{};
  std::size_t phase_count_ = 0;
  bool has_target_ = false;
  double target_ = 0;
  double final_velocity_ = 0;
};

// Time that a move over `distance` takes from standstill to standstill.
double travel_time_s(double distance, double velocity, double acceleration);

}  // namespace squid
