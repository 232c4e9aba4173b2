// The Squid controller's board: pins, motors, DAC80508, LED matrix, USB (spec 1, 5.3, 6, 8).
#pragma once

#include <array>
#include <cstdint>

#include "core/board.h"
#include "tmc_motor.h"

namespace squid::teensy {

class TeensyBoard final : public Board {
 public:
  TeensyBoard();

  // Outputs into their safe state, clocks, buses. Motors need power_is_good() before anything else.
  void begin();
  bool power_is_good() const;

  std::uint64_t now_us() override;
  Motor& motor(AxisId axis) override { return motors_[static_cast<std::size_t>(axis)]; }
  void set_output(Output output, bool high) override;
  void write_dac(std::uint8_t channel, std::uint16_t value) override;
  void set_dac_gain(std::uint8_t refdiv, std::uint8_t gains) override;
  void write_leds(const LedImage& image) override;
  bool interlock_is_safe() override;
  bool send(const FrameBytes& frame) override;
  std::uint8_t reset_count() override;
  void lock() override;
  void unlock() override;

 private:
  void write_dac_register(std::uint8_t address, std::uint16_t value);

  std::array<TmcMotor, kAxes> motors_;
  std::uint32_t last_us_ = 0;
  std::uint32_t wraps_ = 0;
  volatile std::uint32_t lock_depth_ = 0;
};

}  // namespace squid::teensy
