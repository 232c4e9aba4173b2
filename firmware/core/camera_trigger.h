// Camera triggers and the strobe light that goes with them (spec 7).
//
//   line   ‾‾\____________/‾‾‾‾‾‾   low: a pulse (edge mode), or until the exposure is over (level mode)
//   light  ______/‾‾‾‾‾‾‾‾\______   high: from `delay` to `delay` + `on time` after the falling edge
//
// service() does the edges and may run in a timer interrupt; it never waits.
#pragma once

#include <array>
#include <cstdint>

#include "board.h"
#include "lights.h"

namespace squid {

class CameraTrigger {
 public:
  CameraTrigger(Board& board, Lights& lights) : board_(board), lights_(lights) {}

  // Executes a command of triggers; UnknownCommand when it is none.
  Reason execute(const Packet& packet, std::uint64_t now_us);

  void power_on();
  void reset_mode() { mode_ = TriggerMode::Edge; }

  // Starts an exposure: the line falls now. `source` None is a trigger without light.
  Reason fire(std::uint8_t channel, LightSource source, std::uint32_t on_time_us, std::uint64_t now_us);

  // Ends all exposures: lines high, strobes off or never on.
  void cancel();

  // Ends the strobes only; a camera goes on with its exposure in the dark.
  void cancel_light();

  void service(std::uint64_t now_us);

  bool is_active(std::uint8_t channel) const { return shots_[channel].line_low || shots_[channel].has_light; }
  bool has_light(std::uint8_t channel) const { return shots_[channel].has_light; }
  bool has_any_light() const;
  std::uint32_t delay_us(std::uint8_t channel) const { return delays_us_[channel]; }

  // Time of the next edge, or the largest number.
  std::uint64_t next_edge_us() const;

 private:
  struct Shot {
    bool line_low = false;
    bool has_light = false;  // to come, or on
    bool is_lit = false;
    LightSource source = LightSource::None;  // latched: selecting another one meanwhile changes nothing
    std::uint64_t line_high_us = 0;
    std::uint64_t light_on_us = 0;
    std::uint64_t light_off_us = 0;
  };

  void end_light(Shot& shot);
  void end_line(std::size_t channel);

  Board& board_;
  Lights& lights_;
  TriggerMode mode_ = TriggerMode::Edge;
  std::array<std::uint32_t, kTriggerChannels> delays_us_{};
  std::array<Shot, kTriggerChannels> shots_{};
};

}  // namespace squid
