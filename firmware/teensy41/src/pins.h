// Pins of the Squid controller (spec 5.3, 6, 7, 8).
#pragma once

#include <array>
#include <cstdint>

#include "core/board.h"

namespace squid::teensy {

constexpr std::uint8_t kPowerGood = 0;
constexpr std::uint8_t kInterlock = 2;  // pull-up; low is safe
constexpr std::uint8_t kRegulatorSync = 25;
constexpr std::uint8_t kMotorClock = 37;
constexpr std::uint8_t kMotorClockW2 = 28;
constexpr std::uint8_t kDacSelect = 33;

// In the order of Output: D1..D5, triggers, auxiliary outputs, autofocus laser.
constexpr std::array<std::uint8_t, kOutputs> kOutputPins{5, 4, 22, 3, 23, 29, 30, 31, 32, 6, 9, 10, 15};

struct MotorWiring {
  std::uint8_t select;
  double sense_ohm;
  bool has_swapped_switches;  // the chip's left is the motor's right
  bool is_wheel;              // only the left input is wired
};

// In the order of AxisId: X, Y, Z, W, W2.
constexpr std::array<MotorWiring, kAxes> kMotors{{{36, 0.22, true, false},
                                                  {41, 0.22, true, false},
                                                  {35, 0.43, false, false},
                                                  {34, 0.105, false, true},
                                                  {16, 0.105, false, true}}};

}  // namespace squid::teensy
