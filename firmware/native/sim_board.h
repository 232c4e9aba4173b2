// The simulated hardware: motors, outputs with the times of their edges, DAC, LED matrix, interlock.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "../core/board.h"
#include "sim_motor.h"

namespace squid::native {

struct Edge {
  std::uint64_t time_us;  // CLOCK_MONOTONIC
  std::string name;
  bool level;
};

std::string output_name(std::size_t output);
std::string axis_name(std::size_t axis);

class SimBoard final : public Board {
 public:
  explicit SimBoard(double motor_speed);

  std::function<bool(const FrameBytes&)> on_frame;  // sends to the host
  std::function<void(const Edge&)> on_edge;         // told of each edge
  std::function<void(const std::string&, int)> on_level;  // told of each change of a DAC channel, or of the matrix

  // What a reset of the processor does to the hardware: outputs low, motors standing.
  void power_cycle();

  // Moves the simulation's clock to now.
  void refresh();

  std::uint64_t now_us() override;
  Motor& motor(AxisId axis) override { return motors_[static_cast<std::size_t>(axis)]; }
  void set_output(Output output, bool high) override;
  void write_dac(std::uint8_t channel, std::uint16_t value) override;
  void set_dac_gain(std::uint8_t refdiv, std::uint8_t gains) override;
  void write_leds(const LedImage& image) override;
  bool interlock_is_safe() override { return is_safe; }
  bool send(const FrameBytes& frame) override { return on_frame && on_frame(frame); }
  std::uint8_t reset_count() override { return reset_count_; }
  void lock() override {}
  void unlock() override {}

  SimMotor& sim_motor(std::size_t axis) { return motors_[axis]; }
  std::string state_json();
  std::string edges_json() const;

  // ",x,y,z" in microsteps, or nothing while one of them moves.
  std::string standing_json();
  void clear_edges() { edges_.clear(); }

  bool is_safe = true;

 private:
  void record(const std::string& name, bool level);

  std::array<SimMotor, kAxes> motors_;
  std::array<bool, kOutputs> outputs_{};
  std::array<std::uint16_t, kDacChannels> dac_{};
  std::uint8_t refdiv_ = 0;
  std::uint8_t gains_ = 0;
  LedImage leds_{};
  std::vector<Edge> edges_;
  std::uint8_t reset_count_ = 0;
};

}  // namespace squid::native
