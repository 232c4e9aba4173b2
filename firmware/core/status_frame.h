// The status frame (spec 2.2), with what firmware 2.0 says in its reserved bytes.
#pragma once

#include <array>
#include <cstdint>

#include "protocol.h"

namespace squid {

using FrameBytes = std::array<std::uint8_t, kStatusBytes>;

struct StatusFrame {
  std::uint8_t command_id = 0;
  ExecutionStatus status = ExecutionStatus::Completed;
  std::int32_t x_usteps = 0;
  std::int32_t y_usteps = 0;
  std::int32_t z_usteps = 0;
  std::uint32_t page_data = 0;
  std::uint8_t inputs = 0;
  std::uint8_t reset_count = 0;
  std::uint8_t flags = 0;
  std::uint8_t version = 0;

  // Returns the bytes with CRC; `guarded` also fills the second check of 2.0.
  FrameBytes encode(bool guarded) const;
};

// The second check: with the CRC it lets one corrupt frame in 65 000 pass instead of one in 256.
std::uint8_t frame_guard(const FrameBytes& frame);

// The second check of a GUARDED_MOVETO packet, over bytes 0..5.
std::uint8_t packet_guard(const Packet& packet);

}  // namespace squid
