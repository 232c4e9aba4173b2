// What is lit: five laser/LED ports with an intensity each, the LED matrix, output pins with the autofocus laser.
//
// The legacy commands know one "current source" that is on or off; the port commands know five ports. Both act on the
// same outputs. switch_source() may be called from the timer interrupt; all else belongs to the loop.
#pragma once

#include <cstdint>

#include "board.h"

namespace squid {

// A setting of one light source; nothing is lit by it.
struct LightSetting {
  LightSource source = LightSource::None;
  std::uint16_t intensity = 0;  // 0..65535, of a port
  Rgb colour{};                 // of the matrix
};

class Lights {
 public:
  explicit Lights(Board& board) : board_(board) {}

  // Executes a command of light; UnknownCommand when it is none.
  Reason execute(const Packet& packet);

  // Forces the ports dark while the interlock is open, and shows the matrix's picture.
  void tick();

  void power_on();
  void all_off();    // ports, matrix, autofocus laser
  void ports_off();  // ports and matrix: what TURN_OFF_ALL_PORTS means

  // Makes a source ready for a strobe.
  Reason prepare(const LightSetting& setting);
  LightSource source() const { return source_; }
  static bool is_source(std::uint8_t code);
  static bool is_port(LightSource source);

  // Switches one source's output. Returns false when the interlock forbids it.
  bool switch_source(LightSource source, bool on);

  bool is_any_on() const { return ports_on_ != 0 || matrix_on_ || (pins_on_ & kAfLaserBit) != 0; }
  bool interlock_is_safe() const { return is_safe_; }

  // Whether the interlock was opened since the last call.
  bool take_interlock_event();

  // Content of the LIGHTS page: ports (bit n is port n), matrix on, pattern, pins (bit 3 is the autofocus laser).
  std::uint32_t page() const;

 private:
  static constexpr std::uint8_t kAfLaserBit = 8;

  Reason execute_source(Code code, const Packet& packet);
  Reason execute_port(Code code, const Packet& packet);
  Reason execute_output(Code code, const Packet& packet);
  Reason select(const LightSetting& setting, bool with_colour);
  Reason set_port(std::uint8_t port, bool on);
  Reason set_mask(std::uint16_t selected, std::uint16_t on);
  Reason set_pin(std::uint8_t pin, bool high);
  void write_intensity(std::uint8_t port, std::uint16_t intensity);

  Board& board_;
  LightSource source_ = LightSource::MatrixFull;
  bool is_on_ = false;  // the current source, by the legacy commands
  std::uint8_t factor_percent_ = 60;
  Rgb colour_{};
  volatile std::uint8_t ports_on_ = 0;
  volatile bool matrix_on_ = false;
  volatile bool matrix_changed_ = false;
  volatile std::uint8_t pattern_ = 0;
  std::uint8_t pins_on_ = 0;
  bool is_safe_ = true;
  bool interlock_event_ = false;
};

}  // namespace squid
