// What the native program runs on the simulated board: our firmware, or an emulation of the stock one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "sim_board.h"

namespace squid::native {

class Firmware {
 public:
  Firmware() = default;
  virtual ~Firmware() = default;
  Firmware(const Firmware&) = delete;
  Firmware& operator=(const Firmware&) = delete;

  virtual void begin() = 0;
  virtual void receive(const std::uint8_t* bytes, std::size_t count) = 0;
  virtual void receive_panel(std::uint8_t byte) = 0;
  virtual void tick() = 0;
  virtual std::uint64_t next_due_us() const = 0;

  // False while the processor waits in an interrupt and takes nothing from the line.
  virtual bool is_listening() const = 0;
};

std::unique_ptr<Firmware> make_own(SimBoard& board);

// `version`: 0.0, 1.0, 1.1, 1.2, 1.3 or 1.4; null when there is no such version.
std::unique_ptr<Firmware> make_stock(SimBoard& board, const std::string& version);

}  // namespace squid::native
