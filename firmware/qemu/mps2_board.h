// The core's board in QEMU's mps2-an500: UART 0 as the link, timer 0 as the clock, simulated motors, outputs in memory.
#pragma once

#include <array>
#include <cstdint>

#include "core/board.h"
#include "native/sim_motor.h"

namespace squid::qemu {

class Mps2Board final : public Board {
 public:
  Mps2Board();

  void begin();

  // Moves the simulated motors to now.
  void refresh();

  std::uint64_t now_us() override;
  Motor& motor(AxisId axis) override { return motors_[static_cast<std::size_t>(axis)]; }
  void set_output(Output output, bool high) override { outputs_[static_cast<std::size_t>(output)] = high; }
  void write_dac(std::uint8_t channel, std::uint16_t value) override { dac_[channel] = value; }
  void set_dac_gain(std::uint8_t /*refdiv*/, std::uint8_t /*gains*/) override {}
  void write_leds(const LedImage& image) override { leds_ = image; }
  bool interlock_is_safe() override { return true; }
  bool send(const FrameBytes& frame) override;
  std::uint8_t reset_count() override { return 1; }
  void lock() override;
  void unlock() override;

 private:
  std::array<native::SimMotor, kAxes> motors_;
  std::array<bool, kOutputs> outputs_{};
  std::array<std::uint16_t, kDacChannels> dac_{};
  LedImage leds_{};
  std::uint32_t last_count_ = 0;
  std::uint64_t elapsed_counts_ = 0;
  std::uint32_t lock_depth_ = 0;
};

// Takes what the UART has received since the last call; returns how many bytes.
std::size_t take_received(std::array<std::uint8_t, 256>& bytes);

}  // namespace squid::qemu
