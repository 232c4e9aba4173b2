// Light, triggers and watchdog as stock firmware v1.4 has them (spec 6, 7), traps included.
#pragma once

#include <array>
#include <cstdint>

#include "../../core/board.h"

namespace squid::native {

class StockLight {
 public:
  explicit StockLight(Board& board) : board_(board) {}

  void power_on();
  void initialise_dac();

  // Executes a command of light or triggers; anything else is ignored.
  void execute(const Packet& packet, std::uint64_t now_us);
  void tick(std::uint64_t now_us);
  void feed(std::uint64_t now_us) { fed_us_ = now_us; }
  void reset_trigger_mode() { is_level_ = false; }

  // While a strobe of up to 30 ms is on, the processor waits for its end in an interrupt.
  bool is_blocking(std::uint64_t now_us) const { return now_us < blocked_until_us_; }
  std::uint64_t blocked_until_us() const { return blocked_until_us_; }
  bool has_strobe() const;

  // The short-lived early 1.1: code 40 switches a port off by itself some time after it went on (spec 11).
  void use_port_auto_off() { auto_off_us_ = 3'000'000; }
  std::uint8_t port_bits() const { return ports_; }

 private:
  struct Shot {
    bool line_low = false;
    bool controls_light = false;
    bool is_lit = false;
    std::uint8_t source = 0;
    std::uint32_t on_time_us = 0;
    std::uint64_t fired_us = 0;
  };

  void execute_ports(Code code, const Packet& packet, std::uint64_t now_us);
  void select(std::uint8_t source, std::uint16_t intensity);
  void light(std::uint8_t source, bool on);
  void set_port(std::uint8_t port, bool on);
  void write_intensity(std::uint8_t port, std::uint16_t intensity);
  void show_matrix(std::uint8_t pattern);
  void all_ports_off();
  void set_pin(std::uint8_t pin, bool high);
  void fire(const args::SendHardwareTrigger& a, std::uint64_t now_us);
  void tick_shot(std::size_t channel, std::uint64_t now_us);
  void arm_watchdog(std::uint32_t timeout_ms);
  void tick_watchdog(std::uint64_t now_us);
  void tick_auto_off(std::uint64_t now_us);

  Board& board_;
  std::uint8_t source_ = 0;
  bool is_on_ = false;
  std::uint8_t factor_percent_ = 60;
  Rgb colour_{};
  std::uint8_t ports_ = 0;
  std::array<std::uint64_t, kPorts> port_on_us_{};
  std::uint64_t auto_off_us_ = 0;
  bool is_level_ = false;
  std::array<std::uint32_t, kTriggerChannels> delays_us_{};
  std::array<Shot, kTriggerChannels> shots_{};
  std::uint64_t blocked_until_us_ = 0;
  bool is_watched_ = false;
  std::uint64_t watchdog_us_ = 5'000'000;
  std::uint64_t fed_us_ = 0;
};

}  // namespace squid::native
