// One motor: TMC4361A ramp generator with a TMC2660 driver behind it, on SPI (spec 5.3).
#pragma once

#include <cstdint>

#include "core/board.h"
#include "pins.h"

namespace squid::teensy {

class TmcMotor final : public Motor {
 public:
  explicit TmcMotor(const MotorWiring& wiring) : wiring_(wiring) {}

  // Makes the chip-select pin an output; call before any other chip on the bus is spoken to.
  void prepare_pin() const;

  void reset() override;
  void configure(const DriveSettings& settings) override;
  void set_ramp(double velocity, double acceleration) override;
  void set_limits(const SoftLimits& limits) override;
  void set_encoder(const EncoderSettings& settings) override;
  void close_loop(bool closed) override;
  void enable(bool enabled) override;
  void move_to(std::int32_t target) override;
  void spin(double velocity) override;
  void set_position(std::int32_t position) override;
  std::int32_t position() override;
  bool is_running() override;
  bool at_switch(Direction direction) override;
  std::int32_t switch_position() override;

 private:
  std::uint32_t transfer(std::uint8_t address, std::uint32_t value) const;
  void write(std::uint8_t address, std::uint32_t value) const { transfer(address | 0x80U, value); }
  std::uint32_t read(std::uint8_t address) const;
  void write_driver(std::uint32_t datagram) const;
  void write_reference_configuration() const;
  void clear_events() const;
  void begin_motion();

  MotorWiring wiring_;
  SoftLimits limits_{};
  DriveSettings drive_{};
  double max_velocity_ = 0;
  double velocity_ = 0;          // wanted, while spinning
  bool is_spinning_ = false;
  bool is_standing_ = false;     // known to stand: the position need not be read again
  bool is_loop_closed_ = false;
  std::int32_t position_ = 0;
  std::uint32_t started_us_ = 0;
};

}  // namespace squid::teensy
