// One axis as stock firmware v1.4 has it (spec 4, 5): limits that homing loses, a software range that homing narrows.
#pragma once

#include <cstdint>
#include <limits>

#include "../../core/board.h"
#include "../../core/homing.h"

namespace squid::native {

struct StockAxis {
  AxisId id = AxisId::X;
  Motor* motor = nullptr;
  DriveSettings drive{};
  double pitch_mm = 1;
  double velocity_mm_s = 1;
  double acceleration_mm_s2 = 1;

  std::int32_t upper = 0;  // POS_LIMIT, NEG_LIMIT: variables that relative moves are clamped to
  std::int32_t lower = 0;
  SoftLimits virtual_stops{};  // what the chip enforces; homing switches it off for good
  std::int32_t range_low = std::numeric_limits<std::int32_t>::min();  // what absolute moves are checked against
  std::int32_t range_high = std::numeric_limits<std::int32_t>::max();

  bool is_initialised = false;
  bool is_commanded = false;
  bool is_homing = false;
  std::int32_t target = 0;
  std::int32_t travel_sign = 1;
  Direction home_direction = Direction::Negative;
  Homing homing{};

  bool is_wheel() const { return id == AxisId::W || id == AxisId::W2; }
  double usteps_per_mm() const { return 200.0 * drive.microsteps / drive.pitch_mm; }

  void power_on();
  void initialise();
  void apply_ramp() const;
  void set_limit(Direction side, std::int32_t position);
  void start_move(std::int32_t to);
  void start_homing(Direction direction, std::uint64_t now_us);

  // Returns whether homing ended just now.
  bool tick_homing(std::uint64_t now_us);
  std::int32_t clamp_relative(std::int32_t delta) const;
};

}  // namespace squid::native
