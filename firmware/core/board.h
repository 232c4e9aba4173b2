// What the core needs of the hardware. A board implements Motor and Board; the core never touches anything else.
//
// Threads: everything is called from one loop, except that Controller::service_exposures() may run in a timer interrupt.
// That calls set_output(), interlock_is_safe(), lock() and nothing else; lock() keeps it out for a few instructions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "protocol.h"
#include "status_frame.h"

namespace squid {

enum class AxisId : std::uint8_t { X, Y, Z, W, W2 };

// Direction in motor coordinates; the left switch is the negative one.
enum class Direction : std::int8_t { Negative = -1, Positive = 1 };

constexpr double sign(Direction direction) { return static_cast<double>(direction); }
constexpr Direction opposite(Direction d) {
  return d == Direction::Negative ? Direction::Positive : Direction::Negative;
}

struct DriveSettings {
  double pitch_mm = 1.0;
  std::uint16_t microsteps = 256;  // per full step; a turn has 200 full steps
  std::uint16_t current_ma = 500;  // rms
  double hold_fraction = 0.5;      // of the current, at standstill
  std::int32_t home_margin_usteps = 4;
};

// A limit that is not enabled is not there.
struct SoftLimits {
  bool has_lower = false;
  bool has_upper = false;
  std::int32_t lower = 0;
  std::int32_t upper = 0;
};

struct EncoderSettings {
  bool inverted = false;
  std::uint16_t transitions_per_turn = 0;
  std::uint16_t p = 4096;
  std::uint8_t i = 0;
  std::uint8_t d = 0;
};

// One motor with its ramp generator. Positions in microsteps, velocities in microsteps/s.
class Motor {
 public:
  // Brings the chips to a known state: position 0, no limits, loop open, stall stop armed, standing.
  virtual void reset() = 0;
  virtual void configure(const DriveSettings& settings) = 0;
  virtual void set_ramp(double velocity, double acceleration) = 0;
  virtual void set_limits(const SoftLimits& limits) = 0;
  virtual void set_encoder(const EncoderSettings& settings) = 0;
  virtual void close_loop(bool closed) = 0;
  virtual void enable(bool enabled) = 0;

  virtual void move_to(std::int32_t target) = 0;
  virtual void spin(double velocity) = 0;  // 0 stops on the ramp
  virtual void set_position(std::int32_t position) = 0;  // names the present position; the motor stands

  virtual std::int32_t position() = 0;
  virtual bool is_running() = 0;
  virtual bool at_switch(Direction direction) = 0;
  virtual std::int32_t switch_position() = 0;  // where the last switch was met

 protected:
  ~Motor() = default;
};

enum class Output : std::uint8_t { D1, D2, D3, D4, D5, Trigger0, Trigger1, Trigger2, Trigger3, Aux6, Aux9, Aux10, AfLaser };
constexpr std::size_t kOutputs = 13;

constexpr Output port_output(std::size_t port) { return static_cast<Output>(port); }
constexpr Output trigger_output(std::size_t channel) {
  return static_cast<Output>(static_cast<std::size_t>(Output::Trigger0) + channel);
}

struct Rgb {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;
};
using LedImage = std::array<Rgb, kLeds>;

class Board {
 public:
  virtual std::uint64_t now_us() = 0;
  virtual Motor& motor(AxisId axis) = 0;
  virtual void set_output(Output output, bool high) = 0;
  virtual void write_dac(std::uint8_t channel, std::uint16_t value) = 0;
  virtual void set_dac_gain(std::uint8_t refdiv, std::uint8_t gains) = 0;
  virtual void write_leds(const LedImage& image) = 0;
  virtual bool interlock_is_safe() = 0;

  // Sends a frame whole, or returns false and sends nothing of it (spec 2.6: a host that lost part of a frame may lock on
  // a wrong alignment for ever).
  virtual bool send(const FrameBytes& frame) = 0;

  // Number of this start, 1..255, one more than at the last.
  virtual std::uint8_t reset_count() = 0;

  // Nests: the outermost unlock() lets the interrupt in again.
  virtual void lock() = 0;
  virtual void unlock() = 0;

 protected:
  ~Board() = default;
};

// Keeps the timer interrupt out while it lives.
class Lock {
 public:
  explicit Lock(Board& board) : board_(board) { board_.lock(); }
  ~Lock() { board_.unlock(); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  Board& board_;
};

}  // namespace squid
